//! Certificates of all kinds, made for a case.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Where a certificate and its key lie, and the authority's certificate.
#[derive(Debug)]
pub struct Certificate {
    /// The chain.
    pub chain: PathBuf,
    /// The key.
    pub key: PathBuf,
    /// Who signed it.
    pub authority: PathBuf,
    der: CertificateDer<'static>,
    key_der: Vec<u8>,
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing: it is for localhost and 127.0.0.1.
    None,
    /// It is for somebody else.
    Name,
    /// Its time is over.
    Expired,
    /// It signed itself, and says that it may sign others, as `openssl req -x509` makes them.
    Own,
}

impl Certificate {
    /// Makes one in a folder, under names that begin with `name`.
    pub fn make(folder: &Path, name: &str, flaw: Flaw) -> Self {
        let key = || KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("there is randomness");
        let mut authority = CertificateParams::new(vec![]).expect("no name is wrong");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = key();
        let authority_certificate = authority.self_signed(&authority_key).expect("it signs itself");
        let names: &[&str] = if flaw == Flaw::Name { &["example.org"] } else { &["localhost", "127.0.0.1"] };
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("the names are right");
        if flaw == Flaw::Expired {
            params.not_after = date_time_ymd(2001, 2, 3);
        }
        let own = key();
        let (certificate, authority_certificate) = if flaw == Flaw::Own {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let certificate = params.self_signed(&own).expect("it signs itself");
            (certificate.clone(), certificate)
        } else {
            let issuer = Issuer::new(authority, authority_key);
            (params.signed_by(&own, &issuer).expect("it is signed"), authority_certificate)
        };
        let place = |what: &str| folder.join(format!("{name}-{what}.pem"));
        let made = Self {
            chain: place("chain"),
            key: place("key"),
            authority: place("authority"),
            der: certificate.der().clone(),
            key_der: own.serialize_der(),
        };
        fs::write(&made.chain, certificate.pem()).expect("the folder is ours");
        fs::write(&made.key, own.serialize_pem()).expect("the folder is ours");
        fs::write(&made.authority, authority_certificate.pem()).expect("the folder is ours");
        made
    }

    /// The arguments that make a server use it.
    pub fn arguments(&self) -> [&str; 4] {
        [
            "--tls-cert",
            self.chain.to_str().expect("the path is text"),
            "--tls-key",
            self.key.to_str().expect("the path is text"),
        ]
    }

    /// The argument that makes a client trust its authority.
    pub fn cacert(&self) -> [&str; 2] {
        ["--cacert", self.authority.to_str().expect("the path is text")]
    }

    /// For rustls.
    pub fn parts(&self) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        (self.der.clone(), PrivateKeyDer::try_from(self.key_der.clone()).expect("it is a key"))
    }
}
