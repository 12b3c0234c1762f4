//! Commands on one file: MKD RMD DELE RNFR RNTO (RFC 959), SIZE MDTM MLST (RFC 3659), MFMT, SITE CHMOD.

use bytes::Bytes;

use super::request::{Outcome, Task};
use super::{Note, Session, Then, about};
use crate::codec::{Mode, Representation, Structure};
use crate::entry::Kind;
use crate::host::{Access, HostError};
use crate::path::VirtualPath;
use crate::wire::new_facts::{NewFacts, octal_mode};
use crate::wire::scan::split_once;
use crate::wire::time_value;
use crate::wire::verb::Verb;

impl Session {
    /// A command whose argument is a path and nothing else.
    pub(super) fn on_file(&mut self, verb: Verb, name: Bytes) {
        let Ok(path) = self.path(&name, 550) else {
            return;
        };
        // It would be the number of bytes sent, and what a frame adds is not known before (RFC 3659, section 4).
        if verb == Verb::Size && (self.form.structure, self.form.mode) != (Structure::File, Mode::Stream) {
            return self.reply(550, "SIZE needs STRU F and MODE S.");
        }
        let task = match verb {
            Verb::Size => Task::Size { path: path.clone(), ascii: self.form.representation == Representation::Ascii },
            Verb::Mkd => Task::MakeDirectory(path.clone()),
            Verb::Rmd => Task::RemoveDirectory(path.clone()),
            Verb::Dele => Task::Remove(path.clone()),
            _ => Task::Entry(path.clone()),
        };
        if matches!(verb, Verb::Mkd | Verb::Rmd | Verb::Dele | Verb::Rnfr) && !self.may_change(&name, &path, 550) {
            return;
        }
        self.ask(task, Then::File(verb, name, path));
    }

    pub(super) fn rename_to(&mut self, from: Option<VirtualPath>, name: Bytes) {
        let Some(from) = from else {
            return self.reply(503, "Send RNFR first.");
        };
        let Ok(to) = self.path(&name, 553) else {
            return;
        };
        if self.may_change(&name, &to, 553) {
            self.ask(Task::Rename { from, to: to.clone() }, Then::File(Verb::Rnto, name, to));
        }
    }

    pub(super) fn set_modified(&mut self, argument: Bytes) {
        let Some((text, name)) = split_once(&argument, b' ').filter(|(_, name)| !name.is_empty()) else {
            return self.reply(501, "MFMT takes a time and a path.");
        };
        let Some(time) = time_value::parse(text) else {
            return self.reply(501, "The time has to be YYYYMMDDHHMMSS, in UTC.");
        };
        let Ok(path) = self.path(name, 550) else {
            return;
        };
        if self.may_change(name, &path, 550) {
            self.ask(Task::SetModified { path: path.clone(), time }, Then::File(Verb::Mfmt, argument, path));
        }
    }

    /// `MFF fact=value;... path`: all facts are looked at before one is set.
    pub(super) fn set_facts(&mut self, argument: Bytes) {
        let (facts, name) = match NewFacts::parse(&argument) {
            Ok(parsed) => parsed,
            Err(error) => return self.reply(error.code(), alloc::format!("{error}")),
        };
        let Ok(path) = self.path(name, 550) else {
            return;
        };
        if self.may_change(name, &path, 550) {
            self.ask(Task::SetFacts { path: path.clone(), facts }, Then::File(Verb::Mff, argument, path));
        }
    }

    /// The free space in a directory, the working directory if none is named.
    pub(super) fn available(&mut self, argument: Option<Bytes>) {
        let name = argument.unwrap_or_else(|| Bytes::from_static(b"."));
        if let Ok(path) = self.path(&name, 550) {
            self.ask(Task::Available(path.clone()), Then::File(Verb::Avbl, name, path));
        }
    }

    /// `SITE CHMOD octal path`
    pub(super) fn change_mode(&mut self, argument: &Bytes) {
        let parts = split_once(argument, b' ').filter(|(_, name)| !name.is_empty());
        let Some((mode, name)) = parts.and_then(|(digits, name)| Some((octal_mode(digits)?, name))) else {
            return self.reply(501, "SITE CHMOD takes an octal mode and a path.");
        };
        let Ok(path) = self.path(name, 550) else {
            return;
        };
        if self.may_change(name, &path, 550) {
            let name = argument.slice_ref(name);
            self.ask(Task::SetMode { path: path.clone(), mode }, Then::File(Verb::Site, name, path));
        }
    }

    /// Whether the user may change this path; where not, the reply is given.
    pub(super) fn may_change(&mut self, name: &[u8], path: &VirtualPath, code: u16) -> bool {
        let allowed = self.login.access() == Access::Write && !path.is_root();
        if !allowed {
            self.reply_parts(code, &about(name, &HostError::Denied.text()));
        }
        allowed
    }

    pub(super) fn file_answered(&mut self, verb: Verb, name: &Bytes, path: VirtualPath, outcome: Outcome) {
        let result = match outcome {
            Outcome::Done(result) => result,
            Outcome::Number(Ok(size)) => return self.reply(213, alloc::format!("{size}")),
            Outcome::Entry(Ok(entry)) => return self.described(verb, name, path, &entry),
            outcome @ Outcome::Status(_) => return self.status_told(name, outcome),
            Outcome::Number(Err(error)) | Outcome::Entry(Err(error)) => Err(error),
            Outcome::Login(_) | Outcome::Opened(_) => return,
        };
        if let Err(error) = result {
            // Where the path stands behind a time or facts, it alone is what went wrong.
            let name = match verb {
                Verb::Mfmt | Verb::Mff => split_once(name, b' ').map_or(&name[..], |(_, path)| path),
                _ => name,
            };
            let code = match (verb, error) {
                (Verb::Rnto, _) => 553,
                (_, HostError::Busy) => 450,
                _ => 550,
            };
            return self.reply_parts(code, &about(name, &error.text()));
        }
        self.note(Note::Changed { verb, path: path.clone() });
        match verb {
            Verb::Mkd => self.reply_path(&path, " created"),
            Verb::Rmd => self.reply(250, "Directory removed."),
            Verb::Dele => self.reply(250, "File removed."),
            Verb::Rnto => self.reply(250, "Renamed."),
            Verb::Mfmt => {
                let (time, name) = split_once(name, b' ').unwrap_or_default();
                self.reply_parts(213, &[b"Modify=", time, b"; ", name]);
            }
            Verb::Mff => self.reply_parts(213, &[name]),
            _ => self.reply(200, "Mode changed."),
        }
    }

    fn described(&mut self, verb: Verb, name: &[u8], path: VirtualPath, entry: &crate::entry::Entry) {
        match verb {
            Verb::Rnfr => {
                self.rename_from = Some(path);
                self.reply(350, "Send RNTO with the new name.");
            }
            Verb::Mdtm if entry.resolved().kind == Kind::File => {
                let mut time = alloc::vec::Vec::new();
                time_value::print(entry.resolved().modified, &mut time);
                self.reply(213, time);
            }
            Verb::Mdtm => self.reply_parts(550, &about(name, &HostError::NotPlain.text())),
            _ => {
                let mut line = b" ".to_vec();
                super::listing::print_mlst(entry, &path, self.facts, self.login.access(), &mut line);
                self.reply_lines(250, b"Facts:", &line, "End");
            }
        }
    }
}
