//! The control connection: a socket that does not block, and what was read from it and not yet taken.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

use longshore_host::control::Inbox;
use rustix::buffer::spare_capacity;
use rustix::io::Errno;
use rustix::net::RecvFlags;

#[derive(Debug)]
pub(crate) struct Control {
    stream: TcpStream,
    inbox: Inbox,
}

/// What a read brought.
pub(crate) enum Read {
    /// Bytes were offered.
    Some,
    /// Nothing has come.
    Nothing,
    /// The peer is gone.
    End,
}

impl Control {
    pub(crate) fn new(stream: TcpStream) -> io::Result<Self> {
        longshore_host::net::prepare_control(&stream)?;
        Ok(Self { stream, inbox: Inbox::default() })
    }

    /// Our end, and the peer's.
    pub(crate) fn addresses(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        longshore_host::net::addresses(&self.stream)
    }

    /// Whether bytes wait that were read before.
    pub(crate) fn has_left(&self) -> bool {
        !self.inbox.is_empty()
    }

    /// Reads once, and offers what came to `take`, which says how much it took.
    pub(crate) fn read(&mut self, take: impl FnOnce(&[u8]) -> usize) -> Read {
        if !self.has_left() {
            let came = rustix::net::recv(&self.stream, spare_capacity(self.inbox.room()), RecvFlags::DONTWAIT);
            if !matches!(came, Ok((1.., _))) {
                self.inbox = Inbox::default();
                return if matches!(came, Err(Errno::AGAIN | Errno::INTR)) { Read::Nothing } else { Read::End };
            }
        }
        self.inbox.offer(take);
        Read::Some
    }
}

impl AsFd for Control {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
