//! What a session and its driver say to each other. Bytes of the control connection go by buffer, decisions by queue, and
//! bulk data not at all: the driver moves it and reports counts.
//!
//! A driver owns the sockets, the clock and the files. It repeats three steps: carry out every [`Action`] that
//! [`Machine::poll`] gives, send what [`Machine::transmit`] holds, and wait for the first of: bytes on the control
//! connection, news of the data connection, the [`Machine::deadline`]. Control comes first, so that an `ABOR` is seen at once.

use alloc::boxed::Box;
use core::net::{IpAddr, SocketAddr};
use core::ops::RangeInclusive;

use bytes::Bytes;
use thiserror::Error;

use crate::codec::{Codec, CodecError};
use crate::digest::{Digest, Summing};
use crate::host::HostError;
use crate::time::Instant;

/// One side of an FTP session. [`server::Session`](crate::server::Session) and
/// [`client::Session`](crate::client::Session) both are one.
pub trait Machine {
    /// What concerns the application and not the wire.
    type Event;

    /// Takes bytes that the peer sent and says how many it took; what it left is to be offered again once
    /// [`wants_input`](Self::wants_input). An empty slice says that the peer closed, or that the connection broke.
    fn receive(&mut self, now: Instant, bytes: &[u8]) -> usize;

    /// Whether [`receive`](Self::receive) would take anything now.
    fn wants_input(&self) -> bool;

    /// Bytes that wait to be sent on the control connection.
    fn transmit(&self) -> &[u8];

    /// How many of the first bytes of [`transmit`](Self::transmit) go out as urgent data, the last of them with TCP's
    /// urgent mark (RFC 959, section 4.1: the Synch). Zero nearly always.
    fn urgent(&self) -> usize {
        0
    }

    /// Tells how many bytes of [`transmit`](Self::transmit) were sent.
    fn sent(&mut self, now: Instant, count: usize);

    /// Tells what happened, or only that time has passed.
    fn handle(&mut self, now: Instant, input: Input);

    /// What is to be done next, in order. Actions that the peer could notice on the control connection come out once all
    /// bytes before them are sent.
    fn poll(&mut self) -> Option<Action<Self::Event>>;

    /// When to call [`handle`](Self::handle) with [`Input::Tick`] at the latest. It may lie in the past: then the driver
    /// looks at the control connection once, without waiting, before it does.
    fn deadline(&self) -> Option<Instant>;
}

/// What a session wants of its driver.
#[derive(Debug)]
pub enum Action<E> {
    /// Protect the control connection: what came on it and was not taken, and all that follows, belongs to TLS (RFC 4217). Answered
    /// by [`Input::Secured`].
    Secure,
    /// Listen for the peer, in place of whatever the data side holds. Answered by [`Input::Listening`].
    Listen(Listen),
    /// Make the data connection. Answered by [`Input::Connected`].
    Open(Route),
    /// Move bytes between the data connection and the content at hand. Answered by [`Input::Moved`] and [`Input::Marked`], any
    /// number of them, and [`Input::Finished`]. The data connection is closed then, unless the flow keeps it.
    Start(Flow),
    /// Make a digest of the content at hand, and meanwhile leave whatever the data side holds as it is. Answered by
    /// [`Input::Moved`], any number of them, and [`Input::Digested`].
    Digest(Box<Summing>),
    /// All bytes came: let the content appear under its name. Answered by [`Input::Published`].
    Publish,
    /// Drop listener, data connection, flow, digest, and content that was not published. No answer; none that was due comes.
    Abandon,
    /// End the control connection. The session is over.
    Close,
    /// For the application.
    Event(E),
}

/// Where to listen for a data connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// The local address; its port does not matter.
    pub local: SocketAddr,
    /// The ports to choose from, at random (RFC 2577, section 8); any free one if `None`.
    pub ports: Option<RangeInclusive<u16>>,
}

/// How a data connection comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Take one from the listener, which is then closed. Connections from other addresses are closed, and the wait goes on
    /// (RFC 2577, section 4).
    Accept {
        /// The only address that may connect.
        from: IpAddr,
    },
    /// Connect.
    Dial {
        /// The local address, where it matters (RFC 1123, section 4.1.2.12); its port does not.
        from: Option<SocketAddr>,
        /// The peer.
        to: SocketAddr,
    },
    /// It stands already, and has carried a file; look whether the peer has closed it meanwhile.
    Kept,
}

/// Which way the bytes of a data connection go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the content to the peer.
    Send,
    /// From the peer to the content.
    Receive,
}

/// A transfer. Where its codec [keeps the connection](Codec::keeps_connection), the end of the file leaves the data connection
/// open for the next, and what came behind it belongs to that.
#[derive(Debug)]
pub struct Flow {
    /// Which way.
    pub way: Way,
    /// What happens to the bytes between the content and the data connection.
    pub codec: Codec,
    /// Whether the bytes travel inside TLS. Its session begins with the first flow of a data connection, and lasts as long as that.
    pub protected: bool,
    /// Whether content that was sent is still needed, since a digest is to be made of it. What came always is.
    pub keeps_content: bool,
}

/// A restart marker in data that came (RFC 959, section 3.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// As the sender put it.
    pub text: Bytes,
    /// How many bytes this flow has put into the content before it.
    pub position: u64,
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// Nothing but time.
    Tick,
    /// TLS is in force on the control connection, or cannot be.
    Secured(Result<Secured, SecureError>),
    /// The listener stands at this address, or could not be had.
    Listening(Result<SocketAddr, NetworkError>),
    /// The data connection stands, or could not be made.
    Connected(Result<(), NetworkError>),
    /// So many bytes of the file went over the data connection since the last of these, in their representation: without what a
    /// frame puts around them. None is news too: something has moved.
    Moved(u64),
    /// A restart marker came, and what came before it is written.
    Marked(Mark),
    /// The flow is over. Where the peer's close ends it, `Ok` says that it closed in order.
    Finished(Result<(), TransferError>),
    /// The digest is made, or could not be.
    Digested(Result<Digest, HostError>),
    /// The content stands under its name, or could not be put there.
    Published(Result<(), HostError>),
    /// The program is to end: no new work; what runs may finish within its bound.
    Stop,
}

/// What a handshake on the control connection told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secured {
    /// The host that the client means (RFC 6066, section 3: SNI), where it said so.
    pub server_name: Option<Box<str>>,
}

/// Why a connection is not protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SecureError {
    /// There is no certificate, or nothing to check one by.
    #[error("TLS is not set up")]
    NotSetUp,
    /// What the peer sent is no TLS, or nothing that both sides can do.
    #[error("the TLS handshake failed")]
    Handshake,
    /// The peer's certificate is not to be trusted.
    #[error("{0}")]
    Certificate(#[from] CertificateError),
    /// The data connection belongs to another TLS session than the control connection, or to a new one.
    #[error("the data connection has to resume the TLS session of its control connection")]
    NotResumed,
}

/// Why a certificate is not to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// Nobody that is trusted has signed it.
    #[error("the certificate is signed by no authority that is known here")]
    UnknownAuthority,
    /// It is somebody else's.
    #[error("the certificate is for another name")]
    WrongName,
    /// Its time is over.
    #[error("the certificate has expired")]
    Expired,
    /// Its time is to come.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// It is not the one that was asked for.
    #[error("the certificate is not the one that is pinned")]
    NotPinned,
    /// The data connection shows another one than the control connection.
    #[error("the data connection has another certificate than the control connection")]
    Changed,
    /// Anything else.
    #[error("the certificate cannot be used")]
    Unusable,
}

/// A data connection that could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NetworkError {
    /// Nobody takes calls there.
    #[error("connection refused")]
    Refused,
    /// No way there.
    #[error("the address cannot be reached")]
    Unreachable,
    /// No port was free.
    #[error("no port is free")]
    NoPort,
    /// It took too long.
    #[error("timed out")]
    TimedOut,
    /// Anything else.
    #[error("the network failed")]
    Failed,
}

/// Why a flow ended before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TransferError {
    /// The peer is gone.
    #[error("the data connection broke")]
    Lost,
    /// The peer closed a protected data connection without TLS's word that this is the end, so somebody may have cut it.
    #[error("the data connection ended without TLS's close_notify, so something may be missing")]
    Unclosed,
    /// The data connection is not protected.
    #[error("{0}")]
    Secure(#[from] SecureError),
    /// The content could not be read or written.
    #[error("{0}")]
    Content(#[from] HostError),
    /// What the peer sent is in no form that was agreed on.
    #[error("{0}")]
    Codec(#[from] CodecError),
}
