//! The client's control connection, and what is known of the server behind it.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::{Config, Event, Tls};
use crate::codec::{Mode, Representation};
use crate::digest::Algorithm;
use crate::machine::Action;
use crate::outbox::Outbox;
use crate::time::Instant;
use crate::wire::command::{Command, masked};
use crate::wire::feature::Feature;
use crate::wire::line::SYNCH;
use crate::wire::reply::{Reply, ReplyDecoder};
use crate::wire::verb::Verb;

#[derive(Debug)]
pub(super) struct Link {
    pub(super) config: Config,
    pub(super) local: SocketAddr,
    pub(super) peer: SocketAddr,
    pub(super) decoder: ReplyDecoder,
    pub(super) out: Outbox,
    /// The handshake is under way.
    pub(super) securing: bool,
    /// The control connection is inside TLS.
    pub(super) is_secure: bool,
    /// Data connections are too.
    pub(super) is_private: bool,
    /// How many of the first unsent bytes are urgent.
    pub(super) urgent: usize,
    pub(super) actions: VecDeque<Action<Event>>,
    /// Actions that come behind the event of the step that queued them.
    pub(super) deferred: Vec<Action<Event>>,
    pub(super) features: Vec<Feature>,
    /// A greeting that was a login already: 230.
    pub(super) welcome: Option<Reply>,
    /// The type in force; `None` where it is not known.
    pub(super) representation: Option<Representation>,
    /// How many files travel over one data connection.
    pub(super) many: Many,
    /// What HASH makes digests with, where we have chosen it.
    pub(super) algorithm: Option<Algorithm>,
    /// The server does not know EPSV, or it leads nowhere.
    pub(super) epsv_failed: bool,
    /// The server does not heed ALLO.
    pub(super) allo_ignored: bool,
    /// A REST is in force that no transfer has used.
    pub(super) restart_left: bool,
    /// Since when a reply is due.
    pub(super) awaiting: Option<Instant>,
    /// When the unsent bytes last became fewer.
    pub(super) drained: Instant,
}

/// MODE B, and the data connection that outlives a file in it.
#[derive(Debug)]
pub(super) struct Many {
    /// The mode in force; `None` where it is not known.
    pub(super) mode: Option<Mode>,
    /// Whether the server has MODE B; `None` before it was asked.
    pub(super) granted: Option<bool>,
    /// The data connection stands, and the next file goes over it.
    pub(super) open: bool,
    /// How many of the jobs that wait have had their command sent.
    pub(super) ahead: usize,
    /// The server is known to tell one mode from another: some say yes to all, and heed none.
    pub(super) proven: bool,
    /// The server closes the data connection after each file all the same.
    pub(super) closes: bool,
}

impl Link {
    pub(super) fn new(config: Config, local: SocketAddr, peer: SocketAddr, now: Instant) -> Self {
        Self {
            config,
            local,
            peer,
            decoder: ReplyDecoder::new(),
            out: Outbox::default(),
            securing: false,
            is_secure: false,
            is_private: false,
            urgent: 0,
            actions: VecDeque::new(),
            deferred: Vec::new(),
            features: Vec::new(),
            welcome: None,
            representation: None,
            many: Many { mode: Some(Mode::Stream), granted: None, open: false, ahead: 0, proven: false, closes: false },
            algorithm: None,
            epsv_failed: false,
            allo_ignored: false,
            restart_left: false,
            awaiting: Some(now),
            drained: now,
        }
    }

    pub(super) fn send(&mut self, now: Instant, command: &Command) {
        let start = self.out.end().len();
        command.print(self.out.end());
        let line = self.out.end()[start..].strip_suffix(b"\r\n").unwrap_or_default();
        let line = Bytes::copy_from_slice(line);
        self.is_sent(now, &line);
    }

    /// Lets TLS take over the control connection. What the server has said behind its reply to AUTH is TLS's too.
    pub(super) fn secure(&mut self, now: Instant) {
        self.securing = true;
        self.welcome = None;
        self.awaiting = Some(now);
        self.actions.push_back(Action::Secure);
    }

    /// Whether something would go in clear that is not to.
    pub(super) fn is_exposed(&self) -> bool {
        self.config.tls != Tls::Off && !self.is_private
    }

    /// Sends TYPE. Which type is in force is not known until the reply is in, and a user may not wait for that.
    pub(super) fn send_type(&mut self, now: Instant, representation: Representation) {
        let letter: &[u8] = match representation {
            Representation::Ascii => b"A",
            Representation::Ebcdic => b"E",
            Representation::Image => b"I",
        };
        self.send(now, &Command::with(Verb::Type, letter));
        self.representation = None;
    }

    /// Sends MODE. Which mode is in force is not known until the reply is in.
    pub(super) fn send_mode(&mut self, now: Instant, mode: Mode) {
        let letter: &[u8] = match mode {
            Mode::Stream => b"S",
            Mode::Block => b"B",
            Mode::Compressed => b"C",
        };
        self.send(now, &Command::with(Verb::Mode, letter));
        self.many.mode = None;
        self.close_data();
    }

    /// A data connection that is open for the next file is of no more use.
    pub(super) fn close_data(&mut self) {
        if core::mem::take(&mut self.many.open) {
            self.actions.push_back(Action::Abandon);
        }
    }

    /// Sends a line as it is.
    pub(super) fn send_line(&mut self, now: Instant, line: &[u8]) {
        crate::wire::line::escape_into(line, self.out.end());
        self.out.end().extend_from_slice(b"\r\n");
        self.is_sent(now, &Bytes::copy_from_slice(line));
    }

    /// Telnet's Interrupt Process and Synch, the last of them urgent, and ABOR (RFC 959, section 4.1). TLS has no urgent bytes.
    pub(super) fn send_abort(&mut self, now: Instant) {
        if !self.is_secure {
            self.out.end().extend_from_slice(&SYNCH);
            self.urgent = self.out.bytes().len();
        }
        self.send(now, &Command::new(Verb::Abor));
    }

    fn is_sent(&mut self, now: Instant, line: &Bytes) {
        self.awaiting = Some(now);
        self.drained = now;
        self.actions.push_back(Action::Event(Event::Sent(masked(line))));
    }

    pub(super) fn reply_deadline(&self) -> Option<Instant> {
        self.awaiting.map(|since| since + self.config.reply_timeout)
    }

    pub(super) fn unsent_deadline(&self) -> Instant {
        self.drained + self.config.reply_timeout
    }

    /// The only address that data connections go to and come from, whatever a reply says (RFC 2577, section 4).
    pub(super) fn server(&self) -> IpAddr {
        self.peer.ip()
    }

    pub(super) fn is_ipv4(&self) -> bool {
        self.peer.ip().to_canonical().is_ipv4()
    }
}
