//! The server's arguments. All of them may stand in a TOML file too; the command line wins.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgAction, Parser};
use longshore_core::server::{Config, Tls};
use serde::Deserialize;
use thiserror::Error;

use crate::accounts::{Accounts, AccountsError, Anonymous};
use crate::directory::{Tree, Uploads};
use crate::logging::LogFormat;
use crate::tls::{self, Certificate, CertificateFileError, Resume};
use crate::toml_file::{self, TomlFileError};

/// Shares a folder over FTP.
#[derive(Clone, Debug, Default, Parser, Deserialize)]
#[command(version, about = "Shares a folder over FTP.", arg_required_else_help = true)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServerArguments {
    /// Control port; 0 picks a free one
    #[arg(value_name = "PORT")]
    pub port: Option<u16>,
    /// The directory that is served; nothing outside it can be reached [default: the working directory]
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Address to listen on, IPv4 or IPv6; may be repeated [default: 127.0.0.1]
    #[arg(long, value_name = "ADDR")]
    pub listen: Vec<IpAddr>,
    /// Accounts, in TOML
    #[arg(long, value_name = "FILE")]
    pub users: Option<PathBuf>,
    /// What "anonymous" and "ftp" may do [default: write while only this machine can connect and there are no --users;
    /// otherwise off]
    #[arg(long, value_enum)]
    pub anonymous: Option<Anonymous>,
    /// Ports for passive data connections [default: any free one]
    #[arg(long, value_name = "A-B", value_parser = parse_ports)]
    #[serde(deserialize_with = "deserialize_ports")]
    pub passive_ports: Option<RangeInclusive<u16>>,
    /// The address that PASV answers with, behind NAT [default: the control connection's own]
    #[arg(long, value_name = "IP")]
    pub public_ip: Option<Ipv4Addr>,
    /// Offer FTPS with this certificate; those of its authorities may follow it in the file
    #[arg(long, value_name = "PEM")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key [default: in the file of --tls-cert]
    #[arg(long, value_name = "PEM")]
    pub tls_key: Option<PathBuf>,
    /// Offer FTPS with a certificate made at start, which clients have to know by its fingerprint; with --tls-cert and --tls-key it is
    /// kept there, unless there is one
    #[arg(long)]
    pub tls_self_signed: bool,
    /// Whether TLS is for who asks for it, for all logins and data, or from the first byte [default: optional, once there is a
    /// certificate]
    #[arg(long, value_enum)]
    pub tls: Option<TlsMode>,
    /// Whether data connections resume the TLS session of their own control connection [default: prefer]
    #[arg(long, value_enum)]
    pub tls_resume: Option<Resume>,
    /// Whether a new upload appears under its name when it is whole, or is written in place [default: atomic]
    #[arg(long, value_enum)]
    pub uploads: Option<Uploads>,
    /// Refuse more sessions than this [default: 10000]
    #[arg(long, value_name = "N")]
    pub max_sessions: Option<usize>,
    /// Refuse more sessions than this from one address; 0 means no limit [default: 0]
    #[arg(long, value_name = "N")]
    pub max_sessions_per_ip: Option<usize>,
    /// Close a session that is silent for so long [default: 300]
    #[arg(long, value_name = "SECS")]
    pub idle_timeout: Option<u64>,
    /// Give up on a data connection that is not made, or stalls, for so long [default: 60]
    #[arg(long, value_name = "SECS")]
    pub data_timeout: Option<u64>,
    /// Settings in TOML, named as these options; the command line wins
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Read a password, print its Argon2id hash for a users file, and exit
    #[arg(long)]
    #[serde(skip)]
    pub hash_password: bool,
    /// Log the control dialogue too
    #[arg(short, long, action = ArgAction::Count)]
    #[serde(skip)]
    pub verbose: u8,
    /// Log errors only
    #[arg(short, long, action = ArgAction::Count)]
    #[serde(skip)]
    pub quiet: u8,
    /// How log lines look [default: text]
    #[arg(long, value_enum)]
    pub log_format: Option<LogFormat>,
}

/// How a server uses its certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsMode {
    /// For who asks for it.
    Optional,
    /// No login and no data in clear.
    Required,
    /// From the first byte.
    Implicit,
}

/// Why a server cannot start with its settings.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// The file is of no use.
    #[error("{0}")]
    File(#[from] TomlFileError),
    /// A number is out of its range.
    #[error("{0} has to be at least 1")]
    TooSmall(&'static str),
    /// No port is given.
    #[error("a port is needed, as an argument or as \"port\" in the settings file")]
    NoPort,
    /// Everybody could connect, and nobody said who may.
    #[error(
        "{0} can be reached from other machines: say who may log in, with --users FILE, or let anybody in, with \
         --anonymous read or --anonymous write"
    )]
    Open(IpAddr),
    /// TLS needs a certificate.
    #[error("{0} needs a certificate: --tls-cert FILE with --tls-key FILE, or --tls-self-signed")]
    NoCertificate(&'static str),
    /// A certificate that is made would have nowhere to go.
    #[error("--tls-self-signed takes both --tls-cert and --tls-key, or neither")]
    HalfSelfSigned,
    /// Certificate or key are of no use.
    #[error("{0}")]
    Certificate(#[from] CertificateFileError),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// The users file is of no use.
    #[error("{0}")]
    Accounts(#[from] AccountsError),
    /// A users file that is read again, and has nobody in it.
    #[error("{0}: there is no user in it")]
    NoUsers(String),
    /// The root is no directory.
    #[error("{path}: cannot be served: {error}")]
    Root {
        /// Which path.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// A user's home is no directory below the root.
    #[error("user \"{user}\": the home {home} is no directory below the root: {error}")]
    Home {
        /// Whose.
        user: String,
        /// Which.
        home: String,
        /// Why.
        error: std::io::Error,
    },
}

/// What a server is started with.
#[derive(Debug)]
pub struct ServerSettings {
    /// The control port.
    pub port: u16,
    /// The addresses to listen on.
    pub listen: Vec<IpAddr>,
    /// The files and the accounts.
    pub tree: Tree,
    /// What sessions are told.
    pub config: Config,
    /// What protects them.
    pub tls: Option<tls::Server>,
    /// The users file and what anonymous may do, for when the file is to be read again.
    pub users: Option<(PathBuf, Anonymous)>,
    /// The most sessions in all.
    pub max_sessions: usize,
    /// The most from one address; 0 is no limit.
    pub max_sessions_per_ip: usize,
}

impl ServerArguments {
    /// The number of `-v` less that of `-q`.
    pub fn verbosity(&self) -> i8 {
        i8::try_from(i16::from(self.verbose) - i16::from(self.quiet)).unwrap_or(i8::MAX)
    }

    /// These arguments, with what the settings file says where they say nothing.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is not in the form.
    pub fn with_file(self) -> Result<Self, SettingsError> {
        let Some(path) = self.config.clone() else {
            return Ok(self);
        };
        let file: Self = toml_file::read(&path)?;
        Ok(Self {
            port: self.port.or(file.port),
            root: self.root.or(file.root),
            listen: if self.listen.is_empty() { file.listen } else { self.listen },
            users: self.users.or(file.users),
            anonymous: self.anonymous.or(file.anonymous),
            passive_ports: self.passive_ports.or(file.passive_ports),
            public_ip: self.public_ip.or(file.public_ip),
            tls_cert: self.tls_cert.or(file.tls_cert),
            tls_key: self.tls_key.or(file.tls_key),
            tls_self_signed: self.tls_self_signed || file.tls_self_signed,
            tls: self.tls.or(file.tls),
            tls_resume: self.tls_resume.or(file.tls_resume),
            uploads: self.uploads.or(file.uploads),
            max_sessions: self.max_sessions.or(file.max_sessions),
            max_sessions_per_ip: self.max_sessions_per_ip.or(file.max_sessions_per_ip),
            idle_timeout: self.idle_timeout.or(file.idle_timeout),
            data_timeout: self.data_timeout.or(file.data_timeout),
            log_format: self.log_format.or(file.log_format),
            ..self
        })
    }

    /// What these arguments come to; files and folders that they name are opened.
    ///
    /// # Errors
    ///
    /// See [`SettingsError`].
    pub fn settle(self) -> Result<ServerSettings, SettingsError> {
        let port = self.port.ok_or(SettingsError::NoPort)?;
        let sessions = self.max_sessions.map(|most| most as u64);
        let least_one =
            [("idle-timeout", self.idle_timeout), ("data-timeout", self.data_timeout), ("max-sessions", sessions)];
        for (name, value) in least_one {
            if value == Some(0) {
                return Err(SettingsError::TooSmall(name));
            }
        }
        let tls = self.certificate()?;
        let listen = if self.listen.is_empty() { vec![Ipv4Addr::LOCALHOST.into()] } else { self.listen };
        let open = listen.iter().find(|address| !address.to_canonical().is_loopback());
        let anonymous = match (self.anonymous, &self.users, open) {
            (Some(anonymous), ..) => anonymous,
            (None, None, Some(address)) => return Err(SettingsError::Open(*address)),
            (None, None, None) => Anonymous::Write,
            (None, Some(_), _) => Anonymous::Off,
        };
        let accounts = match &self.users {
            Some(path) => Accounts::read(path, anonymous)?,
            None => Accounts::anonymous(anonymous),
        };
        let root = self.root.as_deref().unwrap_or(Path::new("."));
        let tree = Tree::open(root, Accounts::anonymous(anonymous), self.uploads.unwrap_or_default())
            .map_err(|error| SettingsError::Root { path: root.display().to_string(), error })?;
        tree.check_homes(&accounts)?;
        tree.set_accounts(accounts);
        let defaults = Config::default();
        let mode = match (&tls, self.tls) {
            (None, _) => Tls::Off,
            (Some(_), Some(TlsMode::Required)) => Tls::Required,
            (Some(_), Some(TlsMode::Implicit)) => Tls::Implicit,
            (Some(_), Some(TlsMode::Optional) | None) => Tls::Optional,
        };
        let config = Config {
            idle_timeout: self.idle_timeout.map_or(defaults.idle_timeout, Duration::from_secs),
            data_timeout: self.data_timeout.map_or(defaults.data_timeout, Duration::from_secs),
            passive_ports: self.passive_ports,
            public_ip: self.public_ip,
            tls: mode,
            dialogue: self.verbose > self.quiet,
            ..defaults
        };
        Ok(ServerSettings {
            port,
            listen,
            tree,
            config,
            tls,
            users: self.users.map(|path| (path, anonymous)),
            max_sessions: self.max_sessions.unwrap_or(10_000),
            max_sessions_per_ip: self.max_sessions_per_ip.unwrap_or(0),
        })
    }
}

impl ServerArguments {
    /// What protects sessions, if anything.
    fn certificate(&self) -> Result<Option<tls::Server>, SettingsError> {
        let addresses = || {
            let local = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
            let mut all: Vec<IpAddr> = local.into_iter().chain(self.listen.clone()).collect();
            all.extend(self.public_ip.map(IpAddr::from));
            all.sort_unstable();
            all.dedup();
            all
        };
        let (certificate, files) = match (&self.tls_cert, &self.tls_key, self.tls_self_signed) {
            (Some(chain), Some(key), true) => {
                (Certificate::read_or_make(chain, key, &addresses())?, Some((chain.clone(), key.clone())))
            }
            (None, None, true) => (Certificate::self_signed(&addresses()).map_err(SettingsError::Tls)?, None),
            (_, _, true) => return Err(SettingsError::HalfSelfSigned),
            (Some(chain), key, false) => {
                let key = key.as_ref().unwrap_or(chain);
                (Certificate::read(chain, key)?, Some((chain.clone(), key.clone())))
            }
            (None, Some(_), false) => return Err(SettingsError::NoCertificate("--tls-key")),
            (None, None, false) if self.tls.is_some() => return Err(SettingsError::NoCertificate("--tls")),
            (None, None, false) if self.tls_resume.is_some() => {
                return Err(SettingsError::NoCertificate("--tls-resume"));
            }
            (None, None, false) => return Ok(None),
        };
        let server = tls::Server::new(certificate, files, self.tls_resume.unwrap_or_default());
        server.map(Some).map_err(SettingsError::Tls)
    }
}

fn parse_ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    let wrong = || "has to be two ports from 1 to 65535, such as 50000-50100".to_owned();
    let (first, last) = text.split_once('-').ok_or_else(wrong)?;
    let number = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(wrong);
    let (first, last) = (number(first)?, number(last)?);
    if first <= last { Ok(first..=last) } else { Err(wrong()) }
}

fn deserialize_ports<'de, D: serde::Deserializer<'de>>(text: D) -> Result<Option<RangeInclusive<u16>>, D::Error> {
    let text = String::deserialize(text)?;
    parse_ports(&text).map(Some).map_err(serde::de::Error::custom)
}
