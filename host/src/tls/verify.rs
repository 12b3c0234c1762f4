//! Whether a server's certificate is to be trusted.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use longshore_core::machine::CertificateError;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};

use super::client::Trust;
use super::{PROVIDER, pem};

/// Checks certificates for one FTP session.
#[derive(Debug)]
pub(super) struct Verifier {
    judge: Judge,
    /// The certificate that was shown last, trusted or not.
    shown: Mutex<Option<CertificateDer<'static>>>,
}

/// Who decides.
#[derive(Debug)]
enum Judge {
    /// The authorities of the system and those that the user named.
    Authorities {
        /// `None` where there are none at all.
        webpki: Option<Arc<WebPkiServerVerifier>>,
        /// Those of the user, among which may be the server's own certificate.
        named: Vec<CertificateDer<'static>>,
    },
    /// The user knows the certificate.
    Pin([u8; 32]),
    /// Nobody: but who came first has to stay.
    Nobody {
        /// The control connection's.
        first: OnceLock<CertificateDer<'static>>,
    },
}

impl Verifier {
    pub(super) fn new(trust: &Trust) -> Result<Self, String> {
        let judge = match (trust.pin, trust.anybody) {
            (Some(pin), _) => Judge::Pin(pin),
            (None, true) => Judge::Nobody { first: OnceLock::new() },
            (None, false) => {
                let named = trust.authorities.as_deref().map(pem::certificates).transpose();
                let named = named.map_err(|error| error.to_string())?.unwrap_or_default();
                let mut roots = RootCertStore::empty();
                // What the system has and nobody can read is as if it had it not.
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                roots.add_parsable_certificates(named.iter().cloned());
                let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&PROVIDER));
                Judge::Authorities { webpki: webpki.build().ok(), named }
            }
        };
        Ok(Self { judge, shown: Mutex::new(None) })
    }

    /// The certificate that the server showed.
    pub(super) fn shown(&self) -> Option<CertificateDer<'static>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(end_entity.clone().into_owned());
        match &self.judge {
            Judge::Pin(pin) if Sha256::digest(end_entity)[..] == pin[..] => {}
            Judge::Pin(_) => return Err(refused(CertificateError::NotPinned)),
            Judge::Nobody { first } => {
                if first.get_or_init(|| end_entity.clone().into_owned()) != end_entity {
                    return Err(refused(CertificateError::Changed));
                }
            }
            Judge::Authorities { webpki: None, .. } => return Err(refused(CertificateError::UnknownAuthority)),
            Judge::Authorities { webpki: Some(webpki), named } => {
                let checked = webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
                return match checked {
                    // The user named this certificate itself, and not an authority behind it. That it says of itself that it
                    // could sign others, as those of many servers do that signed their own, does no harm then.
                    Err(error) if is_stranger(&error) && named.contains(end_entity) => {
                        let certificate = webpki::EndEntityCert::try_from(end_entity)
                            .map_err(|_| refused(CertificateError::Unusable))?;
                        let is_for = certificate.verify_is_valid_for_subject_name(server_name);
                        is_for.map_err(|_| refused(CertificateError::WrongName))?;
                        Ok(ServerCertVerified::assertion())
                    }
                    Err(error) if is_stranger(&error) => Err(refused(CertificateError::UnknownAuthority)),
                    checked => checked,
                };
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &PROVIDER.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &PROVIDER.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        PROVIDER.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether a certificate was refused for no other reason than that nobody vouches for it, or that it may sign others and so is looked at no
/// further. Its time was checked before.
fn is_stranger(error: &Error) -> bool {
    match error {
        Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer) => true,
        Error::InvalidCertificate(rustls::CertificateError::Other(OtherError(error))) => {
            matches!(error.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
        }
        _ => false,
    }
}

fn refused(why: CertificateError) -> Error {
    Error::InvalidCertificate(rustls::CertificateError::Other(OtherError(Arc::new(why))))
}
