//! Longshore on [async-std](async_std): its sockets, timers and tasks, for the driver of `longshore-futures`. The programs
//! are `ftpd-async-std` and `ftp-async-std`.
//!
//! async-std is no longer maintained (RUSTSEC-2025-0052). This is for programs that are built on it; others are better off with
//! `longshore-smol`, whose runtime has the same foundations.
#![forbid(unsafe_code)]

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_io::Async;
use async_std::{net, task};
use longshore_futures::Runtime;

/// async-std, with its global executor: a thread for each core.
#[derive(Debug)]
pub struct AsyncStd;

impl Runtime for AsyncStd {
    type Listener = net::TcpListener;
    type Stream = net::TcpStream;
    /// async-std's own sockets do not say when they can be written to, and are made of these.
    type Watch = Async<Arc<OwnedFd>>;
    type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn run<T>(future: impl Future<Output = T>) -> T {
        task::block_on(future)
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        task::spawn(task);
    }

    fn unblock<T: Send + 'static>(
        work: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        task::spawn_blocking(work)
    }

    fn sleep(time: Duration) -> Self::Sleep {
        Box::pin(task::sleep(time))
    }

    fn listen(listener: TcpListener) -> io::Result<Self::Listener> {
        Ok(listener.into())
    }

    async fn accept(listener: &Self::Listener) -> io::Result<Self::Stream> {
        let (stream, _) = listener.accept().await?;
        Ok(stream)
    }

    async fn connect(to: SocketAddr) -> io::Result<Self::Stream> {
        net::TcpStream::connect(to).await
    }
}
