//! One reader for each kind of LIST line, in the order in which they are tried. Each says `None` to a line that is not its own.

use alloc::vec::Vec;

use super::read::{Listed, month, nearest_year, short_year};
use crate::entry::Kind;
use crate::time::{Civil, Timestamp};
use crate::wire::facts::{FactLine, ListedKind};
use crate::wire::scan::{decimal, narrow, split_once, word};

type Dialect = fn(&[u8], Timestamp) -> Option<Listed>;

pub(super) const ALL: &[Dialect] = &[unix, netware, dos, eplf, mlsd, vms, as400, os2];

/// `ls -l` in its many forms; also old MacOS servers, which put `folder 0` or two sizes where links and owner stand.
fn unix(line: &[u8], now: Timestamp) -> Option<Listed> {
    let kind = match line.first()? {
        b'-' => Kind::File,
        b'd' => Kind::Directory,
        b'l' => Kind::Link,
        b'b' | b'c' | b'p' | b's' | b'D' => Kind::Other,
        _ => return None,
    };
    let (mode, rest) = word(line)?;
    let permissions = mode.get(1..10)?;
    let is_permission = |byte: &u8| matches!(byte, b'r' | b'w' | b'x' | b's' | b'S' | b't' | b'T' | b'l' | b'-');
    if !permissions.iter().all(is_permission) || !matches!(mode.get(10..), Some([] | [b'+' | b'.' | b'@'])) {
        return None;
    }
    // The columns before the date differ; the date itself does not, so it is looked for from the left.
    let mut columns: Vec<&[u8]> = Vec::new();
    let mut tail = rest;
    let (modified, name) = loop {
        if let Some(found) = unix_date(tail, now).filter(|_| !columns.is_empty()) {
            break found;
        }
        let (column, next) = word(tail)?;
        if columns.len() == 6 {
            return None;
        }
        columns.push(column);
        tail = next;
    };
    let size = match columns[..] {
        [b"folder", ..] => None,
        [.., major, _] if major.ends_with(b",") => None,
        [.., last] => Some(decimal(last)?),
        [] => return None,
    };
    let (name, target) = match find(name, b" -> ").filter(|_| kind == Kind::Link) {
        Some(at) => (&name[..at], Some(name[at + 4..].to_vec())),
        None => (name, None),
    };
    entry(kind, size, Some(modified), name, target)
}

/// `Jun 14 09:30`, `Jun 14  2023`, `14 Jun 09:30` or `2024-06-14 09:30`, and the name behind it.
fn unix_date(text: &[u8], now: Timestamp) -> Option<(Timestamp, &[u8])> {
    let (first, rest) = word(text)?;
    if let Some((year, month, day)) = dashed(first, b'-').filter(|(year, ..)| *year >= 1000) {
        let (time, _) = word(rest)?;
        let (hour, minute) = clock(time)?;
        let date = Civil { year, month, day, hour, minute, second: 0 };
        return Some((date.timestamp()?, after_blank(rest, time)?));
    }
    let (second, rest) = word(rest)?;
    let (month, day) = match month(first) {
        Some(month) => (month, narrow(second, 2)?),
        None => (month(second)?, narrow(first, 2)?),
    };
    let (third, _) = word(rest)?;
    let day_of = |year, hour, minute| Civil { year, month, day, hour, minute, second: 0 };
    if let Some((hour, minute)) = clock(third) {
        return Some((nearest_year(day_of(0, hour, minute), now)?, after_blank(rest, third)?));
    }
    let year: i64 = narrow(third, 4).filter(|year| *year >= 1000)?;
    let mut name = after_blank(rest, third)?;
    // A year is set off by two blanks by those who pad the column; a single one betrays a server that pads the name.
    let gap = text.len() - rest.len();
    let padded = text[..gap].ends_with(b"  ");
    if !padded {
        name = name.strip_prefix(b" ").unwrap_or(name);
    }
    Some((day_of(year, 0, 0).timestamp()?, name))
}

/// `d [RWCEAFMS] owner size date name`
fn netware(line: &[u8], now: Timestamp) -> Option<Listed> {
    let kind = match line.get(..3)? {
        b"d [" => Kind::Directory,
        b"- [" => Kind::File,
        _ => return None,
    };
    let (_, rest) = split_once(line, b']')?;
    let (_owner, rest) = word(rest)?;
    let (size, rest) = word(rest)?;
    let (modified, name) = unix_date(rest, now)?;
    entry(kind, Some(decimal(size)?), Some(modified), name, None)
}

/// `06-14-24  09:30AM  <DIR>  name`: DOS and IIS, with years of two or four digits, at either end.
fn dos(line: &[u8], _now: Timestamp) -> Option<Listed> {
    let (date, rest) = word(line)?;
    let (year, month, day) = american(date, b'-').or_else(|| dashed(date, b'-'))?;
    let (time, rest) = word(rest)?;
    let (hour, minute) = twelve_hour_clock(time)?;
    let (what, _) = word(rest)?;
    let (kind, size) = match what {
        b"<DIR>" | b"<JUNCTION>" | b"<SYMLINKD>" => (Kind::Directory, None),
        b"<SYMLINK>" => (Kind::Link, None),
        size => {
            let digits: Vec<u8> = size.iter().copied().filter(|byte| *byte != b',').collect();
            (Kind::File, Some(decimal(&digits)?))
        }
    };
    // Columns are padded to a fixed width before the name of a directory, and by one blank before that of a file.
    let name = after_blank(rest, what)?;
    let name = if size.is_none() { name.trim_ascii_start() } else { name };
    let modified = Civil { year, month, day, hour, minute, second: 0 }.timestamp()?;
    entry(kind, size, Some(modified), name, None)
}

/// `+facts,TAB name`: Easily Parsed LIST Format.
fn eplf(line: &[u8], _now: Timestamp) -> Option<Listed> {
    let (facts, name) = split_once(line.strip_prefix(b"+")?, b'\t')?;
    let (mut kind, mut size, mut modified) = (Kind::Other, None, None);
    for fact in facts.split(|&byte| byte == b',') {
        match fact {
            b"/" => kind = Kind::Directory,
            b"r" => kind = Kind::File,
            [b's', digits @ ..] => size = decimal(digits),
            [b'm', digits @ ..] => modified = narrow(digits, 18).map(Timestamp::from_seconds),
            _ => {}
        }
    }
    entry(kind, size, modified, name, None)
}

/// A line of MLSD where one of LIST was due.
fn mlsd(line: &[u8], _now: Timestamp) -> Option<Listed> {
    let facts = FactLine::parse(line)?;
    let kind = match facts.kind {
        ListedKind::File => Kind::File,
        ListedKind::Directory => Kind::Directory,
        ListedKind::Link => Kind::Link,
        ListedKind::Other => Kind::Other,
        ListedKind::Current | ListedKind::Parent | ListedKind::Unknown => return None,
    };
    entry(kind, facts.size(), facts.modified(), facts.name, None)
}

/// `NAME.EXT;version used/allocated DD-MON-YYYY HH:MM:SS [owner] (protection)`, blocks of 512 bytes.
fn vms(line: &[u8], _now: Timestamp) -> Option<Listed> {
    const BLOCK: u64 = 512;
    let (full, rest) = word(line)?;
    let (name, version) = split_once(full, b';')?;
    decimal(version)?;
    let (blocks, rest) = word(rest)?;
    let used = split_once(blocks, b'/').map_or(blocks, |(used, _)| used);
    let size = decimal(used)?.checked_mul(BLOCK)?;
    let (date, rest) = word(rest)?;
    let mut parts = date.split(|&byte| byte == b'-');
    let (day, letters, year) = (narrow(parts.next()?, 2)?, parts.next()?, narrow(parts.next()?, 4)?);
    let (time, _) = word(rest)?;
    let (hour, minute, second) = clock_with_seconds(time)?;
    let modified = Civil { year, month: month(letters)?, day, hour, minute, second }.timestamp()?;
    match name.strip_suffix(b".DIR") {
        Some(directory) => entry(Kind::Directory, Some(size), Some(modified), directory, None),
        None => entry(Kind::File, Some(size), Some(modified), name, None),
    }
}

/// `owner size MM/DD/YY HH:MM:SS *TYPE name`: AS/400.
fn as400(line: &[u8], _now: Timestamp) -> Option<Listed> {
    let (_owner, rest) = word(line)?;
    let (size, rest) = word(rest)?;
    let (date, rest) = word(rest)?;
    let (year, month, day) = american(date, b'/')?;
    let (time, rest) = word(rest)?;
    let (hour, minute, second) = clock_with_seconds(time)?;
    let (kind, name) = word(rest)?;
    let kind = match kind.strip_prefix(b"*")? {
        b"DIR" | b"DDIR" | b"LIB" | b"FLR" => Kind::Directory,
        b"STMF" | b"DSTMF" | b"FILE" | b"MEM" | b"DOC" => Kind::File,
        _ => Kind::Other,
    };
    let modified = Civil { year, month, day, hour, minute, second }.timestamp()?;
    entry(kind, Some(decimal(size)?), Some(modified), name.strip_suffix(b"/").unwrap_or(name), None)
}

/// `size [attributes] [DIR] MM-DD-YY HH:MM name`: OS/2.
fn os2(line: &[u8], _now: Timestamp) -> Option<Listed> {
    let (size, mut rest) = word(line)?;
    let size = decimal(size)?;
    let mut kind = Kind::File;
    for _ in 0..3 {
        let (column, next) = word(rest)?;
        rest = next;
        if let Some((year, month, day)) = american(column, b'-') {
            let (time, name) = word(rest)?;
            let (hour, minute) = clock(time)?;
            let modified = Civil { year, month, day, hour, minute, second: 0 }.timestamp()?;
            return entry(kind, Some(size), Some(modified), name, None);
        }
        if column == b"DIR" {
            kind = Kind::Directory;
        }
    }
    None
}

fn entry(
    kind: Kind,
    size: Option<u64>,
    modified: Option<Timestamp>,
    name: &[u8],
    target: Option<Vec<u8>>,
) -> Option<Listed> {
    (!name.is_empty()).then(|| Listed { kind, size, modified, name: name.to_vec(), target })
}

/// What follows `column`, the first word of `text`, and exactly one SP: inner and trailing blanks belong to a name.
fn after_blank<'a>(text: &'a [u8], column: &[u8]) -> Option<&'a [u8]> {
    let column_start = text.len() - text.trim_ascii_start().len();
    text[column_start + column.len()..].strip_prefix(b" ")
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// Three numbers, year first.
fn dashed(text: &[u8], separator: u8) -> Option<(i64, u8, u8)> {
    let (year, rest) = split_once(text, separator)?;
    let (month, day) = split_once(rest, separator)?;
    let year = narrow(year, 4).filter(|_| year.len() == 4)?;
    Some((year, narrow(month, 2)?, narrow(day, 2)?))
}

/// Three numbers, month first, the year with two or four digits.
fn american(text: &[u8], separator: u8) -> Option<(i64, u8, u8)> {
    let (month, rest) = split_once(text, separator)?;
    let (day, digits) = split_once(rest, separator)?;
    let year: i64 = narrow(digits, 4)?;
    let year = match digits.len() {
        2 => short_year(year),
        4 => year,
        _ => return None,
    };
    Some((year, narrow(month, 2)?, narrow(day, 2)?))
}

fn clock(text: &[u8]) -> Option<(u8, u8)> {
    let (hour, minute) = split_once(text, b':')?;
    Some((narrow(hour, 2).filter(|hour| *hour < 24)?, narrow(minute, 2).filter(|minute| *minute < 60)?))
}

fn clock_with_seconds(text: &[u8]) -> Option<(u8, u8, u8)> {
    let (hour, rest) = split_once(text, b':')?;
    let (minute, second) = split_once(rest, b':')?;
    Some((narrow(hour, 2)?, narrow(minute, 2)?, narrow(second, 2)?))
}

/// `09:30PM`, or `21:30`.
fn twelve_hour_clock(text: &[u8]) -> Option<(u8, u8)> {
    let (digits, afternoon) = match text.len().checked_sub(2).map(|at| text.split_at(at)) {
        Some((digits, half)) if half.eq_ignore_ascii_case(b"AM") => (digits, Some(0)),
        Some((digits, half)) if half.eq_ignore_ascii_case(b"PM") => (digits, Some(12)),
        _ => (text, None),
    };
    let (hour, minute) = clock(digits)?;
    match afternoon {
        Some(_) if hour > 12 => None,
        Some(offset) => Some((hour % 12 + offset, minute)),
        None => Some((hour, minute)),
    }
}
