//! How and where data travels: TYPE STRU MODE (RFC 959, section 4.1.2), PORT PASV, EPRT EPSV (RFC 2428).

use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, SocketAddr};

use super::{Session, Work, upper_words};
use crate::codec::{Mode, Representation, Structure};
use crate::machine::{Action, Listen, NetworkError};
use crate::wire::address::{self, AddressError};
use crate::wire::verb::Verb;

/// Where the next data connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// Nothing is agreed on.
    None,
    /// The driver listens.
    Listener,
    /// The client listens there.
    Target(SocketAddr),
    /// It stands, and has carried a file in MODE B or C.
    Open,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("No data connection is agreed on"),
            Self::Listener => f.write_str("Waiting for a passive data connection"),
            Self::Target(address) => write!(f, "The next data connection goes to {address}"),
            Self::Open => f.write_str("The data connection is open"),
        }
    }
}

/// Which command asked for a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passive {
    Pasv,
    Epsv,
}

impl Session {
    /// `A [N|T]`, `E [N|T]`, `I` and `L 8` (RFC 1123, sections 4.1.2.1 and 4.1.2.2).
    pub(super) fn representation_type(&mut self, argument: &[u8]) {
        let words = upper_words(argument);
        let words: Vec<&[u8]> = words.iter().map(|word| &word[..]).collect();
        let representation = match words[..] {
            [b"A"] | [b"A", b"N" | b"T"] => Representation::Ascii,
            [b"E"] | [b"E", b"N" | b"T"] => Representation::Ebcdic,
            [b"I"] | [b"L", b"8"] => Representation::Image,
            [b"A" | b"E", b"C"] => return self.reply(504, "There is no carriage control: the forms are N and T."),
            [b"L", digits] if crate::wire::scan::decimal(digits).is_some() => {
                return self.reply(504, "The only logical byte size is 8.");
            }
            _ => return self.reply(501, "There is no such type."),
        };
        self.form.representation = representation;
        let text = match representation {
            Representation::Ascii => "Type set to A.",
            Representation::Ebcdic => "Type set to E.",
            Representation::Image => "Type set to I.",
        };
        self.reply(200, text);
    }

    pub(super) fn file_structure(&mut self, argument: &[u8]) {
        let (structure, text) = match &argument.to_ascii_uppercase()[..] {
            b"F" => (Structure::File, "Structure set to F."),
            b"R" => (Structure::Record, "Structure set to R."),
            b"P" => return self.reply(504, "There are no pages: the structures are F and R."),
            _ => return self.reply(501, "There is no such structure."),
        };
        self.form.structure = structure;
        self.reply(200, text);
    }

    /// A change closes a data connection that is open: its other end cannot know where a file in the new mode begins.
    pub(super) fn transfer_mode(&mut self, argument: &[u8]) {
        let (mode, text) = match &argument.to_ascii_uppercase()[..] {
            b"S" => (Mode::Stream, "Mode set to S."),
            b"B" => (Mode::Block, "Mode set to B."),
            b"C" => (Mode::Compressed, "Mode set to C."),
            b"Z" => return self.reply(504, "There is no deflate: the modes are S, B and C."),
            _ => return self.reply(501, "There is no such mode."),
        };
        if self.form.mode != mode && self.endpoint == Endpoint::Open {
            self.drop_endpoint();
        }
        self.form.mode = mode;
        self.reply(200, text);
    }

    /// PORT and EPRT: the client's own address alone, and no port of a service (RFC 2577, section 3).
    pub(super) fn active(&mut self, verb: Verb, argument: &[u8]) {
        if self.epsv_all {
            return self.reply(501, "After EPSV ALL there is EPSV only.");
        }
        let target = match verb {
            Verb::Port => address::parse_port(argument, self.peer.ip()),
            _ => address::parse_eprt(argument, self.peer.ip()),
        };
        match target {
            Ok(target) => {
                self.drop_endpoint();
                // The same address, and with it the scope of a link-local one, which no command can name.
                let mut address = self.peer;
                address.set_port(target.port());
                self.endpoint = Endpoint::Target(address);
                self.reply_parts(200, &[verb.row().name.as_bytes(), b" command successful."]);
            }
            Err(error) => self.address_refused(error),
        }
    }

    pub(super) fn passive(&mut self) {
        if self.epsv_all {
            return self.reply(501, "After EPSV ALL there is EPSV only.");
        }
        if self.peer_ip().is_ipv6() {
            return self.reply(501, "PASV is for IPv4; use EPSV.");
        }
        self.listen(Passive::Pasv);
    }

    pub(super) fn extended_passive(&mut self, argument: Option<&[u8]>) {
        let family = address::family(self.peer_ip());
        match argument {
            Some(all) if all.eq_ignore_ascii_case(b"ALL") => {
                self.epsv_all = true;
                return self.reply(200, "EPSV ALL ok.");
            }
            Some(digits) => match crate::wire::scan::decimal(digits) {
                Some(number) if number == u64::from(family) => {}
                Some(_) => return self.address_refused(AddressError::Family(family)),
                None => return self.reply(501, "EPSV takes 1, 2 or ALL."),
            },
            None => {}
        }
        self.listen(Passive::Epsv);
    }

    fn listen(&mut self, passive: Passive) {
        self.drop_endpoint();
        self.work = Work::Listening(passive);
        let ports = self.config.passive_ports.clone();
        self.actions.push_back(Action::Listen(Listen { local: self.local, ports }));
    }

    pub(super) fn listening(&mut self, result: Result<SocketAddr, NetworkError>) {
        let Work::Listening(passive) = self.work else {
            return;
        };
        self.work = Work::Ready;
        let address = match result {
            Ok(address) => address,
            Err(error) => {
                let text = alloc::format!("Cannot listen for a data connection: {error}.");
                return self.reply(425, text);
            }
        };
        self.endpoint = Endpoint::Listener;
        match (passive, address.ip().to_canonical()) {
            (Passive::Epsv, _) => {
                self.reply(229, alloc::format!("Entering Extended Passive Mode (|||{}|)", address.port()));
            }
            (Passive::Pasv, IpAddr::V4(own)) => {
                let mut text = b"Entering Passive Mode (".to_vec();
                address::print_port(self.config.public_ip.unwrap_or(own), address.port(), &mut text);
                text.extend_from_slice(b").");
                self.reply(227, text);
            }
            (Passive::Pasv, IpAddr::V6(_)) => {
                self.drop_endpoint();
                self.reply(501, "PASV is for IPv4; use EPSV.");
            }
        }
    }

    /// Forgets what was agreed on for the next data connection.
    pub(super) fn drop_endpoint(&mut self) {
        if self.endpoint != Endpoint::None {
            self.endpoint = Endpoint::None;
            self.actions.push_back(Action::Abandon);
        }
    }

    /// A transfer is refused before it begins: what was agreed on for it alone is forgotten, and an open data connection stays
    /// (RFC 959, section 5.2).
    pub(super) fn spare_endpoint(&mut self) {
        if self.endpoint != Endpoint::Open {
            self.drop_endpoint();
        }
    }

    fn address_refused(&mut self, error: AddressError) {
        self.reply(error.code(), alloc::format!("{error}"));
    }
}
