//! How a transfer ends: checked and published, or broken off.

use alloc::boxed::Box;

use super::{Stage, Transfer};
use crate::client::JobError;
use crate::client::job::abort::Abort;
use crate::client::job::check::{Checked, Checking};
use crate::client::job::{Check, Manner, Outcome, Step};
use crate::client::link::Link;
use crate::codec::Representation;
use crate::machine::{Action, TransferError, Way};
use crate::time::Instant;
use crate::wire::reply::Reply;
use crate::wire::verb::Verb;

impl Transfer {
    /// The server says that all is well, and the data has ended: what came may stand under its name, if it is whole.
    pub(super) fn complete(&mut self, link: &mut Link, now: Instant, reply: &Reply) -> Step {
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
                self.checked(link, checked)
            }
            None => self.whole(link),
        }
    }

    /// What the check came to, if it is over.
    pub(super) fn checked(&mut self, link: &mut Link, checked: Checked) -> Step {
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
    pub(super) fn whole(&mut self, link: &mut Link) -> Step {
        let has_size = self.size.is_some_and(|size| self.offset + self.moved == size);
        let has_digest = matches!(self.check, Some(Check::Digest(_)));
        if self.unclosed && !has_size && !has_digest {
            return self.give_up(link, TransferError::Unclosed.into());
        }
        if self.way == Way::Send {
            return self.done(link);
        }
        link.awaiting = None;
        link.actions.push_back(Action::Publish);
        self.stage = Stage::Publishing;
        Step::Wait
    }

    pub(super) fn done(&mut self, link: &mut Link) -> Step {
        if !link.many.open && (self.way == Way::Send || self.framed) {
            link.actions.push_back(Action::Abandon);
        }
        Step::Done(Ok(match self.check {
            Some(check) => Outcome::Checked(self.moved, check),
            None => Outcome::Moved(self.moved),
        }))
    }

    /// Whether the file here and the server's have to be the same in the end, and can be compared.
    pub(super) fn is_checked(&self) -> bool {
        self.manner == Manner::Checked
            && self.representation == Representation::Image
            && self.range.is_none()
            && matches!(self.verb, Verb::Retr | Verb::Stor)
    }

    pub(in crate::client) fn is_checking(&self) -> bool {
        matches!(self.stage, Stage::Checking(_))
    }

    /// Breaks the transfer off. Only a command that the server has taken up needs an ABOR.
    pub(in crate::client) fn abort(&mut self, link: &mut Link, now: Instant, why: JobError) -> Step {
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

    /// The server is not content with what it was to take or to give. Where that is for the data connection's TLS session, which was
    /// to be a resumed one, the tickets had run out: not every server refills them after an upload. Its handshake has brought new
    /// ones, and with them it goes.
    pub(super) fn not_taken(&mut self, link: &mut Link, now: Instant, reply: Reply) -> Step {
        let is_of_tls = link.is_private && matches!(reply.code, 425 | 522);
        // What has been shown, or put behind a file, would be so twice.
        let is_harmless = match self.verb {
            Verb::Stor => true,
            Verb::Appe | Verb::Stou => reply.code == 522,
            _ => self.moved == 0,
        };
        let has_reply =
            matches!(self.stage, Stage::Moving { reply: Some(_), .. } | Stage::Accepting { reply: Some(_), .. });
        if !is_of_tls || !is_harmless || has_reply || self.retried || self.framed {
            return self.give_up(link, JobError::Refused(reply));
        }
        link.actions.push_back(Action::Abandon);
        (self.retried, self.unclosed, self.moved) = (true, false, 0);
        self.ask_endpoint(link, now)
    }

    pub(super) fn give_up(&mut self, link: &mut Link, error: JobError) -> Step {
        // A file that is refused before its data leaves the data connection open for the next (RFC 959, section 5.2).
        let spares_data = matches!(self.stage, Stage::Command | Stage::Rest) && link.many.open;
        if !spares_data {
            link.many.open = false;
            link.actions.push_back(Action::Abandon);
        }
        error.into()
    }
}
