//! Certificates and keys in files: PEM, and for keys PKCS #8, SEC 1 and PKCS #1 in it.

use std::fs;
use std::io;
use std::path::Path;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use rustls::sign::CertifiedKey;
use thiserror::Error;

use super::PROVIDER;

/// Why a certificate or its key is of no use.
#[derive(Debug, Error)]
pub enum CertificateFileError {
    /// The file cannot be read.
    #[error("{path}: cannot be read: {error}")]
    Read {
        /// Which.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// The file holds no certificate.
    #[error("{path}: there is no certificate in it, in PEM")]
    NoCertificate {
        /// Which.
        path: String,
    },
    /// The file holds no key.
    #[error("{path}: there is no private key in it, in PEM: PKCS #8, SEC 1 or RSA, without a password")]
    NoKey {
        /// Which.
        path: String,
    },
    /// What it holds is damaged.
    #[error("{path}: the PEM in it is damaged")]
    Damaged {
        /// Which.
        path: String,
    },
    /// The key is another certificate's.
    #[error("{key}: it is not the key of the first certificate in {chain}")]
    Mismatch {
        /// The file with the certificates.
        chain: String,
        /// The file with the key.
        key: String,
    },
    /// Of a kind that TLS does not take.
    #[error("{path}: it cannot be used for TLS: {why}")]
    Unusable {
        /// Which.
        path: String,
        /// Why.
        why: String,
    },
    /// The file could not be written.
    #[error("{path}: cannot be written: {error}")]
    Write {
        /// Which.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// One of the two is there, and the other is not.
    #[error("{path}: there is none, though {other} is there: name both, or neither, of a certificate to be made")]
    Half {
        /// Which is not.
        path: String,
        /// Which is.
        other: String,
    },
}

pub(super) fn read(chain: &Path, key: &Path) -> Result<CertifiedKey, CertificateFileError> {
    let chain_shown = chain.display().to_string();
    let certificates = certificates(chain)?;
    let path = key.display().to_string();
    let bytes = read_file(key)?;
    let private = PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| match error {
        pem::Error::NoItemsFound => CertificateFileError::NoKey { path: path.clone() },
        _ => CertificateFileError::Damaged { path: path.clone() },
    })?;
    CertifiedKey::from_der(certificates, private, &PROVIDER).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => CertificateFileError::Mismatch { chain: chain_shown, key: path },
        rustls::Error::InvalidCertificate(fault) => {
            CertificateFileError::Unusable { path: chain_shown, why: fault.to_string() }
        }
        error => CertificateFileError::Unusable { path, why: error.to_string() },
    })
}

/// All certificates in a file, of which there has to be one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateFileError> {
    let bytes = read_file(path)?;
    let path = path.display().to_string();
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match read {
        Ok(certificates) if certificates.is_empty() => Err(CertificateFileError::NoCertificate { path }),
        Ok(certificates) => Ok(certificates),
        Err(_) => Err(CertificateFileError::Damaged { path }),
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, CertificateFileError> {
    fs::read(path).map_err(|error| CertificateFileError::Read { path: path.display().to_string(), error })
}
