//! Replies: three digits and text, on one line or several (RFC 959, section 4.2).

use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use thiserror::Error;

use super::line::{Line, LineDecoder, Side};
use super::scan::narrow;

/// How much of one reply a client keeps; what goes beyond is read and dropped.
pub const REPLY_LIMIT: usize = 64 * 1024;

/// The meaning of a reply's first digit (RFC 959, section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// 1yz: begun, another reply follows.
    Preliminary,
    /// 2yz: done.
    Completion,
    /// 3yz: accepted, the next command of the sequence is due.
    Intermediate,
    /// 4yz: failed now; the same request may work later.
    Transient,
    /// 5yz: failed, and will again.
    Permanent,
    /// 6yz: a protected reply (RFC 2228, section 5.2), which nobody asked for.
    Protected,
}

/// A reply as a client sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// 100 to 699.
    pub code: u16,
    /// The lines' texts, without the code where a line carries it; at least one.
    pub lines: Vec<Bytes>,
}

impl Reply {
    /// The meaning of the first digit.
    pub fn class(&self) -> Class {
        match self.code / 100 {
            1 => Class::Preliminary,
            2 => Class::Completion,
            3 => Class::Intermediate,
            4 => Class::Transient,
            5 => Class::Permanent,
            _ => Class::Protected,
        }
    }

    /// Whether no further reply to the same command follows.
    pub fn is_final(&self) -> bool {
        self.class() != Class::Preliminary
    }

    /// Whether the command was refused or failed.
    pub fn is_error(&self) -> bool {
        matches!(self.class(), Class::Transient | Class::Permanent | Class::Protected)
    }

    /// The text of the last line, which is the whole text of most replies.
    pub fn text(&self) -> &[u8] {
        self.lines.last().map_or(b"", |line| line)
    }

    /// The size that a 150 or 125 announces at its end, as in `(1000 bytes).`: good for a progress bar alone.
    pub fn announced_size(&self) -> Option<u64> {
        let text = self.text();
        let (start, _) = text.iter().enumerate().rfind(|(_, byte)| **byte == b'(')?;
        let inner = &text[start + 1..];
        let inner = &inner[..inner.iter().position(|&byte| byte == b')')?];
        let (digits, unit) = super::scan::split_once(inner, b' ')?;
        if unit.eq_ignore_ascii_case(b"bytes") { super::scan::decimal(digits) } else { None }
    }
}

impl fmt::Display for Reply {
    /// Code and last line, with control bytes escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, Shown(self.text()))
    }
}

/// Bytes of a peer made fit for a terminal or a log: control characters escaped, UTF-8 kept, other bytes as `%HH`
/// (RFC 2640, section 3.3).
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(pub &'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for letter in chunk.valid().chars() {
                if letter.is_control() || is_direction(letter) {
                    write!(f, "{}", letter.escape_unicode())?;
                } else {
                    fmt::Write::write_char(f, letter)?;
                }
            }
            for byte in chunk.invalid() {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

/// Characters that turn the direction of a line about, so that a name could look like another.
fn is_direction(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What a peer sent is no reply; the connection is of no more use.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the server does not speak FTP: it sent \"{}\"", Shown(.0))]
pub struct NotAReply(pub Bytes);

/// Cuts what a server sends into replies.
///
/// ```
/// use longshore_core::wire::reply::ReplyDecoder;
///
/// let mut decoder = ReplyDecoder::new();
/// let (taken, reply) = decoder.decode(b"150 x\r\n226 y\r\n").unwrap();
/// assert_eq!((taken, reply.unwrap().code), (7, 150));
/// ```
#[derive(Debug)]
pub struct ReplyDecoder {
    lines: LineDecoder,
    begun: Option<Reply>,
    size: usize,
}

impl Default for ReplyDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl ReplyDecoder {
    /// A decoder at the start of a reply.
    pub fn new() -> Self {
        Self { lines: LineDecoder::new(Side::Client, REPLY_LIMIT), begun: None, size: 0 }
    }

    /// Takes bytes up to the end of a reply at most, and says how many it took.
    ///
    /// # Errors
    ///
    /// The first line is none that begins a reply.
    pub fn decode(&mut self, input: &[u8]) -> Result<(usize, Option<Reply>), NotAReply> {
        let mut taken = 0;
        while taken < input.len() {
            let (count, line) = self.lines.decode(&input[taken..], &mut Vec::new());
            taken += count;
            if let Some(line) = line
                && let Some(reply) = self.line(line)?
            {
                return Ok((taken, Some(reply)));
            }
        }
        Ok((taken, None))
    }

    fn line(&mut self, line: Line) -> Result<Option<Reply>, NotAReply> {
        let head = Head::of(&line.text);
        let Some(mut reply) = self.begun.take() else {
            let head = head.ok_or_else(|| NotAReply(line.text.slice(..line.text.len().min(80))))?;
            self.size = line.text.len();
            let reply = Reply { code: head.code, lines: Vec::from([head.text(&line.text)]) };
            if head.goes_on {
                self.begun = Some(reply);
                return Ok(None);
            }
            return Ok(Some(reply));
        };
        let head = head.filter(|head| head.code == reply.code);
        let ends = head.is_some_and(|head| !head.goes_on);
        // A line costs more than its bytes, so that empty ones count as well.
        self.size += line.text.len() + 32;
        if self.size <= REPLY_LIMIT || ends {
            reply.lines.push(head.map_or_else(|| line.text.clone(), |head| head.text(&line.text)));
        }
        if ends {
            return Ok(Some(reply));
        }
        self.begun = Some(reply);
        Ok(None)
    }
}

/// The first four bytes of a reply's line.
#[derive(Clone, Copy)]
struct Head {
    code: u16,
    goes_on: bool,
}

impl Head {
    fn of(line: &[u8]) -> Option<Self> {
        let code = narrow(line.get(..3)?, 3).filter(|code| (100..700).contains(code))?;
        match line.get(3) {
            None | Some(b' ') => Some(Self { code, goes_on: false }),
            Some(b'-') => Some(Self { code, goes_on: true }),
            Some(_) => None,
        }
    }

    fn text(self, line: &Bytes) -> Bytes {
        line.slice(line.len().min(4)..)
    }
}
