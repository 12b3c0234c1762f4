//! The commands of the client, and the table that prompt, completion and `help` share.

mod local;
mod many;
mod remote;
mod settings;
mod transfer;

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use bytes::Bytes;
use longshore_core::client::JobError;
use longshore_core::wire::reply::Shown;
use thiserror::Error;

use super::remote::{Failure, Remote};
use super::{Console, Dial};

/// What comes after a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Go,
    Quit,
}

/// What the arguments of a command name, for completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    None,
    Commands,
    Local,
    Remote,
}

/// Why a command failed.
#[derive(Debug, Error)]
pub(super) enum CommandError {
    #[error("{0}: unknown command; help lists them all")]
    Unknown(String),
    #[error("the result cannot be written")]
    Output,
    #[error("a quote is not closed")]
    Quotes,
    #[error("usage: {0}")]
    Usage(&'static str),
    #[error("{0}: not connected; open HOST connects")]
    NotConnected(&'static str),
    #[error("{verb}: {name}: {failure}")]
    About { verb: &'static str, name: String, failure: Failure },
    #[error("{verb}: {text}")]
    Other { verb: &'static str, text: String },
}

/// A command that is being run: its name, and its arguments.
pub(super) struct Call<'a> {
    verb: &'static str,
    usage: &'static str,
    arguments: &'a [Bytes],
    /// All behind the name, as it was typed.
    rest: &'a [u8],
}

type Run<R> = fn(&mut Console<R>, &Call<'_>) -> Result<Next, CommandError>;

/// A row of the table.
pub(super) struct Row<R: Dial> {
    /// The name, and others for the same.
    pub(super) names: &'static [&'static str],
    usage: &'static str,
    summary: &'static str,
    pub(super) completes: Names,
    run: Run<R>,
}

/// Every command.
pub(super) fn table<R: Dial>() -> Vec<Row<R>> {
    let row = |names, usage, summary, completes, run: Run<R>| Row { names, usage, summary, completes, run };
    use Names::{Commands, Local, None, Remote};
    vec![
        row(&["ls", "dir"], "ls [PATH]", "list a directory", Remote, remote::ls),
        row(&["nls"], "nls [PATH]", "list names only", Remote, remote::nls),
        row(&["get"], "get REMOTE [LOCAL]", "download a file", Remote, transfer::get),
        row(&["reget"], "reget REMOTE [LOCAL]", "go on with a download", Remote, transfer::reget),
        row(&["put"], "put LOCAL [REMOTE]", "upload a file", Local, transfer::put),
        row(&["reput"], "reput LOCAL [REMOTE]", "go on with an upload", Local, transfer::reput),
        row(&["append"], "append LOCAL [REMOTE]", "put a file behind another", Local, transfer::append),
        row(&["mget"], "mget PATTERN...", "download files by wildcard", Remote, many::mget),
        row(&["mput"], "mput PATTERN...", "upload files by wildcard", Local, many::mput),
        row(&["cd"], "cd [PATH]", "change the server's directory", Remote, remote::cd),
        row(&["pwd"], "pwd", "print the server's directory", None, remote::pwd),
        row(&["mkdir"], "mkdir PATH", "make a directory", Remote, remote::mkdir),
        row(&["rmdir"], "rmdir PATH", "remove an empty directory", Remote, remote::rmdir),
        row(&["rm", "delete"], "rm PATH", "remove a file", Remote, remote::rm),
        row(&["mv", "rename"], "mv FROM TO", "rename a file", Remote, remote::mv),
        row(&["size"], "size PATH", "print a file's size in bytes", Remote, remote::size),
        row(&["modtime"], "modtime PATH", "print when a file was changed", Remote, remote::modtime),
        row(&["chmod"], "chmod MODE PATH", "change a file's permissions", Remote, remote::chmod),
        row(&["lcd"], "lcd [PATH]", "change this machine's directory", Local, local::lcd),
        row(&["lpwd"], "lpwd", "print this machine's directory", None, local::lpwd),
        row(&["lls"], "lls [PATH]", "list a directory of this machine", Local, local::lls),
        row(&["!"], "!COMMAND", "run a shell command", Local, local::shell),
        row(&["ascii"], "ascii", "convert line ends in transfers", None, settings::ascii),
        row(&["binary", "image"], "binary", "transfer files as they are", None, settings::binary),
        row(&["passive"], "passive", "connect to the server for data", None, settings::passive),
        row(&["active"], "active", "let the server connect for data", None, settings::active),
        row(&["status"], "status", "print the settings", None, settings::status),
        row(&["open"], "open HOST [PORT]", "connect to a server", None, settings::open),
        row(&["user"], "user NAME", "log in as somebody else", None, settings::user),
        row(&["close"], "close", "end the session and stay", None, settings::close),
        row(&["quote"], "quote LINE", "send a line as it is", None, remote::quote),
        row(&["help", "?"], "help [COMMAND]", "explain the commands", Commands, settings::help),
        row(&["quit", "bye", "exit"], "quit", "end the session and leave", None, settings::quit),
    ]
}

/// Runs a line. An empty one does nothing.
pub(super) fn execute<R: Dial>(console: &mut Console<R>, line: &[u8]) -> Result<Next, CommandError> {
    // A blank at the end may be one that a backslash keeps.
    let line = line.trim_ascii_start();
    if line.is_empty() {
        return Ok(Next::Go);
    }
    // A shell has its own ideas of quotes.
    let (name, rest) = match line.strip_prefix(b"!") {
        Some(rest) => (&b"!"[..], rest),
        None => longshore_core::wire::scan::word(line).unwrap_or_default(),
    };
    let rows = table::<R>();
    let found = rows.iter().find(|row| row.names.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(name)));
    let row = found.ok_or_else(|| CommandError::Unknown(Shown(name).to_string()))?;
    let raw = matches!(row.names[0], "!" | "quote");
    let rest = if raw { rest.trim_ascii_end() } else { rest };
    let words = if raw { Vec::new() } else { shlex::bytes::split(rest).ok_or(CommandError::Quotes)? };
    let arguments: Vec<Bytes> = words.into_iter().map(Bytes::from).collect();
    let call = Call { verb: row.names[0], usage: row.usage, arguments: &arguments, rest };
    (row.run)(console, &call)
}

impl Call<'_> {
    fn usage(&self) -> CommandError {
        CommandError::Usage(self.usage)
    }

    /// Exactly no arguments.
    fn none(&self) -> Result<(), CommandError> {
        if self.arguments.is_empty() { Ok(()) } else { Err(self.usage()) }
    }

    /// Exactly one.
    fn one(&self) -> Result<Bytes, CommandError> {
        match self.arguments {
            [one] if !one.is_empty() => Ok(one.clone()),
            _ => Err(self.usage()),
        }
    }

    /// One or none.
    fn one_or_none(&self) -> Result<Option<Bytes>, CommandError> {
        match self.arguments {
            [] => Ok(None),
            [one] if !one.is_empty() => Ok(Some(one.clone())),
            _ => Err(self.usage()),
        }
    }

    /// One, and perhaps another.
    fn one_or_two(&self) -> Result<(Bytes, Option<Bytes>), CommandError> {
        match self.arguments {
            [one] if !one.is_empty() => Ok((one.clone(), None)),
            [one, two] if !one.is_empty() && !two.is_empty() => Ok((one.clone(), Some(two.clone()))),
            _ => Err(self.usage()),
        }
    }

    /// Exactly two.
    fn two(&self) -> Result<(Bytes, Bytes), CommandError> {
        match self.one_or_two()? {
            (one, Some(two)) => Ok((one, two)),
            _ => Err(self.usage()),
        }
    }

    /// The error of this command about a name.
    fn about(&self, name: &[u8], failure: impl Into<Failure>) -> CommandError {
        CommandError::About { verb: self.verb, name: Shown(name).to_string(), failure: failure.into() }
    }

    /// The error of this command about a local name.
    fn about_local(&self, name: &[u8], error: io::Error) -> CommandError {
        self.about(name, Failure::Local(error))
    }

    fn error(&self, error: &JobError) -> CommandError {
        self.text(error.to_string())
    }

    fn text(&self, text: String) -> CommandError {
        CommandError::Other { verb: self.verb, text }
    }
}

impl<R: Dial> Console<R> {
    /// The session, if there is one.
    fn session(&mut self, call: &Call<'_>) -> Result<&mut Remote<R>, CommandError> {
        self.remote.as_mut().ok_or(CommandError::NotConnected(call.verb))
    }
}

/// A local path from what a user typed; `~/` is the home.
fn local_path(name: &[u8]) -> PathBuf {
    if let Some(rest) = name.strip_prefix(b"~").filter(|rest| rest.is_empty() || rest.starts_with(b"/"))
        && let Some(home) = std::env::home_dir()
    {
        return home.join(OsStr::from_bytes(rest.strip_prefix(b"/").unwrap_or(rest)));
    }
    PathBuf::from(OsStr::from_bytes(name))
}

/// The last part of a path.
fn last_part(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}

/// An error of the system, as every program says it.
pub(super) fn io_text(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
