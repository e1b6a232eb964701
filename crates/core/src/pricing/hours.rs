//! Hours of the week at which a price holds.

use std::fmt;

use jiff::Timestamp;
use thiserror::Error;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const EVERY_DAY: u8 = 0x7f;
const SECONDS_A_DAY: i64 = 86_400;
/// The first day of the epoch was a Thursday.
const FIRST_DAY: i64 = 3;

/// Days of the week and hours of the day, in UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    /// A bit for each day, Monday lowest.
    days: u8,
    /// From the first second to that before the second; over midnight where that is not later.
    spans: Vec<Span>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    from: i64,
    until: i64,
}

/// A text is not days of the week or hours of the day.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum InvalidHours {
    #[error("`{0}` is not days of the week; write them as in \"mon-fri\" or \"sat, sun\"")]
    Days(String),
    #[error("`{0}` is not hours of the day; write them as in \"16:30-00:30\", in UTC")]
    Span(String),
    #[error("the hours `{0}` and `{1}` overlap; make them one")]
    Overlap(String, String),
}

// === impl Hours ===

impl Hours {
    /// Whether the moment is among them.
    pub fn contain(&self, at: Timestamp) -> bool {
        let (day, second) =
            (at.as_second().div_euclid(SECONDS_A_DAY), at.as_second().rem_euclid(SECONDS_A_DAY));
        let weekday = (day + FIRST_DAY).rem_euclid(7);
        self.days & (1 << weekday) != 0 && self.spans.iter().any(|span| span.contains(second))
    }

    /// Reads what a file says; `None` where it says nothing.
    pub(super) fn read(days: Option<&str>, utc: &[String]) -> Result<Option<Hours>, InvalidHours> {
        if days.is_none() && utc.is_empty() {
            return Ok(None);
        }
        let days = days.map_or(Ok(EVERY_DAY), read_days)?;
        let spans: Vec<Span> = utc.iter().map(|text| Span::read(text)).collect::<Result<_, _>>()?;
        for (i, one) in spans.iter().enumerate() {
            if let Some(other) = spans[..i].iter().find(|other| one.overlaps(**other)) {
                return Err(InvalidHours::Overlap(other.to_string(), one.to_string()));
            }
        }
        let all_day = Span { from: 0, until: SECONDS_A_DAY };
        Ok(Some(Hours { days, spans: if spans.is_empty() { vec![all_day] } else { spans } }))
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.days != EVERY_DAY {
            let named = DAYS.iter().enumerate().filter(|(day, _)| self.days & (1 << day) != 0);
            let names: Vec<_> = named.map(|(_, name)| *name).collect();
            match names.as_slice() {
                ["mon", "tue", "wed", "thu", "fri"] => f.write_str("mon-fri ")?,
                names => write!(f, "{} ", names.join(", "))?,
            }
        }
        let spans: Vec<_> = self.spans.iter().map(Span::to_string).collect();
        write!(f, "{} UTC", spans.join(", "))
    }
}

/// Reads `mon-fri` or `sat, sun`.
fn read_days(text: &str) -> Result<u8, InvalidHours> {
    let number = |name: &str| DAYS.iter().position(|day| *day == name.trim());
    let read = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (number(first)?, number(last)?);
        (first <= last).then(|| (first..=last).fold(0, |days, day| days | 1 << day))
    };
    let days: Option<Vec<u8>> = text.split(',').map(read).collect();
    let days = days.ok_or_else(|| InvalidHours::Days(text.to_owned()))?;
    Ok(days.into_iter().fold(0, |all, some| all | some))
}

// === impl Span ===

impl Span {
    fn read(text: &str) -> Result<Span, InvalidHours> {
        let read = |clock: &str| {
            let (hour, minute) = clock.trim().split_once(':')?;
            let two_digits = hour.len() == 2 && minute.len() == 2;
            let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
            let second = hour * 3_600 + minute * 60;
            let valid = two_digits && (0..60).contains(&minute) && second <= SECONDS_A_DAY;
            (valid && hour >= 0).then_some(second)
        };
        let ends = text.split_once('-');
        let span = ends.and_then(|(from, until)| {
            let (from, until) = (read(from)?, read(until)?);
            (from != until && from < SECONDS_A_DAY).then_some(Span { from, until })
        });
        span.ok_or_else(|| InvalidHours::Span(text.to_owned()))
    }

    const fn contains(self, second: i64) -> bool {
        if self.from < self.until {
            self.from <= second && second < self.until
        } else {
            self.from <= second || second < self.until
        }
    }

    const fn overlaps(self, other: Span) -> bool {
        self.contains(other.from) || other.contains(self.from)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |second: i64| format!("{:02}:{:02}", second / 3_600, second % 3_600 / 60);
        write!(f, "{}-{}", clock(self.from), clock(self.until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(days: Option<&str>, utc: &[&str]) -> Result<Hours, InvalidHours> {
        let utc: Vec<String> = utc.iter().map(|text| (*text).to_owned()).collect();
        Hours::read(days, &utc).map(Option::unwrap)
    }

    fn is_in(hours: &Hours, at: &str) -> bool {
        hours.contain(at.parse().unwrap())
    }

    #[test]
    fn hours_begin_with_their_first_second_and_end_before_their_last() {
        let peak = hours(Some("mon-fri"), &["01:00-04:00", "06:00-10:00"]).unwrap();
        assert!(!is_in(&peak, "2026-10-20T00:59:59.999Z"));
        assert!(is_in(&peak, "2026-10-20T01:00:00Z"));
        assert!(is_in(&peak, "2026-10-20T03:59:59.999Z"));
        assert!(!is_in(&peak, "2026-10-20T04:00:00Z"));
        assert!(is_in(&peak, "2026-10-20T06:00:00Z"));
        assert!(!is_in(&peak, "2026-10-20T10:00:00Z"));
        assert_eq!(peak.to_string(), "mon-fri 01:00-04:00, 06:00-10:00 UTC");
    }

    #[test]
    fn a_day_is_that_of_the_moment_in_utc() {
        let peak = hours(Some("mon-fri"), &["01:00-04:00"]).unwrap();
        // A Friday, a Saturday, a Sunday, a Monday.
        let days = ["2026-10-23", "2026-10-24", "2026-10-25", "2026-10-26"];
        let found = days.map(|day| is_in(&peak, &format!("{day}T02:30:00Z")));
        assert_eq!(found, [true, false, false, true]);
        let weekend = hours(Some("sat, sun"), &[]).unwrap();
        assert!(
            is_in(&weekend, "1969-12-28T23:59:59Z") && !is_in(&weekend, "1970-01-01T00:00:00Z")
        );
        assert_eq!(weekend.to_string(), "sat, sun 00:00-24:00 UTC");
    }

    #[test]
    fn hours_may_pass_midnight() {
        let night = hours(None, &["16:30-00:30"]).unwrap();
        for (at, expected) in
            [("16:29:59", false), ("16:30:00", true), ("00:29:59", true), ("00:30:00", false)]
        {
            assert_eq!(is_in(&night, &format!("2025-08-01T{at}Z")), expected, "{at}");
        }
        assert!(is_in(&hours(None, &["10:00-00:00"]).unwrap(), "2025-08-01T23:59:59Z"));
    }

    #[test]
    fn what_is_not_hours_is_refused() {
        for days in ["", "mon-", "fri-mon", "monday", "mon; tue"] {
            assert!(matches!(hours(Some(days), &[]), Err(InvalidHours::Days(_))), "{days}");
        }
        for span in
            ["", "1:00-4:00", "01:00", "01:60-02:00", "24:00-01:00", "05:00-05:00", "-1:00-02:00"]
        {
            assert!(matches!(hours(None, &[span]), Err(InvalidHours::Span(_))), "{span}");
        }
        let overlapping = hours(None, &["22:00-02:00", "01:00-03:00"]);
        assert!(matches!(overlapping, Err(InvalidHours::Overlap(..))));
    }
}
