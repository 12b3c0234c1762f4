//! All that comes before the command: TYPE, MODE, SIZE, the data connection, REST or RANG, ALLO.

use super::{Stage, Transfer};
use crate::client::job::{Manner, Step};
use crate::client::link::Link;
use crate::codec::{Mode, Representation};
use crate::machine::{Action, Listen, Route};
use crate::time::Instant;
use crate::wire::command::Command;
use crate::wire::verb::Verb;

impl Transfer {
    pub(in crate::client) fn start(&mut self, link: &mut Link, now: Instant) -> Step {
        if link.representation == Some(self.representation) {
            self.ask_mode(link, now)
        } else {
            link.send_type(now, self.representation);
            self.stage = Stage::Type;
            Step::Wait
        }
    }

    /// MODE B for many files, if the server has it, and MODE S for all else.
    pub(super) fn ask_mode(&mut self, link: &mut Link, now: Instant) -> Step {
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

    pub(super) fn ask_size(&mut self, link: &mut Link, now: Instant) -> Step {
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

    pub(super) fn ask_endpoint(&mut self, link: &mut Link, now: Instant) -> Step {
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

    pub(super) fn ask_pasv(&mut self, link: &mut Link, now: Instant) {
        link.epsv_failed = true;
        link.send(now, &Command::new(Verb::Pasv));
        self.stage = Stage::Pasv;
    }

    pub(super) fn dial(&mut self, link: &mut Link, now: Instant, port: u16, extended: bool) -> Step {
        link.awaiting = None;
        let mut to = link.peer;
        to.set_port(port);
        link.actions.push_back(Action::Open(Route::Dial { from: None, to }));
        self.stage = Stage::Dialing { extended, since: now };
        Step::Wait
    }

    pub(super) fn restart(&mut self, link: &mut Link, now: Instant) -> Step {
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
    pub(super) fn announce(&mut self, link: &mut Link, now: Instant) -> Step {
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

    pub(super) fn command(&mut self, link: &mut Link, now: Instant) -> Step {
        link.send(now, &Command { verb: self.verb, argument: self.path.clone() });
        self.stage = Stage::Command;
        Step::Wait
    }
}
