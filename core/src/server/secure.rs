//! ADAT, PBSZ, PROT and CCC on a control connection that is in clear (RFC 2228, RFC 4217). AUTH stands in the table of verbs
//! as not offered, so what these need never comes about.

use super::Session;
use crate::wire::verb::Verb;

impl Session {
    pub(super) fn secure(&mut self, verb: Verb) {
        match verb {
            Verb::Ccc => self.reply(533, "The control connection is in clear."),
            _ => self.reply(503, "There is no TLS on this connection."),
        }
    }
}
