//! What the protocol says of a file: kind, size, dates, mode.

use alloc::string::String;
use core::fmt;

use bytes::Bytes;

use crate::time::Timestamp;

/// What stands under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file with content.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, not followed.
    Link,
    /// A device, a socket, a pipe.
    Other,
}

/// Whom a file belongs to, as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The number alone.
    Id(u32),
    /// A name, without blanks.
    Name(String),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => f.pad(itoa(*id, &mut [0; 10])),
            Self::Name(name) => f.pad(name),
        }
    }
}

/// Decimal digits without an allocation; listings write two of them for each file.
fn itoa(mut value: u32, digits: &mut [u8; 10]) -> &str {
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            return core::str::from_utf8(&digits[start..]).unwrap_or_default();
        }
    }
}

/// What a host tells of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// What it is.
    pub kind: Kind,
    /// Its length in bytes.
    pub size: u64,
    /// When its content last changed.
    pub modified: Timestamp,
    /// The mode bits of POSIX's `st_mode`, with the file type in the high ones.
    pub mode: u32,
    /// How many names it has.
    pub links: u64,
    /// Whose it is.
    pub owner: Owner,
    /// Which group's it is.
    pub group: Owner,
    /// Device and inode, or whatever else tells this file from all others.
    pub unique: (u64, u64),
}

/// A file in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, without a directory.
    pub name: Bytes,
    /// What the host tells of the name itself: of the link, where it is one.
    pub attributes: Attributes,
    /// Where it leads, for a symbolic link.
    pub link: Option<Link>,
}

/// A symbolic link's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The path as the link has it.
    pub text: Bytes,
    /// What is there, unless the link dangles or leads out of the served tree.
    pub target: Option<Attributes>,
}

impl Entry {
    /// What is there once links are followed: the link itself where it leads nowhere.
    pub fn resolved(&self) -> &Attributes {
        self.link.as_ref().and_then(|link| link.target.as_ref()).unwrap_or(&self.attributes)
    }

    /// Whether the name can be sent, and sent back: it holds no CR, LF or NUL.
    pub fn is_sendable(&self) -> bool {
        crate::wire::command::is_sendable(&self.name)
    }
}
