//! The data connection: a listener or a connection on its way, and then the transfer, turn by turn.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

use longshore_core::machine::{Action, Input, Listen, NetworkError, Route, Way};
use longshore_host::net;
use longshore_host::transfer::{Native, Progress, Transfer};
use rustix::event::PollFlags;

#[derive(Debug)]
pub(crate) struct Data<C> {
    socket: Socket,
    transfer: Option<Transfer>,
    content: Option<C>,
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
        Self { socket: Socket::None, transfer: None, content: None, hot: false }
    }

    pub(crate) fn offer(&mut self, content: C) {
        self.content = Some(content);
    }

    pub(crate) fn take_content(&mut self) -> Option<C> {
        self.content.take()
    }

    /// Carries out an order of the session; gives the answer where it is known at once.
    pub(crate) fn obey<E>(&mut self, order: Action<E>) -> Option<Input> {
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
                Ok(stream) => self.socket = Socket::Dialing(stream),
                Err(error) => return Some(Input::Connected(Err(error))),
            },
            Action::Start(flow) => {
                self.transfer = self.content.as_ref().map(|content| Transfer::new(flow, content));
                self.hot = self.transfer.is_some();
            }
            // It stays: a listing is still to be read.
            Action::Publish => return self.content.as_mut().map(|content| Input::Published(content.publish())),
            Action::Abandon => *self = Self::new(),
            Action::Close | Action::Event(_) => {}
        }
        None
    }

    fn listen(&mut self, listen: &Listen) -> Result<std::net::SocketAddr, NetworkError> {
        let listener = net::listen_data(listen)?;
        let address = listener.local_addr().map_err(|error| net::network_error(&error))?;
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
            (Socket::Open(stream), Some(transfer)) => {
                let flags = if transfer.way() == Way::Send { PollFlags::OUT } else { PollFlags::IN };
                Some((stream.as_fd(), flags))
            }
            _ => None,
        }
    }

    /// Takes a turn: a connection, or one bounded slice of the transfer.
    pub(crate) fn step(&mut self) -> Option<Input> {
        match &self.socket {
            Socket::Accepting(listener, from) => {
                let result = accept(listener, *from)?;
                Some(Input::Connected(result.map(|stream| self.socket = Socket::Open(stream))))
            }
            Socket::Dialing(_) => self.dialled(),
            Socket::Open(stream) => {
                let (transfer, content) = (self.transfer.as_mut()?, self.content.as_mut()?);
                match transfer.step(stream.as_fd(), content) {
                    Progress::Moved(count) => {
                        self.hot = true;
                        Some(Input::Moved(count))
                    }
                    Progress::Wait => {
                        self.hot = false;
                        None
                    }
                    Progress::Done(result) => {
                        // What came stays until it is published; what went is done with.
                        let content = self.content.take().filter(|_| transfer.way() == Way::Receive);
                        *self = Self { content, ..Self::new() };
                        Some(Input::Finished(result))
                    }
                }
            }
            Socket::None | Socket::Listening(_) => None,
        }
    }

    fn dialled(&mut self) -> Option<Input> {
        let Socket::Dialing(stream) = std::mem::replace(&mut self.socket, Socket::None) else {
            return None;
        };
        let result = match stream.take_error() {
            Ok(None) => {
                self.socket = Socket::Open(stream);
                Ok(())
            }
            Ok(Some(error)) | Err(error) => Err(net::network_error(&error)),
        };
        Some(Input::Connected(result))
    }
}

/// Takes a connection from the peer, if one waits; those from elsewhere are closed (RFC 2577, section 4).
fn accept(listener: &TcpListener, from: std::net::IpAddr) -> Option<Result<TcpStream, NetworkError>> {
    loop {
        match listener.accept() {
            Ok((stream, address)) if address.ip().to_canonical() == from.to_canonical() => {
                let result = stream.set_nonblocking(true).map(|()| stream);
                return Some(result.map_err(|error| net::network_error(&error)));
            }
            Ok(_) => {}
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => {}
                io::ErrorKind::WouldBlock => return None,
                // No descriptor is left, say: the connection would wait for ever.
                _ => return Some(Err(net::network_error(&error))),
            },
        }
    }
}
