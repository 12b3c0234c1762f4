//! What a session wants of the machine: a tree of files, and someone who knows the users. [`Host`] is the contract; an
//! embedder implements it over a disk, memory, or an object store.

use alloc::string::String;

use bytes::Bytes;
use thiserror::Error;

use crate::entry::{Attributes, Entry, Kind};
use crate::path::VirtualPath;
use crate::time::Timestamp;

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Look and download.
    Read,
    /// Change as well.
    Write,
}

/// Whether a name is one that anybody may use, where anybody may log in (RFC 1635).
pub fn is_anonymous(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"anonymous") || name.eq_ignore_ascii_case(b"ftp")
}

impl Attributes {
    /// These attributes, if they are those of a plain file.
    ///
    /// # Errors
    ///
    /// [`HostError::IsDirectory`] or [`HostError::NotPlain`].
    pub fn plain(self) -> Result<Self, HostError> {
        match self.kind {
            Kind::File => Ok(self),
            Kind::Directory => Err(HostError::IsDirectory),
            Kind::Link | Kind::Other => Err(HostError::NotPlain),
        }
    }
}

/// One session's view of the files. Each session has a host of its own, which keeps what a login brought: the user's home, say.
///
/// All calls but [`now`](Host::now) may take their time; an adapter keeps them off threads that must not wait.
pub trait Host {
    /// A file that is open for reading or for writing.
    type File: Content;
    /// A directory that is being read.
    type Directory: Directory;

    /// The date and time, against which listings decide how to show a date.
    fn now(&self) -> Timestamp;

    /// Checks a user and a password, and makes the user's home the root of what the later calls see. Unknown names are to
    /// take as long as wrong passwords (RFC 2577, section 7).
    ///
    /// # Errors
    ///
    /// The login is refused; [`LoginError`] has no more to say, so that names cannot be guessed.
    fn login(&mut self, user: &[u8], password: &[u8]) -> Result<Access, LoginError>;

    /// What is at `path`, links followed.
    ///
    /// # Errors
    ///
    /// See [`HostError`]; so for all calls below.
    fn attributes(&self, path: &VirtualPath) -> Result<Attributes, HostError>;

    /// What is at `path`, links not followed.
    ///
    /// # Errors
    ///
    /// Nothing is there, or it cannot be looked at.
    fn entry(&self, path: &VirtualPath) -> Result<Entry, HostError>;

    /// Looks whether `path` is a directory that may be gone into.
    ///
    /// # Errors
    ///
    /// [`HostError::NotDirectory`] among others.
    fn enter(&self, path: &VirtualPath) -> Result<(), HostError>;

    /// Opens a directory for reading.
    ///
    /// # Errors
    ///
    /// [`HostError::NotDirectory`] among others.
    fn open_directory(&self, path: &VirtualPath) -> Result<Self::Directory, HostError>;

    /// Opens a file for reading from `offset`, with what is known of it.
    ///
    /// # Errors
    ///
    /// [`HostError::Beyond`] where the file ends before the offset; [`HostError::IsDirectory`] for one.
    fn open(&self, path: &VirtualPath, offset: u64) -> Result<(Self::File, Attributes), HostError>;

    /// Opens a file for writing. Says under which name it will stand where that was left to the host.
    ///
    /// # Errors
    ///
    /// Nothing is changed then.
    fn store(&self, path: &VirtualPath, how: Store) -> Result<(Self::File, Option<Bytes>), HostError>;

    /// How many bytes the user could still store in a directory.
    ///
    /// # Errors
    ///
    /// [`HostError::NotDirectory`] among others.
    fn available(&self, path: &VirtualPath) -> Result<u64, HostError>;

    /// Makes a directory.
    ///
    /// # Errors
    ///
    /// [`HostError::Exists`] among others.
    fn make_directory(&self, path: &VirtualPath) -> Result<(), HostError>;

    /// Removes an empty directory.
    ///
    /// # Errors
    ///
    /// [`HostError::NotEmpty`] among others.
    fn remove_directory(&self, path: &VirtualPath) -> Result<(), HostError>;

    /// Removes what is no directory.
    ///
    /// # Errors
    ///
    /// [`HostError::IsDirectory`] among others.
    fn remove(&self, path: &VirtualPath) -> Result<(), HostError>;

    /// Gives a file another name, in place of a file of that name, never of a directory.
    ///
    /// # Errors
    ///
    /// Nothing is changed then.
    fn rename(&self, from: &VirtualPath, to: &VirtualPath) -> Result<(), HostError>;

    /// Sets when the content last changed.
    ///
    /// # Errors
    ///
    /// See [`HostError`].
    fn set_modified(&self, path: &VirtualPath, time: Timestamp) -> Result<(), HostError>;

    /// Sets the permission bits: 0 to 0o7777.
    ///
    /// # Errors
    ///
    /// See [`HostError`].
    fn set_mode(&self, path: &VirtualPath, mode: u32) -> Result<(), HostError>;
}

/// How a file is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// As a whole, in place of what is there.
    Replace,
    /// Cut at this offset, and written on from there; [`HostError::Beyond`] where the file ends before it.
    At(u64),
    /// Over what is there, from this offset on, and what is behind stays; [`HostError::Beyond`] likewise.
    Over(u64),
    /// Behind what is there; made where nothing is.
    Append,
    /// Under a name that is not in use, made from the path's.
    Unique,
}

/// Content at one end of a data connection: an open file, a listing, a buffer.
pub trait Content {
    /// Puts the next bytes into `buffer` and says how many; zero at the end.
    ///
    /// # Errors
    ///
    /// The transfer ends with it.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, HostError>;

    /// Takes all of `bytes`.
    ///
    /// # Errors
    ///
    /// The transfer ends with it; [`HostError::NoSpace`] where the disk is full.
    fn write(&mut self, bytes: &[u8]) -> Result<(), HostError>;

    /// All bytes came: lets them stand under their name. What is dropped without this leaves the file of that name as it
    /// was, where it was opened with [`Store::Replace`].
    ///
    /// # Errors
    ///
    /// The bytes are not where they belong.
    fn publish(&mut self) -> Result<(), HostError>;

    /// Goes back to the start, so that all that was read, or written, can be read (again). No server needs this.
    ///
    /// # Errors
    ///
    /// [`HostError::Unsupported`] where nothing is kept that could be read.
    fn rewind(&mut self) -> Result<(), HostError> {
        Err(HostError::Unsupported)
    }
}

/// A directory that is being read, entry by entry, without `.` and `..`.
pub trait Directory {
    /// The next name, `None` at the end.
    ///
    /// # Errors
    ///
    /// The listing ends with it.
    fn next_name(&mut self) -> Result<Option<Bytes>, HostError>;

    /// What stands under a name that [`next_name`](Self::next_name) gave; `None` where it is gone meanwhile.
    ///
    /// # Errors
    ///
    /// The listing ends with it.
    fn entry(&mut self, name: &Bytes) -> Result<Option<Entry>, HostError>;
}

/// The user or the password is wrong, or may not log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("Login incorrect.")]
pub struct LoginError;

/// Why a host did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HostError {
    /// There is nothing of that name.
    #[error("No such file or directory")]
    NotFound,
    /// The operating system, or the host's own rules, forbid it.
    #[error("Permission denied")]
    Denied,
    /// There is something of that name.
    #[error("Already exists")]
    Exists,
    /// A file was wanted.
    #[error("Is a directory")]
    IsDirectory,
    /// A directory was wanted.
    #[error("Not a directory")]
    NotDirectory,
    /// The directory holds something.
    #[error("Directory not empty")]
    NotEmpty,
    /// Neither a file nor a directory.
    #[error("Not a plain file")]
    NotPlain,
    /// The name cannot be a file's.
    #[error("Not a possible file name")]
    BadName,
    /// The file ends before the offset.
    #[error("The file ends before that offset")]
    Beyond,
    /// The disk or the quota is full.
    #[error("No space left")]
    NoSpace,
    /// Too much is open, or something is in use; later it may work.
    #[error("Busy, try again later")]
    Busy,
    /// This host has no such thing.
    #[error("Not supported here")]
    Unsupported,
    /// A fault of the disk, or one that has no name here.
    #[error("Input/output error")]
    Failed,
}

impl HostError {
    /// The error as text.
    pub fn text(self) -> String {
        alloc::format!("{self}")
    }
}
