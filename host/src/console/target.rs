//! Where to connect to, and as whom.

use std::env;
use std::path::PathBuf;

use bytes::Bytes;
use longshore_core::client::Tls;
use longshore_core::host::is_anonymous;
use longshore_core::netrc;
use longshore_core::wire::url::{FTP_PORT, FTPS_PORT, Url};

use crate::settings::ClientTls;

/// A server, a user, and where to go.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: Bytes,
    pub(super) password: Option<Bytes>,
    /// Folders to enter, one after the other.
    pub(super) folders: Vec<Bytes>,
    /// Whether the session is protected.
    pub(super) tls: Tls,
    /// `;type=a`
    pub(super) ascii: bool,
}

impl Target {
    /// Puts the arguments together with `.netrc` and the environment.
    pub(super) fn resolve(
        server: &str,
        port: Option<u16>,
        user: Option<&str>,
        tls: Option<ClientTls>,
    ) -> Result<Self, String> {
        let url = if Url::is_url(server) {
            Some(Url::parse(server).map_err(|error| format!("{}: {error}", hide_password(server)))?)
        } else {
            None
        };
        let tls = match (tls, url.as_ref().is_some_and(|url| url.implicit_tls)) {
            (Some(ClientTls::Off | ClientTls::Explicit), true) => {
                return Err(
                    "ftps:// is TLS from the first byte, which --tls off and --tls explicit rule out".to_owned()
                );
            }
            (Some(ClientTls::Off) | None, false) => Tls::Off,
            (Some(ClientTls::Explicit), false) => Tls::Explicit,
            (Some(ClientTls::Implicit), _) | (None, true) => Tls::Implicit,
        };
        let host = url.as_ref().map_or(server.trim_matches(['[', ']']), |url| &url.host).to_owned();
        if host.is_empty() {
            return Err("the server's name is empty".to_owned());
        }
        let named = user.map(|user| user.as_bytes().to_vec()).or_else(|| url.as_ref().and_then(|url| url.user.clone()));
        let from_file = netrc_text().and_then(|text| netrc::find(&text, &host, named.as_deref())).unwrap_or_default();
        let user = named.or(from_file.user).unwrap_or_else(|| b"anonymous".to_vec());
        let password = url
            .as_ref()
            // It is the password of the URL's user, and of nobody else.
            .filter(|url| url.user.as_ref() == Some(&user))
            .and_then(|url| url.password.clone())
            .or_else(|| env::var_os("FTP_PASSWORD").map(std::os::unix::ffi::OsStringExt::into_vec))
            .or(from_file.password)
            .or_else(|| is_anonymous(&user).then(|| b"anonymous@".to_vec()));
        let folders = url.as_ref().and_then(|url| url.segments.clone()).unwrap_or_default();
        Ok(Self {
            host,
            port: port.or(url.as_ref().map(|url| url.port)).unwrap_or(match tls {
                Tls::Off | Tls::Explicit => FTP_PORT,
                Tls::Implicit => FTPS_PORT,
            }),
            tls,
            user: user.into(),
            password: password.map(Bytes::from),
            folders: folders.into_iter().filter(|folder| !folder.is_empty()).map(Bytes::from).collect(),
            ascii: url.and_then(|url| url.kind) == Some(b'a'),
        })
    }
}

fn netrc_text() -> Option<Vec<u8>> {
    let path = env::var_os("NETRC").map(PathBuf::from);
    let path = path.or_else(|| env::home_dir().map(|home| home.join(".netrc")))?;
    std::fs::read(path).ok()
}

/// The URL as an error may show it.
fn hide_password(url: &str) -> String {
    match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?))) {
        Some((scheme, (_, place))) => format!("{scheme}://…@{place}"),
        None => url.to_owned(),
    }
}
