//! USER, PASS, ACCT, REIN (RFC 959, section 4.1.1).

use bytes::Bytes;

use super::request::{Password, Task};
use super::{LOGIN_ATTEMPTS, Note, Session, Then, Work};
use crate::codec::Form;
use crate::digest::Algorithm;
use crate::host::{Access, LoginError, is_anonymous};
use crate::path::VirtualPath;
use crate::server::portion::Portion;
use crate::time::Instant;
use crate::wire::facts::FactSet;
use crate::wire::host_name::HostName;

/// How far the user is into the session.
#[derive(Debug, Default)]
pub(super) enum Login {
    /// Nobody yet.
    #[default]
    Nobody,
    /// A name, for which a password is due.
    Named(Bytes),
    /// A user, with rights.
    In(Bytes, Access),
}

impl Login {
    pub(super) fn is_in(&self) -> bool {
        matches!(self, Self::In(..))
    }

    /// The rights; the lesser where nobody is logged in.
    pub(super) fn access(&self) -> Access {
        match self {
            Self::In(_, access) => *access,
            Self::Nobody | Self::Named(_) => Access::Read,
        }
    }

    pub(super) fn user(&self) -> Option<&[u8]> {
        match self {
            Self::In(user, _) => Some(user),
            Self::Nobody | Self::Named(_) => None,
        }
    }
}

impl Session {
    /// Starts a login anew. Every name gets the same answer, so that names cannot be guessed (RFC 2577, section 7).
    pub(super) fn user(&mut self, name: Bytes) {
        self.log_out();
        self.portion = Portion::WHOLE;
        let text = if is_anonymous(&name) {
            "Anonymous login: send your e-mail address as password."
        } else {
            "Password required."
        };
        self.login = Login::Named(name);
        self.reply(331, text);
    }

    /// There is one host, by whatever name it is known; an address has to be the one that was called (RFC 7151, section 3).
    pub(super) fn virtual_host(&mut self, name: &[u8]) {
        if self.login.is_in() {
            return self.reply(503, "HOST comes before the login.");
        }
        match HostName::parse(name) {
            Some(_) if !self.security.allows_host(name) => self.reply(504, "The TLS handshake named another host."),
            Some(HostName::Name) => self.reply(220, "There is one host here."),
            Some(HostName::Address(ip)) if ip == self.local.ip().to_canonical() => {
                self.reply(220, "That is the address you called.");
            }
            Some(HostName::Address(_)) => self.reply(504, "That is not the address you called."),
            None => self.reply(501, "HOST takes a name, an IPv4 address, or an IPv6 address in brackets."),
        }
    }

    /// The time for a login begins anew for one that was there, and for no other.
    fn log_out(&mut self) {
        if self.login.is_in() {
            self.clocks.started = self.clocks.active;
        }
        self.login = Login::Nobody;
        self.cwd = VirtualPath::root();
    }

    pub(super) fn password(&mut self, password: Bytes) {
        match &self.login {
            Login::Nobody => self.reply(503, "Send USER first."),
            Login::In(..) => self.reply(503, "You are logged in."),
            Login::Named(user) => {
                let task = Task::Login { user: user.clone(), password: Password(password) };
                self.ask(task, Then::Login);
            }
        }
    }

    pub(super) fn logged_in(&mut self, now: Instant, result: Result<Access, LoginError>) {
        let Login::Named(user) = core::mem::take(&mut self.login) else {
            return;
        };
        match result {
            Ok(access) => {
                self.failures = 0;
                self.login = Login::In(user.clone(), access);
                self.note(Note::LoggedIn { user, access });
                self.reply(230, "Login successful.");
            }
            Err(LoginError) => {
                self.failures += 1;
                self.note(Note::LoginFailed { user });
                let delay = self.config.login_delay * (2 * u32::from(self.failures) - 1).min(5);
                self.work = Work::Delayed(now + delay);
            }
        }
    }

    pub(super) fn login_refused(&mut self) {
        if self.failures >= LOGIN_ATTEMPTS {
            self.close_with(421, "Too many wrong passwords.");
        } else {
            self.reply(530, "Login incorrect.");
        }
    }

    /// No account is ever asked for.
    pub(super) fn account(&mut self) {
        if self.login.is_in() {
            self.reply(202, "No account is needed.");
        } else {
            self.reply(503, "Send USER and PASS; no account is needed.");
        }
    }

    /// Back to the state after the greeting (RFC 959, section 4.1.1). Under TLS that would be in clear (RFC 4217, section 13).
    pub(super) fn reinitialize(&mut self) {
        if self.security.is_on {
            return self.reply(502, "There is no way back from TLS.");
        }
        self.reset();
        self.epsv_all = false;
        self.reply(220, "Ready for a new user.");
    }

    /// Forgets all that was said; failed logins stay counted.
    pub(super) fn reset(&mut self) {
        self.log_out();
        self.form = Form::DEFAULT;
        self.drop_endpoint();
        self.portion = Portion::WHOLE;
        self.announced = None;
        self.facts = FactSet::default();
        self.algorithm = Algorithm::Sha256;
    }
}
