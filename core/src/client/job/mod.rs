//! Errands: each file is a family of jobs, as a state machine that is driven by replies and by news of the data connection.

mod abort;
mod exchange;
mod login;
mod transfer;

use bytes::Bytes;

use self::exchange::Exchange;
use self::login::Login;
use self::transfer::Transfer;
use super::JobError;
use super::link::Link;
use crate::codec::Representation;
use crate::host::Store;
use crate::machine::Input;
use crate::time::{Instant, Timestamp};
use crate::wire::command::is_sendable;
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
    },
    /// LIST, NLST or MLSD; the listing is a payload.
    List {
        /// Which.
        format: ListFormat,
        /// Of what; the working directory if `None`.
        path: Option<Bytes>,
    },
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
            Self::WorkingDirectory | Self::Quit => true,
        }
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
    pub(super) fn start(job: Job, link: &mut Link, now: Instant) -> (Self, Step) {
        let sendable = job.is_sendable();
        let mut running = match job {
            Job::Login { user, password } => Self::Login(Login::new(user, password)),
            Job::Retrieve { .. } | Job::Store { .. } | Job::List { .. } => Self::Transfer(Transfer::new(job)),
            _ => Self::Exchange(Exchange::new(job)),
        };
        if !sendable {
            return (running, JobError::Unsendable.into());
        }
        let step = match &mut running {
            Self::Login(login) => login.start(link, now),
            Self::Exchange(exchange) => exchange.start(link, now),
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
