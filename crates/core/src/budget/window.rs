//! When a budget begins anew.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// Before every call.
const FIRST: Timestamp = Timestamp::MIN;
/// After every call: the last whole second of the calendar, in the year 9999. Stores keep it exactly.
const LAST: Timestamp = Timestamp::constant(253_402_207_200, 0);

const SECONDS_PER_HOUR: i64 = 3_600;

/// The period of a rule, by calendar and clock in the rule's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// One attempt at a call: the limit is on it alone.
    Request,
    /// An hour of the clock. One that is struck twice, as clocks are set back, is two hours.
    Hour,
    /// A day, which may have 23 or 25 hours.
    Day,
    /// A week, from Monday on.
    Week,
    /// A calendar month.
    Month,
    /// All time.
    Total,
}

/// From `start` on, and before `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Period {
    /// The first moment that is within.
    pub start: Timestamp,
    /// The first moment that is not.
    pub end: Timestamp,
}

// === impl Window ===

impl Window {
    /// All windows, from the shortest to the longest.
    pub const ALL: &[Window] =
        &[Window::Request, Window::Hour, Window::Day, Window::Week, Window::Month, Window::Total];

    /// The window as configuration, ledger and refusals spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Window::Request => "request",
            Window::Hour => "hour",
            Window::Day => "day",
            Window::Week => "week",
            Window::Month => "month",
            Window::Total => "total",
        }
    }

    /// The window that `at` lies in. Every moment lies in exactly one, whatever is done to clocks;
    /// the period of a request is empty, for nothing is added up in it.
    pub fn around(self, at: Timestamp, zone: &TimeZone) -> Period {
        match self {
            Window::Request => Period { start: at, end: at },
            Window::Hour => hour(at, zone),
            Window::Day | Window::Week | Window::Month => self.days(at, zone),
            Window::Total => Period { start: FIRST, end: LAST },
        }
    }

    fn days(self, at: Timestamp, zone: &TimeZone) -> Period {
        let first = self.first_day(at.to_zoned(zone.clone()).date());
        let next = first.and_then(|first| self.next(first));
        let start = begin(first, zone).unwrap_or(FIRST);
        let end = begin(next, zone).unwrap_or(LAST);
        // Clocks that are set over midnight can show a day that has ended, or has yet to begin.
        if at < start {
            let before = first.and_then(|first| self.first_day(first.yesterday().ok()?));
            Period { start: begin(before, zone).unwrap_or(FIRST), end: start }
        } else if at >= end {
            let after = next.and_then(|next| self.next(next));
            Period { start: end, end: begin(after, zone).unwrap_or(LAST) }
        } else {
            Period { start, end }
        }
    }

    /// The day on which the window begins that `date` lies in.
    fn first_day(self, date: Date) -> Option<Date> {
        match self {
            Window::Week => date.checked_sub(date.weekday().to_monday_zero_offset().days()).ok(),
            Window::Month => Some(date.first_of_month()),
            _ => Some(date),
        }
    }

    /// The first day of the window after the one that begins on `first`.
    fn next(self, first: Date) -> Option<Date> {
        let length = match self {
            Window::Week => 1.week(),
            Window::Month => 1.month(),
            _ => 1.day(),
        };
        first.checked_add(length).ok()
    }
}

/// When a day begins; `None` beyond the calendar.
fn begin(date: Option<Date>, zone: &TimeZone) -> Option<Timestamp> {
    date?.to_zoned(zone.clone()).ok().map(|midnight| midnight.timestamp())
}

fn hour(at: Timestamp, zone: &TimeZone) -> Period {
    let offset = i64::from(zone.to_offset(at).seconds());
    let local = at.as_second().saturating_add(offset);
    let start = local.div_euclid(SECONDS_PER_HOUR) * SECONDS_PER_HOUR - offset;
    let start = Timestamp::from_second(start).unwrap_or(FIRST);
    let end = Timestamp::from_second(start.as_second() + SECONDS_PER_HOUR).unwrap_or(LAST);
    // Where clocks are set by less than an hour, an hour is cut short.
    let now_set = at.checked_add(1.nanosecond()).unwrap_or(at);
    let set_before = zone.preceding(now_set).next().map(|set| set.timestamp());
    let set_after = zone.following(at).next().map(|set| set.timestamp());
    Period {
        start: set_before.map_or(start, |set| set.max(start)),
        end: set_after.map_or(end, |set| set.min(end)),
    }
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
