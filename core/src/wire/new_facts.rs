//! Facts that a client sets: MFF (draft-somers-ftp-mfxx), and the mode of SITE CHMOD.

use thiserror::Error;

use super::scan::split_once;
use super::time_value;
use crate::time::Timestamp;

/// What MFF is to set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewFacts {
    /// `Modify`: when the content last changed.
    pub modified: Option<Timestamp>,
    /// `UNIX.mode`: the permission bits.
    pub mode: Option<u32>,
}

/// An argument of MFF that cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NewFactsError {
    /// Not in the grammar.
    #[error("MFF takes facts, each with a value and a semicolon behind it, a blank, and a path.")]
    Syntax,
    /// A fact that cannot be set (mfxx, section 5.5).
    #[error("The facts that can be set are Modify and UNIX.mode.")]
    Unknown,
    /// A time or a mode that is none.
    #[error("Modify is a time YYYYMMDDHHMMSS, in UTC, and UNIX.mode an octal mode.")]
    Value,
}

impl NewFactsError {
    /// The reply's code.
    pub fn code(self) -> u16 {
        match self {
            Self::Syntax | Self::Value => 501,
            Self::Unknown => 504,
        }
    }
}

impl NewFacts {
    /// Reads `fact=value;fact=value; path`, and gives the path too.
    ///
    /// # Errors
    ///
    /// See [`NewFactsError`].
    pub fn parse(argument: &[u8]) -> Result<(Self, &[u8]), NewFactsError> {
        let (list, path) = split_once(argument, b' ').ok_or(NewFactsError::Syntax)?;
        let list = list.strip_suffix(b";").filter(|_| !path.is_empty()).ok_or(NewFactsError::Syntax)?;
        let mut facts = Self::default();
        for fact in list.split(|&byte| byte == b';') {
            let (name, value) = split_once(fact, b'=').ok_or(NewFactsError::Syntax)?;
            if name.eq_ignore_ascii_case(b"Modify") {
                facts.modified = Some(time_value::parse(value).ok_or(NewFactsError::Value)?);
            } else if name.eq_ignore_ascii_case(b"UNIX.mode") {
                facts.mode = Some(octal_mode(value).ok_or(NewFactsError::Value)?);
            } else {
                return Err(NewFactsError::Unknown);
            }
        }
        Ok((facts, path))
    }
}

/// The value of one to four octal digits.
pub fn octal_mode(digits: &[u8]) -> Option<u32> {
    let octal = (1..=4).contains(&digits.len()) && digits.iter().all(|digit| (b'0'..=b'7').contains(digit));
    octal.then(|| digits.iter().fold(0, |mode, digit| mode * 8 + u32::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_come_with_values_and_a_path() {
        let parsed = |text: &'static str| NewFacts::parse(text.as_bytes());
        let (facts, path) = parsed("unix.MODE=640;modify=20200101000000; a b").unwrap();
        assert_eq!((facts.mode, path), (Some(0o640), &b"a b"[..]));
        assert_eq!(facts.modified, time_value::parse(b"20200101000000"));
        for (text, error) in [
            ("Modify=20200101000000;", NewFactsError::Syntax),
            ("Modify=20200101000000; ", NewFactsError::Syntax),
            ("Modify=20200101000000 a", NewFactsError::Syntax),
            ("; a", NewFactsError::Syntax),
            ("Modify=20200101000000;; a", NewFactsError::Syntax),
            ("Modify; a", NewFactsError::Syntax),
            ("UNIX.mode=8; a", NewFactsError::Value),
            ("UNIX.mode=; a", NewFactsError::Value),
            ("Modify=2020; a", NewFactsError::Value),
            ("size=1; a", NewFactsError::Unknown),
        ] {
            assert_eq!(parsed(text), Err(error), "{text}");
        }
    }
}
