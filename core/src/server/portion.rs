//! What part of a file the next transfer is about, and how large it is: REST, RANG, ALLO.

use alloc::format;

use super::Session;
use crate::wire::scan::{decimal, word};

/// The part of a file that the next transfer is about: what REST or RANG asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Portion {
    /// Where it begins.
    pub(super) offset: u64,
    /// How long it is, after RANG.
    pub(super) length: Option<u64>,
}

impl Portion {
    pub(super) const WHOLE: Self = Self { offset: 0, length: None };

    /// How much of it there is in a file of this size.
    pub(super) fn within(self, size: u64) -> u64 {
        self.length.map_or(size, |length| length.min(size.saturating_sub(self.offset)))
    }
}

impl Session {
    /// `ALLO size [R record-size]`
    pub(super) fn allocate(&mut self, argument: &[u8]) {
        let size = word(argument).and_then(|(digits, rest)| {
            let record = rest.is_empty()
                || word(rest).is_some_and(|(r, size)| r.eq_ignore_ascii_case(b"R") && decimal(size).is_some());
            decimal(digits).filter(|_| record)
        });
        match size {
            Some(_) => {
                self.announced = size;
                self.reply(200, "ALLO ok.");
            }
            None => self.reply(501, "ALLO takes a number of bytes."),
        }
    }

    /// The offset is used by the next transfer; whether it fits is seen then (RFC 3659, section 5.3).
    pub(super) fn restart_at(&mut self, argument: &[u8]) {
        match decimal(argument).filter(|offset| is_offset(*offset)) {
            Some(offset) => {
                self.portion = Portion { offset, length: None };
                self.reply(350, format!("Restarting at {offset}."));
            }
            None => self.reply(501, "REST takes a number of bytes."),
        }
    }

    /// `RANG first last`, both of them in the range; `1 0` takes it back (draft-bryan-ftp-range, section 3).
    pub(super) fn range(&mut self, argument: &[u8]) {
        self.portion = Portion::WHOLE;
        let numbers = word(argument).and_then(|(first, last)| Some((decimal(first)?, decimal(last)?)));
        match numbers {
            Some((1, 0)) => self.reply(350, "The whole file is meant again."),
            Some((first, last)) if first <= last && is_offset(last) => {
                self.portion = Portion { offset: first, length: Some(last - first + 1) };
                self.reply(350, format!("Bytes {first} to {last} are meant."));
            }
            _ => self.reply(501, "RANG takes the first byte and the last, counted from 0."),
        }
    }
}

/// Whether a file can have such an offset.
fn is_offset(number: u64) -> bool {
    i64::try_from(number).is_ok()
}
