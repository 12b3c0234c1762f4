//! TLS, for all runtimes and both roles, over rustls: bytes in, bytes out (RFC 4217; TLS 1.2 and 1.3).
//!
//! A [`Source`] is what a program was set up with. From it each FTP session gets a [`Context`], and from that the [`Layer`] of
//! its control connection, and one for each data connection. So tickets never cross from one FTP session to another: neither
//! users nor hosts can be mixed up by them.
//!
//! | file | what |
//! |---|---|
//! | `layer.rs` | one TLS connection |
//! | `server.rs` | certificate and key, and the tickets of a session |
//! | `client.rs` | what a client asks for, remembers and reports |
//! | `verify.rs` | whether a certificate is to be trusted |
//! | `pem.rs` | certificates and keys in files |
//! | `self_signed.rs` | a certificate of one's own making |

mod client;
mod layer;
mod pem;
mod self_signed;
mod server;
mod verify;

use std::sync::{Arc, LazyLock};

use longshore_core::machine::{CertificateError, SecureError, Way};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use sha2::{Digest, Sha256};

use self::client::Sessions;
pub use self::client::{Handshake, Trust};
pub use self::layer::Layer;
pub use self::pem::CertificateFileError;
pub use self::server::{Certificate, Resume, Server};

/// The cryptography of all connections: rustls's choice, but for AES with keys of 128 bits, which are as good and quicker, before those
/// of 256.
static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites.sort_by_key(|suite| {
        let is_quick = suite.suite().as_str().is_some_and(|name| name.contains("AES_128"));
        (suite.tls13().is_none(), !is_quick)
    });
    Arc::new(provider)
});

/// Where the TLS of an FTP session comes from. Clones share it.
#[derive(Clone, Debug)]
pub enum Source {
    /// A server's certificate.
    Server(Arc<Server>),
    /// What one client session trusts.
    Client(Context),
}

/// The TLS of one FTP session: its control connection, and its data connections, which resume it. Clones share it.
#[derive(Clone, Debug)]
pub struct Context(Side);

#[derive(Clone, Debug)]
enum Side {
    Server(Arc<server::Session>),
    Client(Arc<Sessions>),
}

impl Source {
    /// What a session that is to be protected needs.
    ///
    /// # Errors
    ///
    /// There is no randomness.
    pub fn context(&self) -> Result<Context, SecureError> {
        match self {
            Self::Server(server) => Ok(Context(Side::Server(Arc::new(server.session()?)))),
            Self::Client(context) => Ok(context.clone()),
        }
    }
}

impl Context {
    /// The context of one client session with the server of this name.
    ///
    /// # Errors
    ///
    /// The name is none that a certificate could be for, or there is nothing to check one by.
    pub fn client(trust: &Trust, name: &str) -> Result<Self, String> {
        Ok(Self(Side::Client(Arc::new(Sessions::new(trust, name)?))))
    }

    /// TLS for the control connection.
    ///
    /// # Errors
    ///
    /// It cannot be had.
    pub fn control(&self) -> Result<Layer, SecureError> {
        match &self.0 {
            Side::Server(session) => session.control(),
            Side::Client(sessions) => sessions.control(),
        }
    }

    /// TLS for a data connection whose first flow goes this way. The FTP server is the TLS server there too, whoever connects (RFC 4217, section 7).
    ///
    /// # Errors
    ///
    /// It cannot be had.
    pub fn data(&self, way: Way) -> Result<Layer, SecureError> {
        match &self.0 {
            Side::Server(session) => session.data(way),
            Side::Client(sessions) => sessions.data(),
        }
    }

    /// The host that the client named in the handshake of the control connection, where this is the server.
    pub fn server_name(&self) -> Option<Box<str>> {
        match &self.0 {
            Side::Server(session) => session.server_name(),
            Side::Client(_) => None,
        }
    }

    /// How the last handshake on the control connection went, and the last one on a data connection, where this is the client.
    pub fn handshakes(&self) -> (Option<Handshake>, Option<Handshake>) {
        match &self.0 {
            Side::Server(_) => (None, None),
            Side::Client(sessions) => sessions.handshakes(),
        }
    }

    /// The names that the server's certificate is for, and its SHA-256, where this is the client and one was shown.
    pub fn certificate(&self) -> Option<(String, String)> {
        match &self.0 {
            Side::Server(_) => None,
            Side::Client(sessions) => sessions.certificate(),
        }
    }

    /// What there is to do about a certificate that was refused, where this is the client.
    pub fn advice(&self, error: CertificateError) -> Option<String> {
        match &self.0 {
            Side::Server(_) => None,
            Side::Client(sessions) => sessions.advice(error),
        }
    }
}

/// The SHA-256 of a certificate, by which people know it: pairs of hexadecimal digits.
pub(crate) fn fingerprint(certificate: &[u8]) -> String {
    let digest = Sha256::digest(certificate);
    let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

/// What rustls says, as the session tells it.
fn secure_error(error: &rustls::Error) -> SecureError {
    use rustls::CertificateError as Fault;
    let rustls::Error::InvalidCertificate(fault) = error else {
        return SecureError::Handshake;
    };
    SecureError::Certificate(match fault {
        Fault::UnknownIssuer => CertificateError::UnknownAuthority,
        Fault::NotValidForName | Fault::NotValidForNameContext { .. } => CertificateError::WrongName,
        Fault::Expired | Fault::ExpiredContext { .. } => CertificateError::Expired,
        Fault::NotValidYet | Fault::NotValidYetContext { .. } => CertificateError::NotYetValid,
        Fault::Other(error) => error.0.downcast_ref().copied().unwrap_or(CertificateError::Unusable),
        _ => CertificateError::Unusable,
    })
}
