//! Time as the core sees it: an [`Instant`] that the caller hands in for deadlines, and a [`Timestamp`] for the dates of
//! files. The core reads no clock.

use core::ops::{Add, Sub};
use core::time::Duration;

/// A point on a clock that never goes back, as the time since an origin that the caller picks.
///
/// ```
/// use core::time::Duration;
/// use longshore_core::time::Instant;
///
/// let later = Instant::ORIGIN + Duration::from_secs(5);
/// assert_eq!(later - Instant::ORIGIN, Duration::from_secs(5));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Duration);

impl Instant {
    /// The origin itself.
    pub const ORIGIN: Self = Self(Duration::ZERO);

    /// The point that lies `elapsed` after the origin.
    pub const fn after_origin(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// The time since the origin.
    pub const fn since_origin(self) -> Duration {
        self.0
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span))
    }
}

impl Sub for Instant {
    type Output = Duration;

    /// The time between two points; zero if `earlier` is the later one.
    fn sub(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// A date as files carry it: seconds since 1970-01-01T00:00:00Z, and nanoseconds from 0 to 999,999,999.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Seconds since the Unix epoch; negative before it.
    pub seconds: i64,
    /// Nanoseconds within the second.
    pub nanos: u32,
}

/// A date split into the fields of the Gregorian calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// 1 to 9999 where it came from text.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59; 60 only in text that names a leap second.
    pub second: u8,
}

const DAY_SECS: i64 = 86_400;

impl Timestamp {
    /// The date that lies `seconds` after the Unix epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self { seconds, nanos: 0 }
    }

    /// The calendar fields of this date.
    ///
    /// ```
    /// use longshore_core::time::Timestamp;
    ///
    /// let civil = Timestamp::from_seconds(1_709_208_000).civil();
    /// assert_eq!((civil.year, civil.month, civil.day, civil.hour), (2024, 2, 29, 12));
    /// ```
    pub fn civil(self) -> Civil {
        let (days, second) = (self.seconds.div_euclid(DAY_SECS), self.seconds.rem_euclid(DAY_SECS));
        let (year, month, day) = date_of(days);
        let part = |value: i64| u8::try_from(value).unwrap_or_default();
        Civil { year, month, day, hour: part(second / 3600), minute: part(second / 60 % 60), second: part(second % 60) }
    }
}

impl Civil {
    /// The date that these fields name, or `None` where the calendar has no such day or hour. A leap second counts as the
    /// first second of the next minute.
    pub fn timestamp(&self) -> Option<Timestamp> {
        let valid = (1..=12).contains(&self.month)
            && (1..=days_in(self.year, self.month)).contains(&self.day)
            && self.hour < 24
            && self.minute < 60
            && self.second <= 60;
        valid.then(|| {
            let time = i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second);
            Timestamp::from_seconds(days_since_epoch(self.year, self.month, self.day) * DAY_SECS + time)
        })
    }
}

/// Whether February of `year` has 29 days.
fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: u8) -> u8 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from the epoch to a date. The year is taken to begin in March, so that a leap day is its last day, and the
/// calendar repeats every 400 years (146,097 days).
fn days_since_epoch(year: i64, month: u8, day: u8) -> i64 {
    let from_march = (i64::from(month) + 9) % 12;
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * from_march + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse of [`days_since_epoch`]: year, month and day.
fn date_of(days: i64) -> (i64, u8, u8) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, u8::try_from(month).unwrap_or_default(), u8::try_from(day).unwrap_or_default())
}
