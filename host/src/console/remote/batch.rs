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
    /// The next file's number and its job, while there is one.
    fn next(&mut self) -> Option<(usize, Job)>;

    /// A file is about to be moved: gives its content.
    fn open(&mut self, number: usize) -> io::Result<LocalContent>;

    /// So much of it has been moved.
    fn moved(&mut self, count: u64);

    /// A file is done with, or has failed. An error ends the batch, though those that are under way still come here.
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
        let mut started: VecDeque<(JobId, usize)> = VecDeque::new();
        let mut failure: Option<(JobId, io::Error)> = None;
        let (mut given_out, mut result) = (false, Ok(()));
        loop {
            while !given_out && started.len() < AHEAD {
                match batch.next() {
                    Some((number, job)) => started.push_back((self.session.start(self.wire.now(), job), number)),
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
                        failure = Some((id, error));
                        // If it is over by now it was refused, or broke.
                        self.session.abort_job(self.wire.now(), id);
                    }
                    None => {}
                },
                Event::Moved(_, count) => batch.moved(count),
                Event::Finished(id, finished) => {
                    let Some(at) = started.iter().position(|(job, _)| *job == id) else { continue };
                    let number = started.remove(at).map_or(0, |(_, number)| number);
                    self.lost |= finished.as_ref().is_err_and(JobError::is_fatal);
                    let finished = match failure.take_if(|(failed, _)| *failed == id) {
                        Some((_, error)) => Err(Failure::Local(error)),
                        None => finished.map_err(Failure::Job),
                    };
                    if let Err(error) = batch.finished(number, finished)
                        && result.is_ok()
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
