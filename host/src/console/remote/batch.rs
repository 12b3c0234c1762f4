//! Many files in one go: jobs are started ahead of their turn, so that the session can send their commands together.

use std::collections::VecDeque;
use std::io;

use longshore_core::client::{Event, Job, JobError, JobId, Outcome};

use super::{Failure, Remote};
use crate::console::{Dial, LocalContent};
use crate::control::Drive;

/// How many jobs are started ahead of their turn.
const AHEAD: usize = 64;

/// Files to be moved, one after the other.
pub(in crate::console) trait Batch {
    /// The next job, while there is one.
    fn next(&mut self) -> Option<Job>;

    /// The file that `next` gave as the `number`th is about to be moved: opens its content.
    fn open(&mut self, number: usize) -> io::Result<LocalContent>;

    /// So much of it has been moved.
    fn moved(&mut self, count: u64);

    /// It is done with, or has failed. An error ends the batch.
    fn finished(&mut self, number: usize, result: Result<Outcome, Failure>) -> Result<(), JobError>;
}

impl<R: Dial> Remote<R> {
    /// Moves all files of a batch, over one data connection where the server can do that.
    pub(in crate::console) fn transfer_all(&mut self, batch: &mut impl Batch) -> Result<(), JobError> {
        self.listings.clear();
        let result = self.drive(batch);
        if !self.lost && self.run(Job::EndMany).is_err_and(|error| error.is_fatal()) {
            self.lost = true;
        }
        result
    }

    fn drive(&mut self, batch: &mut impl Batch) -> Result<(), JobError> {
        let (mut started, mut next, mut failure): (VecDeque<(JobId, usize)>, usize, Option<io::Error>) =
            (VecDeque::new(), 0, None);
        let (mut given_out, mut result) = (false, Ok(()));
        loop {
            while !given_out && started.len() < AHEAD {
                match batch.next() {
                    Some(job) => {
                        started.push_back((self.session.start(self.wire.now(), job), next));
                        next += 1;
                    }
                    None => given_out = true,
                }
            }
            if started.is_empty() {
                return result;
            }
            let Ok(event) = self.wire.next(&mut self.session) else {
                self.lost = true;
                return Err(JobError::Lost);
            };
            self.show(&event);
            match event {
                Event::Payload(id) => match started.iter().find(|(job, _)| *job == id).map(|(_, at)| batch.open(*at)) {
                    Some(Ok(content)) => self.wire.offer(content),
                    Some(Err(error)) => {
                        failure = Some(error);
                        self.session.abort(self.wire.now());
                    }
                    None => {}
                },
                Event::Moved(_, count) => batch.moved(count),
                Event::Finished(id, finished) => {
                    let Some(at) = started.iter().position(|(job, _)| *job == id) else { continue };
                    let number = started.remove(at).map_or(0, |(_, number)| number);
                    self.lost |= finished.as_ref().is_err_and(JobError::is_fatal);
                    let finished = match failure.take() {
                        Some(error) => Err(Failure::Local(error)),
                        None => finished.map_err(Failure::Job),
                    };
                    if result.is_ok()
                        && let Err(error) = batch.finished(number, finished)
                    {
                        // No more of them; those that are under way come to their end.
                        given_out = true;
                        result = Err(error);
                        self.session.cancel_waiting();
                    }
                }
                Event::Closed => {
                    self.lost = true;
                    return Err(JobError::Lost);
                }
                Event::Sent(_) | Event::Reply(_) => {}
            }
        }
    }
}
