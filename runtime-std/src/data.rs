//! The data connection: a listener or a connection on its way, and then the transfer, turn by turn.

use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

use longshore_core::digest::Summing;
use longshore_core::host::HostError;
use longshore_core::machine::{Action, Input, Listen, NetworkError, Route, Way};
use longshore_host::net;
use longshore_host::tls::Context;
use longshore_host::transfer::{Cargo, Lane, Native, Transfer, Turn, interest, sum};
use rustix::event::PollFlags;

/// How much of a digest is made between two looks at the control connection, in bytes: a few milliseconds' worth.
const SUM: u64 = 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Data<C> {
    socket: Socket,
    transfer: Option<Transfer>,
    cargo: Option<Cargo<C>>,
    /// A digest that is being made of the cargo.
    summing: Option<Box<Summing>>,
    /// What a data connection that outlives a file has besides its socket.
    lane: Lane,
    /// What the socket has to be waited for.
    awaits: Way,
    /// The last turn moved something, so the next is worth a try without asking the system.
    hot: bool,
}

#[derive(Debug)]
enum Socket {
    None,
    /// Nobody is expected yet.
    Listening(TcpListener),
    Accepting(TcpListener, std::net::IpAddr),
    Dialing(TcpStream),
    Open(TcpStream),
}

impl<C: Native> Data<C> {
    pub(crate) fn new() -> Self {
        Self {
            socket: Socket::None,
            transfer: None,
            cargo: None,
            summing: None,
            lane: Lane::default(),
            awaits: Way::Receive,
            hot: false,
        }
    }

    pub(crate) fn offer(&mut self, content: C) {
        self.cargo = Some(Cargo::new(content));
    }

    pub(crate) fn take_content(&mut self) -> Option<C> {
        self.cargo.take().and_then(Cargo::into_content)
    }

    /// Carries out an order of the session; gives the answer where it is known at once. `tls` protects what is to be protected.
    // Like `step` in a frame of its own, which a session at rest never needed: a thread keeps what it touched of its stack.
    #[inline(never)]
    pub(crate) fn obey<E>(&mut self, order: Action<E>, tls: Option<&Context>) -> Option<Input> {
        match order {
            Action::Listen(listen) => return Some(Input::Listening(self.listen(&listen))),
            Action::Open(Route::Accept { from }) => {
                if let Socket::Listening(listener) = std::mem::replace(&mut self.socket, Socket::None) {
                    self.socket = Socket::Accepting(listener, from);
                }
                // The peer may well have connected before it sent its command.
                return self.step();
            }
            Action::Open(Route::Dial { from, to }) => match net::dial(from, to) {
                Ok(stream) => {
                    self.socket = Socket::Dialing(stream);
                    return self.step();
                }
                Err(error) => return Some(Input::Connected(Err(error))),
            },
            Action::Open(Route::Kept) => {
                let stands = matches!(&self.socket, Socket::Open(stream) if self.lane.is_open(stream));
                return Some(Input::Connected(if stands { Ok(()) } else { Err(NetworkError::Failed) }));
            }
            Action::Start(flow) => {
                let Some(cargo) = &mut self.cargo else {
                    return Some(Input::Finished(Err(HostError::Failed.into())));
                };
                if flow.way == Way::Send && !flow.codec.is_identity() && !flow.keeps_content {
                    cargo.read_ahead();
                }
                self.awaits = flow.way;
                match Transfer::new(flow, cargo, &mut self.lane, tls) {
                    Ok(transfer) => self.transfer = Some(transfer),
                    Err(error) => return Some(Input::Finished(Err(error))),
                }
                self.hot = true;
            }
            Action::Digest(summing) => {
                self.summing = Some(summing);
                self.hot = true;
            }
            Action::Publish => {
                let (result, kept) = self.cargo.take()?.publish();
                self.cargo = kept;
                return Some(Input::Published(result));
            }
            Action::Abandon => self.abandon(),
            Action::Close | Action::Secure | Action::Event(_) => {}
        }
        None
    }

    fn listen(&mut self, listen: &Listen) -> Result<std::net::SocketAddr, NetworkError> {
        let (listener, address) = net::listen_data(listen)?;
        self.socket = Socket::Listening(listener);
        Ok(address)
    }

    /// Whether a turn is worth a try without waiting.
    pub(crate) fn is_hot(&self) -> bool {
        self.hot
    }

    /// What to wait for before the next turn.
    pub(crate) fn interest(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        match (&self.socket, &self.transfer) {
            (Socket::Accepting(listener, _), _) => Some((listener.as_fd(), PollFlags::IN)),
            (Socket::Dialing(stream), _) => Some((stream.as_fd(), PollFlags::OUT)),
            (Socket::Open(stream), Some(_)) => Some((stream.as_fd(), interest(self.awaits))),
            _ => None,
        }
    }

    /// Takes a turn: a connection, or one bounded slice of the transfer.
    #[inline(never)]
    pub(crate) fn step(&mut self) -> Option<Input> {
        if self.summing.is_some() {
            return self.sum();
        }
        match &self.socket {
            Socket::Accepting(listener, from) => {
                let result = net::accept_from(listener, *from)?;
                Some(Input::Connected(result.map(|stream| self.socket = Socket::Open(stream))))
            }
            Socket::Dialing(stream) => {
                let result = net::dialled(stream)?;
                match std::mem::replace(&mut self.socket, Socket::None) {
                    Socket::Dialing(stream) if result.is_ok() => self.socket = Socket::Open(stream),
                    _ => {}
                }
                Some(Input::Connected(result))
            }
            Socket::Open(stream) => {
                let (transfer, cargo) = (self.transfer.as_mut()?, self.cargo.as_mut()?);
                match transfer.step(stream.as_fd(), cargo) {
                    Turn::Moved(count) => {
                        self.hot = true;
                        Some(Input::Moved(count))
                    }
                    Turn::Marked(mark) => {
                        self.hot = true;
                        Some(Input::Marked(mark))
                    }
                    Turn::Content => {
                        self.hot = true;
                        None
                    }
                    Turn::Wait(way) => {
                        (self.hot, self.awaits) = (false, way);
                        None
                    }
                    Turn::Done(result) => {
                        // What came stays until it is published; what went is done with, mostly.
                        let cargo = self.cargo.take().filter(|_| transfer.needs_cargo());
                        self.hot = false;
                        match self.transfer.take().filter(|transfer| result.is_ok() && transfer.keeps_connection()) {
                            Some(transfer) => self.lane = transfer.leave(),
                            None => *self = Self::new(),
                        }
                        self.cargo = cargo;
                        Some(Input::Finished(result))
                    }
                }
            }
            Socket::None | Socket::Listening(_) => None,
        }
    }

    /// Makes some of a digest.
    fn sum(&mut self) -> Option<Input> {
        let (summing, cargo) = (self.summing.as_mut()?, self.cargo.as_mut()?);
        let (count, result) = sum(summing, cargo, SUM);
        let Some(result) = result else {
            return Some(Input::Moved(count));
        };
        self.cargo.take_if(|_| !summing.keeps_content());
        (self.summing, self.hot) = (None, false);
        Some(Input::Digested(result))
    }

    /// Drops all; what came is kept, so that it may be resumed from there.
    fn abandon(&mut self) {
        let Self { mut transfer, cargo, socket, lane, .. } = std::mem::replace(self, Self::new());
        match (&socket, &mut transfer) {
            (Socket::Open(stream), Some(transfer)) => transfer.salvage(stream.as_fd()),
            // It is between two files: what was sent is to arrive.
            (Socket::Open(stream), None) => lane.close(stream),
            _ => {}
        }
        if let Some(mut cargo) = cargo {
            if let Some(transfer) = transfer {
                transfer.abandon(&mut cargo);
            }
            cargo.abandon();
        }
    }
}
