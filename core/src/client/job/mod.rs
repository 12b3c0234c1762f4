//! Errands: each file is a family of jobs, as a state machine that is driven by replies and by news of the data connection.

mod abort;
mod check;
mod exchange;
mod login;
mod transfer;

use core::fmt;

use bytes::Bytes;

use self::exchange::Exchange;
use self::login::Login;
use self::transfer::Transfer;
use super::JobError;
use super::link::Link;
use crate::codec::Representation;
use crate::digest::Algorithm;
use crate::host::Store;
use crate::machine::Input;
use crate::time::{Instant, Timestamp};
use crate::wire::command::{Command, is_sendable};
use crate::wire::reply::Reply;

/// Something for the server to do. Paths are as the server understands them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    /// USER, PASS; then FEAT, to learn what else the server can do.
    Login {
        /// The name.
        user: Bytes,
        /// The password, if one is known; where the server wants one that is not, [`JobError::PasswordNeeded`].
        password: Option<Bytes>,
    },
    /// CWD
    ChangeDirectory(Bytes),
    /// PWD; gives [`Outcome::Path`].
    WorkingDirectory,
    /// MKD
    MakeDirectory(Bytes),
    /// RMD
    RemoveDirectory(Bytes),
    /// DELE
    Remove(Bytes),
    /// RNFR and RNTO
    Rename {
        /// The old name.
        from: Bytes,
        /// The new one.
        to: Bytes,
    },
    /// SIZE, in TYPE I; gives [`Outcome::Size`].
    Size(Bytes),
    /// MDTM; gives [`Outcome::Time`].
    Modified(Bytes),
    /// SITE CHMOD
    SetMode {
        /// As the user put it, in octal digits.
        mode: Bytes,
        /// Of what.
        path: Bytes,
    },
    /// A line as it is, for a command without data.
    Quote(Bytes),
    /// QUIT
    Quit,
    /// RETR
    Retrieve {
        /// What.
        path: Bytes,
        /// From where on, in TYPE I.
        offset: u64,
        /// In which type.
        representation: Representation,
        /// How large the file is, where that is known for certain; the server is asked otherwise.
        size: Option<u64>,
        /// How careful, or how quick.
        manner: Manner,
    },
    /// STOR or APPE
    Store {
        /// Under which name.
        path: Bytes,
        /// In place of what is there, from an offset on, or behind it. [`Store::Unique`] is STOU.
        how: Store,
        /// How many bytes there will be, where it is known. A new file is announced with ALLO then, so that a server which
        /// heeds it takes no part of the file for the whole.
        size: Option<u64>,
        /// In which type.
        representation: Representation,
        /// How careful, or how quick.
        manner: Manner,
    },
    /// LIST, NLST or MLSD; the listing is a payload.
    List {
        /// Which.
        format: ListFormat,
        /// Of what; the working directory if `None`.
        path: Option<Bytes>,
    },
    /// MODE S again, after transfers in [`Manner::Many`].
    EndMany,
}

/// How a file is moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// As every client does it.
    #[default]
    Plain,
    /// And then checked, in TYPE I: by the strongest digest that the server offers, else by size. What came is published only if it is
    /// the same. Gives [`Outcome::Checked`].
    Checked,
    /// Others follow: in MODE B, if the server has it, all over one data connection, and with the next commands sent before the last
    /// replies are in. Each of them is a job, and they are best started before the first is over.
    Many,
}

/// What shows that a file was moved whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Nothing but the server's word.
    Nothing,
    /// Its size.
    Size,
    /// Its digest.
    Digest(Algorithm),
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Size => f.write_str("size"),
            Self::Digest(algorithm) => write!(f, "{algorithm}"),
        }
    }
}

/// The form of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListFormat {
    /// LIST: for people.
    Long,
    /// NLST: names alone.
    Names,
    /// MLSD: for programs.
    Facts,
}

/// What a job brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server's last word.
    Done(Reply),
    /// A path.
    Path(Bytes),
    /// A size in bytes.
    Size(u64),
    /// A date.
    Time(Timestamp),
    /// So many bytes were moved.
    Moved(u64),
    /// So many bytes were moved, and the file was found to be the same on both sides, by this.
    Checked(u64, Check),
}

impl Job {
    /// Whether every text in it can be sent.
    fn is_sendable(&self) -> bool {
        match self {
            Self::Login { user, password } => is_sendable(user) && password.as_deref().is_none_or(is_sendable),
            Self::ChangeDirectory(path)
            | Self::MakeDirectory(path)
            | Self::RemoveDirectory(path)
            | Self::Remove(path)
            | Self::Size(path)
            | Self::Modified(path)
            | Self::Retrieve { path, .. }
            | Self::Store { path, .. } => is_sendable(path),
            // A blank line is no command, and gets no reply.
            Self::Quote(line) => is_sendable(line) && !line.trim_ascii().is_empty(),
            Self::Rename { from, to } => is_sendable(from) && is_sendable(to),
            Self::SetMode { mode, path } => is_sendable(mode) && is_sendable(path),
            Self::List { path, .. } => path.as_deref().is_none_or(is_sendable),
            Self::WorkingDirectory | Self::Quit | Self::EndMany => true,
        }
    }
}

impl Job {
    /// Whether what is sent by hand would make something else of the control connection.
    fn changes_connection(&self) -> bool {
        let Self::Quote(line) = self else { return false };
        let verb = line.trim_ascii().split(|byte| *byte == b' ').next().unwrap_or_default();
        [&b"AUTH"[..], b"CCC", b"PROT"].iter().any(|known| verb.eq_ignore_ascii_case(known))
    }
}

/// What a job wants of the session.
#[derive(Debug)]
pub(super) enum Step {
    Wait,
    Payload,
    Moved(u64),
    Done(Result<Outcome, JobError>),
}

impl From<JobError> for Step {
    fn from(error: JobError) -> Self {
        Self::Done(Err(error))
    }
}

/// A job that is under way.
#[derive(Debug)]
pub(super) enum Running {
    Login(Login),
    Exchange(Exchange),
    Transfer(Transfer),
}

impl Running {
    /// `sent` says that its command was sent ahead.
    pub(super) fn start(job: Job, link: &mut Link, now: Instant, sent: bool) -> (Self, Step) {
        let sendable = job.is_sendable();
        let (may_go_in_clear, changes_connection) =
            (matches!(job, Job::Login { .. } | Job::Quit), job.changes_connection());
        let mut running = match job {
            Job::Login { user, password } => Self::Login(Login::new(user, password)),
            Job::Retrieve { .. } | Job::Store { .. } | Job::List { .. } => Self::Transfer(Transfer::new(job)),
            _ => Self::Exchange(Exchange::new(job)),
        };
        if !sendable {
            return (running, JobError::Unsendable.into());
        }
        if link.is_exposed() && !may_go_in_clear {
            return (running, JobError::NotYetProtected.into());
        }
        if changes_connection {
            return (running, JobError::NotByHand.into());
        }
        let step = match &mut running {
            Self::Login(login) => login.start(link, now),
            Self::Exchange(exchange) => exchange.start(link, now),
            Self::Transfer(transfer) if sent => transfer.start_sent(link, now),
            Self::Transfer(transfer) => transfer.start(link, now),
        };
        (running, step)
    }

    pub(super) fn reply(&mut self, link: &mut Link, now: Instant, reply: Reply) -> Step {
        let step = match self {
            Self::Login(login) => login.reply(link, now, reply),
            Self::Exchange(exchange) => exchange.reply(link, now, reply),
            Self::Transfer(transfer) => transfer.reply(link, now, reply),
        };
        if matches!(step, Step::Done(_)) {
            link.awaiting = None;
        }
        step
    }

    /// The handshake on the control connection is over.
    pub(super) fn secured(&mut self, link: &mut Link, now: Instant) -> Step {
        if let Self::Login(login) = self {
            login.secured(link, now);
        }
        Step::Wait
    }

    pub(super) fn input(&mut self, link: &mut Link, now: Instant, input: Input) -> Step {
        let step = match self {
            Self::Transfer(transfer) => transfer.input(link, now, input),
            Self::Login(_) | Self::Exchange(_) => Step::Wait,
        };
        if matches!(step, Step::Done(_)) {
            link.awaiting = None;
        }
        step
    }

    pub(super) fn abort(&mut self, link: &mut Link, now: Instant) -> Step {
        match self {
            Self::Transfer(transfer) => transfer.abort(link, now, JobError::Aborted),
            // A command without data is answered at once; there is nothing to break off.
            Self::Login(_) | Self::Exchange(_) => Step::Wait,
        }
    }

    /// The command for another job, if it can be sent before this one is over.
    pub(super) fn command_ahead(&self, link: &Link, job: &Job) -> Option<Command> {
        match self {
            Self::Transfer(transfer) => transfer.command_ahead(link, job).filter(|_| job.is_sendable()),
            Self::Login(_) | Self::Exchange(_) => None,
        }
    }

    /// Whether the job has all its replies, so that what comes now is for the next.
    pub(super) fn is_answered(&self) -> bool {
        matches!(self, Self::Transfer(transfer) if transfer.is_answered())
    }

    /// Whether the server may be at work for long, and tell so by single lines of a reply.
    pub(super) fn is_checking(&self) -> bool {
        matches!(self, Self::Transfer(transfer) if transfer.is_checking())
    }

    /// The server closed; only after QUIT is that no error.
    pub(super) fn closed(&self) -> Option<Step> {
        match self {
            Self::Exchange(exchange) => exchange.closed(),
            Self::Login(_) | Self::Transfer(_) => None,
        }
    }

    pub(super) fn deadline(&self, link: &Link) -> Option<Instant> {
        match self {
            Self::Transfer(transfer) => transfer.deadline(link),
            Self::Login(_) | Self::Exchange(_) => None,
        }
    }
}
