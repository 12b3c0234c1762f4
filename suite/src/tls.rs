//! TLS for a client that does just what a case tells it to, over rustls as everybody else uses it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};

/// A TLS session over a socket that is somebody else's.
#[derive(Debug)]
pub struct Tls(ClientConnection);

/// What the sessions of one client share: their tickets.
pub type Config = Arc<ClientConfig>;

/// A client that trusts anybody; of TLS 1.2 or 1.3.
pub fn config(is_13: bool) -> Config {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let versions = if is_13 { [&TLS13] } else { [&TLS12] };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(&versions);
    let builder = builder.expect("the provider has these versions").dangerous();
    Arc::new(builder.with_custom_certificate_verifier(Arc::new(Anybody(provider))).with_no_client_auth())
}

impl Tls {
    /// Shakes hands.
    ///
    /// # Errors
    ///
    /// The server does not want to.
    pub fn new(config: &Config, socket: &mut TcpStream) -> io::Result<Self> {
        let name = ServerName::try_from("localhost").expect("a name");
        let mut tls = ClientConnection::new(Arc::clone(config), name).expect("a configuration that works");
        while tls.is_handshaking() {
            tls.complete_io(socket)?;
        }
        Ok(Self(tls))
    }

    /// Shakes hands, and sends every so many bytes by themselves.
    ///
    /// # Errors
    ///
    /// The server does not want to.
    pub fn in_pieces(config: &Config, socket: &mut TcpStream, size: usize) -> io::Result<Self> {
        let name = ServerName::try_from("localhost").expect("a name");
        let mut tls = ClientConnection::new(Arc::clone(config), name).expect("a configuration that works");
        while tls.is_handshaking() {
            let mut bytes = Vec::new();
            while tls.wants_write() {
                tls.write_tls(&mut bytes)?;
            }
            for piece in bytes.chunks(size) {
                socket.write_all(piece)?;
            }
            if tls.is_handshaking() {
                tls.read_tls(socket)?;
                tls.process_new_packets().map_err(io::Error::other)?;
            }
        }
        Ok(Self(tls))
    }

    /// The session as a stream over its socket.
    pub fn over<'a>(&'a mut self, socket: &'a mut TcpStream) -> impl Read + Write + 'a {
        rustls::Stream::new(&mut self.0, socket)
    }

    /// Says that nothing more comes.
    pub fn close(&mut self, socket: &mut TcpStream) {
        self.0.send_close_notify();
        while self.0.wants_write() {
            if self.0.write_tls(socket).is_err() {
                return;
            }
        }
    }

    /// These bytes and the word that no more will come, to be sent at once.
    pub fn last_words(&mut self, words: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.0.writer().write_all(words).expect("a buffer takes it");
        self.0.send_close_notify();
        while self.0.wants_write() {
            self.0.write_tls(&mut bytes).expect("a buffer takes it");
        }
        bytes
    }

    /// How many tickets the server has sent so far.
    pub fn tickets(&self) -> u32 {
        self.0.tls13_tickets_received()
    }

    /// Whether an earlier session was resumed.
    pub fn is_resumed(&self) -> bool {
        self.0.handshake_kind() == Some(rustls::HandshakeKind::Resumed)
    }
}

/// Trusts anybody.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
