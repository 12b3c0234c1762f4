//! FTP URLs: `ftp://user:password@host:port/a/b;type=i` (RFC 1738, section 3.2), and `ftps://` for implicit TLS.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use thiserror::Error;

use super::command::is_sendable;
use super::scan::narrow;

/// The port of the control connection (RFC 959, section 5.2).
pub const FTP_PORT: u16 = 21;
/// The port of the control connection under TLS from the first byte.
pub const FTPS_PORT: u16 = 990;

/// A place on a server.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    /// `ftps://`: TLS from the first byte.
    pub implicit_tls: bool,
    /// Whom to log in as.
    pub user: Option<Vec<u8>>,
    /// With what password.
    pub password: Option<Vec<u8>>,
    /// A name or an address, an IPv6 one without its brackets.
    pub host: String,
    /// The port, filled in where the URL has none.
    pub port: u16,
    /// The parts of the path, decoded: each is the argument of a CWD, and the last that of a RETR where it is not empty.
    /// `None` where not even the slash behind the host is there.
    pub segments: Option<Vec<Vec<u8>>>,
    /// The letter of `;type=`: a, i or d.
    pub kind: Option<u8>,
}

impl fmt::Debug for Url {
    /// All but the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Url").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

/// Why a text is no URL that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UrlError {
    /// Neither `ftp://` nor `ftps://`.
    #[error("the URL has to begin with ftp:// or ftps://")]
    Scheme,
    /// No host, or one that cannot be.
    #[error("the URL names no host")]
    Host,
    /// Not from 1 to 65535.
    #[error("the port in the URL has to be a number from 1 to 65535")]
    Port,
    /// A `%` that no two hexadecimal digits follow.
    #[error("a % in the URL has to be followed by two hexadecimal digits")]
    Escape,
    /// CR, LF or NUL, which could begin a command of its own.
    #[error("the URL holds CR, LF or NUL, which no name on an FTP server can")]
    Forbidden,
    /// Not a, i or d.
    #[error("the ;type= of the URL has to be a, i or d")]
    Kind,
}

impl Url {
    /// Whether a text means to be a URL rather than a host's name.
    pub fn is_url(text: &str) -> bool {
        text.contains("://")
    }

    /// Reads a URL.
    ///
    /// # Errors
    ///
    /// See [`UrlError`].
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        let implicit_tls = match scheme {
            _ if scheme.eq_ignore_ascii_case("ftp") => false,
            _ if scheme.eq_ignore_ascii_case("ftps") => true,
            _ => return Err(UrlError::Scheme),
        };
        let (authority, path) = rest.split_once('/').map_or((rest, None), |(authority, path)| (authority, Some(path)));
        let (login, place) =
            authority.rsplit_once('@').map_or((None, authority), |(login, place)| (Some(login), place));
        let (user, password) =
            match login.map(|login| login.split_once(':').map_or((login, None), |(u, p)| (u, Some(p)))) {
                Some((user, password)) => (Some(decode(user)?), password.map(decode).transpose()?),
                None => (None, None),
            };
        let (host, port) = host_and_port(place)?;
        let (path, kind) = match path.map(|path| path.rsplit_once(";type=").map_or((path, None), |(p, k)| (p, Some(k))))
        {
            Some((path, kind)) => (Some(path), kind.map(kind_letter).transpose()?),
            None => (None, None),
        };
        Ok(Self {
            implicit_tls,
            user,
            password,
            host: String::from(host),
            port: port.unwrap_or(if implicit_tls { FTPS_PORT } else { FTP_PORT }),
            segments: path.map(|path| path.split('/').map(decode).collect()).transpose()?,
            kind,
        })
    }
}

fn host_and_port(place: &str) -> Result<(&str, Option<u16>), UrlError> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(UrlError::Host)?;
            let port = if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or(UrlError::Port)?) };
            (host, port)
        }
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() || host.bytes().any(|byte| byte <= b' ') {
        return Err(UrlError::Host);
    }
    let number = |text: &str| narrow(text.as_bytes(), 5).filter(|port| *port != 0).ok_or(UrlError::Port);
    Ok((host, port.filter(|text| !text.is_empty()).map(number).transpose()?))
}

fn kind_letter(text: &str) -> Result<u8, UrlError> {
    match text.to_ascii_lowercase().as_bytes() {
        [letter @ (b'a' | b'i' | b'd')] => Ok(*letter),
        _ => Err(UrlError::Kind),
    }
}

fn decode(text: &str) -> Result<Vec<u8>, UrlError> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16)).ok_or(UrlError::Escape);
        let value = digit()? * 16 + digit()?;
        decoded.push(u8::try_from(value).map_err(|_| UrlError::Escape)?);
    }
    if is_sendable(&decoded) { Ok(decoded) } else { Err(UrlError::Forbidden) }
}
