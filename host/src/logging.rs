//! What goes to standard error for those who run a server.

use std::io::{self, Write};
use std::net::SocketAddr;

use longshore_core::host::Access;
use longshore_core::server::Note;
use longshore_core::wire::reply::Shown;
use tracing::{Level, debug, info, warn};

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// An object a line.
    Json,
}

/// Starts logging. `verbosity` is the number of `-v` less that of `-q`.
pub fn start(verbosity: i8, format: LogFormat) {
    let level = match verbosity {
        ..0 => Level::ERROR,
        0 => Level::INFO,
        1.. => Level::DEBUG,
    };
    let subscriber = tracing_subscriber::fmt().with_max_level(level).with_writer(|| Log).with_target(false);
    let subscriber = subscriber.log_internal_errors(false);
    // A second start, in a test say, changes nothing.
    let _ = match format {
        LogFormat::Text => subscriber.with_ansi(false).try_init(),
        LogFormat::Json => subscriber.json().try_init(),
    };
}

/// Standard error, where it is fine if nobody reads it any more.
struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(io::stderr().write(bytes).unwrap_or(bytes.len()))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Logs what a session notes. What a peer says is escaped.
#[inline(never)]
pub fn note(peer: SocketAddr, note: &Note) {
    match note {
        Note::LoggedIn { user, access } => {
            info!(%peer, user = %Shown(user), write = (*access == Access::Write), "logged in");
        }
        Note::LoginFailed { user } => warn!(%peer, user = %Shown(user), "login refused"),
        Note::Client(name) => debug!(%peer, client = %Shown(name), "client"),
        Note::Transfer { verb, path, bytes, code } => {
            info!(%peer, verb = verb.row().name, path = %Shown(path.as_bytes()), bytes, code, "transfer");
        }
        Note::NotSecured(error) => info!(%peer, %error, "no TLS"),
        Note::Changed { verb, path } => info!(%peer, verb = verb.row().name, path = %Shown(path.as_bytes()), "changed"),
        Note::Command(line) => debug!(%peer, "> {}", Shown(line)),
        Note::Reply(text) => debug!(%peer, "< {}", Shown(text)),
    }
}
