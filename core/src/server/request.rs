//! Questions of a server session to its host. A [`Request`] is carried out by [`Request::run`], which is the only way to get
//! an [`Answer`]: a wrong one cannot be made.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use super::listing::{Format, Listing};
use super::portion::Portion;
use crate::codec::AsciiCounter;
use crate::digest::{Algorithm, Digest, Order, Summing};
use crate::entry::{Entry, Kind};
use crate::host::{Access, Content, Directory, Host, HostError, LoginError, Store};
use crate::machine::Way;
use crate::path::VirtualPath;
use crate::time::Timestamp;
use crate::wire::line::escape_into;
use crate::wire::listing::write;
use crate::wire::new_facts::NewFacts;

/// The largest file whose SIZE is counted in TYPE A, in bytes; above it the answer is 550.
pub const ASCII_SIZE_LIMIT: u64 = 8 * 1024 * 1024;

/// Up to so many bytes, a digest is made as soon as the file is open; it takes no longer than other commands then.
pub const DIGEST_AT_ONCE: u64 = 256 * 1024;

/// The most entries that `STAT path` lists on the control connection.
pub const STATUS_ENTRIES: usize = 1000;

/// Something that only the host can do or tell.
#[derive(Debug)]
pub struct Request(pub(super) Task);

#[derive(Debug)]
pub(super) enum Task {
    Login {
        user: Bytes,
        password: Password,
    },
    Enter(VirtualPath),
    Entry(VirtualPath),
    Size {
        path: VirtualPath,
        ascii: bool,
    },
    Status {
        path: VirtualPath,
    },
    Retrieve {
        path: VirtualPath,
        offset: u64,
    },
    Store {
        path: VirtualPath,
        how: Store,
    },
    List {
        path: VirtualPath,
        format: Format,
        all: bool,
        patterns: bool,
    },
    MakeDirectory(VirtualPath),
    RemoveDirectory(VirtualPath),
    Remove(VirtualPath),
    Rename {
        from: VirtualPath,
        to: VirtualPath,
    },
    SetModified {
        path: VirtualPath,
        time: Timestamp,
    },
    SetMode {
        path: VirtualPath,
        mode: u32,
    },
    SetFacts {
        path: VirtualPath,
        facts: NewFacts,
    },
    Available(VirtualPath),
    /// Makes a digest of the first of these that is there, or opens it, where it is large.
    Digest {
        files: Vec<(VirtualPath, Portion)>,
        algorithm: Algorithm,
    },
}

/// A password, which never prints.
pub(super) struct Password(pub(super) Bytes);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// What a host said to a [`Request`].
#[derive(Debug)]
pub struct Answer(pub(super) Outcome);

#[derive(Debug)]
pub(super) enum Outcome {
    Login(Result<Access, LoginError>),
    Done(Result<(), HostError>),
    Entry(Result<Box<Entry>, HostError>),
    Number(Result<u64, HostError>),
    Status(Result<Status, HostError>),
    Opened(Result<Opened, HostError>),
}

#[derive(Debug)]
pub(super) struct Status {
    pub(super) is_directory: bool,
    pub(super) lines: Vec<u8>,
}

/// What a session has to know of content that was opened for it.
#[derive(Debug, Default)]
pub(super) struct Opened {
    /// How many bytes there are in all, where it is a file.
    pub(super) size: Option<u64>,
    /// The name that the host chose.
    pub(super) name: Option<Bytes>,
    /// Where in the file the writing begins.
    pub(super) offset: Option<u64>,
    /// Which of several files it is.
    pub(super) choice: usize,
    /// Its digest.
    pub(super) digest: Option<Summed>,
}

/// A digest, as far as it was made at once.
#[derive(Debug)]
pub(super) enum Summed {
    Whole(Digest),
    Begun(Box<Summing>),
}

/// What a server's data connection carries.
#[derive(Debug)]
pub enum ServerContent<H: Host> {
    /// A file.
    File(H::File),
    /// A listing.
    Listing(Box<Listing<H::Directory>>),
}

impl<H: Host> Content for ServerContent<H> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, HostError> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Listing(listing) => listing.read(buffer),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), HostError> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Listing(_) => Err(HostError::Unsupported),
        }
    }

    fn publish(&mut self) -> Result<(), HostError> {
        match self {
            Self::File(file) => file.publish(),
            Self::Listing(_) => Ok(()),
        }
    }
}

impl Request {
    /// Which way the bytes of the content go that it opens, if it opens any.
    pub fn way(&self) -> Option<Way> {
        match &self.0 {
            Task::Retrieve { .. } | Task::List { .. } => Some(Way::Send),
            Task::Store { .. } => Some(Way::Receive),
            _ => None,
        }
    }

    /// Whether it checks a password, which may take memory and time on purpose: not many at once, then.
    pub fn is_login(&self) -> bool {
        matches!(self.0, Task::Login { .. })
    }

    /// Carries it out. This may wait for a disk or a slow password hash. What is opened is to be put at the driver's data
    /// connection before the session gets the answer.
    pub fn run<H: Host>(self, host: &mut H) -> (Answer, Option<ServerContent<H>>) {
        let done = |result| (Outcome::Done(result), None);
        // A login runs on the stack of a thread that may rest for hours then, and that keeps each page it has touched: what takes much
        // of a frame is apart.
        let (outcome, content) = match self.0 {
            Task::Login { user, password } => (Outcome::Login(host.login(&user, &password.0)), None),
            Task::Enter(path) => done(host.enter(&path)),
            Task::Entry(path) => (Outcome::Entry(host.entry(&path).map(Box::new)), None),
            Task::Size { path, ascii } => (Outcome::Number(size(host, &path, ascii)), None),
            Task::Status { path } => (Outcome::Status(status(host, &path)), None),
            Task::Retrieve { path, offset } => match host.open(&path, offset) {
                Ok((file, attributes)) => {
                    let opened = Opened { size: Some(attributes.size), ..Opened::default() };
                    (Outcome::Opened(Ok(opened)), Some(ServerContent::File(file)))
                }
                Err(error) => (Outcome::Opened(Err(error)), None),
            },
            Task::Store { path, how } => match store(host, &path, how) {
                Ok((file, opened)) => (Outcome::Opened(Ok(opened)), Some(ServerContent::File(file))),
                Err(error) => (Outcome::Opened(Err(error)), None),
            },
            Task::List { path, format, all, patterns } => match list(host, &path, format, all, patterns) {
                Ok(listing) => {
                    (Outcome::Opened(Ok(Opened::default())), Some(ServerContent::Listing(Box::new(listing))))
                }
                Err(error) => (Outcome::Opened(Err(error)), None),
            },
            Task::MakeDirectory(path) => done(host.make_directory(&path)),
            Task::RemoveDirectory(path) => done(host.remove_directory(&path)),
            Task::Remove(path) => done(host.remove(&path)),
            Task::Rename { from, to } => done(host.rename(&from, &to)),
            Task::SetModified { path, time } => done(host.set_modified(&path, time)),
            Task::SetMode { path, mode } => done(host.set_mode(&path, mode)),
            Task::SetFacts { path, facts } => done(set_facts(host, &path, facts)),
            Task::Digest { files, algorithm } => match digest(host, &files, algorithm) {
                Ok((opened, file)) => (Outcome::Opened(Ok(opened)), file.map(ServerContent::File)),
                Err(error) => (Outcome::Opened(Err(error)), None),
            },
            Task::Available(path) => (Outcome::Number(host.available(&path)), None),
        };
        (Answer(outcome), content)
    }
}

#[inline(never)]
fn size<H: Host>(host: &H, path: &VirtualPath, ascii: bool) -> Result<u64, HostError> {
    let attributes = host.attributes(path)?.plain()?;
    if !ascii {
        return Ok(attributes.size);
    }
    if attributes.size > ASCII_SIZE_LIMIT {
        return Err(HostError::Unsupported);
    }
    let (mut file, _) = host.open(path, 0)?;
    let (mut counter, mut buffer) = (AsciiCounter::default(), alloc::vec![0; 64 * 1024]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(counter.count()),
            count => counter.add(&buffer[..count]),
        }
    }
}

#[inline(never)]
fn store<H: Host>(host: &H, path: &VirtualPath, how: Store) -> Result<(H::File, Opened), HostError> {
    let offset = match how {
        Store::At(offset) | Store::Over(offset) => Some(offset),
        // Where nothing is, the file begins.
        Store::Append => host.attributes(path).ok().map(|attributes| attributes.size),
        Store::Replace | Store::Unique => None,
    };
    host.store(path, how).map(|(file, name)| (file, Opened { name, offset, ..Opened::default() }))
}

/// Opens the first of several files that is there; where none is, it is the first that is told of. A small one is done with at once.
#[inline(never)]
fn digest<H: Host>(
    host: &H,
    files: &[(VirtualPath, Portion)],
    algorithm: Algorithm,
) -> Result<(Opened, Option<H::File>), HostError> {
    let mut first = None;
    for (choice, (path, portion)) in files.iter().enumerate() {
        match host.open(path, portion.offset) {
            Ok((_, attributes)) if portion.offset > 0 && portion.offset >= attributes.size => {
                return Err(HostError::Beyond);
            }
            Ok((mut file, _)) => {
                let order = Order { algorithm, length: portion.length, again: false };
                let digest = begin(order, &mut file)?;
                let begun = matches!(digest, Summed::Begun(_));
                return Ok((
                    Opened { choice, digest: Some(digest), ..Opened::default() },
                    Some(file).filter(|_| begun),
                ));
            }
            Err(error @ (HostError::NotFound | HostError::NotDirectory)) => first = first.or(Some(error)),
            Err(error) => return Err(first.unwrap_or(error)),
        }
    }
    Err(first.unwrap_or(HostError::NotFound))
}

/// Begins a digest, and ends it too where the file is small.
fn begin(order: Order, file: &mut impl Content) -> Result<Summed, HostError> {
    let (mut summing, mut read) = (Box::new(Summing::new(order)), 0);
    while read < DIGEST_AT_ONCE {
        let (count, digest) = summing.step(file)?;
        if let Some(digest) = digest {
            return Ok(Summed::Whole(digest));
        }
        read += count;
    }
    Ok(Summed::Begun(summing))
}

#[inline(never)]
fn set_facts<H: Host>(host: &H, path: &VirtualPath, facts: NewFacts) -> Result<(), HostError> {
    // The mode first: it may be what takes away the right to the other.
    facts.mode.map_or(Ok(()), |mode| host.set_mode(path, mode))?;
    facts.modified.map_or(Ok(()), |time| host.set_modified(path, time))
}

#[inline(never)]
fn list<H: Host>(
    host: &H,
    path: &VirtualPath,
    format: Format,
    all: bool,
    patterns: bool,
) -> Result<Listing<H::Directory>, HostError> {
    let now = host.now();
    match host.attributes(path) {
        Ok(attributes) if attributes.kind == Kind::Directory => {
            Ok(Listing::of_directory(host.open_directory(path)?, None, format.inside(), all, now))
        }
        Ok(_) if matches!(format, Format::Facts { .. }) => Err(HostError::NotDirectory),
        Ok(_) => Ok(Listing::of_entry(host.entry(path)?, format.beside(), now)),
        // A name that is there as it stands wins over the pattern that it looks like.
        Err(HostError::NotFound) if patterns && crate::pattern::is_pattern(path.name()) => {
            let pattern = Bytes::copy_from_slice(path.name());
            Ok(Listing::of_directory(host.open_directory(&path.parent())?, Some(pattern), format.beside(), all, now))
        }
        Err(error) => Err(error),
    }
}

#[inline(never)]
fn status<H: Host>(host: &H, path: &VirtualPath) -> Result<Status, HostError> {
    let now = host.now();
    let mut lines = Vec::new();
    if host.attributes(path)?.kind != Kind::Directory {
        print_status(&host.entry(path)?, now, &mut lines);
        return Ok(Status { is_directory: false, lines });
    }
    let mut directory = host.open_directory(path)?;
    for count in 0.. {
        let Some(name) = directory.next_name()? else {
            break;
        };
        if count == STATUS_ENTRIES {
            lines.extend_from_slice(b" (there are more; LIST shows all)\r\n");
            break;
        }
        if let Some(entry) = directory.entry(&name)? {
            print_status(&entry, now, &mut lines);
        }
    }
    Ok(Status { is_directory: true, lines })
}

fn print_status(entry: &Entry, now: Timestamp, lines: &mut Vec<u8>) {
    let mut line = Vec::new();
    write::print(entry, now, &mut line);
    lines.push(b' ');
    escape_into(&line, lines);
    lines.extend_from_slice(b"\r\n");
}
