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
use super::facts::attributes_of;
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
    Beside { parent: Dir, part: Bytes, name: Bytes, mode: Option<u32>, holder: Option<(u64, u64)> },
}

impl DiskFile {
    pub(super) fn in_place(file: File) -> Self {
        Self { file, upload: Upload::InPlace }
    }

    /// A part for `name`, which will get the permissions of the file that it replaces.
    pub(super) fn beside(parent: Dir, name: Bytes, mode: Option<u32>) -> Result<Self, HostError> {
        let part = Bytes::from(format!("{ACTIVE_PREFIX}{:016x}{ACTIVE_SUFFIX}", random()));
        let file = create(&parent, &part)?;
        Ok(Self { file, upload: Upload::Beside { parent, part, name, mode, holder: None } })
    }

    /// A part for a name that is free, and that an empty file holds until the part takes its place.
    pub(super) fn unique(parent: &Dir, name: &Bytes) -> Result<Self, HostError> {
        // The part first: it goes by itself if the rest fails.
        let clone = parent.try_clone().map_err(|error| host_error(&error))?;
        let mut file = Self::beside(clone, name.clone(), None)?;
        let holding = create(parent, name)?;
        let stat = rustix::fs::fstat(&holding).map_err(|error| host_error(&error.into()))?;
        if let Upload::Beside { holder, .. } = &mut file.upload {
            *holder = Some(attributes_of(&stat).unique);
        }
        Ok(file)
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
        if let Upload::Beside { parent, part, name, mode, .. } = &self.upload {
            if let Some(mode) = mode {
                let mode = Mode::from_raw_mode(*mode);
                rustix::fs::fchmod(&self.file, mode).map_err(|error| host_error(&error.into()))?;
            }
            rustix::fs::renameat(parent, &part[..], parent, &name[..]).map_err(|error| host_error(&error.into()))?;
            // What an earlier upload left is no part of this file. Mostly there is nothing.
            forget_kept(parent, name);
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
        let Upload::Beside { parent, part, name, holder, .. } = &self.upload else {
            return;
        };
        if let Some(holder) = holder {
            let stat = rustix::fs::statat(parent, &name[..], AtFlags::SYMLINK_NOFOLLOW);
            // By now the name may be another's.
            if stat.is_ok_and(|stat| attributes_of(&stat).unique == *holder) {
                remove(parent, name);
            }
        } else if self.is_worth_keeping() {
            let kept = part::kept(name);
            if rustix::fs::renameat(parent, &part[..], parent, &kept[..]).is_ok() {
                return;
            }
        }
        remove(parent, part);
    }
}

impl DiskFile {
    /// Not if it is empty, nor on a disk that is full, maybe of just this.
    fn is_worth_keeping(&self) -> bool {
        let holds = self.file.metadata().is_ok_and(|metadata| metadata.len() > 0);
        holds && rustix::fs::fstatvfs(&self.file).is_ok_and(|disk| disk.f_bavail > 0)
    }
}

/// Removes what a broken upload of `name` has left, if any.
pub(super) fn forget_kept(parent: &Dir, name: &[u8]) {
    // Nothing to forget is the rule.
    let _ = rustix::fs::unlinkat(parent, &part::kept(name)[..], AtFlags::empty());
}

fn remove(parent: &Dir, name: &[u8]) {
    if let Err(error) = rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        tracing::warn!(%error, "the part of a broken upload cannot be removed");
    }
}
