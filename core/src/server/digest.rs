//! HASH and its older forms: XCRC XMD5 XSHA XSHA1 XSHA256 XSHA512 (draft-bryan-ftpext-hash). One at a time for each session, in pieces, and
//! ABOR ends it.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use super::portion::Portion;
use super::request::{Opened, Summed, Task};
use super::{Session, Then, UNSENT_LIMIT, Work, about};
use crate::digest::{Algorithm, Digest};
use crate::host::HostError;
use crate::machine::Action;
use crate::path::VirtualPath;
use crate::time::Instant;
use crate::wire::hash;
use crate::wire::verb::Verb;

/// How often a client that waits for a large file's digest is told that it is being made.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// A digest that is being made.
#[derive(Debug)]
pub(super) struct Digesting {
    verb: Verb,
    /// As the client put it.
    name: Bytes,
    algorithm: Algorithm,
    portion: Portion,
    /// What the command may mean, where it may mean several things.
    candidates: Vec<(Bytes, Portion)>,
    read: u64,
    /// When something was last told of it.
    told: Instant,
    /// A line of the reply is on its way, so no reply of another code can follow.
    begun: bool,
}

impl Digesting {
    fn progress(&self) -> String {
        format!("{}: {} bytes read.", self.verb.row().name, self.read)
    }
}

impl Session {
    /// HASH, of what RANG asked for, or of the whole file.
    pub(super) fn hash(&mut self, name: Bytes) {
        // REST is not meant for it, and stays for the transfer that it was sent for.
        let portion = match self.portion.length {
            Some(_) => core::mem::replace(&mut self.portion, Portion::WHOLE),
            None => Portion::WHOLE,
        };
        let algorithm = self.algorithm;
        self.digest(Verb::Hash, algorithm, alloc::vec![(name, portion)]);
    }

    /// An older form, whose algorithm is in its name, and its range in its argument.
    pub(super) fn old_hash(&mut self, verb: Verb, algorithm: Algorithm, argument: &Bytes) {
        let targets = hash::targets(argument).into_iter();
        let portion = |target: &hash::Target| Portion { offset: target.start, length: target.length };
        self.digest(verb, algorithm, targets.map(|target| (target.path.clone(), portion(&target))).collect());
    }

    fn digest(&mut self, verb: Verb, algorithm: Algorithm, mut candidates: Vec<(Bytes, Portion)>) {
        let mut files: Vec<(VirtualPath, Portion)> = Vec::new();
        candidates.retain(|(name, portion)| match self.cwd.join(name) {
            Ok(path) => {
                files.push((path, *portion));
                true
            }
            Err(_) => false,
        });
        let Some((name, portion)) = candidates.first().cloned() else {
            return self.reply(550, "That cannot be a path.");
        };
        let (told, read, begun) = (Instant::ORIGIN, 0, false);
        let digesting = Digesting { verb, name, algorithm, portion, candidates, read, told, begun };
        self.ask(Task::Digest { files, algorithm }, Then::Digest(Box::new(digesting)));
    }

    /// The host has opened the file, or refused.
    pub(super) fn digest_opened(
        &mut self,
        now: Instant,
        mut digesting: Box<Digesting>,
        result: Result<Opened, HostError>,
    ) {
        let opened = match result {
            Ok(opened) => opened,
            Err(error) => {
                let code = match (digesting.verb, error) {
                    (_, HostError::Busy) => 450,
                    (Verb::Hash, HostError::IsDirectory) => 553,
                    (Verb::Hash, HostError::Beyond) => 551,
                    _ => 550,
                };
                return self.reply_parts(code, &about(&digesting.name, &error.text()));
            }
        };
        if let Some(chosen) = digesting.candidates.get(opened.choice).cloned() {
            (digesting.name, digesting.portion) = chosen;
        }
        digesting.told = now;
        self.work = Work::Digesting(digesting);
        match opened.digest {
            Some(Summed::Whole(digest)) => self.digested(now, Ok(digest)),
            Some(Summed::Begun(summing)) => self.actions.push_back(Action::Digest(summing)),
            None => self.digest_failed("There is nothing to read"),
        }
    }

    /// Some more was read.
    pub(super) fn digest_moved(&mut self, now: Instant, count: u64) {
        let Work::Digesting(digesting) = &mut self.work else {
            return;
        };
        digesting.read += count;
        if now < digesting.told + SIGN_OF_LIFE || digesting.verb != Verb::Hash {
            return;
        }
        digesting.told = now;
        if self.out.bytes().len() < UNSENT_LIMIT {
            digesting.begun = true;
            let line = format!("213-{}\r\n", digesting.progress());
            self.out.end().extend_from_slice(line.as_bytes());
        }
    }

    pub(super) fn digested(&mut self, now: Instant, result: Result<Digest, HostError>) {
        let Work::Digesting(digesting) = &mut self.work else {
            return;
        };
        match result {
            Ok(digest) if digesting.verb == Verb::Hash => {
                let first = digesting.portion.offset;
                let last = first + digest.length.saturating_sub(1);
                let head = format!("{} {first}-{last} {digest} ", digesting.algorithm);
                let name = digesting.name.clone();
                self.reply_parts(213, &[head.as_bytes(), &name]);
            }
            Ok(digest) => self.reply(250, format!("{digest:X}")),
            Err(error) => self.digest_failed(&error.text()),
        }
        self.work = Work::Ready;
        self.clocks.active = now;
    }

    /// It comes to nothing.
    pub(super) fn digest_failed(&mut self, why: &str) {
        let Work::Digesting(digesting) = core::mem::replace(&mut self.work, Work::Ready) else {
            return;
        };
        if digesting.begun {
            // What began as 213 has to end so (RFC 959, section 4.2).
            return self.reply(213, format!("No digest: {why}."));
        }
        self.reply_parts(450, &about(&digesting.name, why));
    }
}
