//! Directories, entry by entry.

use bytes::Bytes;
use cap_std::fs::Dir;
use longshore_core::entry::{Entry, Kind};
use longshore_core::host::{Directory, HostError};
use rustix::fs::{AtFlags, Mode, OFlags};

use super::error::host_error;
use super::facts::attributes_of;
use super::{DiskHost, sweep};
use longshore_core::path::VirtualPath;

/// A directory that is being read.
#[derive(Debug)]
pub struct DiskDirectory {
    host: DiskHost,
    path: VirtualPath,
    directory: Dir,
    names: rustix::fs::Dir,
}

impl DiskDirectory {
    pub(super) fn new(host: DiskHost, path: VirtualPath, directory: Dir) -> Result<Self, HostError> {
        let names = names(&directory).map_err(|error| host_error(&error.into()))?;
        Ok(Self { host, path, directory, names })
    }
}

/// Reads the names in a directory whose handle may be but a place (`O_PATH`), which cannot be read itself.
pub(super) fn names(directory: &Dir) -> rustix::io::Result<rustix::fs::Dir> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::Dir::new(rustix::fs::openat(directory, ".", flags, Mode::empty())?)
}

impl Directory for DiskDirectory {
    fn next_name(&mut self) -> Result<Option<Bytes>, HostError> {
        while let Some(entry) = self.names.read() {
            let entry = entry.map_err(|error| host_error(&error.into()))?;
            let name = entry.file_name().to_bytes();
            // A part is no file yet: who copies the directory must not take it along.
            if !matches!(name, b"." | b"..") && !sweep::is_part(name) {
                return Ok(Some(Bytes::copy_from_slice(name)));
            }
        }
        Ok(None)
    }

    fn entry(&mut self, name: &Bytes) -> Result<Option<Entry>, HostError> {
        let attributes = match rustix::fs::statat(&self.directory, &name[..], AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => attributes_of(&stat),
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(error) => return Err(host_error(&error.into())),
        };
        let link = match attributes.kind {
            Kind::Link => self.path.join(name).ok().map(|path| self.host.read_link(&self.directory, &path)),
            _ => None,
        };
        Ok(Some(Entry { name: name.clone(), attributes, link }))
    }
}
