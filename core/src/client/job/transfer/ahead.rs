//! Many files over one data connection: commands that are sent before their turn, and what becomes of them if the data connection
//! is lost.

use super::{Stage, Transfer};
use crate::client::JobError;
use crate::client::job::{Job, Manner, Step};
use crate::client::link::Link;
use crate::host::Store;
use crate::machine::Way;
use crate::time::Instant;
use crate::wire::command::Command;
use crate::wire::verb::Verb;

impl Transfer {
    /// The command was sent while the job before this one was under way.
    pub(in crate::client) fn start_sent(&mut self, link: &mut Link, now: Instant) -> Step {
        self.framed = true;
        link.awaiting = Some(now);
        if link.many.open {
            self.stage = Stage::Command;
            return Step::Wait;
        }
        self.drain(link, now, 1)
    }

    /// The command for a job that can follow this one on the same data connection.
    pub(in crate::client) fn command_ahead(&self, link: &Link, job: &Job) -> Option<Command> {
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

    /// The data connection is gone that this command and those sent ahead counted on. Once `due` replies to this one, and theirs, are in,
    /// they are sent again.
    pub(super) fn drain(&mut self, link: &mut Link, now: Instant, due: usize) -> Step {
        link.close_data();
        self.stage = Stage::Draining(due + core::mem::take(&mut link.many.ahead));
        self.drained(link, now)
    }

    pub(super) fn drained(&mut self, link: &mut Link, now: Instant) -> Step {
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

    pub(in crate::client) fn is_answered(&self) -> bool {
        matches!(
            self.stage,
            Stage::Moving { reply: Some(_), .. } | Stage::Accepting { reply: Some(_), .. } | Stage::Publishing
        )
    }
}
