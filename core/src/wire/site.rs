//! The commands behind SITE: this server's own (RFC 959, section 4.1.3). None of them runs a program (RFC 2577, section 9).

use super::scan::split_once;

/// A command behind SITE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// Sets the permissions of a file.
    Chmod,
    /// Lists these commands.
    Help,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Which.
    pub command: Site,
    /// The word that stands for it, in upper case.
    pub name: &'static str,
    /// What follows the word.
    pub argument: &'static str,
    /// What it does.
    pub summary: &'static str,
}

/// Every command.
pub const TABLE: [Row; 2] = [
    Row {
        command: Site::Chmod,
        name: "CHMOD",
        argument: " octal-mode path",
        summary: "sets the permissions of a file",
    },
    Row { command: Site::Help, name: "HELP", argument: "", summary: "lists these commands" },
];

/// The command that an argument of SITE begins with, in any case, and what follows it.
pub fn parse(argument: &[u8]) -> Option<(Site, &[u8])> {
    let (name, rest) = split_once(argument, b' ').unwrap_or((argument, b""));
    let row = TABLE.iter().find(|row| row.name.as_bytes().eq_ignore_ascii_case(name))?;
    Some((row.command, rest))
}
