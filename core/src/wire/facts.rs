//! MLST and MLSD entries, and the choice of facts by OPTS MLST (RFC 3659, section 7).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use thiserror::Error;

use super::scan::{decimal, push_decimal, split_once};
use super::time_value;
use crate::entry::{Attributes, Entry, Kind, Owner};
use crate::host::Access;
use crate::time::Timestamp;

macro_rules! facts {
    ($($fact:ident $name:literal $default:literal)*) => {
        /// A fact that this server can tell.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Fact {
            $(#[doc = concat!("`", $name, "`")] $fact,)*
        }

        impl Fact {
            /// Every fact, in the order in which they are sent.
            pub const ALL: &[Self] = &[$(Self::$fact),*];

            /// The name, in the server's spelling.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$fact => $name,)* }
            }

            const fn is_default(self) -> bool {
                match self { $(Self::$fact => $default,)* }
            }
        }
    };
}

facts! {
    Type "type" true
    Size "size" true
    Modify "modify" true
    Perm "perm" true
    Unique "unique" true
    UnixMode "UNIX.mode" true
    UnixOwner "UNIX.owner" false
    UnixGroup "UNIX.group" false
    UnixUid "UNIX.uid" false
    UnixGid "UNIX.gid" false
}

/// The facts that a session shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactSet(u16);

/// The argument of OPTS MLST is not in the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("Facts are names, each with a semicolon behind it, and no blanks.")]
pub struct FactSyntax;

impl Default for FactSet {
    fn default() -> Self {
        Fact::ALL.iter().filter(|fact| fact.is_default()).fold(Self::none(), |set, fact| set.with(*fact))
    }
}

impl FactSet {
    /// No fact: names alone.
    pub const fn none() -> Self {
        Self(0)
    }

    /// This set and one more.
    #[must_use]
    pub const fn with(self, fact: Fact) -> Self {
        Self(self.0 | 1 << fact as u8)
    }

    /// Whether the fact is shown.
    pub const fn has(self, fact: Fact) -> bool {
        self.0 & (1 << fact as u8) != 0
    }

    /// Reads the argument of OPTS MLST; facts that are not known are left out (RFC 3659, section 7.9).
    ///
    /// # Errors
    ///
    /// A blank or an empty fact.
    pub fn parse(argument: &[u8]) -> Result<Self, FactSyntax> {
        if argument.is_empty() {
            return Ok(Self::none());
        }
        let mut set = Self::none();
        for name in argument.strip_suffix(b";").unwrap_or(argument).split(|&byte| byte == b';') {
            if name.is_empty() || name.contains(&b' ') {
                return Err(FactSyntax);
            }
            let known = Fact::ALL.iter().find(|fact| fact.name().as_bytes().eq_ignore_ascii_case(name));
            set = known.map_or(set, |fact| set.with(*fact));
        }
        Ok(set)
    }

    /// The list as OPTS MLST answers it: `type;size;`.
    pub fn selected(self) -> String {
        Fact::ALL.iter().filter(|fact| self.has(**fact)).fold(String::new(), |list, fact| list + fact.name() + ";")
    }

    /// The list as FEAT shows it: every fact, those in force with a star (RFC 3659, section 7.8).
    pub fn feature(self) -> String {
        let star = |fact: &Fact| if self.has(*fact) { "*;" } else { ";" };
        Fact::ALL.iter().fold(String::new(), |list, fact| list + fact.name() + star(fact))
    }
}

/// Puts the facts of an entry behind `out`, and the SP that parts them from the name.
pub fn print(entry: &Entry, access: Access, is_root: bool, facts: FactSet, out: &mut Vec<u8>) {
    let attributes = entry.resolved();
    let dangling = entry.link.as_ref().filter(|link| link.target.is_none());
    for &fact in Fact::ALL.iter().filter(|fact| facts.has(**fact)) {
        let start = out.len();
        out.extend_from_slice(fact.name().as_bytes());
        out.push(b'=');
        let told = match (fact, attributes.kind) {
            (Fact::Type, Kind::File) => push(out, b"file"),
            (Fact::Type, Kind::Directory) => push(out, b"dir"),
            (Fact::Type, Kind::Link) => match dangling {
                Some(link) if !link.text.iter().any(|byte| matches!(byte, b';' | 0..=b' ')) => {
                    push(out, b"OS.unix=slink:") && push(out, &link.text)
                }
                _ => push(out, b"OS.unix=slink"),
            },
            (Fact::Type, Kind::Other) => push(out, other_type(attributes.mode)),
            (Fact::Size, Kind::File) => {
                push_decimal(attributes.size, 0, out);
                true
            }
            (Fact::Size, _) => false,
            (Fact::Modify, _) => {
                time_value::print(attributes.modified, out);
                true
            }
            (Fact::Perm, _) => {
                permissions(attributes, access, is_root, out);
                true
            }
            (Fact::Unique, _) => {
                let (device, inode) = attributes.unique;
                show(out, format_args!("{device:x}g{inode:x}"))
            }
            (Fact::UnixMode, _) => show(out, format_args!("{:04o}", attributes.mode & 0o7777)),
            (Fact::UnixOwner, _) => show_owner(out, &attributes.owner),
            (Fact::UnixGroup, _) => show_owner(out, &attributes.group),
            (Fact::UnixUid, _) => show_id(out, &attributes.owner),
            (Fact::UnixGid, _) => show_id(out, &attributes.group),
        };
        if told {
            out.push(b';');
        } else {
            out.truncate(start);
        }
    }
    out.push(b' ');
}

/// Puts what the account may do with a file behind `out`: the `perm` fact (RFC 3659, section 7.5.5). What no bit of the mode allows to
/// anybody is not told of; whether a file can be removed or renamed is up to its directory.
fn permissions(attributes: &Attributes, access: Access, is_root: bool, out: &mut Vec<u8>) {
    let writes = access == Access::Write;
    let (may_read, may_write, may_enter) =
        (attributes.mode & 0o444 != 0, writes && attributes.mode & 0o222 != 0, attributes.mode & 0o111 != 0);
    let is_directory = attributes.kind == Kind::Directory;
    let is_file = attributes.kind == Kind::File;
    let letters = [
        (b'a', is_file && may_write),
        (b'd', writes && !is_root),
        (b'f', writes && !is_root),
        (b'e', is_directory && may_enter),
        (b'l', is_directory && may_read),
        (b'c', is_directory && may_write),
        (b'm', is_directory && may_write),
        (b'p', is_directory && may_write),
        (b'r', is_file && may_read),
        (b'w', is_file && may_write),
    ];
    out.extend(letters.iter().filter(|(_, told)| *told).map(|(letter, _)| *letter));
}

fn other_type(mode: u32) -> &'static [u8] {
    match mode & 0o170_000 {
        0o020_000 => b"OS.unix=chr",
        0o060_000 => b"OS.unix=blk",
        0o010_000 => b"OS.unix=fifo",
        0o140_000 => b"OS.unix=socket",
        _ => b"OS.unix=other",
    }
}

fn push(out: &mut Vec<u8>, text: &[u8]) -> bool {
    out.extend_from_slice(text);
    true
}

fn show(out: &mut Vec<u8>, text: core::fmt::Arguments<'_>) -> bool {
    let mut buffer = String::new();
    buffer.write_fmt(text).is_ok() && push(out, buffer.as_bytes())
}

fn show_owner(out: &mut Vec<u8>, owner: &Owner) -> bool {
    match owner {
        // A blank or a semicolon would end the fact.
        Owner::Name(name) if name.contains([' ', ';']) => false,
        _ => show(out, format_args!("{owner}")),
    }
}

fn show_id(out: &mut Vec<u8>, owner: &Owner) -> bool {
    matches!(owner, Owner::Id(_)) && show_owner(out, owner)
}

/// What an entry is, as another server's MLSD tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListedKind {
    /// `type=file`
    File,
    /// `type=dir`
    Directory,
    /// `type=cdir`: the directory that is listed.
    Current,
    /// `type=pdir`: its parent.
    Parent,
    /// `type=OS.unix=slink:…` or `symlink`
    Link,
    /// Another type.
    Other,
    /// No `type` fact.
    Unknown,
}

/// A line of MLSD, or of MLST without its leading blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactLine<'a> {
    /// What it is.
    pub kind: ListedKind,
    /// The facts: names in lower case, values as they were sent.
    pub facts: Vec<(Vec<u8>, &'a [u8])>,
    /// The name: all that follows the first SP.
    pub name: &'a [u8],
}

impl<'a> FactLine<'a> {
    /// Reads a line without its end. Facts without a final `;` and parts without `=` are tolerated.
    ///
    /// ```
    /// use longshore_core::wire::facts::{FactLine, ListedKind};
    ///
    /// let line = FactLine::parse(b"Type=file;Size=3; a; b=c.txt").unwrap();
    /// assert_eq!((line.kind, line.size(), line.name), (ListedKind::File, Some(3), b"a; b=c.txt".as_ref()));
    /// ```
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let (head, name) = split_once(line, b' ')?;
        if name.is_empty() {
            return None;
        }
        let facts: Vec<_> = head
            .split(|&byte| byte == b';')
            .filter_map(|fact| split_once(fact, b'='))
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
        let mut line = Self { kind: ListedKind::Unknown, facts, name };
        line.kind = line.fact(b"type").map_or(ListedKind::Unknown, kind_of);
        Some(line)
    }

    /// The value of a fact, by its name in lower case.
    pub fn fact(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.facts.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// The `size` fact.
    pub fn size(&self) -> Option<u64> {
        decimal(self.fact(b"size")?)
    }

    /// The `modify` fact.
    pub fn modified(&self) -> Option<Timestamp> {
        time_value::parse(self.fact(b"modify")?)
    }
}

fn kind_of(value: &[u8]) -> ListedKind {
    let value = value.to_ascii_lowercase();
    match &value[..] {
        b"file" => ListedKind::File,
        b"dir" => ListedKind::Directory,
        b"cdir" => ListedKind::Current,
        b"pdir" => ListedKind::Parent,
        link if link.starts_with(b"os.unix=slink") || link.starts_with(b"os.unix=symlink") => ListedKind::Link,
        _ => ListedKind::Other,
    }
}
