//! The parts of broken uploads: they may be resumed for a day, and go after that.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use cap_std::fs::Dir;
use longshore_core::part;
use rustix::fs::AtFlags;

use super::facts::{attributes_of, timestamp};
use super::file::{ACTIVE_PREFIX, ACTIVE_SUFFIX};

/// How long a part is kept.
const KEPT_SECS: i64 = 24 * 60 * 60;
/// How long a directory that was looked through is left alone.
const PAUSE: Duration = Duration::from_secs(60 * 60);
/// How many directories are remembered; past that all are looked through anew.
const REMEMBERED: usize = 4096;

/// Whether a name is that of a part, one that is being written or one that is kept.
pub(super) fn is_part(name: &[u8]) -> bool {
    let active = name.starts_with(ACTIVE_PREFIX.as_bytes()) && name.ends_with(ACTIVE_SUFFIX.as_bytes());
    active || part::is_kept(name)
}

/// Removes old parts wherever somebody uploads or looks.
#[derive(Debug, Default)]
pub(super) struct Sweeper {
    visited: Mutex<HashMap<(u64, u64), Instant>>,
}

impl Sweeper {
    /// Something is about to happen here.
    pub(super) fn visit(&self, directory: &Dir) {
        let Ok(stat) = rustix::fs::fstat(directory) else {
            return;
        };
        let now = Instant::now();
        let mut visited = self.visited.lock().unwrap_or_else(PoisonError::into_inner);
        let place = attributes_of(&stat).unique;
        if visited.get(&place).is_some_and(|last| now - *last < PAUSE) {
            return;
        }
        if visited.len() >= REMEMBERED {
            visited.clear();
        }
        visited.insert(place, now);
        drop(visited);
        let oldest = timestamp(SystemTime::now()).seconds - KEPT_SECS;
        remove(directory, is_part, oldest);
    }
}

/// Whether there is nothing but kept parts.
pub(super) fn holds_only_kept(directory: &Dir) -> bool {
    super::reader::names(directory).is_ok_and(|names| {
        names.flatten().all(|entry| {
            let name = entry.file_name().to_bytes();
            matches!(name, b"." | b"..") || part::is_kept(name)
        })
    })
}

/// Removes all kept parts, and leaves those that are being written.
pub(super) fn remove_kept(directory: &Dir) {
    remove(directory, part::is_kept, i64::MAX);
}

fn remove(directory: &Dir, which: fn(&[u8]) -> bool, oldest: i64) {
    let Ok(entries) = super::reader::names(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if !which(name.to_bytes()) {
            continue;
        }
        let stat = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW);
        if stat.is_ok_and(|stat| attributes_of(&stat).modified.seconds < oldest)
            && let Err(error) = rustix::fs::unlinkat(directory, name, AtFlags::empty())
        {
            tracing::warn!(%error, "the part of a broken upload cannot be removed");
        }
    }
}
