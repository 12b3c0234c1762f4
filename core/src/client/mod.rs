//! The client's side of a session.
//!
//! [`Session`] is a [`Machine`] that carries out [`Job`]s, one after the other: each is a whole errand, such as a download with
//! all the commands that it takes. [`Event`]s tell how it went. A job fails without harm to the session, unless the server
//! is gone.
//!
//! ```text
//! Retrieve:  TYPE --> SIZE --> EPSV (or PASV) --> dial --> REST --> RETR --150--> flow --+--> publish --> Finished
//!                              PORT (or EPRT)  --> accept ................^         226 --+
//! ```
//!
//! | file | what |
//! |---|---|
//! | `link.rs` | the control connection, and what is known of the server |
//! | `job/login.rs` | AUTH, USER, PASS, PBSZ, PROT, FEAT, OPTS UTF8 |
//! | `job/exchange.rs` | commands without data |
//! | `job/transfer.rs` | RETR, STOR, APPE, LIST, NLST, MLSD |
//! | `job/check.rs` | whether a file is the same on both sides |
//! | `job/abort.rs` | ABOR, and the replies that it leaves behind |

mod job;
mod link;

use alloc::collections::VecDeque;
use core::net::SocketAddr;
use core::time::Duration;

use bytes::Bytes;
use thiserror::Error;

pub use self::job::{Check, Job, ListFormat, Manner, Outcome};
use self::job::{Running, Step};
use self::link::Link;
use crate::host::HostError;
use crate::machine::{Action, Input, Machine, NetworkError, SecureError, Secured, TransferError};
use crate::time::Instant;
use crate::wire::feature::Feature;
use crate::wire::reply::{Class, NotAReply, Reply};

/// How many commands are sent before their turn.
const AHEAD: usize = 32;

/// Whether a session is protected by TLS (RFC 4217). Once it is to be, nothing but the question for it ever goes in clear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// It is not.
    #[default]
    Off,
    /// It is from AUTH on, which comes before the login.
    Explicit,
    /// It is from the first byte on.
    Implicit,
}

/// What a user decides about a session.
#[derive(Clone, Debug)]
pub struct Config {
    /// How long a reply may take, and how long commands may stay unsent.
    pub reply_timeout: Duration,
    /// How long a data connection may take to come about, and how long it may move nothing.
    pub data_timeout: Duration,
    /// Whether the client connects for data; else the server does (RFC 1579: passive gets through firewalls).
    pub passive: bool,
    /// Whether the session is protected.
    pub tls: Tls,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            reply_timeout: Duration::from_secs(120),
            data_timeout: Duration::from_secs(60),
            passive: true,
            tls: Tls::Off,
        }
    }
}

/// Which job an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(u64);

/// What a session says to its application.
#[derive(Debug)]
pub enum Event {
    /// A command as it was sent, with passwords masked.
    Sent(Bytes),
    /// A reply came.
    Reply(Reply),
    /// The job is about to move data: put its content at the driver's data connection.
    Payload(JobId),
    /// So many bytes have been moved so far.
    Moved(JobId, u64),
    /// The job is over.
    Finished(JobId, Result<Outcome, JobError>),
    /// The last event: the control connection is done with.
    Closed,
}

/// Why a job was not done.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum JobError {
    /// The server said no.
    #[error("{0}")]
    Refused(Reply),
    /// The server wants a password, and none was given.
    #[error("the server asks for a password")]
    PasswordNeeded,
    /// The server wants an account, which is in no FTP server's use today.
    #[error("the server asks for an account, which this client does not know: {0}")]
    AccountNeeded(Reply),
    /// A reply that makes no sense here.
    #[error("the server answered out of turn: {0}")]
    OutOfTurn(Reply),
    /// Not FTP.
    #[error("{0}")]
    NotAReply(#[from] NotAReply),
    /// The control connection is gone.
    #[error("the server closed the connection")]
    Lost,
    /// Nothing was heard for too long.
    #[error("the server does not answer")]
    TimedOut,
    /// The data connection could not be made.
    #[error("no data connection: {0}")]
    Network(#[from] NetworkError),
    /// The data broke off, or could not be kept.
    #[error("{0}")]
    Transfer(#[from] TransferError),
    /// What came could not be put where it belongs.
    #[error("{0}")]
    Publish(HostError),
    /// Fewer bytes came than the server has.
    #[error("only {moved} of {expected} bytes came")]
    Short {
        /// How many came.
        moved: u64,
        /// How many were due.
        expected: u64,
    },
    /// The file is not the same here and on the server: it was damaged on its way, or changed meanwhile.
    #[error("the file here and the one on the server differ, by their {0}")]
    Differs(Check),
    /// The data stalled.
    #[error("the data connection stalled")]
    Stalled,
    /// The user broke it off.
    #[error("aborted")]
    Aborted,
    /// TLS could not be had.
    #[error("{0}")]
    Secure(#[from] SecureError),
    /// The server does not do what TLS needs, and nothing is to go in clear.
    #[error("the server does not protect the session, and nothing is sent in clear: {0}")]
    Unprotected(Reply),
    /// The session is to be protected, and is not yet: a login comes first.
    #[error("the session is not protected yet")]
    NotYetProtected,
    /// These commands change the control connection itself.
    #[error("AUTH, CCC and PROT cannot be sent by hand")]
    NotByHand,
    /// A name with CR, LF or NUL would be a command of its own.
    #[error("a name with CR, LF or NUL in it cannot be sent")]
    Unsendable,
}

impl JobError {
    /// Whether the session is of no more use.
    pub fn is_fatal(&self) -> bool {
        match self {
            Self::NotAReply(_) | Self::Lost | Self::TimedOut | Self::OutOfTurn(_) => true,
            Self::Secure(_) | Self::Unprotected(_) => true,
            Self::Refused(reply) => reply.code == 421,
            _ => false,
        }
    }
}

/// The client's side of a control connection.
#[derive(Debug)]
pub struct Session {
    link: Link,
    state: State,
    last_id: u64,
    waiting: VecDeque<(JobId, Job)>,
    running: Option<(JobId, Running)>,
    /// How many of the first jobs that wait are to end as soon as it is their turn.
    cancelled: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// The first TLS handshake is under way, before the greeting.
    Securing,
    /// The greeting is to come.
    Greeting,
    Ready,
    /// The session failed; jobs fail with this.
    Failed(JobError),
    /// The last action is queued.
    Over(JobError),
}

impl Session {
    /// A session on a connection that was just made; the server speaks first.
    pub fn new(config: Config, local: SocketAddr, peer: SocketAddr, now: Instant) -> Self {
        let is_implicit = config.tls == Tls::Implicit;
        let mut link = Link::new(config, local, peer, now);
        if is_implicit {
            link.secure(now);
        }
        Self {
            link,
            state: if is_implicit { State::Securing } else { State::Greeting },
            last_id: 0,
            waiting: VecDeque::new(),
            running: None,
            cancelled: 0,
        }
    }

    /// Queues a job behind those that are under way. [`Event::Finished`] tells how it went.
    pub fn start(&mut self, now: Instant, job: Job) -> JobId {
        self.last_id += 1;
        let id = JobId(self.last_id);
        self.waiting.push_back((id, job));
        self.advance(now);
        self.send_ahead(now);
        id
    }

    /// Breaks off the job that is under way (RFC 959, section 4.1.3: ABOR); its [`Event::Finished`] comes once the server
    /// has agreed.
    pub fn abort(&mut self, now: Instant) {
        if let Some((_, running)) = &mut self.running {
            let step = running.abort(&mut self.link, now);
            self.step(now, step);
        }
    }

    /// Gives up the jobs that wait, and of which nothing was sent; they end as aborted.
    pub fn cancel_waiting(&mut self) {
        // What was sent ahead is answered, and ends when its turn comes.
        self.cancelled = self.link.many.ahead;
        let jobs = self.waiting.drain(self.cancelled.min(self.waiting.len())..).map(|(id, _)| id);
        let events = jobs.map(|id| Action::Event(Event::Finished(id, Err(JobError::Aborted))));
        self.link.actions.extend(events);
    }

    /// As [`abort`](Self::abort), if it is this job that is under way.
    pub fn abort_job(&mut self, now: Instant, id: JobId) {
        if self.running.as_ref().is_some_and(|(running, _)| *running == id) {
            self.abort(now);
        }
    }

    /// What the server listed in answer to FEAT; empty before the login.
    pub fn features(&self) -> &[Feature] {
        &self.link.features
    }

    /// Whether the server listed an extension, by its name in upper case.
    pub fn has_feature(&self, label: &[u8]) -> bool {
        self.link.features.iter().any(|feature| feature.label == label)
    }

    /// Whether the client makes the data connections.
    pub fn is_passive(&self) -> bool {
        self.link.config.passive
    }

    /// Lets the client, or the server, make the next data connections.
    pub fn set_passive(&mut self, passive: bool) {
        self.link.config.passive = passive;
    }

    /// Whether control and data connections are protected.
    pub fn is_protected(&self) -> bool {
        self.link.is_private
    }

    /// Whether the server takes many files over one data connection (MODE B); `None` before it was asked.
    pub fn takes_many(&self) -> Option<bool> {
        self.link.many.granted
    }

    /// Sends the commands of jobs that wait, where the one under way allows it.
    fn send_ahead(&mut self, now: Instant) {
        let Some((_, running)) = &self.running else {
            return;
        };
        while self.link.many.ahead < AHEAD
            && self.cancelled == 0
            && let Some((_, job)) = self.waiting.get(self.link.many.ahead)
            && let Some(command) = running.command_ahead(&self.link, job)
        {
            let awaiting = self.link.awaiting;
            self.link.send(now, &command);
            // Its reply is due only once it is its turn.
            self.link.awaiting = awaiting;
            self.link.many.ahead += 1;
        }
    }

    fn advance(&mut self, now: Instant) {
        if let State::Failed(error) | State::Over(error) = &self.state {
            let jobs =
                self.running.take().map(|(id, _)| id).into_iter().chain(self.waiting.drain(..).map(|(id, _)| id));
            self.link.actions.extend(jobs.map(|id| Action::Event(Event::Finished(id, Err(error.clone())))));
            return;
        }
        while self.state == State::Ready
            && self.running.is_none()
            && let Some((id, job)) = self.waiting.pop_front()
        {
            let sent = self.link.many.ahead > 0;
            self.link.many.ahead -= usize::from(sent);
            let cancelled = self.cancelled > 0;
            self.cancelled -= usize::from(cancelled);
            if cancelled && !sent {
                self.link.actions.push_back(Action::Event(Event::Finished(id, Err(JobError::Aborted))));
                continue;
            }
            let (running, step) = Running::start(job, &mut self.link, now, sent);
            self.running = Some((id, running));
            self.step(now, step);
            if cancelled {
                self.abort_job(now, id);
            }
        }
    }

    fn step(&mut self, now: Instant, step: Step) {
        let Some((id, _)) = &self.running else {
            return;
        };
        let id = *id;
        match step {
            Step::Wait => {}
            Step::Payload => self.link.actions.push_back(Action::Event(Event::Payload(id))),
            Step::Moved(count) => self.link.actions.push_back(Action::Event(Event::Moved(id, count))),
            Step::Done(Err(error)) if error.is_fatal() => self.fail(now, error),
            Step::Done(result) => {
                self.running = None;
                self.link.actions.push_back(Action::Event(Event::Finished(id, result)));
                self.advance(now);
            }
        }
        // What a step is followed by comes behind the events that it led to.
        let deferred = core::mem::take(&mut self.link.deferred);
        self.link.actions.extend(deferred);
        self.send_ahead(now);
    }

    /// Whether the session is not over.
    fn is_alive(&self) -> bool {
        matches!(self.state, State::Securing | State::Greeting | State::Ready)
    }

    /// Ends the session: the jobs fail, and the connection closes.
    fn fail(&mut self, now: Instant, error: JobError) {
        if matches!(self.state, State::Failed(_) | State::Over(_)) {
            return;
        }
        self.link.out.clear();
        self.link.urgent = 0;
        self.link.awaiting = None;
        self.link.many.ahead = 0;
        self.link.actions.push_back(Action::Abandon);
        self.state = State::Failed(error);
        self.advance(now);
    }

    /// The handshake on the control connection is over.
    fn secured(&mut self, now: Instant, result: Result<Secured, SecureError>) {
        self.link.securing = false;
        if let Err(error) = result {
            return self.fail(now, error.into());
        }
        self.link.is_secure = true;
        self.link.awaiting = Some(now);
        if self.state == State::Securing {
            self.state = State::Greeting;
        } else if let Some((_, running)) = &mut self.running {
            let step = running.secured(&mut self.link, now);
            self.step(now, step);
        }
    }

    fn reply(&mut self, now: Instant, reply: Reply) {
        self.link.actions.push_back(Action::Event(Event::Reply(reply.clone())));
        self.link.awaiting = Some(now);
        // 421 comes unasked, just before the server closes (RFC 959, section 5.4).
        if reply.code == 421 {
            return self.fail(now, JobError::Refused(reply));
        }
        match (&self.state, reply.class()) {
            (State::Greeting, Class::Preliminary) => {}
            (State::Greeting, Class::Completion) => {
                self.state = State::Ready;
                self.link.awaiting = None;
                self.link.welcome = Some(reply).filter(|reply| reply.code == 230);
                self.advance(now);
            }
            (State::Greeting, _) => self.fail(now, JobError::Refused(reply)),
            _ => match &mut self.running {
                Some((_, running)) => {
                    let step = running.reply(&mut self.link, now, reply);
                    self.step(now, step);
                }
                None => self.link.awaiting = None,
            },
        }
    }
}

impl Machine for Session {
    type Event = Event;

    fn receive(&mut self, now: Instant, bytes: &[u8]) -> usize {
        if bytes.is_empty() {
            // After QUIT the server closes, and some do without a reply.
            if let Some(step) = self.running.as_ref().and_then(|(_, running)| running.closed()) {
                self.step(now, step);
            }
            self.fail(now, JobError::Lost);
            return 0;
        }
        let mut taken = 0;
        // A digest of a large file takes its time, and its server says so line by line.
        if self.link.awaiting.is_some() && self.running.as_ref().is_some_and(|(_, running)| running.is_checking()) {
            self.link.awaiting = self.link.awaiting.max(Some(now));
        }
        while taken < bytes.len() && self.wants_input() {
            match self.link.decoder.decode(&bytes[taken..]) {
                Ok((count, reply)) => {
                    taken += count;
                    if let Some(reply) = reply {
                        self.reply(now, reply);
                    }
                }
                Err(error) => {
                    self.fail(now, error.into());
                    return bytes.len();
                }
            }
        }
        taken
    }

    /// Replies to commands that were sent ahead wait for their job.
    fn wants_input(&self) -> bool {
        let is_for_next = || self.running.as_ref().is_some_and(|(_, running)| running.is_answered());
        self.is_alive() && !self.link.securing && (self.link.many.ahead == 0 || !is_for_next())
    }

    fn transmit(&self) -> &[u8] {
        self.link.out.bytes()
    }

    fn urgent(&self) -> usize {
        self.link.urgent
    }

    fn sent(&mut self, now: Instant, count: usize) {
        self.link.out.sent(count);
        self.link.urgent = self.link.urgent.saturating_sub(count);
        self.link.drained = now;
    }

    fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Tick if !self.link.out.is_empty() && now >= self.link.unsent_deadline() => {
                self.fail(now, JobError::TimedOut);
            }
            Input::Tick if self.link.reply_deadline().is_some_and(|deadline| now >= deadline) => {
                self.fail(now, JobError::TimedOut);
            }
            Input::Stop => {
                // The user wants no more of it: neither this, nor what was to come.
                self.cancel_waiting();
                self.abort(now);
            }
            Input::Secured(result) if self.link.securing => self.secured(now, result),
            input => {
                if let Some((_, running)) = &mut self.running {
                    let step = running.input(&mut self.link, now, input);
                    self.step(now, step);
                }
            }
        }
    }

    fn poll(&mut self) -> Option<Action<Event>> {
        // AUTH is the last in clear.
        if matches!(self.link.actions.front(), Some(Action::Secure)) && !self.link.out.is_empty() {
            return None;
        }
        // What goes before it is to be heard first: a server must see an ABOR before it sees the upload's data end.
        if matches!(self.link.actions.front(), Some(Action::Abandon)) && !self.link.out.is_empty() {
            return None;
        }
        if let Some(action) = self.link.actions.pop_front() {
            return Some(action);
        }
        let State::Failed(error) = &self.state else {
            return None;
        };
        self.state = State::Over(error.clone());
        self.link.actions.push_back(Action::Event(Event::Closed));
        Some(Action::Close)
    }

    fn deadline(&self) -> Option<Instant> {
        if !self.is_alive() {
            return None;
        }
        let unsent = (!self.link.out.is_empty()).then(|| self.link.unsent_deadline());
        let job = self.running.as_ref().and_then(|(_, running)| running.deadline(&self.link));
        [unsent, job, self.link.reply_deadline()].into_iter().flatten().min()
    }
}
