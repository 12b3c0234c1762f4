//! What an embedder writes for a runtime of their own: here [tokio].

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};
use longshore_core::machine::Way;
use longshore_futures::{Runtime, Watch};
use tokio::io::AsyncWrite as _;
use tokio::io::unix::AsyncFd;
use tokio::{net, runtime, time};

static RUNTIME: LazyLock<runtime::Runtime> = LazyLock::new(|| runtime::Runtime::new().expect("threads"));

/// tokio, with a thread for each core.
pub(crate) struct Tokio;

/// Tells when a data connection is ready.
pub(crate) struct Eye(AsyncFd<Arc<OwnedFd>>);

/// tokio's stream under the traits of futures-io.
pub(crate) struct Stream(net::TcpStream);

impl Runtime for Tokio {
    type Listener = net::TcpListener;
    type Stream = Stream;
    type Watch = Eye;
    type Sleep = Pin<Box<time::Sleep>>;

    fn run<T>(future: impl Future<Output = T>) -> T {
        RUNTIME.block_on(future)
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        RUNTIME.spawn(task);
    }

    fn unblock<T: Send + 'static>(
        work: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        let work = RUNTIME.spawn_blocking(work);
        async { work.await.expect("work does not panic") }
    }

    fn sleep(time: Duration) -> Self::Sleep {
        Box::pin(time::sleep(time))
    }

    fn listen(listener: TcpListener) -> io::Result<Self::Listener> {
        listener.set_nonblocking(true)?;
        net::TcpListener::from_std(listener)
    }

    async fn accept(listener: &Self::Listener) -> io::Result<Stream> {
        listener.accept().await.map(|(stream, _)| Stream(stream))
    }

    async fn connect(to: SocketAddr) -> io::Result<Stream> {
        net::TcpStream::connect(to).await.map(Stream)
    }
}

impl Watch for Eye {
    fn new(socket: Arc<OwnedFd>) -> io::Result<Self> {
        // SAFETY: the descriptor stays the same, and open, for as long as the Arc lives, and AsyncFd keeps that.
        unsafe { AsyncFd::register(socket) }.map(Self).map_err(io::Error::from)
    }

    fn poll_ready(&mut self, way: Way, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut ready = match way {
            Way::Send => ready!(self.0.poll_write_ready(cx))?,
            Way::Receive => ready!(self.0.poll_read_ready(cx))?,
        };
        // The caller will find out; should it be too early, the next call is to wait.
        ready.clear_ready();
        Poll::Ready(Ok(()))
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsyncRead for Stream {
    // tokio's own takes a short read for the last one before a wait. But a read ends at urgent data, as ABOR comes with (RFC 959,
    // section 4.1), whatever follows.
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_read_ready(cx))?;
            match self.0.try_read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
