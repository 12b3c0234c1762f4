//! One TLS connection, without its socket: bytes in, bytes out.

use std::fmt;
use std::sync::Arc;

use longshore_core::machine::SecureError;
use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::pki_types::ServerName;
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, InsufficientSizeError, UnbufferedStatus};
use rustls::{ClientConfig, CommonState, HandshakeKind, ServerConfig};

use super::client::Report;

/// What a record adds to its bytes at most: header, content type, explicit nonce and tag.
const RECORD_EXTRA: usize = 64;
/// The most bytes of a record's content (RFC 8446, section 5.1).
const RECORD: usize = 16 * 1024;

/// One TLS connection, of either side. What came goes into [`room`](Self::room), and out of [`read`](Self::read) in clear; what is
/// to go is [`write`](Self::write)ten, and then stands in [`outgoing`](Self::outgoing). At rest it holds no buffer.
#[derive(Debug)]
pub struct Layer {
    connection: Connection,
    ends: Ends,
    is_handshaking: bool,
    closed: bool,
    failed: Option<SecureError>,
    is_client: bool,
    must_resume: bool,
    report: Option<Arc<Report>>,
}

enum Connection {
    // Boxed, since they take more than a thousand bytes.
    Client(Box<UnbufferedClientConnection>),
    Server(Box<UnbufferedServerConnection>),
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client(_) => "Client",
            Self::Server(_) => "Server",
        })
    }
}

/// The bytes on both ends of a connection.
#[derive(Debug, Default)]
struct Ends {
    /// What came, and is not read.
    incoming: Vec<u8>,
    /// How much of that is done with.
    done: usize,
    /// What is to be sent.
    outgoing: Buffer,
    /// Read, and not yet asked for.
    clear: Vec<u8>,
    /// The peer has said that this is its end.
    ended: bool,
}

/// What both sides' connections have in common, and rustls has no name for.
trait Records {
    type Data;

    fn process<'c, 'i>(&'c mut self, incoming: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data>;

    /// Whether something of its own is to be sent, an alert say.
    fn has_words(&self) -> bool;
}

impl Records for UnbufferedClientConnection {
    type Data = ClientConnectionData;

    fn process<'c, 'i>(&'c mut self, incoming: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(incoming)
    }

    fn has_words(&self) -> bool {
        self.wants_write()
    }
}

impl Records for UnbufferedServerConnection {
    type Data = ServerConnectionData;

    fn process<'c, 'i>(&'c mut self, incoming: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(incoming)
    }

    fn has_words(&self) -> bool {
        self.wants_write()
    }
}

/// What is wanted of the connection.
#[derive(Clone, Copy)]
enum Wish<'a> {
    Nothing,
    /// Read until so many bytes are there, or a record more.
    Read(usize),
    Write(&'a [u8]),
    Close,
}

/// Bytes that are sent from the front, in a buffer that keeps its size for as long as it is in use.
#[derive(Debug, Default)]
struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buffer {
    /// Lets `fill` write behind what is there, into as much room as it asks for.
    fn append<E>(
        &mut self,
        expected: usize,
        mut fill: impl FnMut(&mut [u8]) -> Result<usize, E>,
        lacks: fn(&E) -> Option<usize>,
    ) -> Result<(), E> {
        let mut room = expected;
        loop {
            if self.bytes.len() < self.end + room {
                self.bytes.resize(self.end + room, 0);
            }
            match fill(&mut self.bytes[self.end..]) {
                Ok(count) => {
                    self.end += count;
                    return Ok(());
                }
                Err(error) => room = lacks(&error).filter(|more| *more > room).ok_or(error)?,
            }
        }
    }

    fn sent(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }
}

impl Layer {
    /// A client's side. `report` is told how it goes.
    ///
    /// # Errors
    ///
    /// The configuration is of no use.
    pub(super) fn client(
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
        report: Arc<Report>,
    ) -> Result<Self, SecureError> {
        let connection = UnbufferedClientConnection::new(config, name).map_err(|_| SecureError::NotSetUp)?;
        let mut layer = Self::new(Connection::Client(Box::new(connection)));
        (layer.is_client, layer.report) = (true, Some(report));
        Ok(layer)
    }

    /// A server's side. It may insist on the resumption of a session.
    ///
    /// # Errors
    ///
    /// The configuration is of no use.
    pub(super) fn server(config: Arc<ServerConfig>, must_resume: bool) -> Result<Self, SecureError> {
        let connection = UnbufferedServerConnection::new(config).map_err(|_| SecureError::NotSetUp)?;
        Ok(Self { must_resume, ..Self::new(Connection::Server(Box::new(connection))) })
    }

    fn new(connection: Connection) -> Self {
        Self {
            connection,
            ends: Ends::default(),
            is_handshaking: true,
            closed: false,
            failed: None,
            is_client: false,
            must_resume: false,
            report: None,
        }
    }

    /// Whether this is the client's side.
    pub fn is_client(&self) -> bool {
        self.is_client
    }

    /// Whether nothing can be read or written yet.
    pub fn is_handshaking(&self) -> bool {
        self.is_handshaking
    }

    /// Whether the peer has said that nothing more comes: a connection that ends without that may have been cut.
    pub fn has_ended(&self) -> bool {
        self.ends.ended
    }

    /// Whether nothing goes through it any more.
    pub fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Where to put what came, behind what is there; there is room for `size` bytes at least.
    pub fn room(&mut self, size: usize) -> &mut Vec<u8> {
        let Ends { incoming, done, .. } = &mut self.ends;
        incoming.drain(..*done);
        *done = 0;
        incoming.reserve(size);
        incoming
    }

    /// What is to be sent, in this order.
    pub fn outgoing(&self) -> &[u8] {
        let Buffer { bytes, start, end } = &self.ends.outgoing;
        &bytes[*start..*end]
    }

    /// So much of [`outgoing`](Self::outgoing) is sent.
    pub fn sent(&mut self, count: usize) {
        self.ends.outgoing.sent(count);
    }

    /// Goes on with the handshake, as far as what came allows.
    ///
    /// # Errors
    ///
    /// There will be no TLS. What is outgoing says so to the peer.
    pub fn shake_hands(&mut self) -> Result<(), SecureError> {
        self.work(Wish::Nothing)
    }

    /// Reads what came, and puts it behind `clear`, until that holds `most` bytes or nearly a record more.
    ///
    /// # Errors
    ///
    /// What came is damaged, or is no TLS.
    pub fn read(&mut self, clear: &mut Vec<u8>, most: usize) -> Result<(), SecureError> {
        if !self.ends.clear.is_empty() {
            clear.append(&mut self.ends.clear);
            self.ends.clear = Vec::new();
            return Ok(());
        }
        // It is put right where it belongs.
        std::mem::swap(clear, &mut self.ends.clear);
        let result = self.work(Wish::Read(most));
        std::mem::swap(clear, &mut self.ends.clear);
        result
    }

    /// Protects bytes, which are outgoing then.
    ///
    /// # Errors
    ///
    /// TLS is not in force, or no more.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), SecureError> {
        self.work(Wish::Write(bytes))
    }

    /// Says to the peer that nothing more comes.
    pub fn close(&mut self) {
        if !self.closed && !self.is_handshaking {
            self.closed = true;
            // Where there is no TLS any more there is nobody to tell.
            let _ = self.work(Wish::Close);
        }
    }

    /// Gives back the memory of buffers that hold nothing.
    pub fn rest(&mut self) {
        if self.ends.done == self.ends.incoming.len() {
            (self.ends.incoming, self.ends.done) = (Vec::new(), 0);
        }
        if self.outgoing().is_empty() {
            self.ends.outgoing = Buffer::default();
        }
    }

    fn work(&mut self, wish: Wish<'_>) -> Result<(), SecureError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let mut result = match &mut self.connection {
            Connection::Client(connection) => work(&mut **connection, &mut self.ends, wish),
            Connection::Server(connection) => work(&mut **connection, &mut self.ends, wish),
        };
        if self.is_handshaking && result.is_ok() && !self.state().is_handshaking() {
            self.is_handshaking = false;
            result = self.shaken();
        }
        self.failed = result.err();
        result
    }

    /// The handshake is over.
    fn shaken(&self) -> Result<(), SecureError> {
        let is_resumed = self.state().handshake_kind() == Some(HandshakeKind::Resumed);
        if let Some(report) = &self.report {
            report.shaken(self.state(), is_resumed);
        }
        if self.must_resume && !is_resumed { Err(SecureError::NotResumed) } else { Ok(()) }
    }

    fn state(&self) -> &CommonState {
        match &self.connection {
            Connection::Client(connection) => connection,
            Connection::Server(connection) => connection,
        }
    }
}

/// Does what the connection asks for, until it is in want of input or the wish is granted.
fn work(connection: &mut impl Records, ends: &mut Ends, wish: Wish<'_>) -> Result<(), SecureError> {
    let Ends { incoming, done, outgoing, clear, ended } = ends;
    let mut failure = None;
    let mut is_granted = !matches!(wish, Wish::Write(_));
    loop {
        if matches!(wish, Wish::Read(most) if clear.len() >= most) {
            return Ok(());
        }
        let UnbufferedStatus { mut discard, state } = connection.process(&mut incoming[*done..]);
        let mut is_over = false;
        match state {
            Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                while let Some(record) = traffic.next_record() {
                    let record = record.map_err(|error| super::secure_error(&error))?;
                    clear.extend_from_slice(record.payload);
                    discard += record.discard;
                }
            }
            Ok(ConnectionState::EncodeTlsData(mut handshake)) => {
                let lacks = |error: &EncodeError| match error {
                    EncodeError::InsufficientSize(InsufficientSizeError { required_size }) => Some(*required_size),
                    EncodeError::AlreadyEncoded => None,
                };
                let encoded = outgoing.append(0, |room| handshake.encode(room), lacks);
                encoded.map_err(|_| SecureError::Handshake)?;
            }
            // It goes with the next bytes that are sent.
            Ok(ConnectionState::TransmitTlsData(transmit)) => transmit.done(),
            Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                let lacks = |error: &EncryptError| match error {
                    EncryptError::InsufficientSize(InsufficientSizeError { required_size }) => Some(*required_size),
                    EncryptError::EncryptExhausted => None,
                };
                let written = match wish {
                    Wish::Write(bytes) => {
                        let expected = bytes.len() + (bytes.len() / RECORD + 1) * RECORD_EXTRA;
                        outgoing.append(expected, |room| traffic.encrypt(bytes, room), lacks)
                    }
                    Wish::Close => outgoing.append(RECORD_EXTRA, |room| traffic.queue_close_notify(room), lacks),
                    Wish::Nothing | Wish::Read(_) => Ok(()),
                };
                written.map_err(|_| SecureError::Handshake)?;
                (is_over, is_granted) = (true, true);
            }
            Ok(ConnectionState::PeerClosed) => *ended = true,
            Ok(_) => is_over = true,
            Err(error) => failure = Some(super::secure_error(&error)),
        }
        *done += discard;
        // What is left to be sent tells the peer why; but for that, a connection that has failed is not to be asked again.
        if is_over || (failure.is_some() && !connection.has_words()) {
            // Nothing can be written before the handshake is over.
            return failure.or((!is_granted).then_some(SecureError::Handshake)).map_or(Ok(()), Err);
        }
    }
}
