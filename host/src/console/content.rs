//! The local end of a transfer: a file, a listing to be kept, or the terminal.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use longshore_core::host::{Content, HostError};
use longshore_core::part;
use longshore_core::wire::reply::Shown;

use rustix::fs::OFlags;

use crate::directory::host_error;
use crate::transfer::Native;

/// The most of a listing that is kept in memory.
const LISTING_LIMIT: usize = 32 * 1024 * 1024;
/// The longest line of a listing that is shown as one.
const LINE_LIMIT: usize = 64 * 1024;

/// What a client's data connection carries.
#[derive(Debug)]
pub enum LocalContent {
    /// A file that is sent.
    Upload(File),
    /// A file that comes.
    Download(Download),
    /// A listing that is kept.
    Listing(Vec<u8>),
    /// A listing that is shown, line by line.
    Screen(Vec<u8>),
    /// A file that is shown, as it is.
    Output,
}

/// A file that comes: written beside its target, and renamed over it when it is whole.
#[derive(Debug)]
pub struct Download {
    file: File,
    /// Where it is until then; `None` for what is no plain file, a device say, and written in place.
    part: Option<PathBuf>,
    target: PathBuf,
}

impl Download {
    /// Where a download to `target` is kept until it is whole: hidden beside it, under a name that nobody else uses.
    pub(super) fn part_of(target: &Path) -> PathBuf {
        let name = target.file_name().unwrap_or_default();
        target.with_file_name(OsStr::from_bytes(&part::kept(name.as_bytes())))
    }

    /// Opens the part of a new download.
    pub(super) fn create(target: &Path) -> io::Result<Self> {
        let target = real(target)?;
        match target.metadata() {
            Ok(metadata) if metadata.is_dir() => Err(io::Error::from(io::ErrorKind::IsADirectory)),
            Ok(metadata) if !metadata.is_file() => {
                Ok(Self { file: OpenOptions::new().write(true).open(&target)?, part: None, target })
            }
            _ => {
                let part = Self::part_of(&target);
                Ok(Self { file: open_part(&part, true)?, part: Some(part), target })
            }
        }
    }

    /// How much there is of a download already, and since when: a part that an earlier one left, else the target.
    pub(super) fn begun(target: &Path) -> io::Result<Option<(u64, SystemTime)>> {
        let target = real(target)?;
        for path in [Self::part_of(&target), target] {
            match path.symlink_metadata() {
                Ok(metadata) if metadata.is_file() => return Ok(Some((metadata.len(), metadata.modified()?))),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Opens what there is of a download, `size` bytes of it, to go on with it: the part, else a copy of the target.
    pub(super) fn resume(target: &Path, size: u64) -> io::Result<Self> {
        let target = real(target)?;
        let part = Self::part_of(&target);
        let is_new = !part.try_exists()?;
        let mut file = open_part(&part, false)?;
        if is_new && size > 0 {
            let copied = File::open(&target).and_then(|mut from| io::copy(&mut from, &mut file));
            copied.inspect_err(|_| drop(std::fs::remove_file(&part)))?;
        }
        // What stands behind it is none of it.
        file.set_len(size)?;
        file.seek(SeekFrom::Start(size))?;
        Ok(Self { file, part: Some(part), target })
    }

    /// The download turns out to be of nothing: removes its part, if that is empty.
    pub(super) fn discard_empty(target: &Path) {
        Self::discard_if(target, |size| size == 0);
    }

    /// What came is not the file: nobody is to go on with it.
    pub(super) fn discard(target: &Path) {
        Self::discard_if(target, |_| true);
    }

    fn discard_if(target: &Path, is_useless: impl FnOnce(u64) -> bool) {
        let Ok(target) = real(target) else { return };
        let part = Self::part_of(&target);
        if part.symlink_metadata().is_ok_and(|metadata| metadata.is_file() && is_useless(metadata.len())) {
            // What cannot be removed is no whole file at least.
            let _ = std::fs::remove_file(part);
        }
    }
}

/// Opens a part, and never what a link in its place leads to.
fn open_part(path: &Path, truncate: bool) -> io::Result<File> {
    let no_follow = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or(0);
    // It is read when it is checked.
    OpenOptions::new().read(true).write(true).create(true).truncate(truncate).custom_flags(no_follow).open(path)
}

/// The file that is meant: where a link leads, if it leads anywhere.
fn real(target: &Path) -> io::Result<PathBuf> {
    match target.symlink_metadata() {
        Ok(metadata) if metadata.is_symlink() => target.canonicalize(),
        _ => Ok(target.to_owned()),
    }
}

impl Content for LocalContent {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, HostError> {
        match self {
            Self::Upload(file) | Self::Download(Download { file, .. }) => {
                file.read(buffer).map_err(|error| host_error(&error))
            }
            _ => Err(HostError::Unsupported),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), HostError> {
        let result = match self {
            Self::Download(download) => download.file.write_all(bytes),
            Self::Listing(listing) if listing.len() + bytes.len() > LISTING_LIMIT => return Err(HostError::NoSpace),
            Self::Listing(listing) => {
                listing.extend_from_slice(bytes);
                Ok(())
            }
            Self::Screen(line) => show_lines(line, bytes),
            Self::Output => io::stdout().lock().write_all(bytes),
            Self::Upload(_) => return Err(HostError::Unsupported),
        };
        result.map_err(|error| host_error(&error))
    }

    fn publish(&mut self) -> Result<(), HostError> {
        let result = match self {
            Self::Download(Download { file, part: Some(part), target }) => {
                // The permissions of the file that is replaced stay.
                let kept = target.metadata().map(|metadata| metadata.permissions());
                kept.map_or(Ok(()), |permissions| file.set_permissions(permissions))
                    .and_then(|()| std::fs::rename(part, target))
            }
            Self::Screen(line) if !line.is_empty() => show_lines(line, b"\n"),
            Self::Output => io::stdout().lock().flush(),
            _ => Ok(()),
        };
        result.map_err(|error| host_error(&error))
    }

    fn rewind(&mut self) -> Result<(), HostError> {
        let file = match self {
            Self::Upload(file) | Self::Download(Download { file, part: Some(_), .. }) => file,
            _ => return Err(HostError::Unsupported),
        };
        file.seek(SeekFrom::Start(0)).map(drop).map_err(|error| host_error(&error))
    }
}

/// Shows whole lines, on a terminal with control characters escaped, elsewhere as they are, so that a program can send the
/// names back. Keeps the start of a line until its end comes.
fn show_lines(line: &mut Vec<u8>, bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let is_terminal = out.is_terminal();
    for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
        line.extend_from_slice(piece);
        if line.ends_with(b"\n") || line.len() > LINE_LIMIT {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            if is_terminal {
                writeln!(out, "{}", Shown(text))?;
            } else {
                out.write_all(text)?;
                out.write_all(b"\n")?;
            }
            line.clear();
        }
    }
    Ok(())
}

impl Native for LocalContent {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Upload(file) => Some(file.as_fd()),
            Self::Download(download) => Some(download.file.as_fd()),
            Self::Listing(_) | Self::Screen(_) | Self::Output => None,
        }
    }
}
