//! Commands that move many files: by wildcard, over one data connection where the server can do that.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use longshore_core::client::{Job, JobError, Manner, Outcome};
use longshore_core::codec::Representation;
use longshore_core::host::Store;
use longshore_core::pattern;
use longshore_core::wire::reply::Shown;

use super::transfer::{discard_failed, download, here, join, moved, open_path, send, split_last};
use super::{Call, CommandError, Next, last_part, local_path};
use crate::console::content::Download;
use crate::console::progress::Progress;
use crate::console::remote::{Batch, Failure, Name};
use crate::console::{Console, Dial, LocalContent, Talk};

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
