//! RETR, STOR, APPE, STOU, LIST, NLST and MLSD, with all that comes before and behind them.

use alloc::boxed::Box;
use core::time::Duration;

use bytes::Bytes;

use super::abort::Abort;
use super::check::{Checked, Checking};
use super::{Check, Job, ListFormat, Manner, Outcome, Step};
use crate::client::JobError;
use crate::client::link::Link;
use crate::codec::{Codec, Form, Mode, Representation};
use crate::host::Store;
use crate::machine::{Action, Flow, Input, Listen, Route, TransferError, Way};
use crate::time::Instant;
use crate::wire::command::Command;
use crate::wire::reply::{Class, Reply};
use crate::wire::verb::Verb;
use crate::wire::{address, scan};

/// A server makes the digest of so many bytes in a second, at least.
const SLOWEST_DIGEST: u64 = 10_000_000;

#[derive(Debug)]
pub(in crate::client) struct Transfer {
    verb: Verb,
    path: Option<Bytes>,
    way: Way,
    representation: Representation,
    offset: u64,
    /// The first and the last byte that are written over.
    range: Option<(u64, u64)>,
    stage: Stage,
    /// The size of the whole file, as the server told it.
    size: Option<u64>,
    /// The size of what is to be stored, for ALLO.
    announced: Option<u64>,
    moved: u64,
    manner: Manner,
    /// In MODE B, with others over the same data connection.
    framed: bool,
    /// It was tried before, on a data connection that was gone.
    retried: bool,
    /// What the check of it found.
    check: Option<Check>,
    /// Whether an older REST was in force when ours was sent.
    restart_before: bool,
    /// Broken off before there was anything to send ABOR for.
    cancelled: bool,
}

#[derive(Debug)]
enum Stage {
    /// TYPE
    Type,
    /// MODE
    Mode(Mode),
    /// A mode that nobody has, to see whether the server's yes to MODE B means anything.
    NoMode,
    /// SIZE, so that a download that stops short is noticed.
    Size,
    Epsv,
    Pasv,
    /// The driver dials, for EPSV or for PASV.
    Dialing {
        extended: bool,
        since: Instant,
    },
    /// The driver is about to listen, for active mode.
    Listening,
    /// PORT or EPRT
    Port,
    /// REST
    Rest,
    /// ALLO
    Allo,
    /// The command itself; its preliminary reply is due.
    Command,
    /// Active mode: the server is to connect.
    Accepting {
        since: Instant,
        reply: Option<Reply>,
    },
    /// Data flows; the final reply may come before its end, or after.
    Moving {
        since: Instant,
        reply: Option<Reply>,
    },
    /// All data is through; the final reply is due.
    Replying,
    /// The file is compared with the server's.
    Checking(Box<Checking>),
    /// The content is put under its name.
    Publishing,
    /// The data broke; the server's word on it is due.
    Broken(JobError),
    Aborting(Abort),
    /// The data connection is gone, and so many final replies are due to commands that counted on it; then they are sent again.
    Draining(usize),
}

impl Transfer {
    pub(super) fn new(job: Job) -> Self {
        let (mut announced, mut range, mut known, mut chosen) = (None, None, None, Manner::Plain);
        let (verb, path, way, representation, offset) = match job {
            Job::Retrieve { path, offset, representation, size, manner } => {
                known = size.filter(|_| representation == Representation::Image);
                chosen = manner;
                (Verb::Retr, Some(path), Way::Receive, representation, offset)
            }
            Job::Store { path, how, representation, size, manner } => {
                chosen = manner;
                announced = size.filter(|_| how == Store::Replace && representation == Representation::Image);
                let (verb, offset) = match how {
                    Store::Replace => (Verb::Stor, 0),
                    Store::At(offset) => (Verb::Stor, offset),
                    Store::Over(offset) => {
                        let length = size.unwrap_or(0).max(1);
                        range = Some((offset, offset.saturating_add(length - 1)));
                        (Verb::Stor, 0)
                    }
                    Store::Append => (Verb::Appe, 0),
                    Store::Unique => (Verb::Stou, 0),
                };
                (verb, Some(path), Way::Send, representation, offset)
            }
            Job::List { format, path } => {
                let verb = match format {
                    ListFormat::Long => Verb::List,
                    ListFormat::Names => Verb::Nlst,
                    ListFormat::Facts => Verb::Mlsd,
                };
                (verb, path, Way::Receive, Representation::Ascii, 0)
            }
            _ => (Verb::List, None, Way::Receive, Representation::Ascii, 0),
        };
        Self {
            verb,
            path,
            way,
            representation,
            offset,
            range,
            stage: Stage::Type,
            size: known,
            announced,
            moved: 0,
            manner: chosen,
            framed: false,
            retried: false,
            check: None,
            restart_before: false,
            cancelled: false,
        }
    }

    pub(super) fn start(&mut self, link: &mut Link, now: Instant) -> Step {
        if link.representation == Some(self.representation) {
            self.ask_mode(link, now)
        } else {
            link.send_type(now, self.representation);
            self.stage = Stage::Type;
            Step::Wait
        }
    }

    /// The command was sent while the job before this one was under way.
    pub(super) fn start_sent(&mut self, link: &mut Link, now: Instant) -> Step {
        self.framed = true;
        link.awaiting = Some(now);
        if link.many.open {
            self.stage = Stage::Command;
            return Step::Wait;
        }
        self.drain(link, now, 1)
    }

    /// The command for a job that can follow this one on the same data connection.
    pub(super) fn command_ahead(&self, link: &Link, job: &Job) -> Option<Command> {
        // Not before the server has taken up the first: it may refuse that, and drop what was agreed on for the data connection.
        let is_begun = self.framed
            && !link.many.closes
            && matches!(
                self.stage,
                Stage::Moving { .. } | Stage::Replying | Stage::Publishing | Stage::Accepting { .. }
            );
        let (verb, path, way, representation) = match job {
            Job::Retrieve { path, offset: 0, representation, manner: Manner::Many, .. } => {
                (Verb::Retr, path, Way::Receive, *representation)
            }
            Job::Store { path, how: Store::Replace, representation, manner: Manner::Many, .. } => {
                (Verb::Stor, path, Way::Send, *representation)
            }
            _ => return None,
        };
        let fits = is_begun && way == self.way && representation == self.representation;
        fits.then(|| Command::with(verb, path.clone()))
    }

    /// MODE B for many files, if the server has it, and MODE S for all else.
    fn ask_mode(&mut self, link: &mut Link, now: Instant) -> Step {
        let is_whole = self.offset == 0 && self.range.is_none();
        let many = self.manner == Manner::Many && is_whole && link.many.granted != Some(false);
        let mode = if many { Mode::Block } else { Mode::Stream };
        self.framed = many;
        if link.many.mode == Some(mode) {
            return self.ask_size(link, now);
        }
        link.send_mode(now, mode);
        self.stage = Stage::Mode(mode);
        Step::Wait
    }

    fn ask_size(&mut self, link: &mut Link, now: Instant) -> Step {
        // In MODE B no server can tell it.
        let asks = self.verb == Verb::Retr && self.representation == Representation::Image && !self.framed;
        match &self.path {
            Some(path) if asks && self.size.is_none() => {
                link.send(now, &Command::with(Verb::Size, path.clone()));
                self.stage = Stage::Size;
                Step::Wait
            }
            _ if self.framed && link.many.open => self.restart(link, now),
            _ => self.ask_endpoint(link, now),
        }
    }

    fn ask_endpoint(&mut self, link: &mut Link, now: Instant) -> Step {
        if !link.config.passive {
            link.awaiting = None;
            link.actions.push_back(Action::Listen(Listen { local: link.local, ports: None }));
            self.stage = Stage::Listening;
        } else if link.epsv_failed && link.is_ipv4() {
            self.ask_pasv(link, now);
        } else {
            link.send(now, &Command::new(Verb::Epsv));
            self.stage = Stage::Epsv;
        }
        Step::Wait
    }

    fn ask_pasv(&mut self, link: &mut Link, now: Instant) {
        link.epsv_failed = true;
        link.send(now, &Command::new(Verb::Pasv));
        self.stage = Stage::Pasv;
    }

    fn dial(&mut self, link: &mut Link, now: Instant, port: u16, extended: bool) -> Step {
        link.awaiting = None;
        let mut to = link.peer;
        to.set_port(port);
        link.actions.push_back(Action::Open(Route::Dial { from: None, to }));
        self.stage = Stage::Dialing { extended, since: now };
        Step::Wait
    }

    fn restart(&mut self, link: &mut Link, now: Instant) -> Step {
        if let Some((first, last)) = self.range {
            link.send(now, &Command::with(Verb::Rang, alloc::format!("{first} {last}").into_bytes()));
            // What is left of it would be undone by the REST 0 that comes before the next transfer.
            link.restart_left = true;
            self.stage = Stage::Rest;
            Step::Wait
        } else if self.offset > 0 || link.restart_left {
            link.send(now, &Command::with(Verb::Rest, alloc::format!("{}", self.offset).into_bytes()));
            self.restart_before = link.restart_left;
            link.restart_left |= self.offset > 0;
            self.stage = Stage::Rest;
            Step::Wait
        } else {
            self.announce(link, now)
        }
    }

    /// ALLO, unless the server has said that it does not matter (RFC 959, section 4.1.3).
    fn announce(&mut self, link: &mut Link, now: Instant) -> Step {
        match self.announced {
            // In MODE B the end of a file shows in its bytes.
            Some(size) if !link.allo_ignored && !self.framed => {
                link.send(now, &Command::with(Verb::Allo, alloc::format!("{size}").into_bytes()));
                self.stage = Stage::Allo;
                Step::Wait
            }
            _ => self.command(link, now),
        }
    }

    fn command(&mut self, link: &mut Link, now: Instant) -> Step {
        link.send(now, &Command { verb: self.verb, argument: self.path.clone() });
        self.stage = Stage::Command;
        Step::Wait
    }

    pub(super) fn reply(&mut self, link: &mut Link, now: Instant, reply: Reply) -> Step {
        if self.cancelled && reply.is_final() && !matches!(self.stage, Stage::Draining(_)) {
            return self.give_up(link, JobError::Aborted);
        }
        let class = reply.class();
        match &mut self.stage {
            Stage::Type if class == Class::Completion => {
                link.representation = Some(self.representation);
                self.ask_mode(link, now)
            }
            Stage::Mode(mode) if class != Class::Preliminary => {
                let mode = *mode;
                let granted = class == Class::Completion;
                if mode == Mode::Block {
                    link.many.granted = Some(granted);
                    if granted && !link.many.proven {
                        link.send(now, &Command::with(Verb::Mode, &b"X"[..]));
                        self.stage = Stage::NoMode;
                        return Step::Wait;
                    }
                }
                // What a server refuses leaves the mode as it was; one that knows no MODE has MODE S alone.
                link.many.mode = Some(if granted { mode } else { Mode::Stream });
                self.framed &= granted;
                self.ask_size(link, now)
            }
            Stage::NoMode if class != Class::Preliminary => {
                if reply.is_error() {
                    link.many.proven = true;
                    link.many.mode = Some(Mode::Block);
                    return self.ask_size(link, now);
                }
                link.many.granted = Some(false);
                self.ask_mode(link, now)
            }
            Stage::Size if class != Class::Preliminary => {
                self.size = scan::decimal(reply.text().trim_ascii()).filter(|_| reply.code == 213);
                self.ask_endpoint(link, now)
            }
            Stage::Epsv if class != Class::Preliminary => match address::parse_229(reply.text()) {
                Some(port) if reply.code == 229 => self.dial(link, now, port, true),
                _ if link.is_ipv4() => {
                    self.ask_pasv(link, now);
                    Step::Wait
                }
                _ => self.give_up(link, JobError::Refused(reply)),
            },
            Stage::Pasv if class != Class::Preliminary => match address::parse_227(reply.text()) {
                Some(address) if reply.code == 227 => self.dial(link, now, address.port(), false),
                _ => self.give_up(link, JobError::Refused(reply)),
            },
            Stage::Port if class == Class::Completion => self.restart(link, now),
            Stage::Rest if class == Class::Intermediate => {
                link.restart_left = self.offset > 0 || self.range.is_some();
                self.announce(link, now)
            }
            Stage::Allo if class != Class::Preliminary => {
                link.allo_ignored = reply.code != 200;
                self.command(link, now)
            }
            Stage::Rest if reply.is_error() && self.range.is_some() => self.give_up(link, JobError::Refused(reply)),
            Stage::Rest if reply.is_error() && self.offset > 0 && (self.way == Way::Receive || self.restart_before) => {
                link.restart_left = self.restart_before;
                self.give_up(link, JobError::Refused(reply))
            }
            // The offset of an upload is the size of what is there: appending comes to the same.
            Stage::Rest if class == Class::Permanent && self.way == Way::Send && self.offset > 0 => {
                link.restart_left = false;
                self.verb = Verb::Appe;
                self.command(link, now)
            }
            // REST 0 to a server that wants none. A download that lacks its head is noticed, an upload would do harm.
            Stage::Rest if class == Class::Permanent && self.way == Way::Receive && self.offset == 0 => {
                link.restart_left = false;
                self.command(link, now)
            }
            Stage::Command => self.begun(link, now, reply),
            Stage::Accepting { reply: final_reply, .. } | Stage::Moving { reply: final_reply, .. } => match class {
                Class::Preliminary if reply.code == 110 => {
                    link.awaiting = None;
                    Step::Wait
                }
                Class::Completion if final_reply.is_none() => {
                    *final_reply = Some(reply);
                    link.awaiting = None;
                    Step::Wait
                }
                Class::Transient | Class::Permanent => self.give_up(link, JobError::Refused(reply)),
                _ => self.give_up(link, JobError::OutOfTurn(reply)),
            },
            Stage::Replying => match class {
                Class::Preliminary => Step::Wait,
                Class::Completion => self.complete(link, now, &reply),
                _ => self.give_up(link, JobError::Refused(reply)),
            },
            Stage::Broken(error) => match class {
                Class::Preliminary => Step::Wait,
                Class::Transient | Class::Permanent => JobError::Refused(reply).into(),
                _ => error.clone().into(),
            },
            Stage::Aborting(abort) => abort.reply(now, &reply).map_or(Step::Wait, Step::from),
            Stage::Checking(checking) => {
                let checked = checking.reply(link, now, &reply);
                self.checked(link, checked)
            }
            Stage::Draining(due) if class != Class::Preliminary => {
                *due -= 1;
                self.drained(link, now)
            }
            _ if class == Class::Preliminary => Step::Wait,
            Stage::Type | Stage::Port | Stage::Rest => self.give_up(link, JobError::Refused(reply)),
            _ => self.give_up(link, JobError::OutOfTurn(reply)),
        }
    }

    /// The first reply to the command itself.
    fn begun(&mut self, link: &mut Link, now: Instant, reply: Reply) -> Step {
        let reply = match reply.class() {
            // Some servers say 200 first and 150 then.
            Class::Completion if reply.code == 200 => return Step::Wait,
            Class::Preliminary => None,
            Class::Completion => Some(reply),
            // The server has closed the data connection meanwhile.
            _ if reply.code == 425 && link.many.open && !self.retried => return self.drain(link, now, 0),
            _ => return self.give_up(link, JobError::Refused(reply)),
        };
        link.restart_left = false;
        link.awaiting = None;
        if link.config.passive || link.many.open {
            self.start_flow(link, now, reply)
        } else {
            link.actions.push_back(Action::Open(Route::Accept { from: link.server() }));
            self.stage = Stage::Accepting { since: now, reply };
            Step::Wait
        }
    }

    fn start_flow(&mut self, link: &mut Link, now: Instant, reply: Option<Reply>) -> Step {
        // A listing is shown as it came, its line ends and all.
        let codec = match self.verb {
            Verb::List | Verb::Nlst | Verb::Mlsd => Codec::identity(),
            _ => Codec::new(Form { mode: self.mode(), ..Form::stream(self.representation) }, self.way),
        };
        let keeps_content = self.is_checked();
        link.deferred.push(Action::Start(Flow { way: self.way, codec, keeps_content }));
        self.stage = Stage::Moving { since: now, reply };
        Step::Payload
    }

    pub(super) fn input(&mut self, link: &mut Link, now: Instant, input: Input) -> Step {
        match (&mut self.stage, input) {
            (Stage::Dialing { .. }, Input::Connected(Ok(()))) => self.restart(link, now),
            (Stage::Dialing { extended: true, .. }, Input::Connected(Err(_))) if link.is_ipv4() => {
                link.actions.push_back(Action::Abandon);
                self.ask_pasv(link, now);
                Step::Wait
            }
            (Stage::Dialing { .. } | Stage::Accepting { .. }, Input::Connected(Err(error))) => {
                self.abort(link, now, error.into())
            }
            (Stage::Listening, Input::Listening(Ok(address))) => {
                let mut argument = alloc::vec::Vec::new();
                let verb = match address.ip().to_canonical() {
                    core::net::IpAddr::V4(ip) => {
                        address::print_port(ip, address.port(), &mut argument);
                        Verb::Port
                    }
                    core::net::IpAddr::V6(_) => {
                        argument = address::print_eprt(address);
                        Verb::Eprt
                    }
                };
                link.send(now, &Command::with(verb, argument));
                self.stage = Stage::Port;
                Step::Wait
            }
            (Stage::Listening, Input::Listening(Err(error))) => self.give_up(link, error.into()),
            (Stage::Accepting { reply, .. }, Input::Connected(Ok(()))) => {
                let reply = reply.take();
                self.start_flow(link, now, reply)
            }
            (Stage::Moving { since, .. }, Input::Moved(count)) => {
                *since = now;
                self.moved += count;
                Step::Moved(self.moved)
            }
            (Stage::Moving { reply, .. }, Input::Finished(Ok(()))) => {
                if let Some(reply) = reply.take() {
                    return self.complete(link, now, &reply);
                }
                self.stage = Stage::Replying;
                link.awaiting = Some(now);
                Step::Wait
            }
            (Stage::Moving { reply: None, .. }, Input::Finished(Err(TransferError::Lost))) => {
                link.actions.push_back(Action::Abandon);
                link.many.open = false;
                self.stage = Stage::Broken(TransferError::Lost.into());
                link.awaiting = Some(now);
                Step::Wait
            }
            (Stage::Moving { .. }, Input::Finished(Err(error))) => self.abort(link, now, error.into()),
            (Stage::Publishing, Input::Published(Ok(()))) => self.done(link),
            (Stage::Checking(checking), Input::Digested(result)) => {
                let checked = checking.digested(link, now, result);
                self.checked(link, checked)
            }
            (Stage::Publishing, Input::Published(Err(error))) => self.give_up(link, JobError::Publish(error)),
            (_, Input::Tick) => self.tick(link, now),
            _ => Step::Wait,
        }
    }

    fn tick(&mut self, link: &mut Link, now: Instant) -> Step {
        if let Stage::Aborting(abort) = &mut self.stage {
            return abort.tick(link, now).map_or(Step::Wait, Step::from);
        }
        if self.deadline(link).is_none_or(|deadline| now < deadline) {
            return Step::Wait;
        }
        match self.stage {
            Stage::Dialing { .. } => {
                self.input(link, now, Input::Connected(Err(crate::machine::NetworkError::TimedOut)))
            }
            Stage::Accepting { .. } => self.abort(link, now, crate::machine::NetworkError::TimedOut.into()),
            _ => self.abort(link, now, JobError::Stalled),
        }
    }

    pub(super) fn deadline(&self, link: &Link) -> Option<Instant> {
        match &self.stage {
            Stage::Dialing { since, .. } | Stage::Accepting { since, .. } | Stage::Moving { since, .. } => {
                Some(*since + link.config.data_timeout)
            }
            Stage::Aborting(abort) => Some(abort.deadline()),
            _ => None,
        }
    }

    /// The server says that all is well, and the data has ended: what came may stand under its name, if it is whole.
    fn complete(&mut self, link: &mut Link, now: Instant, reply: &Reply) -> Step {
        link.awaiting = None;
        // 250 says that the data connection stays open (RFC 959, section 5.4).
        link.many.open = self.framed && reply.code == 250;
        link.many.closes |= self.framed && reply.code != 250;
        if let Some(size) = self.size
            && self.offset + self.moved < size
        {
            return self.give_up(link, JobError::Short { moved: self.offset + self.moved, expected: size });
        }
        match self.path.clone().filter(|_| self.is_checked()) {
            Some(path) => {
                let came = self.way == Way::Receive;
                let mut checking = Box::new(Checking::new(path, self.offset + self.moved, self.size, came));
                let checked = checking.start(link, now);
                self.stage = Stage::Checking(checking);
                // The server needs its time for a large file, and not every one shows that it is at it.
                if let Some(since) = &mut link.awaiting {
                    *since = *since + Duration::from_secs((self.offset + self.moved) / SLOWEST_DIGEST);
                }
                self.checked(link, checked)
            }
            None => self.whole(link),
        }
    }

    /// What the check came to, if it is over.
    fn checked(&mut self, link: &mut Link, checked: Checked) -> Step {
        match checked {
            None => Step::Wait,
            Some(Ok(check)) => {
                self.check = Some(check);
                self.whole(link)
            }
            Some(Err(error)) => self.give_up(link, error),
        }
    }

    /// All there is to be said for the file is said.
    fn whole(&mut self, link: &mut Link) -> Step {
        if self.way == Way::Send {
            return self.done(link);
        }
        link.awaiting = None;
        link.actions.push_back(Action::Publish);
        self.stage = Stage::Publishing;
        Step::Wait
    }

    fn done(&mut self, link: &mut Link) -> Step {
        if !link.many.open && (self.way == Way::Send || self.framed) {
            link.actions.push_back(Action::Abandon);
        }
        Step::Done(Ok(match self.check {
            Some(check) => Outcome::Checked(self.moved, check),
            None => Outcome::Moved(self.moved),
        }))
    }

    /// Whether the file here and the server's have to be the same in the end, and can be compared.
    fn is_checked(&self) -> bool {
        self.manner == Manner::Checked
            && self.representation == Representation::Image
            && self.range.is_none()
            && matches!(self.verb, Verb::Retr | Verb::Stor)
    }

    /// The mode of this transfer.
    fn mode(&self) -> Mode {
        if self.framed { Mode::Block } else { Mode::Stream }
    }

    /// The data connection is gone that this command and those sent ahead counted on. Once `due` replies to this one, and theirs, are in,
    /// they are sent again.
    fn drain(&mut self, link: &mut Link, now: Instant, due: usize) -> Step {
        link.close_data();
        self.stage = Stage::Draining(due + core::mem::take(&mut link.many.ahead));
        self.drained(link, now)
    }

    fn drained(&mut self, link: &mut Link, now: Instant) -> Step {
        match self.stage {
            Stage::Draining(0) if self.cancelled => self.give_up(link, JobError::Aborted),
            Stage::Draining(0) => {
                self.retried = true;
                self.ask_endpoint(link, now)
            }
            _ => {
                link.awaiting = Some(now);
                Step::Wait
            }
        }
    }

    pub(super) fn is_answered(&self) -> bool {
        matches!(
            self.stage,
            Stage::Moving { reply: Some(_), .. } | Stage::Accepting { reply: Some(_), .. } | Stage::Publishing
        )
    }

    pub(super) fn is_checking(&self) -> bool {
        matches!(self.stage, Stage::Checking(_))
    }

    /// Breaks the transfer off. Only a command that the server has taken up needs an ABOR.
    pub(super) fn abort(&mut self, link: &mut Link, now: Instant, why: JobError) -> Step {
        let answered = match &self.stage {
            Stage::Aborting(_) | Stage::Broken(_) | Stage::Publishing => return Step::Wait,
            Stage::Dialing { .. } | Stage::Listening => return self.give_up(link, why),
            Stage::Accepting { reply, .. } | Stage::Moving { reply, .. } => reply.is_some(),
            Stage::Command | Stage::Replying => false,
            Stage::Checking(checking) if checking.is_answered() => return self.give_up(link, why),
            Stage::Checking(_) => false,
            _ => {
                self.cancelled = true;
                return Step::Wait;
            }
        };
        let abort = Abort::start(link, now, why, answered);
        // An upload must not look whole: the server has to see the ABOR before it sees the data end.
        link.actions.push_back(Action::Abandon);
        self.stage = Stage::Aborting(abort);
        Step::Wait
    }

    fn give_up(&mut self, link: &mut Link, error: JobError) -> Step {
        // A file that is refused before its data leaves the data connection open for the next (RFC 959, section 5.2).
        let spares_data = matches!(self.stage, Stage::Command | Stage::Rest) && link.many.open;
        if !spares_data {
            link.many.open = false;
            link.actions.push_back(Action::Abandon);
        }
        error.into()
    }
}
