//! What a runtime has to say.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};
use longshore_core::machine::Way;

/// A runtime: its sockets, timers and tasks. There is one of each kind in a program, so nothing here takes `self`.
pub trait Runtime: Send + Sync + Sized + 'static {
    /// Where control connections come in.
    type Listener: Send + Sync;
    /// A control connection.
    type Stream: AsyncRead + AsyncWrite + AsFd + Send + Unpin;
    /// Tells when a data connection is ready.
    type Watch: Watch;
    /// Ends after a time.
    type Sleep: Future + Send + Unpin;

    /// Runs a future, and whatever the runtime needs besides, on this thread, and returns with the future's result. A thread
    /// may call this again and again.
    fn run<T>(future: impl Future<Output = T>) -> T;

    /// Runs a task by itself, on whichever thread.
    fn spawn(task: impl Future<Output = ()> + Send + 'static);

    /// Runs work that may block, on a thread that may wait. The work is done even where the future is dropped, if it has
    /// begun.
    fn unblock<T: Send + 'static>(
        work: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static;

    /// Waits for so long.
    fn sleep(time: Duration) -> Self::Sleep;

    /// Takes over a listener.
    ///
    /// # Errors
    ///
    /// The system has no more room.
    fn listen(listener: TcpListener) -> io::Result<Self::Listener>;

    /// Waits for a connection.
    fn accept(listener: &Self::Listener) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Makes a connection.
    fn connect(to: SocketAddr) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// An eye on a socket that does not block, and whose bytes do not pass through the runtime.
pub trait Watch: Send + Sized {
    /// Keeps an eye on a socket.
    ///
    /// # Errors
    ///
    /// The system has no more room.
    fn new(socket: Arc<OwnedFd>) -> io::Result<Self>;

    /// Waits until the socket is ready to be written to ([`Way::Send`]) or read from ([`Way::Receive`]). This is asked after
    /// the socket was found not to be; to say too often that it is costs time, and nothing else.
    fn poll_ready(&mut self, way: Way, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// The eye of all runtimes over async-io: smol and async-std among them.
#[cfg(feature = "async-io")]
impl Watch for async_io::Async<Arc<OwnedFd>> {
    fn new(socket: Arc<OwnedFd>) -> io::Result<Self> {
        Self::new_nonblocking(socket)
    }

    fn poll_ready(&mut self, way: Way, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match way {
            Way::Send => self.poll_writable(cx),
            Way::Receive => self.poll_readable(cx),
        }
    }
}
