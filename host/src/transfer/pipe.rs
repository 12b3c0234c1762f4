//! From a socket to a file by `splice`, which takes a pipe between the two.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use longshore_core::host::{Content, HostError};
use longshore_core::machine::{TransferError, Way};
use rustix::io::Errno;
use rustix::net::RecvFlags;
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};

use super::{BUFFER, Cargo, Native, Turn};

/// The size of the pipe, in bytes.
const PIPE: usize = 1024 * 1024;

/// A pipe between a socket and a file.
#[derive(Debug)]
pub(super) struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
}

impl Pipe {
    pub(super) fn new() -> io::Result<Self> {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
        // The system may allow no more than it has given; it is slower then, and nothing worse.
        let _ = fcntl_setpipe_size(&write, PIPE);
        Ok(Self { read, write })
    }

    /// A turn. An error says that the file takes no splice, and how many bytes were written to it in another way.
    pub(super) fn step(&mut self, socket: BorrowedFd<'_>, cargo: &mut Cargo<impl Native>) -> Result<Turn, u64> {
        let count = match splice(socket, None, &self.write, None, PIPE, SpliceFlags::NONBLOCK | SpliceFlags::MOVE) {
            Ok(count @ 1..) => count,
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => return Ok(self.by_hand(socket, cargo)),
            Err(Errno::INVAL | Errno::NOSYS) => return Err(0),
            Err(_) => return Ok(Turn::Done(Err(TransferError::Lost))),
        };
        let mut left = count;
        while left > 0 {
            let Some(file) = cargo.descriptor() else {
                return Ok(Turn::Done(Err(HostError::Failed.into())));
            };
            match splice(&self.read, None, file, None, left, SpliceFlags::MOVE) {
                Ok(moved) if moved > 0 => left -= moved,
                Err(Errno::INTR) => {}
                Err(Errno::INVAL | Errno::NOSYS) => {
                    return match self.drain(left, cargo) {
                        Ok(()) => Err(count as u64),
                        Err(error) => Ok(Turn::Done(Err(error.into()))),
                    };
                }
                Ok(_) => return Ok(Turn::Done(Err(HostError::Failed.into()))),
                Err(error) => {
                    let error = crate::directory::host_error(&error.into());
                    return Ok(Turn::Done(Err(error.into())));
                }
            }
        }
        Ok(Turn::Moved(count as u64))
    }

    /// Looks in another way whether anything came. No splice passes urgent data: to it all behind is not there, and the socket is
    /// ready all the same.
    fn by_hand(&mut self, socket: BorrowedFd<'_>, cargo: &mut Cargo<impl Native>) -> Turn {
        let mut buffer = [0; 4096];
        match rustix::net::recv(socket, &mut buffer, RecvFlags::DONTWAIT) {
            Ok((_, 0)) => Turn::Done(Ok(())),
            Ok((_, count)) => match cargo.write(&buffer[..count]) {
                Ok(()) => Turn::Moved(count as u64),
                Err(error) => Turn::Done(Err(error.into())),
            },
            Err(Errno::AGAIN | Errno::INTR) => Turn::Wait(Way::Receive),
            Err(_) => Turn::Done(Err(TransferError::Lost)),
        }
    }

    /// Writes what is in the pipe by hand.
    fn drain(&mut self, mut left: usize, content: &mut impl Content) -> Result<(), HostError> {
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
