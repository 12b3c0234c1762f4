//! The server: a task for each listener, and one for each session.

use std::io;
use std::marker::PhantomData;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use async_lock::Semaphore;
use futures_lite::future;
use longshore_core::machine::Way;
use longshore_core::server::{Event, STOP_GRACE, ServerContent};
use longshore_host::accounts::CHECKS;
use longshore_host::directory::DiskHost;
use longshore_host::logging;
use longshore_host::server::{Serve, Service};
use longshore_host::transfer::Cargo;
use tracing::{debug, error};

use crate::notice::{Notice, Stop};
use crate::wire::Wire;
use crate::{Runtime, loose};

/// How long to pause where the system has no more descriptors.
const BREATH: Duration = Duration::from_millis(50);

/// The whole of a server program.
pub fn main<R: Runtime>() -> ExitCode {
    longshore_host::server::main::<Server<R>>()
}

/// A server on a runtime.
struct Server<R>(PhantomData<R>);

/// What all sessions share.
struct Shared {
    service: Service,
    logins: Semaphore,
    stop: Stop,
}

impl<R: Runtime> Serve for Server<R> {
    fn serve(mut service: Service) -> io::Result<()> {
        let listeners = std::mem::take(&mut service.listeners);
        R::run(async {
            let stop = Stop::default();
            let shared = Arc::new(Shared { service, logins: Semaphore::new(CHECKS), stop: stop.clone() });
            for listener in listeners {
                let listener = R::listen(listener)?;
                R::spawn(accept::<R>(listener, Arc::clone(&shared)));
            }
            let mut signal = Notice::<R>::interrupt(&shared.service.stop)?;
            std::future::poll_fn(|cx| signal.poll(cx)).await;
            stop.tell();
            // The sessions end by themselves within their grace.
            let longest = STOP_GRACE + Duration::from_secs(2);
            let places = shared.service.places.clone();
            let free = R::unblock(move || places.wait_until_free(longest));
            // Should a disk have stopped all threads for blocking work, this one is none of them.
            let too_late = async {
                R::sleep(longest).await;
            };
            future::or(free, too_late).await;
            loose::settled::<R>().await;
            Ok(())
        })
    }
}

/// Takes connections until the server is to stop; who connects later is refused by the system.
async fn accept<R: Runtime>(listener: R::Listener, shared: Arc<Shared>) {
    let accept = async {
        loop {
            match R::accept(&listener).await {
                Ok(stream) => {
                    R::spawn(serve::<R>(stream, Arc::clone(&shared)));
                    future::yield_now().await;
                }
                Err(fault) => {
                    error!(%fault, "cannot take a connection");
                    R::sleep(BREATH).await;
                }
            }
        }
    };
    future::or(shared.stop.told(), accept).await;
}

async fn serve<R: Runtime>(stream: R::Stream, shared: Arc<Shared>) {
    if let Err(fault) = try_serve::<R>(stream, &shared).await {
        debug!(%fault, "a session failed");
    }
}

async fn try_serve<R: Runtime>(stream: R::Stream, shared: &Shared) -> io::Result<()> {
    let Shared { service, logins, stop } = shared;
    let mut wire: Wire<R, ServerContent<DiskHost>> = Wire::serve(stream, service.tls(), stop)?;
    let (local, peer) = wire.addresses()?;
    let (mut session, place) = service.session(local, peer, wire.now());
    let mut host = service.host();
    loop {
        match wire.next(&mut *session).await {
            Event::Ask(request) => {
                // Who waits for a check waits here, and not on a thread that somebody's file needs.
                let turn = if request.is_login() { Some(logins.acquire().await) } else { None };
                let job = R::unblock(move || {
                    let way = request.way();
                    let (answer, content) = request.run(&mut host);
                    let cargo = content.map(|content| match way {
                        Some(Way::Send) => Cargo::ahead(content),
                        _ => Cargo::new(content),
                    });
                    (host, answer, cargo)
                });
                let (answered, answer, cargo) = job.await;
                drop(turn);
                host = answered;
                if let Some(cargo) = cargo {
                    wire.offer(cargo);
                }
                session.answer(wire.now(), answer);
            }
            Event::Note(note) => logging::note(peer, &note),
            Event::Closed => break,
        }
    }
    // The place is free only now that the connection is done with.
    drop((wire, place));
    Ok(())
}
