//! The control connection: a socket that does not block, and the bytes on their way between it and the session.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

use longshore_core::machine::Machine;
use longshore_core::time::Instant;
use longshore_host::control::{self, Line};
use longshore_host::tls::Source;
use rustix::buffer::spare_capacity;
use rustix::io::Errno;
use rustix::net::RecvFlags;

#[derive(Debug)]
pub(crate) struct Control {
    stream: TcpStream,
    pub(crate) line: Line,
}

impl Control {
    pub(crate) fn new(stream: TcpStream, tls: Option<Source>) -> io::Result<Self> {
        longshore_host::net::prepare_control(&stream)?;
        Ok(Self { stream, line: Line::new(tls) })
    }

    /// Our end, and the peer's.
    pub(crate) fn addresses(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        longshore_host::net::addresses(&self.stream)
    }

    /// Reads once, unless something is left from earlier, and offers it to the session.
    pub(crate) fn read<M: Machine>(&mut self, now: Instant, session: &mut M) {
        if !(self.line.has_left(session) && session.wants_input()) {
            let came = rustix::net::recv(&self.stream, spare_capacity(self.line.room()), RecvFlags::DONTWAIT);
            if !matches!(came, Ok((1.., _))) {
                self.line.rest();
                if !matches!(came, Err(Errno::AGAIN | Errno::INTR)) {
                    self.line.ended(now, session);
                }
                return;
            }
        }
        self.line.arrived(now, session);
    }

    /// Sends what waits to be sent; true where that may have set something free.
    pub(crate) fn flush<M: Machine>(&mut self, now: Instant, session: &mut M) -> bool {
        let (bytes, urgent) = self.line.outgoing(session);
        if bytes.is_empty() {
            return false;
        }
        match control::send(&self.stream, bytes, urgent) {
            Ok(0) => return false,
            Ok(count) => self.line.sent(now, session, count),
            Err(_) => self.line.ended(now, session),
        }
        true
    }

    /// Ends the connection.
    pub(crate) fn close(&mut self) {
        control::close(&self.stream, &mut self.line);
    }
}

impl Drop for Control {
    /// A client may be done before its session is: TLS is to end in order all the same.
    fn drop(&mut self) {
        if self.line.tls().is_some() {
            self.close();
        }
    }
}

impl AsFd for Control {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
