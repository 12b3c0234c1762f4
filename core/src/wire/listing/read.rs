//! LIST lines of every server that we know of. Where MLSD is to be had, it is the better source.

use alloc::vec::Vec;

use super::dialects;
use crate::entry::Kind;
use crate::time::{Civil, Timestamp};

/// An entry of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What it is.
    pub kind: Kind,
    /// Its size in bytes, where the line tells.
    pub size: Option<u64>,
    /// Its date, as exact as the line is.
    pub modified: Option<Timestamp>,
    /// Its name.
    pub name: Vec<u8>,
    /// Where a link leads.
    pub target: Option<Vec<u8>>,
}

/// What a line of a listing is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListLine {
    /// An entry.
    Entry(Listed),
    /// No entry, and nothing amiss: a headline, a total, `.` and `..`.
    Skip,
    /// In no dialect that we know.
    Unknown,
}

/// Reads a line of LIST without its end. `now` settles which year a date without one means; dates count as UTC.
///
/// ```
/// use longshore_core::time::Timestamp;
/// use longshore_core::wire::listing::read::{ListLine, parse};
///
/// let now = Timestamp::from_seconds(1_718_452_800);
/// let line = b"-rw-r--r--   1 ftp      ftp          1234 Jun 14 09:30 notes.txt";
/// let ListLine::Entry(entry) = parse(line, now) else { panic!() };
/// assert_eq!((entry.name.as_slice(), entry.size), (b"notes.txt".as_slice(), Some(1234)));
/// ```
pub fn parse(line: &[u8], now: Timestamp) -> ListLine {
    let text = line.trim_ascii();
    let is_headline = text.is_empty()
        || text.starts_with(b"Directory ")
        || text.starts_with(b"Total of ")
        || text.strip_prefix(b"total ").is_some_and(|count| count.iter().all(u8::is_ascii_digit));
    if is_headline {
        return ListLine::Skip;
    }
    match dialects::ALL.iter().find_map(|dialect| dialect(line, now)) {
        Some(entry) if matches!(&entry.name[..], b"." | b"..") => ListLine::Skip,
        Some(entry) => ListLine::Entry(entry),
        None => ListLine::Unknown,
    }
}

/// The month that three letters name, in any case.
pub(super) fn month(letters: &[u8]) -> Option<u8> {
    let at = super::write::MONTHS.iter().position(|name| name.eq_ignore_ascii_case(letters))?;
    u8::try_from(at + 1).ok()
}

/// The year of a date that has none: the latest in which it exists and lies at most a day after now.
pub(super) fn nearest_year(date: Civil, now: Timestamp) -> Option<Timestamp> {
    const DAY_SECS: i64 = 86_400;
    let this_year = now.civil().year;
    // Eight years hold a leap day, whatever century begins among them.
    (this_year - 8..=this_year + 1)
        .rev()
        .filter_map(|year| Civil { year, ..date }.timestamp())
        .find(|time| time.seconds <= now.seconds + DAY_SECS)
}

/// A year of two digits: 1970 to 2069.
pub(super) fn short_year(year: i64) -> i64 {
    if year >= 70 { 1900 + year } else { 2000 + year }
}
