//! Dates as MDTM, MFMT and the `modify` fact carry them: `YYYYMMDDHHMMSS[.digits]`, in UTC (RFC 3659, section 2.3).

use alloc::vec::Vec;

use super::scan::{narrow, push_two, split_once};
use crate::time::{Civil, Timestamp};

/// 0001-01-01T00:00:00Z
const FIRST: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z
const LAST: i64 = 253_402_300_799;

/// Reads a time value; digits behind the ninth of a fraction are dropped.
///
/// ```
/// use longshore_core::{time::Timestamp, wire::time_value};
///
/// let value = time_value::parse(b"19990929003355.237").unwrap();
/// assert_eq!(value, Timestamp { seconds: 938_565_235, nanos: 237_000_000 });
/// assert_eq!(time_value::parse(b"20230229120000"), None); // no such day
/// ```
pub fn parse(text: &[u8]) -> Option<Timestamp> {
    let (whole, fraction) = split_once(text, b'.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
    if whole.len() != 14 {
        return None;
    }
    let civil = Civil {
        year: narrow(&whole[..4], 4)?,
        month: narrow(&whole[4..6], 2)?,
        day: narrow(&whole[6..8], 2)?,
        hour: narrow(&whole[8..10], 2)?,
        minute: narrow(&whole[10..12], 2)?,
        second: narrow(&whole[12..], 2)?,
    };
    if civil.year == 0 {
        return None;
    }
    let nanos = fraction.map_or(Some(0), parse_fraction)?;
    // The leap second behind the last year that can be written is in none.
    let time = civil.timestamp().filter(|time| time.seconds <= LAST)?;
    Some(Timestamp { nanos, ..time })
}

/// Puts the whole seconds of `time` behind `out`. Years beyond four digits become the nearest that has four.
pub fn print(time: Timestamp, out: &mut Vec<u8>) {
    let civil = Timestamp::from_seconds(time.seconds.clamp(FIRST, LAST)).civil();
    let two_digits = |value: i64| u8::try_from(value).unwrap_or_default();
    let (century, of_century) = (two_digits(civil.year / 100), two_digits(civil.year % 100));
    for part in [century, of_century, civil.month, civil.day, civil.hour, civil.minute, civil.second] {
        push_two(part, out);
    }
}

fn parse_fraction(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let kept = &digits[..digits.len().min(9)];
    let scale = 10u32.pow(9 - u32::try_from(kept.len()).ok()?);
    Some(narrow::<u32>(kept, 9)? * scale)
}
