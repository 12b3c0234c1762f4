//! Commands on this machine.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use bytes::Bytes;
use longshore_core::wire::reply::Shown;

use super::{Call, CommandError, Next, local_path};
use crate::console::{Console, Dial};

pub(super) fn lcd<R: Dial>(_console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    let path = match call.one_or_none()? {
        Some(name) => local_path(&name),
        None => std::env::home_dir().ok_or_else(|| call.text("there is no home directory".to_owned()))?,
    };
    std::env::set_current_dir(&path).map_err(|error| call.about_local(path.as_os_str().as_bytes(), error))?;
    Ok(Next::Go)
}

pub(super) fn lpwd<R: Dial>(_console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    call.none()?;
    let path = std::env::current_dir().map_err(|error| call.about_local(b".", error))?;
    say!("{}", Shown(path.as_os_str().as_bytes()));
    Ok(Next::Go)
}

pub(super) fn lls<R: Dial>(_console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    let name = call.one_or_none()?.unwrap_or_else(|| Bytes::from_static(b"."));
    let failed = |error| call.about_local(&name, error);
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(local_path(&name)).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let mark = if entry.file_type().is_ok_and(|kind| kind.is_dir()) { "/" } else { "" };
        lines.push(format!("{}{mark}", Shown(entry.file_name().as_bytes())));
    }
    lines.sort_unstable();
    let mut out = io::stdout().lock();
    lines.iter().try_for_each(|line| writeln!(out, "{line}")).map_err(failed)?;
    Ok(Next::Go)
}

/// `!COMMAND`, or a shell.
pub(super) fn shell<R: Dial>(_console: &mut Console<R>, call: &Call<'_>) -> Result<Next, CommandError> {
    let shell = std::env::var_os("SHELL").unwrap_or_else(|| "/bin/sh".into());
    let mut command = Command::new(if call.rest.is_empty() { &*shell } else { OsStr::new("/bin/sh") });
    if !call.rest.is_empty() {
        command.arg("-c").arg(OsStr::from_bytes(call.rest));
    }
    let status = command.status().map_err(|error| call.about_local(b"sh", error))?;
    if status.success() { Ok(Next::Go) } else { Err(call.text(format!("the command ended with {status}"))) }
}
