//! Longshore on [smol]: its sockets, timers and tasks, for the driver of `longshore-futures`. The programs are `ftpd-smol`
//! and `ftp-smol`.
#![forbid(unsafe_code)]

use std::future::{Future, pending};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Once};
use std::thread;
use std::time::Duration;

use longshore_futures::Runtime;
use smol::{Async, Executor, Timer, net};

/// The tasks of the program.
static EXECUTOR: Executor<'static> = Executor::new();

/// smol, with a thread for each core that runs tasks; its global executor has but one.
#[derive(Debug)]
pub struct Smol;

impl Runtime for Smol {
    type Listener = net::TcpListener;
    type Stream = net::TcpStream;
    type Watch = Async<Arc<OwnedFd>>;
    type Sleep = Timer;

    fn run<T>(future: impl Future<Output = T>) -> T {
        smol::block_on(future)
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        static STARTED: Once = Once::new();
        STARTED.call_once(start_threads);
        EXECUTOR.spawn(task).detach();
    }

    fn unblock<T: Send + 'static>(
        work: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        smol::unblock(work)
    }

    fn sleep(time: Duration) -> Timer {
        Timer::after(time)
    }

    fn listen(listener: TcpListener) -> io::Result<Self::Listener> {
        Async::new(listener).map(Self::Listener::from)
    }

    async fn accept(listener: &Self::Listener) -> io::Result<Self::Stream> {
        listener.accept().await.map(|(stream, _)| stream)
    }

    async fn connect(to: SocketAddr) -> io::Result<Self::Stream> {
        net::TcpStream::connect(to).await
    }
}

fn start_threads() {
    let count = thread::available_parallelism().map_or(1, NonZero::get);
    for number in 0..count {
        let run = || {
            loop {
                // A task that panics ends alone.
                let _ = std::panic::catch_unwind(|| smol::block_on(EXECUTOR.run(pending::<()>())));
            }
        };
        let thread = thread::Builder::new().name(format!("smol-{number}")).spawn(run);
        thread.expect("a program that is starting gets a thread");
    }
}
