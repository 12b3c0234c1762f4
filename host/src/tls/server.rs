//! A server's TLS: its certificate and key, which may be read again while it runs, and for each FTP session tickets of its own.

use std::collections::VecDeque;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use longshore_core::machine::{SecureError, Way};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, NoServerSessionStorage, ProducesTickets, ResolvesServerCert, StoresServerSessions};
use rustls::sign::CertifiedKey;
use serde::Deserialize;

use super::pem::{self, CertificateFileError};
use super::{Layer, PROVIDER};

/// How many tickets a client gets at its login that does not say how many it wants (RFC 9149). A data connection that carries a download
/// or a listing brings another, since its client reads what comes. One that carries an upload brings none: its client may close it
/// with the ticket unread, and unread bytes turn its end into a reset.
const TICKETS: usize = 8;
/// How many sessions of TLS 1.2 are kept for clients that take no tickets.
const SESSIONS: usize = 4;
/// The most that it may ask for.
const MOST_TICKETS: usize = 100;

/// Whether data connections resume the TLS session of their own control connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resume {
    /// They cannot.
    Off,
    /// They can.
    #[default]
    Prefer,
    /// They have to: so nobody else can take them.
    Require,
}

/// A certificate with its key. Clones share them.
#[derive(Clone, Debug)]
pub struct Certificate(Arc<CertifiedKey>);

impl Certificate {
    /// Reads a chain, and the key of its first certificate, both PEM.
    ///
    /// # Errors
    ///
    /// See [`CertificateFileError`].
    pub fn read(chain: &Path, key: &Path) -> Result<Self, CertificateFileError> {
        pem::read(chain, key).map(Arc::new).map(Self)
    }

    pub(super) fn new(key: CertifiedKey) -> Self {
        Self(Arc::new(key))
    }

    /// Its SHA-256, in pairs of hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        self.0.cert.first().map_or_else(String::new, |certificate| super::fingerprint(certificate))
    }
}

/// What a server's sessions are protected with.
#[derive(Debug)]
pub struct Server {
    certificate: RwLock<Certificate>,
    /// Where it was read from, if it was.
    files: Option<(PathBuf, PathBuf)>,
    resume: Resume,
    /// The keys of all tickets; nobody but this process has them.
    tickets: Arc<dyn ProducesTickets>,
    /// How many sessions there have been.
    sessions: AtomicU64,
}

impl Server {
    /// A server with this certificate; `files` are the chain and the key, which are read again when it is told to.
    ///
    /// # Errors
    ///
    /// There is no randomness.
    pub fn new(certificate: Certificate, files: Option<(PathBuf, PathBuf)>, resume: Resume) -> Result<Self, String> {
        let tickets = aws_lc_rs::Ticketer::new().map_err(|error| error.to_string())?;
        Ok(Self { certificate: RwLock::new(certificate), files, resume, tickets, sessions: AtomicU64::new(0) })
    }

    /// The SHA-256 of the certificate at hand, in pairs of hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        self.certificate.read().unwrap_or_else(PoisonError::into_inner).fingerprint()
    }

    /// Whether certificate and key came from files.
    pub fn is_of_files(&self) -> bool {
        self.files.is_some()
    }

    /// Reads certificate and key again, for sessions that begin from now on; `None` where they came from no file.
    ///
    /// # Errors
    ///
    /// They are of no use, and those at hand stay.
    pub fn reload(&self) -> Option<Result<Certificate, CertificateFileError>> {
        let (chain, key) = self.files.as_ref()?;
        let read = Certificate::read(chain, key);
        if let Ok(certificate) = &read {
            *self.certificate.write().unwrap_or_else(PoisonError::into_inner) = certificate.clone();
        }
        Some(read)
    }

    pub(super) fn session(&self) -> Result<Session, SecureError> {
        let id = self.sessions.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let certificate = self.certificate.read().unwrap_or_else(PoisonError::into_inner).clone();
        let tickets = (self.resume != Resume::Off).then(|| Arc::clone(&self.tickets));
        let own = Arc::new(Own { id, certificate, tickets, server_name: OnceLock::new(), sessions: Mutex::default() });
        let builder = ServerConfig::builder_with_provider(Arc::clone(&PROVIDER)).with_safe_default_protocol_versions();
        let builder = builder.map_err(|_| SecureError::NotSetUp)?.with_no_client_auth();
        let mut data = builder.with_cert_resolver(Arc::clone(&own) as Arc<dyn ResolvesServerCert>);
        if self.resume != Resume::Off {
            data.session_storage = Arc::clone(&own) as Arc<dyn StoresServerSessions>;
        } else {
            data.session_storage = Arc::new(NoServerSessionStorage {});
        }
        data.ticketer = Arc::clone(&own) as Arc<dyn ProducesTickets>;
        data.ignore_client_order = true;
        data.send_tls13_tickets = 0;
        let mut control = data.clone();
        (control.send_tls13_tickets, control.max_tls13_tickets) = (TICKETS, MOST_TICKETS);
        let must_resume = self.resume == Resume::Require;
        let mut download = data.clone();
        download.send_tls13_tickets = 1;
        let (control, upload, download) = (Arc::new(control), Arc::new(data), Arc::new(download));
        Ok(Session { own, control, upload, download, must_resume })
    }
}

/// The TLS of one FTP session.
#[derive(Debug)]
pub(super) struct Session {
    own: Arc<Own>,
    control: Arc<ServerConfig>,
    upload: Arc<ServerConfig>,
    download: Arc<ServerConfig>,
    must_resume: bool,
}

impl Session {
    pub(super) fn control(&self) -> Result<Layer, SecureError> {
        Layer::server(Arc::clone(&self.control), false)
    }

    pub(super) fn data(&self, way: Way) -> Result<Layer, SecureError> {
        let config = if way == Way::Send { &self.download } else { &self.upload };
        Layer::server(Arc::clone(config), self.must_resume)
    }

    pub(super) fn server_name(&self) -> Option<Box<str>> {
        self.own.server_name.get().cloned().flatten()
    }
}

type Id = [u8; 8];

/// What is one FTP session's own. Its tickets carry its number, and it takes no others: who has a ticket of another login's
/// session gets a new TLS session, and no way around [`Resume::Require`].
struct Own {
    id: Id,
    certificate: Certificate,
    tickets: Option<Arc<dyn ProducesTickets>>,
    /// The host that the first handshake named, or none.
    server_name: OnceLock<Option<Box<str>>>,
    /// Sessions of TLS 1.2 by their numbers, the oldest first.
    sessions: Mutex<VecDeque<(Vec<u8>, Vec<u8>)>>,
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own").field("certificate", &self.certificate.fingerprint()).finish_non_exhaustive()
    }
}

impl ProducesTickets for Own {
    fn enabled(&self) -> bool {
        self.tickets.is_some()
    }

    fn lifetime(&self) -> u32 {
        self.tickets.as_ref().map_or(0, |tickets| tickets.lifetime())
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.tickets.as_ref()?.encrypt(&[&self.id, plain].concat())
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let plain = self.tickets.as_ref()?.decrypt(cipher)?;
        plain.strip_prefix(&self.id).map(<[u8]>::to_vec)
    }
}

impl StoresServerSessions for Own {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|(known, _)| *known != key);
        if sessions.len() == SESSIONS {
            sessions.pop_front();
        }
        sessions.push_back((key, value));
        true
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone())
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.get(key)
    }

    fn can_cache(&self) -> bool {
        true
    }
}

impl ResolvesServerCert for Own {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // The first handshake is the control connection's; who is called on a data connection changes nothing.
        let _ = self.server_name.set(hello.server_name().map(Box::from));
        Some(Arc::clone(&self.certificate.0))
    }
}
