//! The control connection: a socket that does not block, and what was read from it and not yet taken.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

/// How much is read at once. It lies on the stack, which a session at rest should touch little of.
const READ: usize = 2048;
/// How many bytes that nobody wants are read away before the connection is closed, so that the last reply is not lost in a
/// reset.
const SCRAP: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct Control {
    stream: TcpStream,
    /// Read, and not yet taken; empty nearly always.
    left: Vec<u8>,
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
        Ok(Self { stream, left: Vec::new() })
    }

    /// Whether bytes wait that were read before.
    pub(crate) fn has_left(&self) -> bool {
        !self.left.is_empty()
    }

    /// Reads once, and offers what came to `take`, which says how much it took.
    pub(crate) fn read(&mut self, take: impl FnOnce(&[u8]) -> usize) -> Read {
        if self.has_left() {
            let taken = take(&self.left);
            self.left.drain(..taken);
            if self.left.is_empty() {
                self.left = Vec::new();
            }
            return Read::Some;
        }
        let mut buffer = [0; READ];
        match rustix::net::recv(&self.stream, &mut buffer, RecvFlags::DONTWAIT) {
            Ok((_, 0)) => Read::End,
            Ok((_, count)) => {
                let taken = take(&buffer[..count]);
                self.left.extend_from_slice(&buffer[taken..count]);
                Read::Some
            }
            Err(Errno::AGAIN | Errno::INTR) => Read::Nothing,
            Err(_) => Read::End,
        }
    }

    /// Sends what the socket takes now, the first `urgent` bytes as urgent data.
    pub(crate) fn write(&self, bytes: &[u8], urgent: usize) -> Result<usize, Errno> {
        let mut flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        let mut bytes = bytes;
        if urgent > 0 {
            flags |= SendFlags::OOB;
            bytes = &bytes[..urgent];
        }
        match rustix::net::send(&self.stream, bytes, flags) {
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            result => result,
        }
    }

    /// Ends the connection gently: closing it with bytes unread would reset it, and the last reply with it.
    pub(crate) fn close(&mut self) {
        // A peer that is gone already needs no goodbye.
        let _ = self.stream.shutdown(Shutdown::Write);
        let mut scrap = [0; READ];
        let mut count = 0;
        while count < SCRAP
            && let Ok((_, more @ 1..)) = rustix::net::recv(&self.stream, &mut scrap, RecvFlags::DONTWAIT)
        {
            count += more;
        }
    }
}

impl AsFd for Control {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
