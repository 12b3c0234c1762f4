//! RETR, STOR, APPE, STOU, LIST, NLST and MLSD, with all that comes before and behind them.
//!
//! | file | what |
//! |---|---|
//! | `prepare.rs` | what comes before the command |
//! | `ahead.rs` | commands that are sent before their turn |
//! | `end.rs` | how it ends |

mod ahead;
mod end;
mod prepare;

use alloc::boxed::Box;

use bytes::Bytes;

use super::abort::Abort;
use super::check::Checking;
use super::{Check, Job, ListFormat, Manner, Step};
use crate::client::JobError;
use crate::client::link::Link;
use crate::codec::{Codec, Form, Mode, Representation};
use crate::host::Store;
use crate::machine::{Action, Flow, Input, Route, SecureError, TransferError, Way};
use crate::time::Instant;
use crate::wire::command::Command;
use crate::wire::reply::{Class, Reply};
use crate::wire::verb::Verb;
use crate::wire::{address, scan};

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
    /// The data ended without TLS's word that it is the end.
    unclosed: bool,
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
            unclosed: false,
            cancelled: false,
        }
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
                Class::Transient | Class::Permanent => self.not_taken(link, now, reply),
                _ => self.give_up(link, JobError::OutOfTurn(reply)),
            },
            Stage::Replying => match class {
                Class::Preliminary => Step::Wait,
                Class::Completion => self.complete(link, now, &reply),
                _ => self.not_taken(link, now, reply),
            },
            Stage::Broken(error) => match class {
                Class::Preliminary => Step::Wait,
                Class::Transient | Class::Permanent => self.not_taken(link, now, reply),
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

    /// The mode of this transfer.
    fn mode(&self) -> Mode {
        if self.framed { Mode::Block } else { Mode::Stream }
    }

    fn start_flow(&mut self, link: &mut Link, now: Instant, reply: Option<Reply>) -> Step {
        // A listing is shown as it came, its line ends and all.
        let codec = match self.verb {
            Verb::List | Verb::Nlst | Verb::Mlsd => Codec::identity(),
            _ => Codec::new(Form { mode: self.mode(), ..Form::stream(self.representation) }, self.way),
        };
        let keeps_content = self.is_checked();
        link.deferred.push(Action::Start(Flow { way: self.way, codec, protected: link.is_private, keeps_content }));
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
            // Whether it is whole shows once the server has spoken.
            (Stage::Moving { .. }, Input::Finished(Err(TransferError::Unclosed))) if !self.unclosed => {
                self.unclosed = true;
                self.input(link, now, Input::Finished(Ok(())))
            }
            // The server knows more of it.
            (
                Stage::Moving { reply: None, .. },
                Input::Finished(Err(error @ (TransferError::Lost | TransferError::Secure(SecureError::Handshake)))),
            ) => {
                link.actions.push_back(Action::Abandon);
                link.many.open = false;
                self.stage = Stage::Broken(error.into());
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
}
