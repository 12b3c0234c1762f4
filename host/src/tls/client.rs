//! A client's TLS: what it trusts, the tickets of one FTP session, and what there is to tell of the handshakes.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use longshore_core::machine::{CertificateError, SecureError};
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ClientSessionStore, Resumption, TicketRequest, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, CommonState, NamedGroup, ProtocolVersion};

use super::verify::Verifier;
use super::{Layer, PROVIDER};

/// How many tickets to ask for at the login (RFC 9149): one for each data connection that may come.
const WANTED_TICKETS: u8 = 64;
/// The most that are kept.
const MOST_TICKETS: usize = 128;

/// Which servers a client trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// A file with certificates of authorities besides the system's, or of the server itself.
    pub authorities: Option<PathBuf>,
    /// Anybody.
    pub anybody: bool,
    /// Who shows the certificate with this SHA-256, and nobody else.
    pub pin: Option<[u8; 32]>,
}

/// What a handshake came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The version of TLS.
    pub version: &'static str,
    /// The cipher suite, by its name in the registry.
    pub cipher: String,
    /// Whether an earlier session was resumed.
    pub is_resumed: bool,
}

/// How one kind of connection was protected last.
#[derive(Debug, Default)]
pub(super) struct Report(Mutex<Option<Handshake>>);

impl Report {
    pub(super) fn shaken(&self, state: &CommonState, is_resumed: bool) {
        let version = match state.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
            Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
            _ => "TLS",
        };
        let suite = state.negotiated_cipher_suite().map(|suite| suite.suite());
        // rustls has its own prefix for the names of TLS 1.3.
        let cipher = suite.and_then(|suite| suite.as_str()).unwrap_or("unknown").replacen("TLS13_", "TLS_", 1);
        *locked(&self.0) = Some(Handshake { version, cipher, is_resumed });
    }

    fn last(&self) -> Option<Handshake> {
        locked(&self.0).clone()
    }
}

/// The TLS of one FTP session.
#[derive(Debug)]
pub(super) struct Sessions {
    control: Arc<ClientConfig>,
    data: Arc<ClientConfig>,
    verifier: Arc<Verifier>,
    name: ServerName<'static>,
    control_report: Arc<Report>,
    data_report: Arc<Report>,
}

impl Sessions {
    pub(super) fn new(trust: &Trust, name: &str) -> Result<Self, String> {
        // The scope of a link-local address is this machine's own matter.
        let plain = if name.contains(':') { name.split('%').next().unwrap_or(name) } else { name };
        let server_name = ServerName::try_from(plain.to_owned());
        let server_name = server_name.map_err(|_| format!("{name}: no certificate can be for such a name"))?;
        let verifier = Arc::new(Verifier::new(trust)?);
        let builder = ClientConfig::builder_with_provider(Arc::clone(&PROVIDER)).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| error.to_string())?.dangerous();
        let checks = Arc::clone(&verifier) as Arc<dyn ServerCertVerifier>;
        let mut data = builder.with_custom_certificate_verifier(checks).with_no_client_auth();
        data.resumption = Resumption::store(Arc::new(Tickets::default()));
        let mut control = data.clone();
        control.send_ticket_request = Some(TicketRequest { new_session_count: WANTED_TICKETS, resumption_count: 1 });
        Ok(Self {
            control: Arc::new(control),
            data: Arc::new(data),
            verifier,
            name: server_name,
            control_report: Arc::default(),
            data_report: Arc::default(),
        })
    }

    pub(super) fn control(&self) -> Result<Layer, SecureError> {
        Layer::client(Arc::clone(&self.control), self.name.clone(), Arc::clone(&self.control_report))
    }

    /// The same name as for the control connection, whatever address the server gave, so that tickets fit.
    pub(super) fn data(&self) -> Result<Layer, SecureError> {
        Layer::client(Arc::clone(&self.data), self.name.clone(), Arc::clone(&self.data_report))
    }

    pub(super) fn handshakes(&self) -> (Option<Handshake>, Option<Handshake>) {
        (self.control_report.last(), self.data_report.last())
    }

    /// The names and the fingerprint of the certificate that the server showed.
    pub(super) fn certificate(&self) -> Option<(String, String)> {
        let certificate = self.verifier.shown()?;
        Some((names(&certificate), super::fingerprint(&certificate)))
    }

    pub(super) fn advice(&self, error: CertificateError) -> Option<String> {
        let (names, fingerprint) = self.certificate()?;
        let pin = format!("--pin {fingerprint} accepts exactly this one");
        Some(match error {
            CertificateError::UnknownAuthority => {
                format!("--cacert FILE trusts the authority that signed it, and {pin}")
            }
            CertificateError::WrongName if names.is_empty() => format!("it names no host; {pin}"),
            CertificateError::WrongName => format!("it is for {names}: connect by that name, or else {pin}"),
            CertificateError::Expired | CertificateError::NotYetValid => {
                format!("check this machine's clock, or ask who runs the server for a new one; {pin}")
            }
            CertificateError::NotPinned => format!("the server showed {fingerprint}"),
            CertificateError::Changed => "somebody may be in between; nothing was sent there".to_owned(),
            CertificateError::Unusable => "ask who runs the server for another".to_owned(),
        })
    }
}

/// The names that a certificate is for; the first is the one that people know it by.
fn names(certificate: &CertificateDer<'_>) -> String {
    let names: Vec<String> = webpki::EndEntityCert::try_from(certificate)
        .map(|certificate| certificate.valid_dns_names().map(str::to_owned).collect())
        .unwrap_or_default();
    names.join(", ")
}

/// The tickets of one FTP session, which is with one server, whatever it is called.
#[derive(Debug, Default)]
struct Tickets(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// Each of them is used once (RFC 8446, appendix C.4), the newest first.
    tls13: VecDeque<Tls13ClientSessionValue>,
    tls12: Option<Tls12ClientSessionValue>,
    group: Option<NamedGroup>,
}

impl ClientSessionStore for Tickets {
    fn set_kx_hint(&self, _: ServerName<'static>, group: NamedGroup) {
        locked(&self.0).group = Some(group);
    }

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        locked(&self.0).group
    }

    fn set_tls12_session(&self, _: ServerName<'static>, value: Tls12ClientSessionValue) {
        locked(&self.0).tls12 = Some(value);
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        locked(&self.0).tls12.clone()
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        locked(&self.0).tls12 = None;
    }

    fn insert_tls13_ticket(&self, _: ServerName<'static>, value: Tls13ClientSessionValue) {
        let tickets = &mut locked(&self.0).tls13;
        if tickets.len() == MOST_TICKETS {
            tickets.pop_front();
        }
        tickets.push_back(value);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        locked(&self.0).tls13.pop_back()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
