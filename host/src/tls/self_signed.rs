//! A certificate of one's own making, for who has none: nobody vouches for it, so clients have to know it by its fingerprint.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::CertifiedKey;

use super::pem::CertificateFileError;
use super::{Certificate, PROVIDER};

impl Certificate {
    /// Makes a certificate for these addresses and for this machine's name.
    ///
    /// # Errors
    ///
    /// There is no randomness.
    pub fn self_signed(addresses: &[IpAddr]) -> Result<Self, String> {
        let (certificate, key) = make(addresses).map_err(|error| error.to_string())?;
        let der = PrivateKeyDer::try_from(key.serialize_der()).map_err(str::to_owned)?;
        let certified = CertifiedKey::from_der(vec![certificate.der().clone()], der, &PROVIDER);
        certified.map(Self::new).map_err(|error| error.to_string())
    }

    /// Reads what these files hold; where neither is there, makes a certificate and keeps it in them. So it stays the same when the
    /// server starts again, and no file is ever overwritten.
    ///
    /// # Errors
    ///
    /// See [`CertificateFileError`].
    pub fn read_or_make(chain: &Path, key: &Path, addresses: &[IpAddr]) -> Result<Self, CertificateFileError> {
        let is_there = |path: &Path| path.symlink_metadata().is_ok();
        let half = |path: &Path, other: &Path| CertificateFileError::Half {
            path: path.display().to_string(),
            other: other.display().to_string(),
        };
        match (is_there(chain), is_there(key)) {
            (true, true) => return Self::read(chain, key),
            (true, false) => return Err(half(key, chain)),
            (false, true) => return Err(half(chain, key)),
            (false, false) => {}
        }
        let unusable = |error: rcgen::Error| CertificateFileError::Unusable {
            path: chain.display().to_string(),
            why: error.to_string(),
        };
        if chain == key {
            let why = "certificate and key that are made need a file each".to_owned();
            return Err(CertificateFileError::Unusable { path: chain.display().to_string(), why });
        }
        let (certificate, pair) = make(addresses).map_err(unusable)?;
        write(key, 0o600, &pair.serialize_pem())?;
        if let Err(error) = write(chain, 0o644, &certificate.pem()) {
            // Half of it would stand in the way for good. It is ours: nobody else could have made it meanwhile.
            let _ = std::fs::remove_file(key);
            return Err(error);
        }
        Self::read(chain, key)
    }
}

fn make(addresses: &[IpAddr]) -> Result<(rcgen::Certificate, KeyPair), rcgen::Error> {
    let mut names = vec!["localhost".to_owned()];
    let host = rustix::system::uname();
    // A name that no certificate can be for is left out.
    let host = host.nodename().to_str().ok().filter(|name| CertificateParams::new(vec![(*name).to_owned()]).is_ok());
    names.extend(host.filter(|name| *name != "localhost" && !name.is_empty()).map(str::to_owned));
    names.extend(addresses.iter().filter(|ip| !ip.is_unspecified()).map(IpAddr::to_string));
    let common_name = names.get(1).unwrap_or(&names[0]).clone();
    names.dedup();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    Ok((params.self_signed(&key)?, key))
}

/// Writes a file that was not there.
fn write(path: &Path, mode: u32, text: &str) -> Result<(), CertificateFileError> {
    let create = |path: &Path| -> io::Result<File> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(file)
    };
    match create(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(CertificateFileError::Write { path: path.display().to_string(), error }),
    }
}
