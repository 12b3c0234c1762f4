//! The client's arguments.

use std::ffi::OsString;

use clap::{ArgAction, Parser};

/// Moves files to and from an FTP server.
#[derive(Clone, Debug, Parser)]
#[command(version, about = "Moves files to and from an FTP server.", arg_required_else_help = true)]
pub struct ClientArguments {
    /// Host name, IP address, or URL (ftp://user@host:port/folder/)
    #[arg(value_name = "SERVER")]
    pub server: String,
    /// Control port [default: 21]
    #[arg(value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// Log in as NAME [default: the URL's user, else the one of ~/.netrc, else anonymous]
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Run COMMAND in place of the prompt; may be repeated; the first that fails ends the run
    #[arg(short, long = "command", value_name = "COMMAND")]
    pub commands: Vec<OsString>,
    /// Active mode: the server connects back
    #[arg(long)]
    pub active: bool,
    /// Show the control dialogue
    #[arg(short, long, action = ArgAction::SetTrue)]
    pub verbose: bool,
    /// Show errors only
    #[arg(short, long, action = ArgAction::SetTrue, conflicts_with = "verbose")]
    pub quiet: bool,
}
