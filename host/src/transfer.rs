//! Moving the bytes of a data connection, in bounded turns that never wait for the socket. Where the bytes pass as they are
//! and the content is a file, the system copies: `sendfile` towards the socket, `splice` from it. All else passes through the
//! core's pump. Every runtime uses this one; it has to provide a socket that does not block, and to wait until it is ready.

use std::io;
use std::os::fd::BorrowedFd;

use longshore_core::codec::Codec;
use longshore_core::host::{Content, Host, HostError};
use longshore_core::machine::{Flow, TransferError, Way};
use longshore_core::pump::{Inflow, Outflow};
use longshore_core::server::ServerContent;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, Shutdown};

/// The most that one turn moves by the system's own copying, in bytes; a session looks at its control connection between two.
const TURN: usize = 4 * 1024 * 1024;
/// The size of the buffer where the system does not copy.
const BUFFER: usize = 256 * 1024;
/// The size of the first reads from a socket: a file that fills none of them is not worth a pipe.
#[cfg(target_os = "linux")]
const FIRST: usize = 64 * 1024;
/// The size of the pipe that `splice` goes through.
#[cfg(target_os = "linux")]
const PIPE: usize = 1024 * 1024;

/// Content that the operating system may know by a file descriptor.
pub trait Native: Content {
    /// The descriptor, positioned where the content is to be read or written next.
    fn descriptor(&self) -> Option<BorrowedFd<'_>>;
}

impl<H: Host> Native for ServerContent<H>
where
    H::File: Native,
{
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::File(file) => file.descriptor(),
            Self::Listing(_) => None,
        }
    }
}

/// What a turn came to.
#[derive(Debug)]
pub enum Progress {
    /// So many bytes went over the socket; there may be more at once.
    Moved(u64),
    /// The socket has to be waited for: to read from, or to write to, as the flow's way is.
    Wait,
    /// The flow is over.
    Done(Result<(), TransferError>),
}

/// A flow that is under way.
#[derive(Debug)]
pub struct Transfer {
    way: Way,
    engine: Engine,
}

#[derive(Debug)]
enum Engine {
    #[cfg(target_os = "linux")]
    SendFile,
    /// Small reads and writes, until the file turns out to be large.
    #[cfg(target_os = "linux")]
    Small(Vec<u8>),
    #[cfg(target_os = "linux")]
    Splice(Pipe),
    Out(Outflow),
    In(Inflow, Vec<u8>),
}

#[cfg(target_os = "linux")]
impl Engine {
    /// Large reads and writes of bytes as they are.
    fn plain() -> Self {
        Self::In(Inflow::new(Codec::identity(), 0), vec![0; BUFFER])
    }
}

impl Transfer {
    /// Prepares a flow for content.
    pub fn new(flow: Flow, content: &impl Native) -> Self {
        let Flow { way, codec } = flow;
        let copied = codec.is_identity() && content.descriptor().is_some();
        let engine = match way {
            #[cfg(target_os = "linux")]
            Way::Send if copied => Engine::SendFile,
            #[cfg(target_os = "linux")]
            Way::Receive if copied => Engine::Small(vec![0; FIRST]),
            Way::Send => Engine::Out(Outflow::new(codec, BUFFER)),
            Way::Receive => Engine::In(Inflow::new(codec, BUFFER), vec![0; BUFFER]),
        };
        let _ = copied;
        Self { way, engine }
    }

    /// Which way the bytes go, and so what the socket has to be ready for.
    pub fn way(&self) -> Way {
        self.way
    }

    /// Takes a turn.
    pub fn step(&mut self, socket: BorrowedFd<'_>, content: &mut impl Native) -> Progress {
        match &mut self.engine {
            #[cfg(target_os = "linux")]
            Engine::SendFile => self.send_file(socket, content),
            #[cfg(target_os = "linux")]
            Engine::Small(buffer) => {
                let progress = receive(&mut Inflow::new(Codec::identity(), 0), buffer, socket, content);
                if matches!(progress, Progress::Moved(count) if count == FIRST as u64) {
                    self.engine = match Pipe::new() {
                        Ok(pipe) => Engine::Splice(pipe),
                        Err(_) => Engine::plain(),
                    };
                }
                progress
            }
            #[cfg(target_os = "linux")]
            Engine::Splice(pipe) => match pipe.step(socket, content) {
                Ok(progress) => progress,
                // This kind of file takes no splice.
                Err(moved) => {
                    self.engine = Engine::plain();
                    if moved > 0 { Progress::Moved(moved) } else { self.step(socket, content) }
                }
            },
            Engine::Out(flow) => send(flow, socket, content),
            Engine::In(flow, buffer) => receive(flow, buffer, socket, content),
        }
    }

    #[cfg(target_os = "linux")]
    fn send_file(&mut self, socket: BorrowedFd<'_>, content: &mut impl Native) -> Progress {
        let Some(file) = content.descriptor() else {
            return Progress::Done(Err(HostError::Failed.into()));
        };
        match rustix::fs::sendfile(socket, file, None, TURN) {
            Ok(0) => end(socket),
            Ok(count) => Progress::Moved(count as u64),
            Err(Errno::AGAIN | Errno::INTR) => Progress::Wait,
            // This kind of file takes no sendfile; its position is where it was.
            Err(Errno::INVAL | Errno::NOSYS) => {
                self.engine = Engine::Out(Outflow::new(Codec::identity(), BUFFER));
                self.step(socket, content)
            }
            Err(Errno::IO) => Progress::Done(Err(HostError::Failed.into())),
            Err(_) => Progress::Done(Err(TransferError::Lost)),
        }
    }
}

fn send(flow: &mut Outflow, socket: BorrowedFd<'_>, content: &mut impl Native) -> Progress {
    if let Err(error) = flow.fill(content) {
        return Progress::Done(Err(error));
    }
    if flow.is_over() {
        return end(socket);
    }
    match rustix::net::send(socket, flow.bytes(), SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
        Ok(count) => {
            flow.sent(count);
            Progress::Moved(count as u64)
        }
        Err(Errno::AGAIN | Errno::INTR) => Progress::Wait,
        Err(_) => Progress::Done(Err(TransferError::Lost)),
    }
}

fn receive(flow: &mut Inflow, buffer: &mut [u8], socket: BorrowedFd<'_>, content: &mut impl Native) -> Progress {
    match rustix::net::recv(socket, &mut *buffer, RecvFlags::DONTWAIT) {
        Ok((_, 0)) => Progress::Done(flow.finish(content)),
        Ok((_, count)) => match flow.write(&buffer[..count], content) {
            Ok(()) => Progress::Moved(count as u64),
            Err(error) => Progress::Done(Err(error)),
        },
        Err(Errno::AGAIN | Errno::INTR) => Progress::Wait,
        Err(_) => Progress::Done(Err(TransferError::Lost)),
    }
}

/// All is sent: ends our direction. What the peer sent, though nobody asked, is read away, since closing a socket with bytes
/// unread would reset the connection, and destroy what is still on its way.
fn end(socket: BorrowedFd<'_>) -> Progress {
    let mut scrap = [0u8; 1024];
    let ended = rustix::net::shutdown(socket, Shutdown::Write);
    for _ in 0..64 {
        match rustix::net::recv(socket, &mut scrap, RecvFlags::DONTWAIT) {
            Ok((_, count)) if count > 0 => {}
            _ => break,
        }
    }
    Progress::Done(ended.map_err(|_| TransferError::Lost))
}

/// A pipe between a socket and a file.
#[cfg(target_os = "linux")]
#[derive(Debug)]
struct Pipe {
    read: rustix::fd::OwnedFd,
    write: rustix::fd::OwnedFd,
}

#[cfg(target_os = "linux")]
impl Pipe {
    fn new() -> io::Result<Self> {
        use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
        let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
        // The system may allow no more than it has given; it is slower then, and nothing worse.
        let _ = fcntl_setpipe_size(&write, PIPE);
        Ok(Self { read, write })
    }

    /// A turn. An error says that the file takes no splice, and how many bytes were written to it in another way.
    fn step(&mut self, socket: BorrowedFd<'_>, content: &mut impl Native) -> Result<Progress, u64> {
        use rustix::pipe::{SpliceFlags, splice};
        let count = match splice(socket, None, &self.write, None, PIPE, SpliceFlags::NONBLOCK | SpliceFlags::MOVE) {
            Ok(0) => return Ok(Progress::Done(Ok(()))),
            Ok(count) => count,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(Progress::Wait),
            Err(Errno::INVAL | Errno::NOSYS) => return Err(0),
            Err(_) => return Ok(Progress::Done(Err(TransferError::Lost))),
        };
        let mut left = count;
        while left > 0 {
            let Some(file) = content.descriptor() else {
                return Ok(Progress::Done(Err(HostError::Failed.into())));
            };
            match splice(&self.read, None, file, None, left, SpliceFlags::MOVE) {
                Ok(moved) if moved > 0 => left -= moved,
                Err(Errno::INTR) => {}
                Err(Errno::INVAL | Errno::NOSYS) => {
                    return match self.drain(left, content) {
                        Ok(()) => Err(count as u64),
                        Err(error) => Ok(Progress::Done(Err(error.into()))),
                    };
                }
                Ok(_) => return Ok(Progress::Done(Err(HostError::Failed.into()))),
                Err(error) => {
                    let error = crate::directory::host_error(&error.into());
                    return Ok(Progress::Done(Err(error.into())));
                }
            }
        }
        Ok(Progress::Moved(count as u64))
    }

    /// Writes what is in the pipe by hand.
    fn drain(&mut self, mut left: usize, content: &mut impl Native) -> Result<(), HostError> {
        let mut buffer = vec![0; left.min(BUFFER)];
        while left > 0 {
            let room = left.min(buffer.len());
            let count = rustix::io::read(&self.read, &mut buffer[..room]).map_err(|_| HostError::Failed)?;
            if count == 0 {
                return Err(HostError::Failed);
            }
            content.write(&buffer[..count])?;
            left -= count;
        }
        Ok(())
    }
}
