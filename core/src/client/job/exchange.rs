//! Jobs that are commands and replies and nothing else.

use bytes::Bytes;

use super::{Job, Outcome, Step};
use crate::client::JobError;
use crate::client::link::Link;
use crate::codec::{Mode, Representation};
use crate::time::Instant;
use crate::wire::command::Command;
use crate::wire::reply::{Class, Reply};
use crate::wire::verb::Verb;
use crate::wire::{quoted, scan, time_value};

#[derive(Debug)]
pub(in crate::client) struct Exchange {
    job: Job,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// MODE S
    Mode,
    /// TYPE I, which SIZE needs to mean bytes of the file.
    Type,
    Command,
    /// The X form of RFC 775, since the server does not know the plain one (RFC 1123, section 4.1.3.1).
    XForm,
    /// RNTO
    Second,
}

impl Exchange {
    pub(super) fn new(job: Job) -> Self {
        Self { job, stage: Stage::Command }
    }

    pub(super) fn start(&mut self, link: &mut Link, now: Instant) -> Step {
        let is_in_stream = link.many.mode == Some(Mode::Stream);
        if matches!(self.job, Job::Size(_) | Job::EndMany) && !is_in_stream {
            link.send_mode(now, Mode::Stream);
            self.stage = Stage::Mode;
            return Step::Wait;
        }
        self.go_on(link, now)
    }

    /// The mode is as it should be.
    fn go_on(&mut self, link: &mut Link, now: Instant) -> Step {
        if self.job == Job::EndMany {
            return Step::Done(Ok(Outcome::Done(Reply { code: 200, lines: alloc::vec![Bytes::new()] })));
        }
        if matches!(self.job, Job::Size(_)) && link.representation != Some(Representation::Image) {
            link.send_type(now, Representation::Image);
            self.stage = Stage::Type;
        } else {
            self.send(link, now);
        }
        Step::Wait
    }

    fn send(&mut self, link: &mut Link, now: Instant) {
        self.stage = Stage::Command;
        match &self.job {
            Job::Quote(line) => {
                // The line may change anything.
                link.representation = None;
                link.algorithm = None;
                link.close_data();
                let changes_mode = |verb: &[u8]| line.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(verb));
                if changes_mode(b"MODE") || changes_mode(b"REIN") {
                    link.many.mode = None;
                }
                link.send_line(now, line);
            }
            job => {
                if let Some(command) = command(job) {
                    link.send(now, &command);
                }
            }
        }
    }

    pub(super) fn reply(&mut self, link: &mut Link, now: Instant, reply: Reply) -> Step {
        match (self.stage, reply.class()) {
            (_, Class::Preliminary) => {}
            (Stage::Mode, Class::Completion) => {
                link.many.mode = Some(Mode::Stream);
                return self.go_on(link, now);
            }
            // One that knows no MODE has MODE S alone.
            (Stage::Mode, Class::Permanent) if matches!(reply.code, 500 | 502 | 504) => {
                link.many.mode = Some(Mode::Stream);
                return self.go_on(link, now);
            }
            (Stage::Mode, _) => return JobError::Refused(reply).into(),
            (Stage::Type, class) => {
                if class == Class::Completion {
                    link.representation = Some(Representation::Image);
                }
                self.send(link, now);
            }
            (Stage::Command, Class::Permanent) if matches!(reply.code, 500 | 502) && self.send_x_form(link, now) => {
                self.stage = Stage::XForm;
            }
            (Stage::Command, Class::Intermediate) if let Job::Rename { to, .. } = &self.job => {
                link.send(now, &Command::with(Verb::Rnto, to.clone()));
                self.stage = Stage::Second;
            }
            // Done, though the new name is not known?
            (Stage::Command, Class::Completion) if matches!(self.job, Job::Rename { .. }) => {
                return JobError::Refused(reply).into();
            }
            (_, Class::Completion) => return Step::Done(self.outcome(reply)),
            // A user who sends a line by hand sees what comes of it.
            (_, Class::Intermediate) if matches!(self.job, Job::Quote(_)) => {
                return Step::Done(Ok(Outcome::Done(reply)));
            }
            _ => return JobError::Refused(reply).into(),
        }
        Step::Wait
    }

    /// Many servers close after QUIT without a word.
    pub(super) fn closed(&self) -> Option<Step> {
        let goodbye = Reply { code: 221, lines: alloc::vec![Bytes::new()] };
        (self.job == Job::Quit).then(|| Step::Done(Ok(Outcome::Done(goodbye))))
    }

    fn send_x_form(&self, link: &mut Link, now: Instant) -> bool {
        let (verb, path): (&[u8], &[u8]) = match &self.job {
            Job::ChangeDirectory(path) => (b"XCWD ", path),
            Job::WorkingDirectory => (b"XPWD", b""),
            Job::MakeDirectory(path) => (b"XMKD ", path),
            Job::RemoveDirectory(path) => (b"XRMD ", path),
            _ => return false,
        };
        link.send_line(now, &[verb, path].concat());
        true
    }

    fn outcome(&self, reply: Reply) -> Result<Outcome, JobError> {
        let text = reply.text().trim_ascii();
        match &self.job {
            Job::WorkingDirectory => match quoted::parse(&reply) {
                Some(path) => Ok(Outcome::Path(path.into())),
                None => Err(JobError::Refused(reply)),
            },
            Job::Size(_) => match scan::decimal(text) {
                Some(size) if reply.code == 213 => Ok(Outcome::Size(size)),
                _ => Err(JobError::Refused(reply)),
            },
            Job::Modified(_) => match time_value::parse(text) {
                Some(time) if reply.code == 213 => Ok(Outcome::Time(time)),
                _ => Err(JobError::Refused(reply)),
            },
            _ => Ok(Outcome::Done(reply)),
        }
    }
}

fn command(job: &Job) -> Option<Command> {
    Some(match job {
        // Both are the working directory's parent, and older servers know CDUP alone.
        Job::ChangeDirectory(path) if path == ".." => Command::new(Verb::Cdup),
        Job::ChangeDirectory(path) => Command::with(Verb::Cwd, path.clone()),
        Job::WorkingDirectory => Command::new(Verb::Pwd),
        Job::MakeDirectory(path) => Command::with(Verb::Mkd, path.clone()),
        Job::RemoveDirectory(path) => Command::with(Verb::Rmd, path.clone()),
        Job::Remove(path) => Command::with(Verb::Dele, path.clone()),
        Job::Rename { from, .. } => Command::with(Verb::Rnfr, from.clone()),
        Job::Size(path) => Command::with(Verb::Size, path.clone()),
        Job::Modified(path) => Command::with(Verb::Mdtm, path.clone()),
        Job::SetMode { mode, path } => Command::with(Verb::Site, [b"CHMOD ", &mode[..], b" ", path].concat()),
        Job::Quit => Command::new(Verb::Quit),
        Job::Login { .. }
        | Job::Quote(_)
        | Job::Retrieve { .. }
        | Job::Store { .. }
        | Job::List { .. }
        | Job::EndMany => return None,
    })
}
