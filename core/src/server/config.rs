//! What an operator decides about sessions.

use alloc::string::String;
use core::net::Ipv4Addr;
use core::ops::RangeInclusive;
use core::time::Duration;

/// The longest command line, path included; a longer one is answered with 500.
pub const LINE_LIMIT: usize = 4096;
/// The most commands that wait for the one before them.
pub const QUEUE_LINES: usize = 64;
/// The most bytes of commands that wait.
pub const QUEUE_BYTES: usize = 64 * 1024;
/// Once so many bytes of replies wait to be sent, no further command is taken up.
pub const UNSENT_LIMIT: usize = 64 * 1024;
/// Failed logins after which a session is closed (RFC 2577, section 5).
pub const LOGIN_ATTEMPTS: u8 = 3;
/// How long running transfers may go on once the server is to stop.
pub const STOP_GRACE: Duration = Duration::from_secs(10);

/// How long a TLS handshake may take on the control connection.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);

/// Whether sessions are protected by TLS (RFC 4217).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// It is not offered.
    #[default]
    Off,
    /// Clients may ask for it, with AUTH.
    Optional,
    /// Nobody logs in without it, and no data travels in clear.
    Required,
    /// It is in force from the first byte on, and no data travels in clear.
    Implicit,
}

impl Tls {
    /// Whether data may not travel in clear.
    pub fn demands_privacy(self) -> bool {
        matches!(self, Self::Required | Self::Implicit)
    }
}

/// Settings that all sessions of a server share.
#[derive(Clone, Debug)]
pub struct Config {
    /// The text of the greeting.
    pub banner: String,
    /// How long a session may say nothing.
    pub idle_timeout: Duration,
    /// How long a data connection may take to come about, and how long it may move nothing; also how long replies may stay
    /// unread.
    pub data_timeout: Duration,
    /// How long a session may last without a login.
    pub login_timeout: Duration,
    /// How long the answer to the first wrong password takes; the second takes three times as long (RFC 2577, section 5).
    pub login_delay: Duration,
    /// The ports for passive data connections; any free one if `None`.
    pub passive_ports: Option<RangeInclusive<u16>>,
    /// The address that PASV shows, for a server behind NAT; the control connection's own if `None`.
    pub public_ip: Option<Ipv4Addr>,
    /// Whether sessions are protected.
    pub tls: Tls,
    /// Whether sessions tell every command and reply as a [`Note`](super::Note).
    pub dialogue: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            banner: String::from("Longshore ready"),
            idle_timeout: Duration::from_secs(300),
            data_timeout: Duration::from_secs(60),
            login_timeout: Duration::from_secs(120),
            login_delay: Duration::from_secs(1),
            passive_ports: None,
            public_ip: None,
            tls: Tls::Off,
            dialogue: false,
        }
    }
}
