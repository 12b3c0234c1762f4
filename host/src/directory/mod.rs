//! A directory on a disk as a [`Host`]: nothing outside it can be reached, neither by `..` nor by a link, nor by a race
//! between a check and its use.
//!
//! Every path is opened below a handle of the root, by cap-std, which lets the kernel follow it (`openat2` with
//! `RESOLVE_BENEATH` where there is one). A name in a directory that is open already is used with that handle, and never
//! holds a slash.
//!
//! | file | what |
//! |---|---|
//! | `error.rs` | the operating system's errors as [`HostError`]s |
//! | `facts.rs` | what `stat` tells, as [`Attributes`] |
//! | `file.rs` | open files, and uploads that appear when they are whole |
//! | `reader.rs` | directories entry by entry |
//! | `sweep.rs` | parts of broken uploads, and their end |

mod error;
mod facts;
mod file;
mod reader;
mod sweep;

use std::ffi::OsStr;
use std::io::{Seek, SeekFrom};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt, Permissions, PermissionsExt};
use longshore_core::entry::{Attributes, Entry, Kind, Link};
use longshore_core::host::{Access, Host, HostError, LoginError, Store};
use longshore_core::part;
use longshore_core::path::VirtualPath;
use longshore_core::time::Timestamp;
use rustix::fs::{AtFlags, OFlags};

pub(crate) use self::error::host_error;
use self::facts::attributes_of;
pub use self::file::DiskFile;
pub(crate) use self::file::random;
pub use self::reader::DiskDirectory;
use self::sweep::Sweeper;
use crate::accounts::Accounts;
use crate::settings::SettingsError;

/// When an upload appears under its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Uploads {
    /// When it is whole.
    #[default]
    Atomic,
    /// At once: it is written in place.
    Direct,
}

/// What all sessions of a server share: the root, the accounts, and how uploads appear.
#[derive(Debug)]
pub struct Tree {
    root: Arc<Dir>,
    accounts: RwLock<Arc<Accounts>>,
    uploads: Uploads,
    sweeper: Sweeper,
}

impl Tree {
    /// Opens the directory that is to be served.
    ///
    /// # Errors
    ///
    /// It is none, or cannot be opened.
    pub fn open(root: &Path, accounts: Accounts, uploads: Uploads) -> std::io::Result<Self> {
        let root = Arc::new(Dir::open_ambient_dir(root, ambient_authority())?);
        Ok(Self { root, accounts: RwLock::new(Arc::new(accounts)), uploads, sweeper: Sweeper::default() })
    }

    fn accounts(&self) -> Arc<Accounts> {
        Arc::clone(&self.accounts.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts other accounts in place of those at hand, for logins from now on.
    pub fn set_accounts(&self, accounts: Accounts) {
        *self.accounts.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(accounts);
    }

    /// Looks whether the homes of all users are there.
    ///
    /// # Errors
    ///
    /// One is not, or is no directory below the root.
    pub fn check_homes(&self, accounts: &Accounts) -> Result<(), SettingsError> {
        accounts.homes().try_for_each(|(user, home)| {
            self.check_home(home).map_err(|error| SettingsError::Home {
                user: String::from_utf8_lossy(user).into_owned(),
                home: home.to_owned(),
                error,
            })
        })
    }

    /// Looks whether a user's home is there.
    ///
    /// # Errors
    ///
    /// It is not, or is no directory below the root.
    pub fn check_home(&self, home: &str) -> std::io::Result<()> {
        self.root.open_dir(home).map(drop)
    }
}

/// One session's view of a [`Tree`].
#[derive(Clone, Debug)]
pub struct DiskHost {
    tree: Arc<Tree>,
    /// The root, or the home that a login brought.
    home: Arc<Dir>,
}

impl DiskHost {
    /// A view for a session in which nobody has logged in.
    pub fn new(tree: Arc<Tree>) -> Self {
        let home = tree.root.clone();
        Self { tree, home }
    }

    /// The directory that holds `path`, and the last part of `path`.
    fn parent(&self, path: &VirtualPath) -> Result<(Dir, Bytes), HostError> {
        if path.is_root() {
            return Err(HostError::IsDirectory);
        }
        let parent = self.home.open_dir(relative(&path.parent())).map_err(|error| host_error(&error))?;
        Ok((parent, Bytes::copy_from_slice(path.name())))
    }

    fn open_with(&self, path: &VirtualPath, options: &mut OpenOptions) -> Result<std::fs::File, HostError> {
        // Without waiting, should it be a pipe that nobody has opened.
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
        let file = self.home.open_with(relative(path), options.custom_flags(flags));
        Ok(file.map_err(|error| host_error(&error))?.into_std())
    }

    /// Writes on in a file that is there, or is made: what the client asked for, whatever becomes of it.
    fn store_in_place(&self, path: &VirtualPath, how: Store) -> Result<DiskFile, HostError> {
        let mut options = OpenOptions::new();
        // With O_APPEND two clients that append do not overwrite each other.
        options
            .write(true)
            .append(how == Store::Append)
            .create(how != Store::Replace || self.tree.uploads == Uploads::Direct);
        if matches!(how, Store::At(offset) | Store::Over(offset) if offset > 0) {
            options.create(false);
        }
        let mut file = self.open_with(path, &mut options)?;
        let size = plain(&file)?.size;
        let at = match how {
            Store::Append => size,
            Store::At(offset) | Store::Over(offset) if offset > size => return Err(HostError::Beyond),
            Store::At(offset) | Store::Over(offset) => offset,
            Store::Replace | Store::Unique => 0,
        };
        if at < size && !matches!(how, Store::Over(_)) {
            file.set_len(at).map_err(|error| host_error(&error))?;
        }
        file.seek(SeekFrom::Start(at)).map_err(|error| host_error(&error))?;
        Ok(DiskFile::in_place(file))
    }

    /// Writes a part beside the file, to be renamed over it.
    fn store_beside(&self, path: &VirtualPath) -> Result<DiskFile, HostError> {
        let (parent, name) = self.parent(path)?;
        let mode = match rustix::fs::statat(&parent, &name[..], AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => {
                let attributes = attributes_of(&stat);
                match attributes.kind {
                    Kind::File => {}
                    Kind::Directory => return Err(HostError::IsDirectory),
                    Kind::Other => return Err(HostError::NotPlain),
                    // The file that the link leads to is meant, not the link.
                    Kind::Link => return self.store_beside(&self.resolve(path)?),
                }
                let writable = rustix::fs::accessat(&parent, &name[..], rustix::fs::Access::WRITE_OK, AtFlags::EACCESS);
                writable.map_err(|error| host_error(&error.into()))?;
                // As the system does when a file is written to, set-user-id and its kin go.
                Some(attributes.mode & 0o777)
            }
            Err(rustix::io::Errno::NOENT) => None,
            Err(error) => return Err(host_error(&error.into())),
        };
        self.tree.sweeper.visit(&parent);
        DiskFile::beside(parent, name, mode)
    }

    /// Where a symbolic link leads, as a path without links.
    fn resolve(&self, path: &VirtualPath) -> Result<VirtualPath, HostError> {
        let target = self.home.canonicalize(relative(path)).map_err(|error| host_error(&error))?;
        VirtualPath::root().join(target.as_os_str().as_bytes()).map_err(|_| HostError::BadName)
    }

    /// Makes a file whose name nobody has.
    fn store_unique(&self, path: &VirtualPath) -> Result<(DiskFile, Bytes), HostError> {
        const TRIES: usize = 1000;
        let (parent, hint) = self.parent(path)?;
        for number in 0..TRIES {
            let name = match number {
                0 => hint.clone(),
                _ => Bytes::from([&hint[..], format!(".{number}").as_bytes()].concat()),
            };
            match DiskFile::unique(&parent, &name) {
                Err(HostError::Exists) => {}
                Ok(file) => return Ok((file, name)),
                Err(error) => return Err(error),
            }
        }
        Err(HostError::Exists)
    }
}

impl Host for DiskHost {
    type File = DiskFile;
    type Directory = DiskDirectory;

    fn now(&self) -> Timestamp {
        facts::timestamp(std::time::SystemTime::now())
    }

    fn login(&mut self, user: &[u8], password: &[u8]) -> Result<Access, LoginError> {
        let accounts = self.tree.accounts();
        let account = accounts.check(user, password)?;
        self.home = match account.home {
            None => self.tree.root.clone(),
            Some(home) => Arc::new(self.tree.root.open_dir(home).map_err(|error| {
                tracing::error!(home, %error, "a user's home cannot be opened");
                LoginError
            })?),
        };
        Ok(account.access)
    }

    fn attributes(&self, path: &VirtualPath) -> Result<Attributes, HostError> {
        // Opened as a mere place, which takes no right to read it.
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(i32::try_from(flags.bits()).unwrap_or(0));
        let place = self.home.open_with(relative(path), &options).map_err(|error| host_error(&error))?;
        let stat = rustix::fs::fstat(&place).map_err(|error| host_error(&error.into()))?;
        Ok(attributes_of(&stat))
    }

    fn entry(&self, path: &VirtualPath) -> Result<Entry, HostError> {
        if path.is_root() {
            let attributes = self.attributes(path)?;
            return Ok(Entry { name: Bytes::from_static(b"/"), attributes, link: None });
        }
        let (parent, name) = self.parent(path)?;
        let stat = rustix::fs::statat(&parent, &name[..], AtFlags::SYMLINK_NOFOLLOW);
        let attributes = attributes_of(&stat.map_err(|error| host_error(&error.into()))?);
        let link = (attributes.kind == Kind::Link).then(|| self.read_link(&parent, path));
        Ok(Entry { name, attributes, link })
    }

    fn enter(&self, path: &VirtualPath) -> Result<(), HostError> {
        let directory = self.home.open_dir(relative(path)).map_err(|error| host_error(&error))?;
        rustix::fs::accessat(&directory, ".", rustix::fs::Access::EXEC_OK, AtFlags::EACCESS)
            .map_err(|error| host_error(&error.into()))
    }

    fn open_directory(&self, path: &VirtualPath) -> Result<DiskDirectory, HostError> {
        let directory = self.home.open_dir(relative(path)).map_err(|error| host_error(&error))?;
        self.tree.sweeper.visit(&directory);
        DiskDirectory::new(self.clone(), path.clone(), directory)
    }

    fn open(&self, path: &VirtualPath, offset: u64) -> Result<(DiskFile, Attributes), HostError> {
        let mut file = self.open_with(path, OpenOptions::new().read(true))?;
        let attributes = plain(&file)?;
        if offset > attributes.size {
            return Err(HostError::Beyond);
        }
        if offset > 0 {
            file.seek(SeekFrom::Start(offset)).map_err(|error| host_error(&error))?;
        }
        Ok((DiskFile::in_place(file), attributes))
    }

    fn store(&self, path: &VirtualPath, how: Store) -> Result<(DiskFile, Option<Bytes>), HostError> {
        match (how, self.tree.uploads) {
            (Store::Unique, _) => self.store_unique(path).map(|(file, name)| (file, Some(name))),
            (Store::Replace, Uploads::Atomic) => Ok((self.store_beside(path)?, None)),
            _ => Ok((self.store_in_place(path, how)?, None)),
        }
    }

    fn available(&self, path: &VirtualPath) -> Result<u64, HostError> {
        let directory = self.home.open_dir(relative(path)).map_err(|error| host_error(&error))?;
        let disk = rustix::fs::fstatvfs(&directory).map_err(|error| host_error(&error.into()))?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    fn make_directory(&self, path: &VirtualPath) -> Result<(), HostError> {
        self.home.create_dir(relative(path)).map_err(|error| host_error(&error))
    }

    fn remove_directory(&self, path: &VirtualPath) -> Result<(), HostError> {
        match self.home.remove_dir(relative(path)).map_err(|error| host_error(&error)) {
            // What no listing shows must not stand in the way, if nothing else does.
            Err(HostError::NotEmpty) => {
                let directory = self.home.open_dir(relative(path)).map_err(|error| host_error(&error))?;
                if !sweep::holds_only_kept(&directory) {
                    return Err(HostError::NotEmpty);
                }
                sweep::remove_kept(&directory);
                self.home.remove_dir(relative(path)).map_err(|error| host_error(&error))
            }
            result => result,
        }
    }

    fn remove(&self, path: &VirtualPath) -> Result<(), HostError> {
        let (parent, name) = self.parent(path)?;
        match rustix::fs::unlinkat(&parent, &name[..], AtFlags::empty()) {
            Ok(()) => {
                file::forget_kept(&parent, &name);
                Ok(())
            }
            // POSIX's word for "that is a directory", and Linux's.
            Err(rustix::io::Errno::PERM | rustix::io::Errno::ISDIR) if is_directory(&parent, &name) => {
                Err(HostError::IsDirectory)
            }
            Err(error) => Err(host_error(&error.into())),
        }
    }

    fn rename(&self, from: &VirtualPath, to: &VirtualPath) -> Result<(), HostError> {
        let (old_parent, old) = self.parent(from)?;
        let (new_parent, new) = self.parent(to)?;
        // An empty directory in the way would be replaced by another.
        if from != to && is_directory(&new_parent, &new) {
            return Err(HostError::IsDirectory);
        }
        if part::kept(&new) == old {
            return self.publish_kept(from, to);
        }
        rustix::fs::renameat(&old_parent, &old[..], &new_parent, &new[..])
            .map_err(|error| host_error(&error.into()))?;
        file::forget_kept(&new_parent, &new);
        Ok(())
    }

    fn set_modified(&self, path: &VirtualPath, time: Timestamp) -> Result<(), HostError> {
        let path = self.without_link(path)?;
        let (parent, name) = self.parent(&path)?;
        let times = facts::modified(time);
        rustix::fs::utimensat(&parent, &name[..], &times, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|error| host_error(&error.into()))
    }

    fn set_mode(&self, path: &VirtualPath, mode: u32) -> Result<(), HostError> {
        let permissions = Permissions::from_mode(mode);
        self.home.set_permissions(relative(path), permissions).map_err(|error| host_error(&error))
    }
}

impl DiskHost {
    /// Where the link at `path`, in `parent`, leads, and what is there if it lies below the root.
    fn read_link(&self, parent: &Dir, path: &VirtualPath) -> Link {
        let text = parent.read_link_contents(OsStr::from_bytes(path.name()));
        let text = text.map(|text| text.into_os_string().into_vec()).unwrap_or_default();
        Link { text: text.into(), target: self.attributes(path).ok() }
    }

    /// A resumed upload takes its file's place, with the permissions of the file that was there; through a link, if there
    /// is one.
    fn publish_kept(&self, part: &VirtualPath, file: &VirtualPath) -> Result<(), HostError> {
        let target = match self.without_link(file) {
            Err(HostError::NotFound) => file.clone(),
            target => target?,
        };
        if let Ok(attributes) = self.attributes(&target) {
            self.set_mode(part, attributes.mode & 0o777)?;
        }
        let ((old_parent, old), (new_parent, new)) = (self.parent(part)?, self.parent(&target)?);
        rustix::fs::renameat(&old_parent, &old[..], &new_parent, &new[..]).map_err(|error| host_error(&error.into()))
    }

    /// The path itself, or where it leads if it is a link.
    fn without_link(&self, path: &VirtualPath) -> Result<VirtualPath, HostError> {
        let is_link = self.entry(path)?.attributes.kind == Kind::Link;
        if is_link { self.resolve(path) } else { Ok(path.clone()) }
    }
}

/// The path as the directory handle takes it.
fn relative(path: &VirtualPath) -> &Path {
    if path.is_root() { Path::new(".") } else { Path::new(OsStr::from_bytes(path.below_root())) }
}

fn is_directory(parent: &Dir, name: &[u8]) -> bool {
    rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| attributes_of(&stat).kind == Kind::Directory)
}

/// What is known of an open file, which has to be a plain one.
fn plain(file: &std::fs::File) -> Result<Attributes, HostError> {
    attributes_of(&rustix::fs::fstat(file).map_err(|error| host_error(&error.into()))?).plain()
}
