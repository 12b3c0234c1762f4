//! The client: one session, driven by the console.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use longshore_core::client::{Event, Session};
use longshore_core::time::Instant;
use longshore_host::console::{ClientWire, Dial, LocalContent};
use longshore_host::signals::Interrupt;

use crate::server::Std;
use crate::wire::Wire;

/// How long a server may take to answer a call.
const PATIENCE: Duration = Duration::from_secs(30);

/// A session's wire, and where it leads.
#[derive(Debug)]
pub struct StdWire {
    wire: Wire<LocalContent>,
    local: SocketAddr,
    peer: SocketAddr,
}

impl Dial for Std {
    type Wire = StdWire;

    fn dial(address: SocketAddr, interrupt: Interrupt) -> io::Result<StdWire> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        let (local, peer) = (stream.local_addr()?, stream.peer_addr()?);
        let wire = Wire::new(stream, interrupt.signal().clone(), true)?;
        Ok(StdWire { wire, local, peer })
    }
}

impl ClientWire for StdWire {
    fn addresses(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.local, self.peer))
    }

    fn now(&self) -> Instant {
        self.wire.now()
    }

    fn offer(&mut self, content: LocalContent) {
        self.wire.offer(content);
    }

    fn take_content(&mut self) -> Option<LocalContent> {
        self.wire.take_content()
    }

    fn next(&mut self, session: &mut Session) -> io::Result<Event> {
        self.wire.next(session)
    }
}
