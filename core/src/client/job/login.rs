//! Protecting the session (RFC 4217), logging in (RFC 959, section 6), and asking what the server can do.

use bytes::Bytes;

use super::{Outcome, Step};
use crate::client::JobError;
use crate::client::Tls;
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
    Auth,
    /// The handshake is under way.
    Securing,
    User,
    Pass,
    /// Logged in, with the reply that said so; data is to be protected.
    Pbsz(Reply),
    Prot(Reply),
    /// Logged in, with the reply that said so.
    Feat(Reply),
    Utf8(Reply),
}

impl Login {
    pub(super) fn new(user: Bytes, password: Option<Bytes>) -> Self {
        Self { user, password, stage: Stage::User }
    }

    pub(super) fn start(&mut self, link: &mut Link, now: Instant) -> Step {
        if link.config.tls == Tls::Explicit && !link.is_secure {
            link.send(now, &Command::with(Verb::Auth, &b"TLS"[..]));
            self.stage = Stage::Auth;
        } else if let Some(welcome) = link.welcome.take() {
            self.welcomed(link, now, welcome);
        } else {
            self.name(link, now);
        }
        Step::Wait
    }

    /// The handshake is over.
    pub(super) fn secured(&mut self, link: &mut Link, now: Instant) {
        if matches!(self.stage, Stage::Securing) {
            self.name(link, now);
        }
    }

    fn name(&mut self, link: &mut Link, now: Instant) {
        link.send(now, &Command::with(Verb::User, self.user.clone()));
        self.stage = Stage::User;
    }

    /// Logged in. Data is in clear until PROT says otherwise (RFC 4217, section 9).
    fn welcomed(&mut self, link: &mut Link, now: Instant, welcome: Reply) {
        if link.config.tls == Tls::Off {
            return self.ask_features(link, now, welcome);
        }
        link.send(now, &Command::with(Verb::Pbsz, &b"0"[..]));
        self.stage = Stage::Pbsz(welcome);
    }

    fn ask_features(&mut self, link: &mut Link, now: Instant, welcome: Reply) {
        link.send(now, &Command::new(Verb::Feat));
        self.stage = Stage::Feat(welcome);
    }

    pub(super) fn reply(&mut self, link: &mut Link, now: Instant, reply: Reply) -> Step {
        match (&self.stage, reply.class()) {
            (_, Class::Preliminary) => return Step::Wait,
            (Stage::Auth, _) if reply.code == 234 => {
                link.secure(now);
                self.stage = Stage::Securing;
            }
            (Stage::Auth | Stage::Securing, _) => return JobError::Unprotected(reply).into(),
            (Stage::User | Stage::Pass, Class::Completion) => self.welcomed(link, now, reply),
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
            // What counts is what it says to PROT.
            (Stage::Pbsz(welcome), _) => {
                let welcome = welcome.clone();
                link.send(now, &Command::with(Verb::Prot, &b"P"[..]));
                self.stage = Stage::Prot(welcome);
            }
            (Stage::Prot(welcome), Class::Completion) => {
                let welcome = welcome.clone();
                link.is_private = true;
                self.ask_features(link, now, welcome);
            }
            (Stage::Prot(_), _) => return JobError::Unprotected(reply).into(),
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
