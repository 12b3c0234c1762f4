//! CWD, CDUP, PWD (RFC 959, section 4.1.1).

use bytes::Bytes;

use super::request::Task;
use super::{Session, Then, about};
use crate::host::HostError;
use crate::path::{PathError, VirtualPath};
use crate::wire::line::escape_into;
use crate::wire::quoted;

impl Session {
    /// Without an argument: home, which is what some clients mean by it.
    pub(super) fn change_directory(&mut self, argument: Option<Bytes>) {
        let path = match argument {
            None => Ok(VirtualPath::root()),
            Some(name) => self.path(&name, 550),
        };
        if let Ok(path) = path {
            self.ask(Task::Enter(path.clone()), Then::Enter(path));
        }
    }

    pub(super) fn entered(&mut self, path: VirtualPath, result: Result<(), HostError>) {
        match result {
            Ok(()) => {
                self.reply_parts(250, &[b"Directory is now ", path.as_bytes()]);
                self.cwd = path;
            }
            Err(error) => self.reply_parts(550, &about(path.as_bytes(), &error.text())),
        }
    }

    pub(super) fn print_directory(&mut self) {
        let path = self.cwd.clone();
        self.reply_path(&path, " is the current directory");
    }

    /// A 257: the path whole, as it is to be sent back.
    pub(super) fn reply_path(&mut self, path: &VirtualPath, text: &str) {
        let mut name = alloc::vec::Vec::new();
        quoted::print(path.as_bytes(), &mut name);
        let start = self.begin_reply();
        let out = self.out.end();
        out.extend_from_slice(b"257 ");
        escape_into(&name, out);
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(b"\r\n");
        self.end_reply(start);
    }

    /// The path that an argument names; where it names none, the reply is given.
    pub(super) fn path(&mut self, name: &[u8], code: u16) -> Result<VirtualPath, PathError> {
        self.cwd.join(name).inspect_err(|error| self.reply_parts(code, &[alloc::format!("{error}.").as_bytes()]))
    }
}
