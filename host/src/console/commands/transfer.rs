//! Commands that move files.

use std::ffi::OsStr;
use std::io::{self, Seek, SeekFrom};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use longshore_core::client::{Check, Job, JobError, Manner, Outcome};
use longshore_core::codec::Representation;
use longshore_core::host::Store;
use longshore_core::wire::command::is_sendable;
use longshore_core::wire::reply::Shown;
use longshore_core::{part, pattern};

use super::{Call, CommandError, Next, last_part, local_path};
use crate::console::content::Download;
use crate::console::progress::Progress;
use crate::console::remote::{self, Batch, Failure, Name};
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

pub(super) fn mget<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    if call.arguments.is_empty() {
        return Err(call.usage());
    }
    let (mut first_error, mut files) = (None, Vec::new());
    for pattern in call.arguments {
        let (directory, wanted) = split_last(pattern);
        let names = match console.session(call)?.names(directory.as_ref()) {
            Ok(names) => names,
            Err(failure) => {
                keep_first(&mut first_error, Err(call.about(pattern, failure)))?;
                continue;
            }
        };
        let mut matched = false;
        for listed in names.into_iter().filter(|listed| is_wanted(&wanted, &listed.name)) {
            matched = true;
            let Name { name, is_directory, size } = listed;
            if is_directory {
                if console.talk > Talk::Quiet {
                    tell!("mget: {}: Is a directory, left out", Shown(&name));
                }
                continue;
            }
            let path = directory.as_ref().map_or(name.clone(), |directory| join(directory, &name));
            files.push(File { path, local: here(&name), size, content: None });
        }
        if !matched {
            let error = call.text(format!("{}: no file matches", Shown(pattern)));
            keep_first(&mut first_error, Err(error))?;
        }
    }
    match &files[..] {
        [file] => keep_first(&mut first_error, download(console, call, &file.path, &file.local))?,
        _ => many(console, call, true, files, &mut first_error)?,
    }
    first_error.map_or(Ok(Next::Go), Err)
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

pub(super) fn mput<R: Dial>(console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    if call.arguments.is_empty() {
        return Err(call.usage());
    }
    console.session(call)?;
    let (mut first_error, mut files) = (None, Vec::new());
    for pattern in call.arguments {
        let names = match local_matches(pattern) {
            Ok(names) => names,
            Err(error) => {
                keep_first(&mut first_error, Err(call.about_local(pattern, error)))?;
                continue;
            }
        };
        if names.is_empty() {
            let error = call.text(format!("{}: no file matches", Shown(pattern)));
            keep_first(&mut first_error, Err(error))?;
        }
        for name in names {
            let local = PathBuf::from(OsStr::from_bytes(&name));
            let path = Bytes::copy_from_slice(last_part(&name));
            files.push(File { path, local, size: None, content: None });
        }
    }
    match &files[..] {
        [file] => {
            let local = Bytes::copy_from_slice(file.local.as_os_str().as_bytes());
            let result = open_path(call, &local, file.local.clone())
                .and_then(|(content, size)| send(console, call, &local, &file.path, Store::Replace, content, size, 0));
            keep_first(&mut first_error, result)?;
        }
        _ => many(console, call, false, files, &mut first_error)?,
    }
    first_error.map_or(Ok(Next::Go), Err)
}

/// Moves files over one data connection, where the server can do that.
fn many<R: Dial>(
    console: &mut Console<R>,
    call: &Call<'_>,
    is_download: bool,
    files: Vec<File>,
    first_error: &mut Option<CommandError>,
) -> Result<(), CommandError> {
    let (representation, talk) = (console.representation(), console.talk);
    let progress = None;
    let mut files = Files { call, is_download, files, given: 0, representation, talk, progress, first_error };
    let result = console.session(call)?.transfer_all(&mut files);
    result.map_err(|error| {
        if let Some(first) = first_error.take() {
            tell!("{first}");
        }
        CommandError::Other { verb: "transfer", text: error.to_string() }
    })
}

/// A file on both sides.
struct File {
    /// On the server.
    path: Bytes,
    /// Here.
    local: PathBuf,
    /// Its size, where that is known; a listing may tell it only roughly.
    size: Option<u64>,
    /// What is to be sent, from when its command is given out until it is its turn.
    content: Option<std::fs::File>,
}

/// The files of `mget` and `mput`.
struct Files<'a> {
    call: &'a Call<'a>,
    is_download: bool,
    files: Vec<File>,
    /// How many were given out.
    given: usize,
    representation: Representation,
    talk: Talk,
    /// Of the one that is being moved.
    progress: Option<Progress>,
    first_error: &'a mut Option<CommandError>,
}

impl Batch for Files<'_> {
    fn next(&mut self) -> Option<(usize, Job)> {
        let (representation, manner) = (self.representation, Manner::Many);
        loop {
            let number = self.given;
            let file = self.files.get_mut(number)?;
            self.given += 1;
            let path = file.path.clone();
            if self.is_download {
                return Some((number, Job::Retrieve { path, offset: 0, representation, size: None, manner }));
            }
            // Before anything is sent: a server may empty its file as soon as it hears of a new one.
            let local = Bytes::copy_from_slice(file.local.as_os_str().as_bytes());
            match open_path(self.call, &local, file.local.clone()) {
                Ok((content, size)) => {
                    (file.content, file.size) = (Some(content), Some(size));
                    let how = Store::Replace;
                    return Some((number, Job::Store { path, how, representation, size: Some(size), manner }));
                }
                // It is an error about a file here, which ends nothing.
                Err(error) => drop(keep_first(self.first_error, Err(error))),
            }
        }
    }

    fn open(&mut self, number: usize) -> io::Result<LocalContent> {
        let File { path, local, size, content } = &mut self.files[number];
        let name = if self.is_download { path } else { local.as_os_str().as_bytes() };
        self.progress = Some(Progress::new(&Shown(name).to_string(), *size, 0, self.talk));
        if self.is_download {
            return Download::create(local).map(LocalContent::Download);
        }
        match content.take() {
            Some(file) => Ok(LocalContent::Upload(file)),
            None => std::fs::File::open(local).map(LocalContent::Upload),
        }
    }

    fn moved(&mut self, count: u64) {
        if let Some(progress) = &self.progress {
            progress.moved(count);
        }
    }

    fn finished(&mut self, number: usize, result: Result<Outcome, Failure>) -> Result<(), JobError> {
        let File { path, local, content, .. } = &mut self.files[number];
        *content = None;
        let here = local.as_os_str().as_bytes();
        let name = if self.is_download { &path[..] } else { here };
        let words = self.progress.take().map(|progress| progress.finish(moved(&result)));
        match &result {
            // Where one file follows another, nobody can tell what of it belongs to the next.
            Err(Failure::Job(JobError::Refused(_))) if self.is_download => Download::discard(local),
            result if self.is_download => discard_failed(local, result.as_ref().err()),
            _ => {}
        }
        match (result, words) {
            (Ok(_), Some(words)) => {
                if self.talk > Talk::Quiet {
                    tell!("{}: {} {words}", Shown(name), if self.is_download { "received" } else { "sent" });
                }
                Ok(())
            }
            (Ok(_), None) => Ok(()),
            (Err(Failure::Job(error)), _) if ends_all(&error) => Err(error),
            (Err(failure), _) => {
                let name = if matches!(failure, Failure::Local(_)) { here } else { name };
                // What would end it all is passed on above.
                let _ = keep_first(self.first_error, Err(self.call.about(name, failure)));
                Ok(())
            }
        }
    }
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
    let (mut file, size) = open_local(call, &local)?;
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
    file.seek(SeekFrom::Start(offset)).map_err(|error| call.about_local(&local, error))?;
    let how = if offset == 0 { Store::Replace } else { Store::At(offset) };
    send(console, call, &local, &target, how, file, size, offset)?;
    if target == kept {
        let job = Job::Rename { from: kept, to: name.clone() };
        console.session(call)?.run(job).map_err(|error| call.about(&name, error))?;
    }
    Ok(Next::Go)
}

impl<R: Dial> Console<R> {
    fn representation(&self) -> Representation {
        if self.ascii { Representation::Ascii } else { Representation::Image }
    }
}

fn download<R: Dial>(
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
fn send<R: Dial>(
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
    let result = console.session(call)?.transfer(job, || Ok(LocalContent::Upload(file)), Some(&progress));
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
fn discard_failed(local: &Path, failure: Option<&Failure>) {
    match failure {
        None => {}
        Some(Failure::Job(JobError::Differs(_))) => Download::discard(local),
        Some(_) => Download::discard_empty(local),
    }
}

/// How many bytes it was.
fn moved(result: &Result<Outcome, Failure>) -> u64 {
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
fn here(name: &[u8]) -> PathBuf {
    Path::new(".").join(OsStr::from_bytes(name))
}

fn open_local(call: &Call<'_>, name: &Bytes) -> Result<(std::fs::File, u64), CommandError> {
    open_path(call, name, local_path(name))
}

fn open_path(call: &Call<'_>, name: &Bytes, path: PathBuf) -> Result<(std::fs::File, u64), CommandError> {
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
fn split_last(path: &Bytes) -> (Option<Bytes>, Bytes) {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(0) => (Some(path.slice(..1)), path.slice(1..)),
        Some(slash) => (Some(path.slice(..slash)), path.slice(slash + 1..)),
        None => (None, path.clone()),
    }
}

fn join(directory: &[u8], name: &[u8]) -> Bytes {
    let slash: &[u8] = if directory.ends_with(b"/") { b"" } else { b"/" };
    [directory, slash, name].concat().into()
}

/// Whether a name fits; hidden ones only where the pattern asks for them.
fn is_wanted(wanted: &[u8], name: &[u8]) -> bool {
    name == wanted || (pattern::matches(wanted, name) && (!name.starts_with(b".") || wanted.starts_with(b".")))
}

/// Local files that fit a pattern, in order. A name that is there as it stands wins.
fn local_matches(pattern: &Bytes) -> io::Result<Vec<Bytes>> {
    // What a user types may begin with ~, what is found does not.
    let pattern = Bytes::from(local_path(pattern).into_os_string().into_vec());
    if Path::new(OsStr::from_bytes(&pattern)).exists() {
        return Ok(vec![pattern]);
    }
    let (directory, wanted) = split_last(&pattern);
    let folder = directory.as_ref().map_or(Path::new("."), |directory| Path::new(OsStr::from_bytes(directory)));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = Bytes::from(entry.file_name().into_vec());
        if is_wanted(&wanted, &name) && entry.path().is_file() {
            names.push(directory.as_ref().map_or(name.clone(), |directory| join(directory, &name)));
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Whether there is no use in going on with the next file.
fn ends_all(error: &JobError) -> bool {
    error.is_fatal() || *error == JobError::Aborted
}

/// One file that fails does not stop the next, unless the session is gone; the first error is the command's.
fn keep_first(first: &mut Option<CommandError>, result: Result<(), CommandError>) -> Result<(), CommandError> {
    match result {
        Ok(()) => Ok(()),
        Err(CommandError::About { failure: Failure::Job(error), .. }) if ends_all(&error) => {
            Err(CommandError::Other { verb: "transfer", text: error.to_string() })
        }
        Err(error) if first.is_none() => {
            *first = Some(error);
            Ok(())
        }
        Err(error) => {
            tell!("{error}");
            Ok(())
        }
    }
}
