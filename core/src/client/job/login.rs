//! Logging in (RFC 959, section 6), and asking what the server can do.

use bytes::Bytes;

use super::{Outcome, Step};
use crate::client::JobError;
use crate::client::link::Link;
use crate::time::Instant;
use crate::wire::command::Command;
use crate::wire::feature;
use crate::wire::reply::{Class, Reply};
use crate::wire::verb::Verb;

#[derive(Debug)]
pub(in crate::client) struct Login {
    user: Bytes,
    password: Option<Bytes>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    User,
    Pass,
    /// Logged in, with the reply that said so.
    Feat(Reply),
    Utf8(Reply),
}

impl Login {
    pub(super) fn new(user: Bytes, password: Option<Bytes>) -> Self {
        Self { user, password, stage: Stage::User }
    }

    pub(super) fn start(&mut self, link: &mut Link, now: Instant) -> Step {
        if let Some(welcome) = link.welcome.take() {
            self.ask_features(link, now, welcome);
        } else {
            link.send(now, &Command::with(Verb::User, self.user.clone()));
        }
        Step::Wait
    }

    fn ask_features(&mut self, link: &mut Link, now: Instant, welcome: Reply) {
        link.send(now, &Command::new(Verb::Feat));
        self.stage = Stage::Feat(welcome);
    }

    pub(super) fn reply(&mut self, link: &mut Link, now: Instant, reply: Reply) -> Step {
        match (&self.stage, reply.class()) {
            (_, Class::Preliminary) => return Step::Wait,
            (Stage::User | Stage::Pass, Class::Completion) => self.ask_features(link, now, reply),
            (Stage::User | Stage::Pass, Class::Intermediate) if reply.code == 332 => {
                return JobError::AccountNeeded(reply).into();
            }
            (Stage::User, Class::Intermediate) => {
                let Some(password) = self.password.take() else {
                    return JobError::PasswordNeeded.into();
                };
                link.send(now, &Command::with(Verb::Pass, password));
                self.stage = Stage::Pass;
            }
            (Stage::User | Stage::Pass, _) => return JobError::Refused(reply).into(),
            (Stage::Feat(welcome), _) => {
                link.features = feature::parse(&reply);
                let welcome = welcome.clone();
                if !link.features.iter().any(|feature| feature.label == b"UTF8") {
                    return Step::Done(Ok(Outcome::Done(welcome)));
                }
                link.send(now, &Command::with(Verb::Opts, &b"UTF8 ON"[..]));
                self.stage = Stage::Utf8(welcome);
            }
            // Whatever it says: names go as bytes.
            (Stage::Utf8(welcome), _) => return Step::Done(Ok(Outcome::Done(welcome.clone()))),
        }
        Step::Wait
    }
}
