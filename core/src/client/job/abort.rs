//! Breaking off a transfer (RFC 959, section 4.1.3): two replies are due, the transfer's and ABOR's. Some servers send but
//! one, and Pure-FTPd now and then none that is final. A NOOP then finds out where the replies stand.

use core::time::Duration;

use crate::client::JobError;
use crate::client::link::Link;
use crate::time::Instant;
use crate::wire::command::Command;
use crate::wire::reply::Reply;
use crate::wire::verb::Verb;

/// How long to wait for the first reply.
const FIRST_REPLY: Duration = Duration::from_secs(5);
/// How long to wait for another one behind it.
const NEXT_REPLY: Duration = Duration::from_secs(2);
/// How long to wait for the answer to NOOP, before a server that has answered something counts as lost.
const NOOP_REPLY: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Abort {
    /// What the job fails with.
    why: JobError,
    /// Final replies that are due.
    due: usize,
    /// When to lose patience.
    deadline: Instant,
    noop: bool,
    /// Whether the server has said anything since.
    heard: bool,
}

impl Abort {
    /// Sends ABOR. `answered` says that the transfer's final reply is in already.
    pub(super) fn start(link: &mut Link, now: Instant, why: JobError, answered: bool) -> Self {
        link.send_abort(now);
        // The commands that were sent ahead are answered too, and have to be sent again.
        let due = if answered { 1 } else { 2 } + core::mem::take(&mut link.many.ahead);
        link.many.open = false;
        Self { why, due, deadline: now + FIRST_REPLY, noop: false, heard: false }
    }

    /// Takes a reply; gives the job's error once the replies are even with the commands.
    pub(super) fn reply(&mut self, now: Instant, reply: &Reply) -> Option<JobError> {
        self.heard = true;
        if !self.noop {
            self.deadline = now + NEXT_REPLY;
        }
        if !reply.is_final() {
            return None;
        }
        self.due = self.due.saturating_sub(1);
        let over = if self.noop { reply.code == 200 || self.due == 0 } else { self.due == 0 };
        over.then(|| self.why.clone())
    }

    pub(super) fn tick(&mut self, link: &mut Link, now: Instant) -> Option<JobError> {
        if now < self.deadline {
            return None;
        }
        if self.noop {
            return Some(JobError::TimedOut);
        }
        self.noop = true;
        self.due += 1;
        // One that says nothing at all may still be busy with what came before.
        self.deadline = now + if self.heard { NOOP_REPLY } else { link.config.reply_timeout };
        link.send(now, &Command::new(Verb::Noop));
        None
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }
}
