//! What FTP sessions need of a machine besides sockets, the same on every runtime: files, accounts, settings, messages, the
//! console. The protocol itself is in `longshore-core`; a runtime adds sockets, timers and tasks.
//!
//! | module | what |
//! |---|---|
//! | [`directory`] | a directory on a disk, which nobody gets out of |
//! | [`accounts`] | who may log in |
//! | [`tls`] | protected connections |
//! | [`control`], [`transfer`], [`net`], [`signals`] | control connections, data connections turn by turn, sockets with their options, SIGINT and SIGTERM |
//! | [`settings`], [`toml_file`], [`logging`] | command lines, settings files, logs |
//! | [`server`], [`console`] | the programs, but for their sockets |
//!
//! It is for Unix: files are opened below directory handles, and readiness is that of file descriptors.
#![forbid(unsafe_code)]

pub mod accounts;
pub mod console;
pub mod control;
pub mod directory;
pub mod logging;
pub mod net;
pub mod server;
pub mod settings;
pub mod signals;
pub mod tls;
pub mod toml_file;
pub mod transfer;

use std::process::ExitCode;

/// The name under which the program was started.
pub(crate) fn program() -> String {
    let path = std::env::args_os().next().unwrap_or_default();
    std::path::Path::new(&path).file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Reads the command line, under the name of the program that was started.
pub(crate) fn arguments<A: clap::Parser>() -> Result<A, clap::Error> {
    let name = program();
    let mut command = A::command().name(name.clone()).bin_name(name);
    A::from_arg_matches(&command.try_get_matches_from_mut(std::env::args_os())?)
}

/// Prints help, a version, or what is wrong with the arguments.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // A closed terminal is nobody's business here.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
}
