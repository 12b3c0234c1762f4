//! Commands that move files.

use std::ffi::OsStr;
use std::io::{self, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use longshore_core::client::{Check, Job, JobError, Manner, Outcome};
use longshore_core::codec::Representation;
use longshore_core::host::Store;
use longshore_core::part;
use longshore_core::wire::command::is_sendable;
use longshore_core::wire::reply::Shown;

use super::{Call, CommandError, Next, last_part, local_path};
use crate::console::content::Download;
use crate::console::progress::Progress;
use crate::console::remote::{self, Failure};
use crate::console::{Console, Dial, LocalContent, Talk};

pub(super) fn get<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    let (name, local) = call.one_or_two()?;
    if local.as_deref() == Some(b"-") {
        let job = Job::Retrieve {
            path: name.clone(),
            offset: 0,
            representation: console.representation(),
            size: None,
            manner: Manner::Plain,
        };
        let result = console.session(call)?.transfer(job, || Ok(LocalContent::Output), None);
        return result.map(|_| Next::Go).map_err(|failure| call.about(&name, failure));
    }
    let local = download_name(call, &name, local)?;
    download(console, call, &name, &local)?;
    Ok(Next::Go)
}

pub(super) fn put<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    upload(console, call, Store::Replace)
}

pub(super) fn append<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    upload(console, call, Store::Append)
}

fn upload<R: Dial>(console: &mut Console<R>, call: &Call<'_>, how: Store) -> Result<Next, CommandError> {
    let (local, name) = call.one_or_two()?;
    let name = name.unwrap_or_else(|| Bytes::copy_from_slice(last_part(&local)));
    let (file, size) = open_local(call, &local)?;
    send(console, call, &local, &name, how, file, size, 0)?;
    Ok(Next::Go)
}

/// Goes on with a download, unless the file on the server cannot be the one that was begun.
pub(super) fn reget<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    let (name, local) = call.one_or_two()?;
    let local = download_name(call, &name, local)?;
    let session = console.session(call)?;
    let size = match session.run(Job::Size(name.clone())) {
        Ok(Outcome::Size(size)) => size,
        Ok(_) => return Err(call.about(&name, Failure::Job(JobError::Aborted))),
        Err(error) => return Err(call.about(&name, error)),
    };
    let modified = session.run(Job::Modified(name.clone()));
    let begun = Download::begun(&local).map_err(|error| local_error(call, &local, error))?;
    let offset = begun.map_or(0, |(size, _)| size);
    if offset > size {
        let shown = Shown(local.as_os_str().as_bytes()).to_string();
        return Err(
            call.text(format!("{shown}: what is here is longer than the file on the server: {offset} > {size}"))
        );
    }
    let begun = begun.and_then(|(_, time)| time.duration_since(UNIX_EPOCH).ok());
    if let (Ok(Outcome::Time(time)), Some(begun)) = (modified, begun)
        && u64::try_from(time.seconds).is_ok_and(|changed| changed > begun.as_secs())
    {
        tell!("reget: {}: warning: the file on the server is newer than what is here", Shown(&name));
    }
    let job = Job::Retrieve {
        path: name.clone(),
        offset,
        representation: Representation::Image,
        size: Some(size),
        manner: Manner::Checked,
    };
    let progress = Progress::new(&Shown(&name).to_string(), Some(size), offset, console.talk);
    let open = || Download::resume(&local, offset).map(LocalContent::Download);
    let result = console.session(call)?.transfer(job, open, Some(&progress));
    if let Err(Failure::Local(error)) = result {
        return Err(local_error(call, &local, error));
    }
    discard_failed(&local, result.as_ref().err());
    report(console, call, &name, progress, result, "received")
}

/// Goes on with an upload: with the part that a server of ours has kept, or behind what stands under the name.
pub(super) fn reput<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    let (local, name) = call.one_or_two()?;
    let name = name.unwrap_or_else(|| Bytes::copy_from_slice(last_part(&local)));
    let (file, size) = open_local(call, &local)?;
    let (directory, last) = split_last(&name);
    let kept = Bytes::from(part::kept(&last));
    let kept = directory.as_ref().map_or(kept.clone(), |directory| join(directory, &kept));
    let session = console.session(call)?;
    let (target, offset) = match session.run(Job::Size(kept.clone())) {
        Ok(Outcome::Size(offset)) if offset <= size => (kept.clone(), offset),
        Err(error) if error.is_fatal() => return Err(call.about(&local, error)),
        _ => match session.run(Job::Size(name.clone())) {
            Ok(Outcome::Size(offset)) => (name.clone(), offset),
            Err(error) if error.is_fatal() => return Err(call.about(&local, error)),
            _ => (name.clone(), 0),
        },
    };
    if offset > size {
        let shown = Shown(&name).to_string();
        return Err(
            call.text(format!("{shown}: the file on the server is longer than the one here: {offset} > {size}"))
        );
    }
    let how = if offset == 0 { Store::Replace } else { Store::At(offset) };
    send(console, call, &local, &target, how, file, size, offset)?;
    if target == kept {
        let job = Job::Rename { from: kept, to: name.clone() };
        console.session(call)?.run(job).map_err(|error| call.about(&name, error))?;
    }
    Ok(Next::Go)
}

impl<R: Dial> Console<R> {
    pub(super) fn representation(&self) -> Representation {
        if self.ascii { Representation::Ascii } else { Representation::Image }
    }
}

pub(super) fn download<R: Dial>(
    console: &mut Console<R>,
    call: &Call<'_>,
    name: &Bytes,
    local: &Path,
) -> Result<(), CommandError> {
    let job = Job::Retrieve {
        path: name.clone(),
        offset: 0,
        representation: console.representation(),
        size: None,
        manner: Manner::Checked,
    };
    let progress = Progress::new(&Shown(name).to_string(), None, 0, console.talk);
    let open = || Download::create(local).map(LocalContent::Download);
    let result = console.session(call)?.transfer(job, open, Some(&progress));
    if let Err(Failure::Local(error)) = result {
        return Err(local_error(call, local, error));
    }
    discard_failed(local, result.as_ref().err());
    report(console, call, name, progress, result, "received").map(drop)
}

#[allow(clippy::too_many_arguments)]
pub(super) fn send<R: Dial>(
    console: &mut Console<R>,
    call: &Call<'_>,
    local: &Bytes,
    name: &Bytes,
    how: Store,
    file: std::fs::File,
    size: u64,
    offset: u64,
) -> Result<(), CommandError> {
    let representation = if offset > 0 { Representation::Image } else { console.representation() };
    // Of what is put behind a file, only the server knows the whole.
    let manner = if how == Store::Append { Manner::Plain } else { Manner::Checked };
    let job = Job::Store { path: name.clone(), how, representation, size: Some(size), manner };
    let progress = Progress::new(&Shown(local).to_string(), Some(size), offset, console.talk);
    let open = || {
        (&file).seek(SeekFrom::Start(offset))?;
        file.try_clone().map(LocalContent::Upload)
    };
    let result = console.session(call)?.transfer(job, open, Some(&progress));
    report(console, call, local, progress, result, "sent").map(drop)
}

/// Takes the bar away, and says how it went.
fn report<R: Dial>(
    console: &Console<R>,
    call: &Call<'_>,
    name: &Bytes,
    progress: Progress,
    result: Result<(Outcome, Option<LocalContent>), Failure>,
    way: &str,
) -> Result<Next, CommandError> {
    let result = result.map(|(outcome, _)| outcome);
    let words = progress.finish(moved(&result));
    let outcome = result.map_err(|failure| call.about(name, failure))?;
    if let Outcome::Checked(_, by) = outcome
        && console.talk == Talk::Verbose
    {
        match by {
            Check::Nothing => tell!("{}: not checked: the server tells neither digests nor sizes", Shown(name)),
            by => tell!("{}: the same on both sides, by its {by}", Shown(name)),
        }
    }
    if console.talk > Talk::Quiet {
        tell!("{}: {way} {words}", Shown(name));
    }
    Ok(Next::Go)
}

/// What is left of a download that failed is kept to be resumed, unless that is nothing, or not the file.
pub(super) fn discard_failed(local: &Path, failure: Option<&Failure>) {
    match failure {
        None => {}
        Some(Failure::Job(JobError::Differs(_))) => Download::discard(local),
        Some(_) => Download::discard_empty(local),
    }
}

/// How many bytes it was.
pub(super) fn moved(result: &Result<Outcome, Failure>) -> u64 {
    match result {
        Ok(Outcome::Moved(moved) | Outcome::Checked(moved, _)) => *moved,
        _ => 0,
    }
}

/// Where a download goes: where the user says, or under the last part of the remote name, into the current directory.
fn download_name(call: &Call<'_>, name: &Bytes, local: Option<Bytes>) -> Result<PathBuf, CommandError> {
    if let Some(local) = local {
        let path = local_path(&local);
        // Into a folder, as cp does it.
        return Ok(if path.is_dir() { path.join(OsStr::from_bytes(last_part(name))) } else { path });
    }
    let last = last_part(name);
    if !is_sendable(name) {
        return Err(call.about(name, JobError::Unsendable));
    }
    if !remote::is_plain(last) {
        return Err(call.text(format!("{}: name the local file too", Shown(name))));
    }
    Ok(here(last))
}

/// A file in the current folder, whatever its name looks like.
pub(super) fn here(name: &[u8]) -> PathBuf {
    Path::new(".").join(OsStr::from_bytes(name))
}

fn open_local(call: &Call<'_>, name: &Bytes) -> Result<(std::fs::File, u64), CommandError> {
    open_path(call, name, local_path(name))
}

pub(super) fn open_path(call: &Call<'_>, name: &Bytes, path: PathBuf) -> Result<(std::fs::File, u64), CommandError> {
    // Before it is opened: a pipe would keep us waiting.
    plain_size(call, name, &path)?;
    let failed = |error| call.about_local(name, error);
    let file = std::fs::File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    Ok((file, size))
}

/// The size of a plain file.
fn plain_size(call: &Call<'_>, name: &Bytes, path: &Path) -> Result<u64, CommandError> {
    let failed = |error| call.about_local(name, error);
    let metadata = path.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    if !metadata.is_file() {
        return Err(failed(io::Error::other("Not a plain file")));
    }
    Ok(metadata.len())
}

fn local_error(call: &Call<'_>, path: &Path, error: io::Error) -> CommandError {
    call.about_local(path.as_os_str().as_bytes(), error)
}

/// Directory and last part; no directory where there is no slash.
pub(super) fn split_last(path: &Bytes) -> (Option<Bytes>, Bytes) {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(0) => (Some(path.slice(..1)), path.slice(1..)),
        Some(slash) => (Some(path.slice(..slash)), path.slice(slash + 1..)),
        None => (None, path.clone()),
    }
}

pub(super) fn join(directory: &[u8], name: &[u8]) -> Bytes {
    let slash: &[u8] = if directory.ends_with(b"/") { b"" } else { b"/" };
    [directory, slash, name].concat().into()
}
