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
//! | `lane.rs` | the bytes of a data connection, in clear or inside TLS |
//! | `pipe.rs` | from a socket to a file by `splice` |

mod cargo;
mod lane;
#[cfg(target_os = "linux")]
mod pipe;

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use longshore_core::codec::Codec;
use longshore_core::digest::{Digest, Summing};
use longshore_core::host::{Content, Host, HostError};
use longshore_core::machine::{Flow, Mark, TransferError, Way};
use longshore_core::pump::{Inflow, Outflow, Taken};
use longshore_core::server::ServerContent;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

pub use self::cargo::{Cargo, SMALL};
pub use self::lane::Lane;
#[cfg(target_os = "linux")]
use self::pipe::Pipe;
use crate::tls::Context;

/// The most that one turn moves by the system's own copying, in bytes; a session looks at its control connection between two.
const TURN: usize = 4 * 1024 * 1024;
/// The size of the buffer where the system does not copy.
const BUFFER: usize = 256 * 1024;
/// The most that a burst moves, in bytes, before it reports.
pub const BURST: u64 = 16 * 1024 * 1024;
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
    /// So many bytes of the file went over the socket; there may be more at once.
    Moved(u64),
    /// A restart marker came, and what came before it is written.
    Marked(Mark),
    /// The socket has to be waited for: to write to ([`Way::Send`]) or to read from ([`Way::Receive`]).
    Wait(Way),
    /// Nothing goes on without the content.
    Content,
    /// The flow is over.
    Done(Result<(), TransferError>),
}

/// A flow that is under way.
#[derive(Debug)]
pub struct Transfer {
    way: Way,
    needs_cargo: bool,
    lane: Lane,
    engine: Engine,
}

#[derive(Debug)]
enum Engine {
    #[cfg(target_os = "linux")]
    SendFile {
        /// How many bytes may be sent, where that is bounded.
        left: Option<u64>,
    },
    #[cfg(target_os = "linux")]
    Splice(Pipe),
    // Boxed, so that a session at rest is small.
    Out(Box<Outflow>),
    /// As it comes, by way of memory; a file that turns out to be large is spliced, if it takes that.
    Plain {
        may_splice: bool,
    },
    Coded(Box<Bucket>),
}

/// What came from the socket and is not yet decoded.
#[derive(Debug)]
struct Bucket {
    flow: Inflow,
    /// It is never made larger.
    bytes: Vec<u8>,
    /// How much of it is decoded.
    done: usize,
    /// The peer has closed.
    ended: bool,
    /// How much may be in memory before it is written.
    most: usize,
    /// To be told of once all that came before it is written.
    mark: Option<Mark>,
    /// The file has ended.
    over: bool,
    /// The codec has told all that it knows.
    hungry: bool,
}

impl Bucket {
    fn new(codec: Codec, came: Vec<u8>) -> Self {
        Self {
            flow: Inflow::new(codec),
            bytes: came,
            done: 0,
            ended: false,
            most: SMALL,
            mark: None,
            over: false,
            hungry: true,
        }
    }

    /// Decodes what came, into memory.
    fn decode(&mut self, memory: &mut Vec<u8>) -> Result<Taken, TransferError> {
        let taken = self.flow.decode(&self.bytes[self.done..], self.ended, memory, self.most)?;
        self.done += taken.read;
        Ok(taken)
    }

    fn turn(&mut self, lane: &mut Lane, socket: BorrowedFd<'_>, cargo: &mut Cargo<impl Native>) -> Turn {
        if self.mark.is_some() {
            return Turn::Content;
        }
        if self.over {
            // What the peer has closed is of no use for another file.
            return if self.ended { lane.finish(socket) } else { Turn::Done(Ok(())) };
        }
        if self.done < self.bytes.len() || self.ended || !self.hungry {
            let taken = match self.decode(cargo.memory()) {
                Ok(taken) => taken,
                Err(error) => return Turn::Done(Err(error)),
            };
            (self.mark, self.over, self.hungry) = (taken.mark, taken.over, taken.hungry);
            let came_nowhere = taken.read == 0 && taken.payload == 0 && !taken.over && !taken.hungry;
            // Then memory is full.
            return if came_nowhere { Turn::Content } else { Turn::Moved(taken.payload) };
        }
        self.bytes.clear();
        self.done = 0;
        self.bytes.reserve_exact(if self.most > SMALL { BUFFER } else { SMALL });
        match lane.receive(socket, &mut self.bytes) {
            Ok(0) => {
                self.ended = true;
                Turn::Moved(0)
            }
            Ok(_) => Turn::Moved(0),
            // What came is of use now: a listing may be on its way to a screen.
            Err(Turn::Wait(_)) if cargo.holds() && !cargo.is_file() => Turn::Content,
            Err(turn) => turn,
        }
    }
}

impl Transfer {
    /// Prepares a flow for a cargo. `lane` is what an earlier flow has left of the data connection; where this one is to be
    /// protected and the first, TLS comes from `tls`.
    ///
    /// # Errors
    ///
    /// There is no TLS, and there has to be.
    pub fn new(
        flow: Flow,
        cargo: &mut Cargo<impl Native>,
        lane: &mut Lane,
        tls: Option<&Context>,
    ) -> Result<Self, TransferError> {
        let Flow { way, codec, protected, keeps_content } = flow;
        let mut lane = std::mem::take(lane);
        if protected {
            lane.protect(tls, way)?;
        }
        let is_plain = codec.is_identity() && !protected;
        let engine = match way {
            #[cfg(target_os = "linux")]
            Way::Send if is_plain && cargo.descriptor().is_some() => Engine::SendFile { left: codec.left() },
            Way::Send => {
                let (head, is_whole) = cargo.take_head();
                // What frames and line ends add to a small file has room in twice its size.
                let capacity = if is_whole { (2 * head.len()).clamp(4096, BUFFER) } else { BUFFER };
                Engine::Out(Box::new(Outflow::ahead(codec, capacity, head, is_whole)))
            }
            Way::Receive if codec.is_identity() && codec.left().is_none() && lane.is_empty() => {
                Engine::Plain { may_splice: is_plain }
            }
            Way::Receive => Engine::Coded(Box::new(Bucket::new(codec, lane.take()))),
        };
        Ok(Self { way, needs_cargo: keeps_content || way == Way::Receive, lane, engine })
    }

    /// Which way the bytes of the file go.
    pub fn way(&self) -> Way {
        self.way
    }

    /// Whether the cargo is still needed when the flow is over.
    pub fn needs_cargo(&self) -> bool {
        self.needs_cargo
    }

    /// Whether the data connection stays when the file has ended: for the next one, or for what TLS has yet to say.
    pub fn keeps_connection(&self) -> bool {
        match &self.engine {
            Engine::Out(flow) => flow.keeps_connection() || self.lane.lingers(),
            // What the peer has closed is of no use for another file.
            Engine::Coded(bucket) => bucket.flow.keeps_connection() && !bucket.ended,
            _ => false,
        }
    }

    /// The file has ended, and the data connection has not: gives back what is left of that.
    pub fn leave(self) -> Lane {
        let mut lane = self.lane;
        if let Engine::Coded(bucket) = self.engine {
            let Bucket { mut bytes, done, .. } = *bucket;
            bytes.drain(..done);
            lane.put_back(bytes);
        }
        lane.rest();
        lane
    }

    /// Does what can be done without the content. This waits for nothing.
    pub fn turn(&mut self, socket: BorrowedFd<'_>, cargo: &mut Cargo<impl Native>) -> Turn {
        if let Some(turn) = self.lane.shake_hands(socket) {
            return turn;
        }
        let lane = &mut self.lane;
        match &mut self.engine {
            #[cfg(target_os = "linux")]
            Engine::SendFile { .. } | Engine::Splice(_) => Turn::Content,
            Engine::Out(flow) => send(flow, lane, socket),
            Engine::Plain { .. } if cargo.is_full() => Turn::Content,
            Engine::Plain { .. } => match lane.receive(socket, cargo.room()) {
                Ok(0) => lane.finish(socket),
                Ok(count) => Turn::Moved(count as u64),
                // What came is of use now: a listing may be on its way to a screen.
                Err(Turn::Wait(_)) if cargo.holds() && !cargo.is_file() => Turn::Content,
                Err(turn) => turn,
            },
            Engine::Coded(bucket) => bucket.turn(lane, socket, cargo),
        }
    }

    /// Lets the content do its part, which may wait for a disk, and takes the turn that this allows.
    fn work(&mut self, socket: BorrowedFd<'_>, cargo: &mut Cargo<impl Native>) -> Turn {
        match &mut self.engine {
            #[cfg(target_os = "linux")]
            Engine::SendFile { .. } => self.send_file(socket, cargo),
            #[cfg(target_os = "linux")]
            Engine::Splice(pipe) => match pipe.step(socket, cargo) {
                Ok(turn) => turn,
                // This kind of file takes no splice.
                Err(moved) => {
                    self.engine = Engine::Plain { may_splice: false };
                    if moved > 0 { Turn::Moved(moved) } else { self.turn(socket, cargo) }
                }
            },
            Engine::Out(flow) => match flow.fill(cargo) {
                Ok(()) => send(flow, &mut self.lane, socket),
                Err(error) => Turn::Done(Err(error)),
            },
            Engine::Plain { may_splice } => {
                let may_splice = *may_splice;
                if let Err(error) = cargo.write_out() {
                    return Turn::Done(Err(error.into()));
                }
                #[cfg(target_os = "linux")]
                if may_splice
                    && cargo.descriptor().is_some()
                    && let Ok(pipe) = Pipe::new()
                {
                    self.engine = Engine::Splice(pipe);
                    return self.work(socket, cargo);
                }
                self.turn(socket, cargo)
            }
            Engine::Coded(bucket) => {
                if let Err(error) = cargo.write_out() {
                    return Turn::Done(Err(error.into()));
                }
                bucket.most = BUFFER;
                match bucket.mark.take() {
                    Some(mark) => Turn::Marked(mark),
                    None => bucket.turn(&mut self.lane, socket, cargo),
                }
            }
        }
    }

    /// Takes a turn, with the content where it is needed. Before the socket has to be waited for, what came is written. This may
    /// wait for a disk, but not for the socket.
    pub fn step(&mut self, socket: BorrowedFd<'_>, cargo: &mut Cargo<impl Native>) -> Turn {
        match self.turn(socket, cargo) {
            Turn::Content => self.work(socket, cargo),
            Turn::Wait(way) => match cargo.write_out() {
                Ok(()) => Turn::Wait(way),
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
                Turn::Wait(way) if since_wait >= BRISK && becomes_ready(socket, way) => since_wait = 0,
                turn => return (moved, turn),
            }
        }
    }

    /// The flow is about to be broken off: a client keeps the tickets that have come.
    pub fn salvage(&mut self, socket: BorrowedFd<'_>) {
        self.lane.salvage(socket);
    }

    /// The flow is broken off. What came is decoded, so that it may be written and resumed from there.
    pub fn abandon(self, cargo: &mut Cargo<impl Native>) {
        let Engine::Coded(mut bucket) = self.engine else {
            return;
        };
        // It is broken off anyway, and it does not matter why.
        while let Ok(taken) = bucket.decode(cargo.memory())
            && !taken.over
            && (taken.read > 0 || cargo.holds())
            && cargo.write_out().is_ok()
        {}
    }

    #[cfg(target_os = "linux")]
    fn send_file(&mut self, socket: BorrowedFd<'_>, cargo: &mut Cargo<impl Native>) -> Turn {
        let Some(file) = cargo.descriptor() else {
            return Turn::Done(Err(HostError::Failed.into()));
        };
        let Engine::SendFile { left } = &mut self.engine else {
            return Turn::Content;
        };
        let most = left.and_then(|left| usize::try_from(left).ok()).map_or(TURN, |left| left.min(TURN));
        if most == 0 {
            return self.lane.end(socket);
        }
        match rustix::fs::sendfile(socket, file, None, most) {
            Ok(0) => self.lane.end(socket),
            Ok(count) => {
                *left = left.map(|left| left - count as u64);
                Turn::Moved(count as u64)
            }
            Err(Errno::AGAIN | Errno::INTR) => Turn::Wait(Way::Send),
            // This kind of file takes no sendfile; its position is where it was.
            Err(Errno::INVAL | Errno::NOSYS) => {
                let codec = Codec::identity().limited(*left);
                self.engine = Engine::Out(Box::new(Outflow::new(codec, BUFFER)));
                self.step(socket, cargo)
            }
            Err(Errno::IO) => Turn::Done(Err(HostError::Failed.into())),
            Err(_) => Turn::Done(Err(TransferError::Lost)),
        }
    }
}

/// Makes some of a digest: reads up to `most` bytes of the content, or for as long as a burst takes. Says how many those were, and gives
/// the digest once it is made. This may wait for a disk.
pub fn sum(
    summing: &mut Summing,
    cargo: &mut Cargo<impl Native>,
    most: u64,
) -> (u64, Option<Result<Digest, HostError>>) {
    let start = Instant::now();
    let mut read = 0;
    if let Err(error) = cargo.write_out() {
        return (read, Some(Err(error)));
    }
    loop {
        match summing.step(cargo) {
            Ok((count, None)) => read += count,
            Ok((_, Some(digest))) => return (read, Some(Ok(digest))),
            Err(error) => return (read, Some(Err(error))),
        }
        if read >= most || start.elapsed() >= BURST_TIME {
            return (read, None);
        }
    }
}

fn send(flow: &mut Outflow, lane: &mut Lane, socket: BorrowedFd<'_>) -> Turn {
    if let Err(error) = flow.convert() {
        return Turn::Done(Err(error));
    }
    if flow.wants_content() {
        return Turn::Content;
    }
    if flow.is_over() {
        return if flow.keeps_connection() { Turn::Done(Ok(())) } else { lane.end(socket) };
    }
    match lane.send(socket, flow.bytes()) {
        Ok(count) => Turn::Moved(flow.sent(count)),
        Err(turn) => turn,
    }
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
