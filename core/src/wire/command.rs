//! A line as verb and argument (RFC 959, section 5.3).

use alloc::vec::Vec;

use bytes::Bytes;
use thiserror::Error;

use super::line::escape_into;
use super::scan::split_once;
use super::verb::{Argument, Offer, Verb};

/// The longest verb.
const VERB_LIMIT: usize = 16;

/// A command, its argument in the form that the table asks for.
///
/// ```
/// use longshore_core::wire::{command::Command, verb::Verb};
///
/// let command = Command::parse(&b"xcwd two words ".to_vec().into()).unwrap();
/// assert_eq!(command.verb, Verb::Cwd);
/// assert_eq!(command.argument.as_deref(), Some(b"two words ".as_ref()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// What is to be done.
    pub verb: Verb,
    /// With what. Required arguments are always there.
    pub argument: Option<Bytes>,
}

/// Why a line is no command. Each error knows the reply that it earns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CommandError {
    /// Nothing but blanks.
    #[error("There is no command in this line.")]
    Blank,
    /// No verb of the table.
    #[error("Unknown command.")]
    Unknown,
    /// The line was over the limit.
    #[error("Command line too long.")]
    TooLong,
    /// A browser speaks HTTP: a page could make it send commands of its own.
    #[error("This is an FTP server.")]
    Browser,
    /// A verb that is only ever refused.
    #[error("Command not implemented.")]
    Refused(Verb),
    /// The argument is not there.
    #[error("This command needs an argument.")]
    Missing(Verb),
    /// An argument where there is to be none, or more than one word where one is due.
    #[error("This command does not take such an argument.")]
    Unexpected(Verb),
    /// NUL cannot stand in an argument.
    #[error("An argument must not hold NUL.")]
    Nul(Verb),
}

impl CommandError {
    /// The reply's code (RFC 959, section 5.4).
    pub fn code(self) -> u16 {
        match self {
            Self::Blank | Self::Unknown | Self::TooLong | Self::Browser => 500,
            Self::Refused(_) => 502,
            Self::Missing(_) | Self::Unexpected(_) | Self::Nul(_) => 501,
        }
    }
}

impl Command {
    /// A command without an argument.
    pub const fn new(verb: Verb) -> Self {
        Self { verb, argument: None }
    }

    /// A command with an argument.
    pub fn with(verb: Verb, argument: impl Into<Bytes>) -> Self {
        Self { verb, argument: Some(argument.into()) }
    }

    /// Reads a line without its end. The empty line, which some gateways send, is for the caller to pass over.
    ///
    /// # Errors
    ///
    /// See [`CommandError`].
    pub fn parse(line: &Bytes) -> Result<Self, CommandError> {
        let text = line.slice(leading_blanks(line)..);
        if text.is_empty() {
            return Err(CommandError::Blank);
        }
        let (name, rest) = match split_once(&text, b' ') {
            Some((name, rest)) => (name, text.slice_ref(rest)),
            None => (&text[..], Bytes::new()),
        };
        let verb = find(name)?;
        let row = verb.row();
        if row.offer == Offer::Refused {
            return Err(CommandError::Refused(verb));
        }
        if rest.contains(&0) {
            return Err(CommandError::Nul(verb));
        }
        let argument = shape(verb, row.argument, rest)?;
        Ok(Self { verb, argument })
    }

    /// Puts the command and its end of line behind `out`. An argument must hold no LF and no NUL: see [`is_sendable`].
    pub fn print(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.verb.row().name.as_bytes());
        if let Some(argument) = &self.argument {
            out.push(b' ');
            escape_into(argument, out);
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// Whether a text can be an argument: without CR, LF and NUL, which could begin a command of its own.
pub fn is_sendable(text: &[u8]) -> bool {
    !text.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0))
}

/// A command line as a log may show it: what follows PASS, and ACCT, is nobody's business.
pub fn masked(line: &Bytes) -> Bytes {
    let text = line.trim_ascii_start();
    let is_secret = |verb: &[u8]| verb.eq_ignore_ascii_case(b"PASS") || verb.eq_ignore_ascii_case(b"ACCT");
    if text.get(..4).is_some_and(is_secret) { Bytes::from([&text[..4], b" ****"].concat()) } else { line.clone() }
}

fn leading_blanks(text: &[u8]) -> usize {
    text.iter().take_while(|&&byte| byte == b' ').count()
}

fn find(name: &[u8]) -> Result<Verb, CommandError> {
    // What is left of an urgent ABOR when the network swallowed its Data Mark (RFC 959, section 4.1).
    if name[0] >= 0x80 {
        let known = [Verb::Abor, Verb::Stat, Verb::Quit];
        let ends = |verb: &Verb| name.to_ascii_uppercase().ends_with(verb.row().name.as_bytes());
        return known.into_iter().find(ends).ok_or(CommandError::Unknown);
    }
    if name.len() > VERB_LIMIT || !name[0].is_ascii_alphabetic() || !name.iter().all(u8::is_ascii_alphanumeric) {
        return Err(CommandError::Unknown);
    }
    let mut upper = [0; VERB_LIMIT];
    let upper = &mut upper[..name.len()];
    upper.copy_from_slice(name);
    upper.make_ascii_uppercase();
    match Verb::from_upper(upper) {
        Some(verb) => Ok(verb),
        None if [&b"GET"[..], b"HEAD", b"POST", b"PUT", b"OPTIONS", b"CONNECT"].contains(&&*upper) => {
            Err(CommandError::Browser)
        }
        None => Err(CommandError::Unknown),
    }
}

fn shape(verb: Verb, form: Argument, rest: Bytes) -> Result<Option<Bytes>, CommandError> {
    let trimmed = rest.slice_ref(rest.trim_ascii());
    let word = |optional: bool| match &trimmed[..] {
        b"" if optional => Ok(None),
        b"" => Err(CommandError::Missing(verb)),
        text if text.contains(&b' ') => Err(CommandError::Unexpected(verb)),
        _ => Ok(Some(trimmed.clone())),
    };
    match form {
        Argument::None if trimmed.is_empty() => Ok(None),
        Argument::None => Err(CommandError::Unexpected(verb)),
        Argument::Word => word(false),
        Argument::OptionalWord => word(true),
        Argument::Words if trimmed.is_empty() => Err(CommandError::Missing(verb)),
        Argument::Words => Ok(Some(trimmed)),
        Argument::Ignored | Argument::OptionalWords => Ok((!trimmed.is_empty()).then_some(trimmed)),
        Argument::Text if rest.is_empty() => Err(CommandError::Missing(verb)),
        Argument::OptionalText if rest.is_empty() => Ok(None),
        Argument::Text | Argument::OptionalText | Argument::EmptyText => Ok(Some(rest)),
    }
}
