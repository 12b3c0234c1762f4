//! Open files. An upload is written to a hidden part beside its target, and renamed over the target when it is whole; what
//! is dropped before that leaves the target as it was.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use bytes::Bytes;
use cap_std::fs::Dir;
use longshore_core::host::{Content, HostError};
use longshore_core::part;
use rustix::fs::{AtFlags, Mode, OFlags};

use super::error::host_error;
use crate::transfer::Native;

/// A file that is open for a session.
#[derive(Debug)]
pub struct DiskFile {
    file: File,
    upload: Upload,
}

/// What becomes of what was written.
#[derive(Debug)]
enum Upload {
    /// It stands under its name already.
    InPlace,
    /// It is renamed from `part` to `name`.
    Beside { parent: Dir, part: Bytes, name: Bytes, mode: Option<u32> },
    /// It was made under its name, and goes if it is not published.
    Unique { parent: Dir, name: Bytes },
}

impl DiskFile {
    pub(super) fn in_place(file: File) -> Self {
        Self { file, upload: Upload::InPlace }
    }

    /// A part for `name`, which will get the permissions of the file that it replaces.
    pub(super) fn beside(parent: Dir, name: Bytes, mode: Option<u32>) -> Result<Self, HostError> {
        let part = Bytes::from(format!("{ACTIVE_PREFIX}{:016x}{ACTIVE_SUFFIX}", random()));
        let file = create(&parent, &part)?;
        Ok(Self { file, upload: Upload::Beside { parent, part, name, mode } })
    }

    pub(super) fn unique(parent: &Dir, name: &Bytes) -> Result<Self, HostError> {
        let file = create(parent, name)?;
        let parent = parent.try_clone().map_err(|error| host_error(&error))?;
        Ok(Self { file, upload: Upload::Unique { parent, name: name.clone() } })
    }
}

/// What the name of a part that is being written looks like.
pub(super) const ACTIVE_PREFIX: &str = ".longshore-";
/// How it ends.
pub(super) const ACTIVE_SUFFIX: &str = ".part";

/// A number that nobody can guess: the standard library seeds its hashers so.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(0)
}

fn create(parent: &Dir, name: &[u8]) -> Result<File, HostError> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mode = Mode::from_raw_mode(0o666);
    let file = rustix::fs::openat(parent, name, flags, mode).map_err(|error| host_error(&error.into()))?;
    Ok(file.into())
}

impl Content for DiskFile {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, HostError> {
        self.file.read(buffer).map_err(|error| host_error(&error))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), HostError> {
        self.file.write_all(bytes).map_err(|error| host_error(&error))
    }

    fn publish(&mut self) -> Result<(), HostError> {
        if let Upload::Beside { parent, part, name, mode } = &self.upload {
            if let Some(mode) = mode {
                let mode = Mode::from_raw_mode(*mode);
                rustix::fs::fchmod(&self.file, mode).map_err(|error| host_error(&error.into()))?;
            }
            rustix::fs::renameat(parent, &part[..], parent, &name[..]).map_err(|error| host_error(&error.into()))?;
        }
        self.upload = Upload::InPlace;
        Ok(())
    }
}

impl Native for DiskFile {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.file.as_fd())
    }
}

impl Drop for DiskFile {
    /// What came of a broken upload is kept under a name by which it can be resumed, unless that is nothing.
    fn drop(&mut self) {
        let result = match &self.upload {
            Upload::InPlace => return,
            Upload::Unique { parent, name } => rustix::fs::unlinkat(parent, &name[..], AtFlags::empty()),
            Upload::Beside { parent, part, name, .. } => {
                let is_empty = self.file.metadata().map_or(true, |metadata| metadata.len() == 0);
                let kept = part::kept(name);
                let keep = || rustix::fs::renameat(parent, &part[..], parent, &kept[..]);
                if !is_empty && keep().is_ok() {
                    return;
                }
                rustix::fs::unlinkat(parent, &part[..], AtFlags::empty())
            }
        };
        if let Err(error) = result {
            tracing::warn!(%error, "the part of a broken upload cannot be removed");
        }
    }
}
