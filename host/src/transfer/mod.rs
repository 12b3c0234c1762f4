//! Moving the bytes of a data connection, in bounded turns that never wait for the socket. Where the bytes pass as they are
//! and the content is a file, the system copies: `sendfile` towards the socket, `splice` from it. All else passes through the
//! core's pump. Every runtime uses this one; it has to provide a socket that does not block, and to wait until it is ready.
//!
//! A turn has two halves: what needs the content, and so perhaps a disk, and what does not. A runtime whose threads must not
//! wait takes [`Transfer::turn`]s until one wants the content, and gives the others, many at a time, to a thread that may
//! wait ([`Transfer::burst`]); one with a thread a session takes whole [`Transfer::step`]s. A file that fits into
//! [`SMALL`] bytes needs the content once: [`Cargo`] holds it in memory, read ahead or yet to be written.
//!
//! | file | what |
//! |---|---|
//! | `cargo.rs` | content, and what of it is in memory |
//! | `pipe.rs` | from a socket to a file by `splice` |

mod cargo;
#[cfg(target_os = "linux")]
mod pipe;

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use longshore_core::codec::Codec;
use longshore_core::host::{Content, Host, HostError};
use longshore_core::machine::{Flow, TransferError, Way};
use longshore_core::pump::{Inflow, Outflow};
use longshore_core::server::ServerContent;
use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, Shutdown};

pub use self::cargo::{Cargo, SMALL};
#[cfg(target_os = "linux")]
use self::pipe::Pipe;

/// The most that one turn moves by the system's own copying, in bytes; a session looks at its control connection between two.
const TURN: usize = 4 * 1024 * 1024;
/// The size of the buffer where the system does not copy.
const BUFFER: usize = 256 * 1024;
/// The most that a burst moves, in bytes, before it reports.
const BURST: u64 = 16 * 1024 * 1024;
/// How long a burst takes before it reports, if its steps do not take longer.
const BURST_TIME: Duration = Duration::from_millis(100);
/// A peer that took or gave so much since the last wait, in bytes, is likely to be ready again at once.
const BRISK: u64 = 128 * 1024;
/// How long a burst waits for a brisk peer: less than it takes to give the thread back and get one again would be too short.
const LINGER: Duration = Duration::from_millis(1);

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
pub enum Turn {
    /// So many bytes went over the socket; there may be more at once.
    Moved(u64),
    /// The socket has to be waited for: to read from, or to write to, as the flow's way is.
    Wait,
    /// Nothing goes on without the content.
    Content,
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
    #[cfg(target_os = "linux")]
    Splice(Pipe),
    Out(Outflow),
    /// Into memory, until the file turns out to be large.
    Small,
    In(Bucket),
}

/// What came from the socket and is not yet written.
#[derive(Debug)]
struct Bucket {
    flow: Inflow,
    /// It is never made larger.
    bytes: Vec<u8>,
    ended: bool,
}

impl Bucket {
    fn new(codec: Codec) -> Self {
        Self { flow: Inflow::new(codec, BUFFER), bytes: Vec::with_capacity(BUFFER), ended: false }
    }

    /// Writes what came.
    fn empty(&mut self, content: &mut impl Content) -> Result<(), TransferError> {
        let result = self.flow.write(&self.bytes, content);
        self.bytes.clear();
        result
    }
}

impl Transfer {
    /// Prepares a flow for a cargo.
    pub fn new(flow: Flow, cargo: &mut Cargo<impl Native>) -> Self {
        let Flow { way, codec } = flow;
        let is_file = codec.is_identity() && cargo.descriptor().is_some();
        let engine = match way {
            #[cfg(target_os = "linux")]
            Way::Send if is_file => Engine::SendFile,
            Way::Send => {
                let (head, is_whole) = cargo.take_head();
                Engine::Out(Outflow::ahead(codec, BUFFER, head, is_whole))
            }
            Way::Receive if is_file => Engine::Small,
            Way::Receive => Engine::In(Bucket::new(codec)),
        };
        Self { way, engine }
    }

    /// Which way the bytes go, and so what the socket has to be ready for.
    pub fn way(&self) -> Way {
        self.way
    }

    /// Does what can be done without the content. This waits for nothing.
    pub fn turn(&mut self, socket: BorrowedFd<'_>, cargo: &mut Cargo<impl Native>) -> Turn {
        match &mut self.engine {
            #[cfg(target_os = "linux")]
            Engine::SendFile | Engine::Splice(_) => Turn::Content,
            Engine::Out(flow) => send(flow, socket),
            Engine::Small if cargo.is_full() => Turn::Content,
            Engine::Small => match receive(socket, cargo.room()) {
                Ok(0) => Turn::Done(Ok(())),
                Ok(count) => Turn::Moved(count as u64),
                Err(turn) => turn,
            },
            Engine::In(bucket) if bucket.ended || bucket.bytes.len() >= BUFFER => Turn::Content,
            Engine::In(bucket) => match receive(socket, &mut bucket.bytes) {
                Ok(0) => {
                    bucket.ended = true;
                    Turn::Content
                }
                Ok(count) => Turn::Moved(count as u64),
                // What came is of use now: a listing may be on its way to a screen.
                Err(Turn::Wait) if !bucket.bytes.is_empty() => Turn::Content,
                Err(turn) => turn,
            },
        }
    }

    /// Lets the content do its part, which may wait for a disk, and takes the turn that this allows.
    fn work(&mut self, socket: BorrowedFd<'_>, cargo: &mut Cargo<impl Native>) -> Turn {
        match &mut self.engine {
            #[cfg(target_os = "linux")]
            Engine::SendFile => self.send_file(socket, cargo),
            #[cfg(target_os = "linux")]
            Engine::Splice(pipe) => match pipe.step(socket, cargo) {
                Ok(turn) => turn,
                // This kind of file takes no splice.
                Err(moved) => {
                    self.engine = Engine::In(Bucket::new(Codec::identity()));
                    if moved > 0 { Turn::Moved(moved) } else { self.step(socket, cargo) }
                }
            },
            Engine::Out(flow) => match flow.fill(cargo) {
                Ok(()) => send(flow, socket),
                Err(error) => Turn::Done(Err(error)),
            },
            Engine::Small => {
                if let Err(error) = cargo.write_out() {
                    return Turn::Done(Err(error.into()));
                }
                self.engine = large();
                self.step(socket, cargo)
            }
            Engine::In(bucket) => {
                let written = bucket.empty(cargo);
                let result = if bucket.ended { written.and_then(|()| bucket.flow.finish(cargo)) } else { written };
                match result {
                    Ok(()) if !bucket.ended => self.turn(socket, cargo),
                    result => Turn::Done(result),
                }
            }
        }
    }

    /// Takes a turn, with the content where it is needed. Before the socket has to be waited for, what came is written. This may
    /// wait for a disk, but not for the socket.
    pub fn step(&mut self, socket: BorrowedFd<'_>, cargo: &mut Cargo<impl Native>) -> Turn {
        match self.turn(socket, cargo) {
            Turn::Content => self.work(socket, cargo),
            Turn::Wait => match cargo.write_out() {
                Ok(()) => Turn::Wait,
                Err(error) => Turn::Done(Err(error.into())),
            },
            turn => turn,
        }
    }

    /// Takes steps until the socket would have to be waited for longer than a moment, or much was moved. Says how much it was,
    /// and how the last turn ended. This is for a thread that may wait.
    pub fn burst(&mut self, socket: BorrowedFd<'_>, cargo: &mut Cargo<impl Native>) -> (u64, Turn) {
        let (mut moved, mut since_wait) = (0, 0);
        let start = Instant::now();
        loop {
            match self.step(socket, cargo) {
                Turn::Moved(count) => {
                    moved += count;
                    since_wait += count;
                    if moved >= BURST || start.elapsed() >= BURST_TIME {
                        return (moved, Turn::Content);
                    }
                }
                Turn::Content => {}
                Turn::Wait if since_wait >= BRISK && becomes_ready(socket, self.way) => since_wait = 0,
                turn => return (moved, turn),
            }
        }
    }

    /// The flow is broken off. What came is written, so that it may be resumed from there.
    pub fn abandon(self, cargo: &mut Cargo<impl Native>) {
        if let Engine::In(mut bucket) = self.engine {
            // It is broken off anyway.
            let _ = bucket.empty(cargo);
        }
    }

    #[cfg(target_os = "linux")]
    fn send_file(&mut self, socket: BorrowedFd<'_>, cargo: &mut Cargo<impl Native>) -> Turn {
        let Some(file) = cargo.descriptor() else {
            return Turn::Done(Err(HostError::Failed.into()));
        };
        match rustix::fs::sendfile(socket, file, None, TURN) {
            Ok(0) => end(socket),
            Ok(count) => Turn::Moved(count as u64),
            Err(Errno::AGAIN | Errno::INTR) => Turn::Wait,
            // This kind of file takes no sendfile; its position is where it was.
            Err(Errno::INVAL | Errno::NOSYS) => {
                self.engine = Engine::Out(Outflow::new(Codec::identity(), BUFFER));
                self.step(socket, cargo)
            }
            Err(Errno::IO) => Turn::Done(Err(HostError::Failed.into())),
            Err(_) => Turn::Done(Err(TransferError::Lost)),
        }
    }
}

/// How a large file is received.
fn large() -> Engine {
    #[cfg(target_os = "linux")]
    if let Ok(pipe) = Pipe::new() {
        return Engine::Splice(pipe);
    }
    Engine::In(Bucket::new(Codec::identity()))
}

fn send(flow: &mut Outflow, socket: BorrowedFd<'_>) -> Turn {
    if let Err(error) = flow.convert() {
        return Turn::Done(Err(error));
    }
    if flow.wants_content() {
        return Turn::Content;
    }
    if flow.is_over() {
        return end(socket);
    }
    match rustix::net::send(socket, flow.bytes(), SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
        Ok(count) => {
            flow.sent(count);
            Turn::Moved(count as u64)
        }
        Err(Errno::AGAIN | Errno::INTR) => Turn::Wait,
        Err(_) => Turn::Done(Err(TransferError::Lost)),
    }
}

/// Fills up what capacity is left; says how many bytes came, which is none where the peer ended.
fn receive(socket: BorrowedFd<'_>, bytes: &mut Vec<u8>) -> Result<usize, Turn> {
    match rustix::net::recv(socket, spare_capacity(bytes), RecvFlags::DONTWAIT) {
        Ok((count, _)) => Ok(count),
        Err(Errno::AGAIN | Errno::INTR) => Err(Turn::Wait),
        Err(_) => Err(Turn::Done(Err(TransferError::Lost))),
    }
}

/// All is sent: ends our direction. What the peer sent, though nobody asked, is read away, since closing a socket with bytes
/// unread would reset the connection, and destroy what is still on its way.
fn end(socket: BorrowedFd<'_>) -> Turn {
    let mut scrap = [0u8; 1024];
    let ended = rustix::net::shutdown(socket, Shutdown::Write);
    for _ in 0..64 {
        match rustix::net::recv(socket, &mut scrap, RecvFlags::DONTWAIT) {
            Ok((_, count)) if count > 0 => {}
            _ => break,
        }
    }
    Turn::Done(ended.map_err(|_| TransferError::Lost))
}

/// Waits for a moment; whether the socket is ready then.
fn becomes_ready(socket: BorrowedFd<'_>, way: Way) -> bool {
    let flags = interest(way);
    let timeout = Timespec { tv_sec: 0, tv_nsec: LINGER.subsec_nanos().into() };
    poll(&mut [PollFd::from_borrowed_fd(socket, flags)], Some(&timeout)).is_ok_and(|count| count > 0)
}

/// What a socket is waited for.
pub fn interest(way: Way) -> PollFlags {
    match way {
        Way::Send => PollFlags::OUT,
        Way::Receive => PollFlags::IN,
    }
}
