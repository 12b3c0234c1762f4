//! The client: one session, driven by the console.

use std::io;
use std::net::{SocketAddr, TcpStream};

use longshore_host::console::{Dial, LocalContent};
use longshore_host::control::PATIENCE;
use longshore_host::signals::Interrupt;
use longshore_host::tls::Source;

use crate::server::Std;
use crate::wire::Wire;

impl Dial for Std {
    type Wire = Wire<LocalContent>;

    fn dial(address: SocketAddr, tls: Option<Source>, interrupt: Interrupt) -> io::Result<Self::Wire> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        Wire::new(stream, tls, interrupt.signal().clone(), true)
    }
}
