//! What `stat` tells, as the protocol's attributes.

use std::time::{SystemTime, UNIX_EPOCH};

use longshore_core::entry::{Attributes, Kind, Owner};
use longshore_core::time::Timestamp;
use rustix::fs::{FileType, Stat, Timespec, Timestamps, UTIME_OMIT};

/// The field types of `stat` differ between platforms.
#[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
pub(super) fn attributes_of(stat: &Stat) -> Attributes {
    let mode = u32::from(stat.st_mode);
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Directory,
        FileType::Symlink => Kind::Link,
        _ => Kind::Other,
    };
    Attributes {
        kind,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        modified: Timestamp { seconds: stat.st_mtime as i64, nanos: u32::try_from(stat.st_mtime_nsec).unwrap_or(0) },
        mode,
        links: stat.st_nlink as u64,
        owner: Owner::Id(stat.st_uid),
        group: Owner::Id(stat.st_gid),
        unique: (stat.st_dev as u64, stat.st_ino as u64),
    }
}

pub(super) fn timestamp(time: SystemTime) -> Timestamp {
    let seconds = match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
    };
    Timestamp::from_seconds(seconds)
}

/// The times that set the change of the content and leave the last access alone.
pub(super) fn modified(time: Timestamp) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: time.seconds, tv_nsec: time.nanos.into() },
    }
}
