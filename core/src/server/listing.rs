//! LIST, NLST and MLSD as content of a data connection: one entry, one line, written as it is read.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::entry::Entry;
use crate::host::{Access, Content, Directory, HostError};
use crate::pattern;
use crate::time::Timestamp;
use crate::wire::facts::{self, FactSet};
use crate::wire::line::escape_into;
use crate::wire::listing::write;

/// Directories of up to so many names are listed in order; larger ones as the host gives them, so that none is held in
/// memory.
pub const SORTED_NAMES: usize = 1000;

/// What the lines of a listing look like.
#[derive(Clone, Debug)]
pub(crate) enum Format {
    /// LIST
    Long,
    /// NLST: each name behind a prefix, so that it works as the argument of RETR (RFC 1123, section 4.1.2.7). The prefix
    /// begins as the client's own argument.
    Names { prefix: Bytes },
    /// MLSD
    Facts { set: FactSet, access: Access },
}

impl Format {
    /// The format where the argument is a directory, whose entries are listed.
    pub(super) fn inside(self) -> Self {
        match self {
            Self::Names { prefix } if !prefix.is_empty() && !prefix.ends_with(b"/") => {
                Self::Names { prefix: [&prefix, &b"/"[..]].concat().into() }
            }
            other => other,
        }
    }

    /// The format where the argument is a file, or a pattern for files, in the directory that stands before it.
    pub(super) fn beside(self) -> Self {
        match self {
            Self::Names { prefix } => {
                let end = prefix.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
                Self::Names { prefix: prefix.slice(..end) }
            }
            other => other,
        }
    }
}

/// A listing that is being written.
#[derive(Debug)]
pub struct Listing<D> {
    source: Source<D>,
    pattern: Option<Bytes>,
    format: Format,
    all: bool,
    now: Timestamp,
    text: Vec<u8>,
    sent: usize,
}

#[derive(Debug)]
enum Source<D> {
    Entry(Option<Box<Entry>>),
    Directory { directory: D, names: VecDeque<Bytes>, begun: bool },
}

impl<D: Directory> Listing<D> {
    pub(super) fn of_directory(
        directory: D,
        pattern: Option<Bytes>,
        format: Format,
        all: bool,
        now: Timestamp,
    ) -> Self {
        let source = Source::Directory { directory, names: VecDeque::new(), begun: false };
        Self { source, pattern, format, all, now, text: Vec::new(), sent: 0 }
    }

    pub(super) fn of_entry(entry: Entry, format: Format, now: Timestamp) -> Self {
        let source = Source::Entry(Some(Box::new(entry)));
        Self { source, pattern: None, format, all: true, now, text: Vec::new(), sent: 0 }
    }

    /// Writes the next line that there is, if any is left.
    fn next_line(&mut self) -> Result<bool, HostError> {
        let Source::Directory { directory, names, begun } = &mut self.source else {
            let Source::Entry(entry) = &mut self.source else { return Ok(false) };
            let entry = entry.take();
            entry.iter().for_each(|entry| print(entry, &self.format, self.now, &mut self.text));
            return Ok(entry.is_some());
        };
        if !*begun {
            *begun = true;
            while names.len() < SORTED_NAMES
                && let Some(name) = directory.next_name()?
            {
                names.push_back(name);
            }
            if names.len() < SORTED_NAMES {
                names.make_contiguous().sort_unstable();
            }
        }
        let name = match names.pop_front() {
            Some(name) => name,
            None => match directory.next_name()? {
                Some(name) => name,
                None => return Ok(false),
            },
        };
        if !is_shown(&name, self.pattern.as_ref(), &self.format, self.all) {
            return Ok(true);
        }
        // Names alone need no look at the files.
        if let Format::Names { prefix } = &self.format {
            print_name(prefix, &name, &mut self.text);
        } else if let Some(entry) = directory.entry(&name)? {
            print(&entry, &self.format, self.now, &mut self.text);
        }
        Ok(true)
    }
}

impl<D: Directory> Content for Listing<D> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, HostError> {
        if self.sent == self.text.len() {
            self.text.clear();
            self.sent = 0;
            while self.text.len() < buffer.len() && self.next_line()? {}
        }
        let count = buffer.len().min(self.text.len() - self.sent);
        buffer[..count].copy_from_slice(&self.text[self.sent..self.sent + count]);
        self.sent += count;
        Ok(count)
    }

    fn write(&mut self, _bytes: &[u8]) -> Result<(), HostError> {
        Err(HostError::Unsupported)
    }

    fn publish(&mut self) -> Result<(), HostError> {
        Ok(())
    }
}

fn is_shown(name: &[u8], pattern: Option<&Bytes>, format: &Format, all: bool) -> bool {
    let hidden = name.starts_with(b".");
    match (pattern, format) {
        (Some(pattern), _) => pattern::matches(pattern, name) && (!hidden || all || pattern.starts_with(b".")),
        // For programs, which want to know of everything (RFC 3659, section 7).
        (None, Format::Facts { .. }) => true,
        (None, _) => all || !hidden,
    }
}

fn print(entry: &Entry, format: &Format, now: Timestamp, out: &mut Vec<u8>) {
    match format {
        Format::Long => {
            write::print(entry, now, out);
            out.extend_from_slice(b"\r\n");
        }
        Format::Names { prefix } => print_name(prefix, &entry.name, out),
        Format::Facts { set, access } if entry.is_sendable() => {
            facts::print(entry, *access, false, *set, out);
            out.extend_from_slice(&entry.name);
            out.extend_from_slice(b"\r\n");
        }
        Format::Facts { .. } => {}
    }
}

/// A name that cannot be sent back is left out.
fn print_name(prefix: &[u8], name: &[u8], out: &mut Vec<u8>) {
    if crate::wire::command::is_sendable(name) {
        out.extend_from_slice(prefix);
        out.extend_from_slice(name);
        out.extend_from_slice(b"\r\n");
    }
}

/// The entry of MLST, its path whole (RFC 3659, section 7.3).
pub(super) fn print_mlst(
    entry: &Entry,
    path: &crate::path::VirtualPath,
    set: FactSet,
    access: Access,
    out: &mut Vec<u8>,
) {
    let mut told = Vec::new();
    facts::print(entry, access, path.is_root(), set, &mut told);
    escape_into(&told, out);
    escape_into(path.as_bytes(), out);
    out.extend_from_slice(b"\r\n");
}
