//! The server: threads that wait for connections, each of which then serves the one that it got.
//!
//! The threads take turns at the listeners: one waits, and when a connection comes it lets the next one wait and serves. So no
//! connection waits for a thread to be made, and an idle server has but a few threads.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use longshore_core::server::{Answer, Event, Request, STOP_GRACE, ServerContent};
use longshore_host::control::Drive;
use longshore_host::directory::DiskHost;
use longshore_host::logging;
use longshore_host::server::{Serve, Service};
use rustix::event::{PollFd, PollFlags, poll};
use tracing::{debug, error};

use crate::wire::Wire;

/// Threads that wait, besides those that serve.
const SPARE: usize = 2;
/// Threads that wait at most; after a rush the others end.
const MOST_SPARE: usize = 8;
/// A session's thread keeps its buffers on the heap.
const STACK: usize = 128 * 1024;
/// How long to pause where the system has no more descriptors or threads.
const BREATH: Duration = Duration::from_millis(50);

/// Blocking std.
#[derive(Debug)]
pub struct Std;

struct Shared {
    service: Service,
    /// Whoever holds these waits for the next connection. They are gone once the server is to stop.
    listeners: Mutex<Vec<TcpListener>>,
    spare: AtomicUsize,
}

type ServerWire = Wire<ServerContent<DiskHost>>;

impl Serve for Std {
    fn serve(mut service: Service) -> io::Result<()> {
        let listeners = std::mem::take(&mut service.listeners);
        for listener in &listeners {
            // The connection that poll told of may be gone again.
            listener.set_nonblocking(true)?;
        }
        let shared = Arc::new(Shared { service, listeners: Mutex::new(listeners), spare: AtomicUsize::new(0) });
        for _ in 0..SPARE {
            spawn(&shared)?;
        }
        while let Err(rustix::io::Errno::INTR) = poll(&mut [PollFd::new(&shared.service.stop, PollFlags::IN)], None) {}
        // The sessions have got the same signal, and end by themselves within their grace.
        shared.service.places.wait_until_free(STOP_GRACE + Duration::from_secs(2));
        Ok(())
    }
}

fn spawn(shared: &Arc<Shared>) -> io::Result<()> {
    shared.spare.fetch_add(1, Ordering::Relaxed);
    let worker = Arc::clone(shared);
    let spawned = thread::Builder::new().stack_size(STACK).spawn(move || work(&worker));
    if spawned.is_err() {
        shared.spare.fetch_sub(1, Ordering::Relaxed);
    }
    spawned.map(drop)
}

/// Waits, serves, waits again; ends when the server stops, or where enough others wait. A thread that waits is counted as
/// spare.
fn work(shared: &Arc<Shared>) {
    while let Some(stream) = next_connection(shared) {
        serve(&shared.service, stream);
        if shared.spare.fetch_add(1, Ordering::Relaxed) >= MOST_SPARE {
            break;
        }
    }
    shared.spare.fetch_sub(1, Ordering::Relaxed);
}

/// Waits for a connection; `None` once the server is to stop. Leaves enough threads behind that wait.
#[inline(never)]
fn next_connection(shared: &Arc<Shared>) -> Option<TcpStream> {
    let mut listeners = shared.listeners.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let mut fds: Vec<PollFd<'_>> = vec![PollFd::new(&shared.service.stop, PollFlags::IN)];
        fds.extend(listeners.iter().map(|listener| PollFd::new(listener, PollFlags::IN)));
        if let Err(fault) = poll(&mut fds, None)
            && fault != rustix::io::Errno::INTR
        {
            error!(%fault, "cannot wait for connections");
            thread::sleep(BREATH);
            continue;
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        if ready[0] {
            // Who connects from now on is refused by the system.
            listeners.clear();
            return None;
        }
        for (listener, _) in listeners.iter().zip(&ready[1..]).filter(|(_, ready)| **ready) {
            match listener.accept() {
                Ok((stream, _)) => {
                    if shared.spare.fetch_sub(1, Ordering::Relaxed) <= SPARE
                        && let Err(fault) = spawn(shared)
                    {
                        error!(%fault, "cannot start a thread");
                    }
                    return Some(stream);
                }
                Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => {}
                Err(fault) => {
                    error!(%fault, "cannot take a connection");
                    thread::sleep(BREATH);
                }
            }
        }
    }
}

fn serve(service: &Service, stream: TcpStream) {
    if let Err(fault) = try_serve(service, stream) {
        failed(&fault);
    }
}

#[cold]
#[inline(never)]
fn failed(fault: &io::Error) {
    debug!(%fault, "a session failed");
}

fn try_serve(service: &Service, stream: TcpStream) -> io::Result<()> {
    let mut wire = open(service, stream)?;
    let (local, peer) = wire.addresses()?;
    let (mut session, place) = service.session(local, peer, wire.now());
    let mut host = service.host();
    loop {
        match wire.next(&mut *session)? {
            Event::Ask(request) => {
                let answer = run(request, &mut host, &mut wire);
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

/// On the heap: moving a wire about would make a frame several times its size, and a thread keeps every page of its stack that
/// it once touched.
#[inline(never)]
fn open(service: &Service, stream: TcpStream) -> io::Result<Box<ServerWire>> {
    Wire::new(stream, service.tls(), service.stop.clone(), false).map(Box::new)
}

/// Puts a question to the host. Apart, so that its frame is there only while it is needed.
#[inline(never)]
fn run(request: Request, host: &mut DiskHost, wire: &mut ServerWire) -> Answer {
    let (answer, content) = request.run(host);
    if let Some(content) = content {
        wire.offer(content);
    }
    answer
}
