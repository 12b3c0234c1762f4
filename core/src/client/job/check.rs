//! Whether a file is the same here and on the server: by its digest, which both make at the same time, else by its size.

use alloc::boxed::Box;
use core::time::Duration;

use bytes::Bytes;

use crate::client::JobError;
use crate::client::job::Check;
use crate::client::link::Link;
use crate::digest::{Digest, Order, Summing};
use crate::host::HostError;
use crate::machine::Action;
use crate::time::Instant;
use crate::wire::command::Command;
use crate::wire::hash::{self, Told};
use crate::wire::reply::{Class, Reply};
use crate::wire::scan;
use crate::wire::verb::Verb;

/// A server makes the digest of so many bytes in a second, at least.
const SLOWEST: u64 = 10_000_000;

/// A check that is under way.
#[derive(Debug)]
pub(super) struct Checking {
    path: Bytes,
    /// How many bytes the file here has.
    length: u64,
    /// How many the server's has, where that is known.
    size: Option<u64>,
    /// Whether it came from the server, where others may write to it meanwhile; what was sent there has to be there.
    came: bool,
    /// The digests differ, and it is asked whether the file has grown.
    differs: bool,
    way: Option<hash::Way>,
    stage: Stage,
    told: Option<Option<Told>>,
    made: Option<Result<Digest, HostError>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// OPTS HASH
    Choosing,
    /// HASH, or an older form; the digest is made meanwhile.
    Digest,
    /// SIZE
    Size,
}

/// What came of it.
pub(super) type Checked = Option<Result<Check, JobError>>;

impl Checking {
    /// Of a file that was moved, `length` bytes of it in all, and that `came` from the server or went there. `size` is what the server told
    /// of it before.
    pub(super) fn new(path: Bytes, length: u64, size: Option<u64>, came: bool) -> Self {
        Self { path, length, size, came, differs: false, way: None, stage: Stage::Digest, told: None, made: None }
    }

    pub(super) fn start(&mut self, link: &mut Link, now: Instant) -> Checked {
        self.way = hash::strongest(&link.features);
        match self.way {
            None => self.by_size(link, now),
            Some(way) if way.chooses && link.algorithm != Some(way.algorithm) => {
                let argument = [&b"HASH "[..], way.algorithm.name().as_bytes()].concat();
                link.send(now, &Command::with(Verb::Opts, argument));
                self.stage = Stage::Choosing;
                None
            }
            Some(way) => self.by_digest(link, now, way),
        }
    }

    fn by_digest(&mut self, link: &mut Link, now: Instant, way: hash::Way) -> Checked {
        // The older forms take numbers behind the name, so that one with blanks needs quotes.
        let path = match way.verb {
            Verb::Hash => self.path.clone(),
            _ if self.path.contains(&b' ') => [b"\"", &self.path[..], b"\""].concat().into(),
            _ => self.path.clone(),
        };
        link.send(now, &Command::with(way.verb, path));
        // The server needs its time for a large file, and not every one shows that it is at it.
        link.awaiting = Some(now + Duration::from_secs(self.length / SLOWEST));
        let order = Order { algorithm: way.algorithm, length: Some(self.length), again: true };
        link.actions.push_back(Action::Digest(Box::new(Summing::new(order))));
        self.stage = Stage::Digest;
        None
    }

    fn by_size(&mut self, link: &mut Link, now: Instant) -> Checked {
        if let Some(size) = self.size {
            return Some(self.compare(size));
        }
        if self.came {
            return Some(Ok(Check::Nothing));
        }
        link.send(now, &Command::with(Verb::Size, self.path.clone()));
        self.stage = Stage::Size;
        None
    }

    fn compare(&self, size: u64) -> Result<Check, JobError> {
        match size {
            _ if size == self.length => Ok(Check::Size),
            // It has grown meanwhile, as logs do.
            _ if self.came && size < self.length => Ok(Check::Nothing),
            _ => Err(JobError::Differs(Check::Size)),
        }
    }

    /// The digests differ. That says nothing of a download whose file is another by now.
    fn differ(&mut self, link: &mut Link, now: Instant, check: Check) -> Checked {
        if !self.came {
            return Some(Err(JobError::Differs(check)));
        }
        self.differs = true;
        link.send(now, &Command::with(Verb::Size, self.path.clone()));
        self.stage = Stage::Size;
        None
    }

    pub(super) fn reply(&mut self, link: &mut Link, now: Instant, reply: &Reply) -> Checked {
        if !reply.is_final() {
            return None;
        }
        link.awaiting = None;
        match (self.stage, self.way) {
            (Stage::Choosing, Some(way)) if reply.class() == Class::Completion => {
                link.algorithm = Some(way.algorithm);
                self.by_digest(link, now, way)
            }
            (Stage::Digest, Some(way)) => {
                let is_meant = |told: &Told| match &told.algorithm {
                    Some(name) => name.eq_ignore_ascii_case(way.algorithm.name().as_bytes()),
                    None => true,
                };
                self.told = Some(hash::parse(way.verb, reply).filter(is_meant));
                self.both(link, now)
            }
            (Stage::Size, way) => {
                let size = scan::decimal(reply.text().trim_ascii()).filter(|_| reply.code == 213);
                Some(match (size, way) {
                    (Some(size), _) if self.differs && size > self.length => Ok(Check::Nothing),
                    (_, Some(way)) if self.differs => Err(JobError::Differs(Check::Digest(way.algorithm))),
                    (Some(size), _) => self.compare(size),
                    (None, _) => Ok(Check::Nothing),
                })
            }
            _ => self.by_size(link, now),
        }
    }

    /// Our own digest is made.
    pub(super) fn digested(&mut self, link: &mut Link, now: Instant, result: Result<Digest, HostError>) -> Checked {
        self.made = Some(result);
        self.both(link, now)
    }

    fn both(&mut self, link: &mut Link, now: Instant) -> Checked {
        match (&self.told, &self.made, self.way) {
            // What is of another length is no digest of this kind.
            (Some(Some(told)), Some(Ok(made)), Some(way)) if told.hex.len() == 2 * made.bytes.len() => {
                let check = Check::Digest(way.algorithm);
                if alloc::format!("{made}").as_bytes() == told.hex {
                    Some(Ok(check))
                } else {
                    self.differ(link, now, check)
                }
            }
            // One of the two cannot do it.
            (Some(_), Some(_), _) => self.by_size(link, now),
            _ => None,
        }
    }

    /// Whether the server has said all that it was asked.
    pub(super) fn is_answered(&self) -> bool {
        self.stage == Stage::Digest && self.told.is_some()
    }
}
