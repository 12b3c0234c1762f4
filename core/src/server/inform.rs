//! What the server tells of itself: FEAT and OPTS (RFC 2389), HELP, STAT, CLNT, LANG, and SITE.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::request::{Outcome, Status, Task};
use super::{Note, Session, Then, Tls, Work, about};
use crate::codec::{Mode, Representation, Structure};
use crate::digest::Algorithm;
use crate::host::Access;
use crate::wire::facts::FactSet;
use crate::wire::hash;
use crate::wire::scan::{split_once, word};
use crate::wire::site::{self, Site};
use crate::wire::verb::{Argument, Offer, Verb};

impl Session {
    pub(super) fn features(&mut self) {
        let mut lines = String::new();
        for verb in Verb::ALL {
            let Some(feature) = verb.row().feature.filter(|_| self.offers(*verb)) else {
                continue;
            };
            lines = lines + " " + feature;
            match verb {
                Verb::Mlst => lines = lines + " " + &self.facts.feature(),
                Verb::Hash => lines = lines + " " + &hash::feature(self.algorithm),
                _ => {}
            }
            lines += "\r\n";
        }
        self.reply_lines(211, b"Features:", lines.as_bytes(), "End");
    }

    /// Whether a command is more than a word here.
    fn offers(&self, verb: Verb) -> bool {
        let needs_tls = matches!(verb, Verb::Auth | Verb::Pbsz | Verb::Prot);
        verb.row().offer == Offer::Served && (self.config.tls != Tls::Off || !needs_tls)
    }

    pub(super) fn options(&mut self, argument: &[u8]) {
        let (name, options) = word(argument).unwrap_or_default();
        match name.to_ascii_uppercase().as_slice() {
            b"UTF8" | b"UTF-8" if !options.eq_ignore_ascii_case(b"OFF") => self.reply(200, "Names are UTF-8."),
            b"UTF8" | b"UTF-8" => self.reply(501, "Names are UTF-8 always."),
            b"MLST" => match FactSet::parse(options) {
                Ok(facts) => {
                    self.facts = facts;
                    let selected = facts.selected();
                    let text = if selected.is_empty() { "MLST OPTS" } else { "MLST OPTS " };
                    self.reply_parts(200, &[text.as_bytes(), selected.as_bytes()]);
                }
                Err(error) => self.reply(501, format!("{error}")),
            },
            b"HASH" => {
                let chosen = if options.is_empty() { Some(self.algorithm) } else { Algorithm::from_name(options) };
                match chosen {
                    Some(algorithm) => {
                        self.algorithm = algorithm;
                        self.reply(200, algorithm.name());
                    }
                    None => self.reply(501, "There is no such algorithm; FEAT lists them."),
                }
            }
            _ => self.reply(501, "There are options for HASH, MLST and UTF8 only."),
        }
    }

    pub(super) fn help(&mut self, topic: Option<&[u8]>) {
        let Some(topic) = topic else {
            let offered: Vec<_> = Verb::ALL.iter().filter(|verb| self.offers(**verb)).collect();
            let lines = offered.chunks(8).fold(String::new(), |lines, chunk| {
                chunk.iter().fold(lines, |line, verb| line + &format!(" {:<5}", verb.row().name)) + "\r\n"
            });
            return self.reply_lines(214, b"Commands:", lines.as_bytes(), "HELP and a command tells more.");
        };
        let verb = Verb::from_upper(&topic.to_ascii_uppercase());
        let is_offered = verb.is_some_and(|verb| self.offers(verb));
        match verb.map(Verb::row) {
            Some(row) if is_offered => {
                let argument = match row.argument {
                    Argument::None | Argument::Ignored => "",
                    Argument::OptionalWord | Argument::OptionalWords | Argument::OptionalText => " [argument]",
                    Argument::Word | Argument::Words | Argument::Text | Argument::EmptyText => " argument",
                };
                self.reply(214, format!("{}{argument}: {}", row.name, row.summary));
            }
            Some(row) => self.reply(214, format!("{} is not implemented.", row.name)),
            None => self.reply_parts(214, &about(topic, "No such command")),
        }
    }

    pub(super) fn client_name(&mut self, name: Bytes) {
        self.note(Note::Client(name));
        self.reply(200, "Noted.");
    }

    /// English is all there is (RFC 2640, section 4.1).
    pub(super) fn language(&mut self, tag: Option<&[u8]>) {
        let tag = tag.unwrap_or(b"en");
        let primary = tag.split(|&byte| byte == b'-').next().unwrap_or_default();
        let subtags_fit = tag
            .split(|&byte| byte == b'-')
            .all(|part| (1..=8).contains(&part.len()) && part.iter().all(u8::is_ascii_alphanumeric));
        if !subtags_fit || !primary.iter().all(u8::is_ascii_alphabetic) {
            self.reply(501, "That is no language tag.");
        } else if primary.eq_ignore_ascii_case(b"en") {
            self.reply(200, "Replies are in English.");
        } else {
            self.reply(504, "Replies are in English only.");
        }
    }

    pub(super) fn status(&mut self, argument: Option<Bytes>) {
        let Some(name) = argument else {
            return self.session_status();
        };
        if !self.login.is_in() {
            return self.reply(530, "Log in first, with USER and PASS.");
        }
        let (_, path) = split_options(&name);
        if let Ok(path) = self.path(path, 550) {
            self.ask(Task::Status { path: path.clone() }, Then::File(Verb::Stat, name, path));
        }
    }

    pub(super) fn status_told(&mut self, name: &[u8], outcome: Outcome) {
        match outcome {
            Outcome::Status(Ok(Status { is_directory, lines })) => {
                let mut headline = b"Status of ".to_vec();
                crate::wire::listing::write::print_name(name, &mut headline);
                let headline =
                    headline.iter().flat_map(|&byte| core::iter::repeat_n(byte, if byte == 0xff { 2 } else { 1 }));
                let headline: Vec<u8> = headline.collect();
                self.reply_lines(if is_directory { 212 } else { 213 }, &headline, &lines, "End");
            }
            Outcome::Status(Err(error)) => self.reply_parts(550, &about(name, &error.text())),
            _ => {}
        }
    }

    fn session_status(&mut self) {
        let mut lines = format!(" Connected from {}\r\n", self.peer_ip());
        match self.login.user() {
            Some(user) => {
                let access = if self.login.access() == Access::Write { "may change files" } else { "may read files" };
                let user = crate::wire::reply::Shown(user);
                lines += &format!(" Logged in as {user}, who {access}\r\n");
            }
            None => lines += " Not logged in\r\n",
        }
        let kind = match self.form.representation {
            Representation::Ascii => "ASCII",
            Representation::Ebcdic => "EBCDIC",
            Representation::Image => "Image",
        };
        let structure = match self.form.structure {
            Structure::File => "File",
            Structure::Record => "Record",
        };
        let mode = match self.form.mode {
            Mode::Stream => "Stream",
            Mode::Block => "Block",
            Mode::Compressed => "Compressed",
        };
        lines += &format!(" TYPE: {kind}, STRU: {structure}, MODE: {mode}\r\n");
        let protection = |is_on| if is_on { "protected by TLS" } else { "in clear" };
        let (control, data) = (protection(self.security.is_on), protection(self.security.is_private));
        lines += &format!(" Control connection {control}, data connections {data}\r\n");
        lines += &format!(" {}\r\n", self.endpoint);
        self.reply_lines(211, b"Status of this session:", lines.as_bytes(), "End");
    }

    /// STAT during a transfer (RFC 959, section 4.1.3).
    pub(super) fn transfer_status(&mut self) {
        if let Work::Transfer(transfer) = &self.work {
            let text = transfer.progress();
            self.reply(213, text);
        }
    }

    pub(super) fn site(&mut self, argument: Bytes) {
        match site::parse(&argument) {
            Some((Site::Chmod, rest)) => {
                let rest = argument.slice_ref(rest);
                self.change_mode(&rest);
            }
            Some((Site::Help, _)) => {
                let lines = site::TABLE.iter().fold(String::new(), |lines, row| {
                    lines + &format!(" {}{}: {}\r\n", row.name, row.argument, row.summary)
                });
                self.reply_lines(214, b"SITE commands:", lines.as_bytes(), "End");
            }
            None => self.reply(500, "There is no such SITE command; SITE HELP lists them."),
        }
    }
}

/// Splits `-la name` into the options' letters and the name; `--` ends the options.
pub(super) fn split_options(argument: &[u8]) -> (Vec<u8>, &[u8]) {
    let (mut letters, mut rest) = (Vec::new(), argument);
    while let Some(option) = rest.strip_prefix(b"-") {
        let (option, behind) = split_once(option, b' ').unwrap_or((option, b""));
        if option == b"-" {
            return (letters, behind);
        }
        if option.is_empty() || !option.iter().all(u8::is_ascii_alphanumeric) {
            break;
        }
        letters.extend_from_slice(option);
        rest = behind;
    }
    (letters, rest)
}
