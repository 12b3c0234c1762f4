//! SIGINT and SIGTERM as a descriptor that becomes readable, which any runtime can wait for; SIGHUP.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Becomes readable once a signal came, and stays so until it is taken.
#[derive(Clone, Debug)]
pub struct Signal(Arc<OwnedFd>);

impl Signal {
    /// The first SIGINT or SIGTERM makes it readable, and a second one ends the process at once.
    ///
    /// # Errors
    ///
    /// The system has no more descriptors.
    pub fn stop() -> io::Result<Self> {
        let (read, write) = UnixStream::pair()?;
        read.set_nonblocking(true)?;
        let seen = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&seen))?;
            signal_hook::flag::register(signal, Arc::clone(&seen))?;
            signal_hook::low_level::pipe::register(signal, write.try_clone()?)?;
        }
        Ok(Self(Arc::new(read.into())))
    }

    /// Forgets the signals that came, and says whether there were any.
    pub fn take(&self) -> bool {
        let mut scrap = [0; 64];
        let mut came = false;
        while rustix::io::read(&self.0, &mut scrap).is_ok_and(|count| count > 0) {
            came = true;
        }
        came
    }

    /// What becomes readable, for a runtime that keeps what it waits for.
    pub fn descriptor(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.0)
    }
}

/// Does something at each SIGHUP from now on, on a thread of its own.
///
/// # Errors
///
/// The system has no more descriptors or threads.
pub fn at_hangup(mut action: impl FnMut() + Send + 'static) -> io::Result<()> {
    let (mut read, write) = UnixStream::pair()?;
    signal_hook::low_level::pipe::register(SIGHUP, write)?;
    let wait = move || {
        let mut scrap = [0; 64];
        // Several signals that came together are one.
        while read.read(&mut scrap).is_ok_and(|count| count > 0) {
            action();
        }
    };
    std::thread::Builder::new().name("reload".to_owned()).stack_size(256 * 1024).spawn(wait).map(drop)
}

/// SIGINT at a client: the first breaks off what is under way, a second one ends the program.
#[derive(Clone, Debug)]
pub struct Interrupt {
    signal: Signal,
    /// Whether the next one ends the program.
    armed: Arc<AtomicBool>,
}

impl Interrupt {
    /// Listens for SIGINT. Until [`begin`](Self::begin) one of them ends the program.
    ///
    /// # Errors
    ///
    /// The system has no more descriptors.
    pub fn new() -> io::Result<Self> {
        const INTERRUPTED: i32 = 130;
        let (read, write) = UnixStream::pair()?;
        read.set_nonblocking(true)?;
        let armed = Arc::new(AtomicBool::new(true));
        signal_hook::flag::register_conditional_shutdown(SIGINT, INTERRUPTED, Arc::clone(&armed))?;
        signal_hook::flag::register(SIGINT, Arc::clone(&armed))?;
        signal_hook::low_level::pipe::register(SIGINT, write)?;
        Ok(Self { signal: Signal(Arc::new(read.into())), armed })
    }

    /// A command begins: what came before is forgotten.
    pub fn begin(&self) {
        self.signal.take();
        self.armed.store(false, Ordering::Relaxed);
    }

    /// Something begins that cannot be broken off: the next signal ends the program.
    pub fn arm(&self) {
        self.armed.store(true, Ordering::Relaxed);
    }

    /// What becomes readable.
    pub fn signal(&self) -> &Signal {
        &self.signal
    }
}

impl AsFd for Signal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
