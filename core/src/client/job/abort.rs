//! Breaking off a transfer (RFC 959, section 4.1.3): two replies are due, the transfer's and ABOR's, and some servers send
//! but one. A NOOP then finds out where the replies stand.

use core::time::Duration;

use crate::client::JobError;
use crate::client::link::Link;
use crate::time::Instant;
use crate::wire::command::Command;
use crate::wire::reply::Reply;
use crate::wire::verb::Verb;

/// How long to wait for the second reply.
const SECOND_REPLY: Duration = Duration::from_secs(2);
/// How long to wait for the answer to NOOP, before the server counts as lost.
const NOOP_REPLY: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Abort {
    /// What the job fails with.
    why: JobError,
    /// Final replies that are due.
    due: u8,
    /// Since when the last of them, or NOOP's, is waited for.
    last: Option<Instant>,
    noop: bool,
}

impl Abort {
    /// Sends ABOR. `answered` says that the transfer's final reply is in already.
    pub(super) fn start(link: &mut Link, now: Instant, why: JobError, answered: bool) -> Self {
        link.send_abort(now);
        Self { why, due: if answered { 1 } else { 2 }, last: None, noop: false }
    }

    /// Takes a reply; gives the job's error once the replies are even with the commands.
    pub(super) fn reply(&mut self, now: Instant, reply: &Reply) -> Option<JobError> {
        if !reply.is_final() {
            return None;
        }
        self.due = self.due.saturating_sub(1);
        self.last = Some(now);
        let over = if self.noop { reply.code == 200 || self.due == 0 } else { self.due == 0 };
        over.then(|| self.why.clone())
    }

    pub(super) fn tick(&mut self, link: &mut Link, now: Instant) -> Option<JobError> {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return None;
        }
        if self.noop {
            return Some(JobError::TimedOut);
        }
        self.noop = true;
        self.due += 1;
        self.last = Some(now);
        link.send(now, &Command::new(Verb::Noop));
        None
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.last.map(|since| since + if self.noop { NOOP_REPLY } else { SECOND_REPLY })
    }
}
