//! What the drivers' control connections have in common. `line.rs` has their bytes, in clear or through TLS.

mod line;

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::time::Duration;

use longshore_core::machine::Machine;
use longshore_core::time::Instant;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, Shutdown};

pub use self::line::Line;

/// How much is read at once, in bytes.
pub const READ: usize = 512;
/// How many bytes that nobody wants are read away before a connection is closed.
const SCRAP: usize = 64 * 1024;
/// How many turns a transfer may take before the replies so far are sent: one for the bytes, and one that finds the end. So
/// a small file goes out whole before its replies do, which then leave together.
pub const EAGER_TURNS: usize = 2;
/// How long a server may take to answer a call.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A driver: it carries out what a session wants, and waits for what happens next. All calls wait until they are done.
pub trait Drive<C> {
    /// The ends of the control connection: ours, and the peer's.
    ///
    /// # Errors
    ///
    /// The connection is gone already.
    fn addresses(&self) -> io::Result<(SocketAddr, SocketAddr)>;

    /// The time that the session is told.
    fn now(&self) -> Instant;

    /// Puts content at the data connection.
    fn offer(&mut self, content: C);

    /// Takes back the content that the last transfer left.
    fn take_content(&mut self) -> Option<C>;

    /// Drives the session until it has something to say to the application.
    ///
    /// # Errors
    ///
    /// The system cannot even wait. All that can happen to a connection is told to the session, and comes out as an event.
    fn next<M: Machine>(&mut self, session: &mut M) -> io::Result<M::Event>;
}

/// The time that a session is told: since the clock was made.
#[derive(Clone, Copy, Debug)]
pub struct Clock(std::time::Instant);

impl Clock {
    /// A clock that begins now.
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// The time.
    pub fn now(&self) -> Instant {
        Instant::after_origin(self.0.elapsed())
    }
}

/// Sends what the socket takes now, with the first `urgent` bytes as urgent data (RFC 959, section 4.1: the Synch).
///
/// # Errors
///
/// The connection is gone.
pub fn send(socket: impl AsFd, bytes: &[u8], urgent: usize) -> Result<usize, Errno> {
    let mut flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    let mut bytes = bytes;
    if urgent > 0 {
        flags |= SendFlags::OOB;
        bytes = &bytes[..urgent];
    }
    match rustix::net::send(socket, bytes, flags) {
        Err(Errno::AGAIN | Errno::INTR) => Ok(0),
        result => result,
    }
}

/// Ends a connection gently, once the last of `line` is sent: closing it with bytes unread would reset it, and the last reply with it.
// Apart, so that its buffer is in no other frame.
#[inline(never)]
pub fn close(socket: impl AsFd, line: &mut Line) {
    let goodbye = line.goodbye();
    if !goodbye.is_empty() {
        // What does not fit is for a peer that reads nothing.
        let _ = send(&socket, goodbye, 0);
    }
    // A peer that is gone already needs no goodbye.
    let _ = rustix::net::shutdown(&socket, Shutdown::Write);
    let mut scrap = [0; READ];
    let mut count = 0;
    while count < SCRAP
        && let Ok((_, more @ 1..)) = rustix::net::recv(&socket, &mut scrap, RecvFlags::DONTWAIT)
    {
        count += more;
    }
}

/// Bytes in clear that came and were not yet taken; empty nearly always, and then it holds no memory.
#[derive(Debug, Default)]
struct Inbox(Vec<u8>);

impl Inbox {
    /// Offers what is left to `take`, which says how much it took.
    fn offer(&mut self, take: impl FnOnce(&[u8]) -> usize) {
        let taken = take(&self.0);
        self.0.drain(..taken);
        self.rest();
    }

    /// Offers bytes that were just read, and keeps what is not taken.
    fn pass(&mut self, bytes: &[u8], take: impl FnOnce(&[u8]) -> usize) {
        let taken = take(bytes);
        self.0.extend_from_slice(&bytes[taken..]);
    }

    /// Where to read up to [`READ`] bytes into, to be offered next.
    fn room(&mut self) -> &mut Vec<u8> {
        self.0.reserve_exact(READ);
        &mut self.0
    }

    /// Gives back the memory, if nothing is in it.
    fn rest(&mut self) {
        if self.0.is_empty() {
            self.0 = Vec::new();
        }
    }
}
