//! The bytes of a data connection, in clear or inside TLS. Nothing here waits for the socket.

use std::os::fd::{AsFd, BorrowedFd};

use longshore_core::machine::{SecureError, TransferError, Way};
use rustix::buffer::spare_capacity;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, Shutdown};

use super::Turn;
use crate::net;
use crate::tls::{Context, Layer};

/// How much is protected at once, in bytes: four records.
const PIECE: usize = 64 * 1024;
/// How much is received at once, in bytes; records and what is around them.
const ROOM: usize = 64 * 1024;
/// The most that a record holds, in bytes.
const RECORD: usize = 16 * 1024;
/// How many bytes are read away at most before a connection is closed.
const SCRAP: usize = 64 * 1024;

/// What a data connection has besides its socket, and keeps from one file to the next: TLS, and what came behind a file's end.
#[derive(Debug, Default)]
pub struct Lane {
    came: Vec<u8>,
    tls: Option<Box<Layer>>,
    /// How many bytes of the file stand in what TLS has yet to send.
    underway: usize,
}

impl Lane {
    /// Whether the peer has not closed the data connection, on which nothing is going on.
    pub fn is_open(&mut self, socket: impl AsFd) -> bool {
        if !self.came.is_empty() {
            return true;
        }
        let Some(tls) = &mut self.tls else {
            return net::is_open(socket);
        };
        match receive(socket.as_fd(), tls.room(ROOM)) {
            Ok(0) => false,
            Ok(_) => tls.read(&mut self.came, ROOM).is_ok() && (!tls.has_ended() || !self.came.is_empty()),
            Err(turn) => matches!(turn, Turn::Wait(_)) && !tls.has_ended(),
        }
    }

    /// Whether nothing came behind the last file.
    pub(super) fn is_empty(&self) -> bool {
        self.came.is_empty()
    }

    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.came)
    }

    /// The file has ended, and this came behind it. Until the next one no buffer is held.
    pub(super) fn put_back(&mut self, mut came: Vec<u8>) {
        came.shrink_to_fit();
        self.came = came;
        self.rest();
    }

    /// Gives back the memory of buffers that hold nothing.
    pub(super) fn rest(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.rest();
        }
    }

    /// Puts TLS in force, if it is not.
    pub(super) fn protect(&mut self, tls: Option<&Context>, way: Way) -> Result<(), SecureError> {
        if self.tls.is_none() {
            self.tls = Some(Box::new(tls.ok_or(SecureError::NotSetUp)?.data(way)?));
        }
        Ok(())
    }

    /// Whether TLS may have more to say when all is sent: a server's tickets, which a client needs for the next connection.
    pub(super) fn lingers(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_client())
    }

    /// Goes on with the handshake, if there is one to be made.
    pub(super) fn shake_hands(&mut self, socket: BorrowedFd<'_>) -> Option<Turn> {
        let tls = self.tls.as_mut().filter(|tls| tls.is_handshaking())?;
        let result = loop {
            if let Err(error) = tls.shake_hands() {
                // The peer may still hear why.
                let _ = flush(tls, socket);
                break Err(error.into());
            }
            if let Err(turn) = flush(tls, socket) {
                return Some(turn);
            }
            if !tls.is_handshaking() {
                return Some(Turn::Moved(0));
            }
            match receive(socket, tls.room(ROOM)) {
                Ok(0) => break Err(SecureError::Handshake.into()),
                Ok(_) => {}
                Err(turn) => return Some(turn),
            }
        };
        Some(Turn::Done(result))
    }

    /// Sends of `bytes` what the socket takes now; says how many of them went. Those that TLS has taken up are the first of the next
    /// call too, and count once they are sent.
    pub(super) fn send(&mut self, socket: BorrowedFd<'_>, bytes: &[u8]) -> Result<usize, Turn> {
        let Some(tls) = &mut self.tls else {
            return match rustix::net::send(socket, bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Ok(count) => Ok(count),
                Err(Errno::AGAIN | Errno::INTR) => Err(Turn::Wait(Way::Send)),
                Err(_) => Err(Turn::Done(Err(TransferError::Lost))),
            };
        };
        if self.underway == 0 {
            let piece = &bytes[..bytes.len().min(PIECE)];
            tls.write(piece).map_err(|error| Turn::Done(Err(error.into())))?;
            self.underway = piece.len();
        }
        let unsent = tls.outgoing().len();
        match flush(tls, socket) {
            Ok(()) => Ok(std::mem::take(&mut self.underway)),
            Err(Turn::Wait(_)) if tls.outgoing().len() < unsent => Ok(0),
            Err(turn) => {
                if matches!(turn, Turn::Done(_)) {
                    self.salvage(socket);
                }
                Err(turn)
            }
        }
    }

    /// Puts what came behind `bytes`, up to its capacity or nearly a record more; says how much it was, which is nothing where the peer
    /// has ended in order.
    pub(super) fn receive(&mut self, socket: BorrowedFd<'_>, bytes: &mut Vec<u8>) -> Result<usize, Turn> {
        let Some(tls) = &mut self.tls else {
            return receive(socket, bytes);
        };
        let start = bytes.len();
        let most = bytes.capacity().saturating_sub(RECORD).max(start + 1);
        let mut has_moved = false;
        loop {
            tls.read(bytes, most).map_err(|error| Turn::Done(Err(broken(error))))?;
            if bytes.len() > start || tls.has_ended() {
                return Ok(bytes.len() - start);
            }
            // Our part of the handshake, say.
            flush(tls, socket)?;
            match receive(socket, tls.room(ROOM)) {
                Ok(0) => return Err(Turn::Done(Err(TransferError::Unclosed))),
                Ok(_) => has_moved = true,
                // Part of a record.
                Err(Turn::Wait(_)) if has_moved => return Err(Turn::Moved(0)),
                Err(turn) => return Err(turn),
            }
        }
    }

    /// All has come: says so, where the peer waits for it.
    pub(super) fn finish(&mut self, socket: BorrowedFd<'_>) -> Turn {
        if self.tls.is_some() { self.end(socket) } else { Turn::Done(Ok(())) }
    }

    /// All is sent: ends our direction. What the peer sent, though nobody asked, is read away, since closing a socket
    /// with bytes unread would reset the connection, and destroy what is still on its way.
    pub(super) fn end(&mut self, socket: BorrowedFd<'_>) -> Turn {
        if let Some(tls) = &mut self.tls {
            tls.close();
            match flush(tls, socket) {
                Ok(()) => {}
                // Who has said that nothing more comes need not hear us, and who has all and is gone cannot.
                Err(turn @ (Turn::Wait(_) | Turn::Moved(_))) if !tls.has_ended() => return turn,
                Err(_) => {}
            }
        }
        let ended = rustix::net::shutdown(socket, Shutdown::Write);
        self.drain(socket);
        Turn::Done(if self.tls.is_some() { Ok(()) } else { ended.map_err(|_| TransferError::Lost) })
    }

    /// No file comes any more: ends the connection gently.
    pub fn close(mut self, socket: impl AsFd) {
        let socket = socket.as_fd();
        if let Some(tls) = &mut self.tls {
            tls.close();
            // A peer that is gone already needs no goodbye.
            let _ = flush(tls, socket);
        }
        let _ = rustix::net::shutdown(socket, Shutdown::Write);
        self.drain(socket);
    }

    /// Keeps what a server has told its client besides the data. Nothing is said to it: what was sent must not look whole.
    pub(super) fn salvage(&mut self, socket: BorrowedFd<'_>) {
        if self.lingers() {
            self.drain(socket);
        }
    }

    /// Reads what has come and nobody asked for, tickets among it.
    fn drain(&mut self, socket: BorrowedFd<'_>) {
        let mut scrap = Vec::with_capacity(ROOM / 16);
        let mut count = 0;
        while count < SCRAP {
            scrap.clear();
            let came = match &mut self.tls {
                Some(tls) => receive(socket, tls.room(ROOM / 16)),
                None => receive(socket, &mut scrap),
            };
            let Ok(more @ 1..) = came else { break };
            count += more;
            if let Some(tls) = &mut self.tls {
                // What it is does not matter, but what it tells TLS does.
                let _ = tls.read(&mut scrap, SCRAP);
            }
        }
    }
}

/// Sends what TLS has to say, all of it or what the socket takes.
fn flush(tls: &mut Layer, socket: BorrowedFd<'_>) -> Result<(), Turn> {
    while !tls.outgoing().is_empty() {
        match rustix::net::send(socket, tls.outgoing(), SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
            Ok(count) => tls.sent(count),
            Err(Errno::AGAIN | Errno::INTR) => return Err(Turn::Wait(Way::Send)),
            Err(_) => return Err(Turn::Done(Err(TransferError::Lost))),
        }
    }
    Ok(())
}

/// Fills up what capacity is left; says how many bytes came, which is none where the peer ended.
fn receive(socket: BorrowedFd<'_>, bytes: &mut Vec<u8>) -> Result<usize, Turn> {
    match rustix::net::recv(socket, spare_capacity(bytes), RecvFlags::DONTWAIT) {
        Ok((count, _)) => Ok(count),
        Err(Errno::AGAIN | Errno::INTR) => Err(Turn::Wait(Way::Receive)),
        Err(_) => Err(Turn::Done(Err(TransferError::Lost))),
    }
}

/// A connection that was protected, and on which something else came, was damaged.
fn broken(error: SecureError) -> TransferError {
    match error {
        SecureError::Handshake => TransferError::Lost,
        error => error.into(),
    }
}
