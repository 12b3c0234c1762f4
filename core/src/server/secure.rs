//! AUTH PBSZ PROT CCC ADAT: TLS (RFC 2228, RFC 4217).
//!
//! ```text
//! C> AUTH TLS    S> 234       the session takes no byte behind AUTH's line end: all that follows is TLS's
//! <handshake>                 Action::Secure ... Input::Secured
//! C> PBSZ 0      S> 200
//! C> PROT P      S> 200       data connections are protected from now on
//! ```

use alloc::boxed::Box;

use super::data::Endpoint;
use super::{HANDSHAKE_TIMEOUT, Note, Session, Tls, Work};
use crate::machine::{Action, SecureError, Secured};
use crate::time::Instant;
use crate::wire::scan;
use crate::wire::verb::Verb;

/// What protects a session.
#[derive(Debug, Default)]
pub(super) struct Security {
    /// The control connection is inside TLS.
    pub(super) is_on: bool,
    /// PBSZ was sent, which comes before PROT.
    has_size: bool,
    /// Data connections are inside TLS too.
    pub(super) is_private: bool,
    /// The host that the client named in its handshake.
    server_name: Option<Box<str>>,
}

impl Security {
    /// Whether the client may mean this host, after what it said in its handshake (RFC 7151, section 3).
    pub(super) fn allows_host(&self, name: &[u8]) -> bool {
        self.server_name.as_ref().is_none_or(|server_name| server_name.as_bytes().eq_ignore_ascii_case(name))
    }
}

/// Whether a mechanism is one that is granted. SSL and TLS-P would mean that data is protected without PROT, on which servers and clients
/// never agreed.
pub(super) fn is_tls(mechanism: &[u8]) -> bool {
    mechanism.eq_ignore_ascii_case(b"TLS") || mechanism.eq_ignore_ascii_case(b"TLS-C")
}

impl Session {
    /// All is reset, since nobody knows who spoke before (RFC 4217, section 4.2).
    pub(super) fn authenticate(&mut self, now: Instant, mechanism: &[u8]) {
        if self.config.tls == Tls::Off {
            return self.reply(502, "Command not implemented.");
        }
        if self.security.is_on {
            return self.reply(503, "TLS is in force already.");
        }
        if is_tls(mechanism) {
            self.reset();
            self.reply(234, "Proceed with the TLS handshake.");
            self.begin_handshake(now);
        } else {
            self.reply(504, "The only mechanism is TLS.");
        }
    }

    pub(super) fn begin_handshake(&mut self, now: Instant) {
        self.actions.push_back(Action::Secure);
        self.work = Work::Securing(now + HANDSHAKE_TIMEOUT);
    }

    /// The handshake is over.
    pub(super) fn secured(&mut self, result: Result<Secured, SecureError>) {
        if !matches!(self.work, Work::Securing(_)) {
            return;
        }
        match result {
            Ok(secured) => {
                self.work = Work::Ready;
                let is_implicit = self.config.tls == Tls::Implicit;
                // Who begins with TLS never had to ask for it.
                let server_name = secured.server_name;
                self.security = Security { is_on: true, has_size: is_implicit, is_private: is_implicit, server_name };
                if is_implicit {
                    self.greet();
                }
            }
            Err(error) => {
                self.note(Note::NotSecured(error));
                // There is no way to say so that the client could read.
                self.lost();
            }
        }
    }

    /// ADAT PBSZ PROT CCC.
    pub(super) fn secure(&mut self, verb: Verb, argument: &[u8]) {
        match verb {
            Verb::Ccc if self.security.is_on => self.reply(534, "The control connection stays protected."),
            Verb::Ccc => self.reply(533, "The control connection is in clear."),
            _ if !self.security.is_on => self.reply(503, "There is no TLS on this connection."),
            Verb::Pbsz => self.protection_buffer(argument),
            Verb::Prot => self.protection_level(argument),
            _ => self.reply(503, "TLS carries no security data of its own."),
        }
    }

    /// TLS has no such buffer, whatever its size (RFC 4217, section 9).
    fn protection_buffer(&mut self, argument: &[u8]) {
        if scan::decimal(argument).is_some_and(|size| u32::try_from(size).is_ok()) {
            self.security.has_size = true;
            self.reply(200, "PBSZ=0");
        } else {
            self.reply(501, "PBSZ takes a number of at most 32 bits.");
        }
    }

    fn protection_level(&mut self, argument: &[u8]) {
        if !self.security.has_size {
            return self.reply(503, "Send PBSZ first.");
        }
        let is_private = match &argument.to_ascii_uppercase()[..] {
            b"P" => true,
            b"C" if self.config.tls.demands_privacy() => {
                return self.reply(534, "Data has to be protected here.");
            }
            b"C" => false,
            b"S" | b"E" => return self.reply(536, "TLS knows the levels C and P alone."),
            _ => return self.reply(504, "There is no such level."),
        };
        if self.security.is_private != is_private && self.endpoint == Endpoint::Open {
            self.drop_endpoint();
        }
        self.security.is_private = is_private;
        self.reply(200, if is_private { "Data connections are protected." } else { "Data connections are in clear." });
    }
}
