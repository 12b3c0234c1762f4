//! The client: one session, driven by the console.

use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::process::ExitCode;

use futures_lite::future;
use longshore_core::machine::Machine;
use longshore_core::time::Instant;
use longshore_host::console::{Dial, LocalContent};
use longshore_host::control::{Drive, PATIENCE};
use longshore_host::signals::Interrupt;
use longshore_host::tls::Source;
use longshore_host::transfer::Cargo;

use crate::wire::Wire;
use crate::{Runtime, loose};

/// The whole of a client program.
pub fn main<R: Runtime>() -> ExitCode {
    longshore_host::console::main::<Client<R>>()
}

/// A client on a runtime.
struct Client<R>(PhantomData<R>);

/// A wire whose calls wait until they are done.
struct ClientWire<R: Runtime>(Wire<R, LocalContent>);

impl<R: Runtime> Dial for Client<R> {
    type Wire = ClientWire<R>;

    fn dial(address: SocketAddr, tls: Option<Source>, interrupt: Interrupt) -> io::Result<Self::Wire> {
        R::run(async {
            let too_late = async {
                R::sleep(PATIENCE).await;
                Err(io::Error::new(io::ErrorKind::TimedOut, "connection timed out"))
            };
            let stream = future::or(R::connect(address), too_late).await?;
            Ok(ClientWire(Wire::dial(stream, tls, interrupt.signal())?))
        })
    }
}

impl<R: Runtime> Drop for ClientWire<R> {
    /// The program may end with this.
    fn drop(&mut self) {
        R::run(loose::settled::<R>());
    }
}

impl<R: Runtime> Drive<LocalContent> for ClientWire<R> {
    fn addresses(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        self.0.addresses()
    }

    fn now(&self) -> Instant {
        self.0.now()
    }

    fn offer(&mut self, content: LocalContent) {
        self.0.offer(Cargo::new(content));
    }

    fn take_content(&mut self) -> Option<LocalContent> {
        self.0.take_content()
    }

    fn next<M: Machine>(&mut self, session: &mut M) -> io::Result<M::Event> {
        Ok(R::run(self.0.next(session)))
    }
}
