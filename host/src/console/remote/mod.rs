//! The session with a server: jobs are run, one after the other, and what happens meanwhile is shown. `batch.rs` has many files in
//! one go.

mod batch;

use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::net::ToSocketAddrs;

use bytes::Bytes;
use longshore_core::client::{self, Event, Job, JobError, ListFormat, Outcome, Tls};
use longshore_core::machine::SecureError;
use longshore_core::wire::facts::{FactLine, ListedKind};
use longshore_core::wire::reply::{Class, Reply, Shown};

pub(super) use self::batch::Batch;
use super::progress::Progress;
use super::target::Target;
use super::{Dial, LocalContent, Talk};
use crate::control::Drive;
use crate::signals::Interrupt;
use crate::tls::{Context, Source, Trust};

/// A name in a directory of the server.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) name: Bytes,
    pub(super) is_directory: bool,
    /// The size of a file, where the server tells it.
    pub(super) size: Option<u64>,
}

pub(super) struct Remote<R: Dial> {
    wire: R::Wire,
    session: client::Session,
    pub(super) host: String,
    pub(super) port: u16,
    /// For messages and for the status: where, and as whom.
    pub(super) place: String,
    pub(super) user: Bytes,
    /// The session's TLS, where it is to be protected.
    pub(super) tls: Option<Context>,
    talk: Talk,
    lost: bool,
    /// Listings for completion, good until a command changes something.
    listings: HashMap<Bytes, Vec<Name>>,
}

impl<R: Dial> Remote<R> {
    pub(super) fn connect(
        target: &Target,
        trust: &Trust,
        interrupt: Interrupt,
        talk: Talk,
        passive: bool,
    ) -> Result<Self, String> {
        let place = format!("{} port {}", target.host, target.port);
        let addresses = (target.host.as_str(), target.port).to_socket_addrs();
        let addresses = addresses.map_err(|error| format!("{}: {}", target.host, super::commands::io_text(&error)))?;
        let mut failure = format!("{}: no address is known for this name", target.host);
        let tls = match target.tls {
            Tls::Off => None,
            Tls::Explicit | Tls::Implicit => Some(Context::client(trust, &target.host)?),
        };
        for address in addresses {
            match R::dial(address, tls.clone().map(Source::Client), interrupt.clone()) {
                Ok(wire) => {
                    let (local, peer) = wire.addresses().map_err(|error| error.to_string())?;
                    let config = client::Config { passive, tls: target.tls, ..client::Config::default() };
                    let session = client::Session::new(config, local, peer, wire.now());
                    let user = target.user.clone();
                    return Ok(Self {
                        wire,
                        session,
                        host: target.host.clone(),
                        port: target.port,
                        place,
                        user,
                        tls,
                        talk,
                        lost: false,
                        listings: HashMap::new(),
                    });
                }
                Err(error) => failure = format!("cannot connect to {place}: {}", super::commands::io_text(&error)),
            }
        }
        Err(failure)
    }

    /// Logs in; asks for a password where the server wants one, none is known, and there is somebody to ask.
    pub(super) fn login(&mut self, target: &Target, interrupt: &Interrupt) -> Result<(), String> {
        let mut password = target.password.clone();
        loop {
            let job = Job::Login { user: target.user.clone(), password: password.clone() };
            match self.run(job) {
                Ok(_) => {
                    self.user = target.user.clone();
                    return Ok(());
                }
                Err(JobError::PasswordNeeded) if password.is_none() && io::stdin().is_terminal() => {
                    // To end here would leave the terminal without its echo.
                    interrupt.begin();
                    let asked = rpassword::prompt_password(format!("Password for {}: ", Shown(&target.user)));
                    interrupt.arm();
                    password = Some(asked.map_err(|error| error.to_string())?.into());
                }
                Err(JobError::PasswordNeeded) => {
                    return Err(format!(
                        "{} asks for a password for {}: put it into FTP_PASSWORD or into ~/.netrc",
                        self.place,
                        Shown(&target.user)
                    ));
                }
                Err(JobError::Secure(error)) => return Err(self.not_secure(error)),
                Err(error @ JobError::Unprotected(_)) => return Err(format!("{}: {error}", self.place)),
                Err(error) => return Err(format!("{}: login failed: {error}", self.place)),
            }
        }
    }

    /// Why there is no TLS, and what to do about it.
    fn not_secure(&self, error: SecureError) -> String {
        let advice = match (error, &self.tls) {
            (SecureError::Certificate(error), Some(tls)) => tls.advice(error),
            (SecureError::Handshake, _) => {
                Some("the server may speak another kind of TLS: try --tls explicit or --tls implicit".to_owned())
            }
            _ => None,
        };
        match advice {
            Some(advice) => format!("{}: {error}: {advice}", self.place),
            None => format!("{}: {error}", self.place),
        }
    }

    pub(super) fn enter(&mut self, folder: &Bytes) -> Result<(), JobError> {
        self.run(Job::ChangeDirectory(folder.clone())).map(drop)
    }

    pub(super) fn quit(&mut self) {
        // Whatever the server says to it, the session is over.
        let _ = self.run(Job::Quit);
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    pub(super) fn session(&mut self) -> &mut client::Session {
        &mut self.session
    }

    /// Runs a job without data.
    pub(super) fn run(&mut self, job: Job) -> Result<Outcome, JobError> {
        match self.transfer(job, || Err(io::ErrorKind::Unsupported.into()), None) {
            Ok((outcome, _)) => Ok(outcome),
            Err(Failure::Job(error)) => Err(error),
            Err(Failure::Local(_)) => Err(JobError::Aborted),
        }
    }

    /// Runs a job with content for its data connection, which comes back unless it was sent. The content is opened once the
    /// server has agreed, so that a file which is not there leaves no trace, and again if the transfer begins anew.
    pub(super) fn transfer(
        &mut self,
        job: Job,
        mut open: impl FnMut() -> io::Result<LocalContent>,
        progress: Option<&Progress>,
    ) -> Result<(Outcome, Option<LocalContent>), Failure> {
        self.listings.clear();
        let mut failure = None;
        let id = self.session.start(self.wire.now(), job);
        loop {
            let Ok(event) = self.wire.next(&mut self.session) else {
                self.lost = true;
                return Err(JobError::Lost.into());
            };
            self.show(&event);
            match event {
                Event::Reply(reply) => {
                    if let (Class::Preliminary, Some(size), Some(progress)) =
                        (reply.class(), reply.announced_size(), progress)
                    {
                        progress.set_size(size);
                    }
                }
                Event::Payload(_) => match open() {
                    Ok(content) => self.wire.offer(content),
                    Err(error) => {
                        failure = Some(error);
                        self.session.abort_job(self.wire.now(), id);
                    }
                },
                Event::Moved(_, count) => {
                    if let Some(progress) = progress {
                        progress.moved(count);
                    }
                }
                Event::Finished(finished, result) if finished == id => {
                    self.lost |= result.as_ref().is_err_and(JobError::is_fatal);
                    return match (failure, result) {
                        (Some(error), _) => Err(Failure::Local(error)),
                        (None, result) => Ok((result?, self.wire.take_content())),
                    };
                }
                Event::Closed => {
                    self.lost = true;
                    return Err(JobError::Lost.into());
                }
                Event::Sent(_) | Event::Finished(..) => {}
            }
        }
    }

    /// Shows the dialogue to who wants to see it.
    fn show(&self, event: &Event) {
        match event {
            Event::Sent(line) if self.talk == Talk::Verbose => tell!("---> {}", Shown(line)),
            Event::Reply(reply) if self.talk == Talk::Verbose => reply_lines(reply).for_each(|line| tell!("{line}")),
            _ => {}
        }
    }

    /// The names in a directory, for wildcards: by MLSD where there is one.
    pub(super) fn names(&mut self, directory: Option<&Bytes>) -> Result<Vec<Name>, Failure> {
        let key = directory.cloned().unwrap_or_default();
        if let Some(names) = self.listings.get(&key) {
            return Ok(names.clone());
        }
        let facts = self.session.has_feature(b"MLST");
        let format = if facts { ListFormat::Facts } else { ListFormat::Names };
        let job = Job::List { format, path: directory.cloned() };
        let (_, content) = self.transfer(job, || Ok(LocalContent::Listing(Vec::new())), None)?;
        let Some(LocalContent::Listing(listing)) = content else {
            return Ok(Vec::new());
        };
        let lines = listing.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let names: Vec<Name> =
            if facts { lines.filter_map(fact_name).collect() } else { lines.filter_map(plain_name).collect() };
        self.listings.insert(key, names.clone());
        Ok(names)
    }
}

/// A reply's lines, the first and the last with its code.
pub(super) fn reply_lines(reply: &Reply) -> impl Iterator<Item = String> {
    let last = reply.lines.len() - 1;
    reply.lines.iter().enumerate().map(move |(at, line)| match at {
        _ if at == last => format!("{} {}", reply.code, Shown(line)),
        0 => format!("{}-{}", reply.code, Shown(line)),
        _ => Shown(line).to_string(),
    })
}

/// Why a transfer came to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The server, or what is between.
    #[error("{0}")]
    Job(#[from] JobError),
    /// The local file.
    #[error("{}", super::commands::io_text(.0))]
    Local(io::Error),
}

fn fact_name(line: &[u8]) -> Option<Name> {
    let line = FactLine::parse(line)?;
    let is_directory = match line.kind {
        ListedKind::Current | ListedKind::Parent => return None,
        kind => kind == ListedKind::Directory,
    };
    let size = line.size().filter(|_| line.kind == ListedKind::File);
    is_plain(line.name).then(|| Name { name: Bytes::copy_from_slice(line.name), is_directory, size })
}

/// A line of NLST, which may carry the directory before the name.
fn plain_name(line: &[u8]) -> Option<Name> {
    let name = line.rsplit(|&byte| byte == b'/').next().unwrap_or(line);
    is_plain(name).then(|| Name { name: Bytes::copy_from_slice(name), is_directory: false, size: None })
}

/// Whether a name that a server sent is one name, and leads nowhere else.
pub(super) fn is_plain(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..") && !name.contains(&b'/') && longshore_core::wire::command::is_sendable(name)
}
