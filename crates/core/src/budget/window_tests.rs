//! B7: when windows begin and end, by any clock.

use jiff::SignedDuration;
use jiff::tz::TimeZoneDatabase;
use proptest::prelude::*;

use super::*;

fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[track_caller]
fn assert_window(window: Window, zone_name: &str, moment: &str, start: &str, end: &str) {
    let found = window.around(at(moment), &zone(zone_name));
    let expected = Period { start: at(start), end: at(end) };
    assert_eq!(found, expected, "{} of {moment} in {zone_name}", window.name());
}

#[test]
fn b7_a_day_begins_at_midnight_and_ends_where_the_next_begins() {
    let day = |moment, start, end| assert_window(Window::Day, "UTC", moment, start, end);
    let (start, end) = ("2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z");
    day("2026-11-22T00:00:00Z", start, end);
    day("2026-11-22T23:59:59.999999999Z", start, end);
    day("2026-11-22T23:30:00-02:00", end, "2026-11-24T00:00:00Z");
    day("1969-12-31T23:59:59.5Z", "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z");
    day("2028-02-29T12:00:00Z", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z");
    day("2100-02-28T12:00:00Z", "2100-02-28T00:00:00Z", "2100-03-01T00:00:00Z");
}

#[test]
fn b7_a_day_is_that_of_the_time_zone() {
    let day =
        |zone, start, end| assert_window(Window::Day, zone, "2026-11-22T20:00:00Z", start, end);
    day("America/New_York", "2026-11-22T05:00:00Z", "2026-11-23T05:00:00Z");
    day("Asia/Tokyo", "2026-11-22T15:00:00Z", "2026-11-23T15:00:00Z");
    day("Asia/Kathmandu", "2026-11-22T18:15:00Z", "2026-11-23T18:15:00Z");
}

#[test]
fn b7_a_day_has_23_or_25_hours_when_clocks_are_set() {
    let day = |moment, start, end| assert_window(Window::Day, "Europe/Berlin", moment, start, end);
    day("2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z");
    day("2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
    let hours = |moment| {
        let Period { start, end } = Window::Day.around(at(moment), &zone("Europe/Berlin"));
        end.duration_since(start).as_hours()
    };
    assert_eq!([hours("2026-03-29T12:00:00Z"), hours("2026-10-25T12:00:00Z")], [23, 25]);
}

#[test]
fn b7_a_day_without_a_midnight_begins_when_clocks_are_set_forward() {
    // São Paulo went from 23:59:59 to 1:00 on 2018-11-04.
    let day =
        |moment, start, end| assert_window(Window::Day, "America/Sao_Paulo", moment, start, end);
    day("2018-11-04T12:00:00Z", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z");
    // Samoa skipped 2011-12-30.
    let day = |moment, start, end| assert_window(Window::Day, "Pacific/Apia", moment, start, end);
    day("2011-12-30T09:59:59Z", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z");
    day("2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z");
}

#[test]
fn b7_an_hour_that_is_struck_twice_is_two_hours() {
    let hour =
        |moment, start, end| assert_window(Window::Hour, "Europe/Berlin", moment, start, end);
    hour("2026-10-25T00:30:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z");
    hour("2026-10-25T01:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z");
}

#[test]
fn b7_hours_are_those_of_the_clock_where_it_is_not_whole_hours_from_utc() {
    let hour = |zone, moment, start, end| assert_window(Window::Hour, zone, moment, start, end);
    let kathmandu = ("2026-11-22T12:15:00Z", "2026-11-22T13:15:00Z");
    hour("Asia/Kathmandu", "2026-11-22T13:14:59Z", kathmandu.0, kathmandu.1);
    // Lord Howe sets its clocks by half an hour, at 15:00 UTC.
    let half = ("2026-04-04T15:00:00Z", "2026-04-04T15:30:00Z");
    hour("Australia/Lord_Howe", "2026-04-04T14:59:59Z", "2026-04-04T14:00:00Z", half.0);
    hour("Australia/Lord_Howe", "2026-04-04T15:00:00Z", half.0, half.1);
    hour("Australia/Lord_Howe", "2026-04-04T15:30:00Z", half.1, "2026-04-04T16:30:00Z");
}

#[test]
fn b7_a_week_begins_on_monday() {
    let week = |moment, start, end| assert_window(Window::Week, "UTC", moment, start, end);
    let (start, end) = ("2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z");
    week("2026-11-16T00:00:00Z", start, end);
    week("2026-11-22T23:59:59Z", start, end);
    week("2026-11-23T00:00:00Z", end, "2026-11-30T00:00:00Z");
    week("2027-01-01T12:00:00Z", "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z");
}

#[test]
fn b7_a_month_ends_on_its_last_day() {
    let month = |moment, start, end| assert_window(Window::Month, "UTC", moment, start, end);
    month("2026-01-31T23:59:59Z", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z");
    month("2026-02-28T12:00:00Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z");
    month("2028-02-29T12:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z");
    month("2026-12-31T23:59:59Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z");
    let berlin = ("2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z");
    assert_window(Window::Month, "Europe/Berlin", "2026-03-01T00:00:00Z", berlin.0, berlin.1);
}

#[test]
fn b7_a_total_has_no_end_and_a_request_no_length() {
    let now = at("2026-11-22T12:00:00Z");
    let all = Window::Total.around(now, &TimeZone::UTC);
    assert_eq!((all.start, all.end), (FIRST, LAST));
    assert_eq!(Window::Request.around(now, &TimeZone::UTC), Period { start: now, end: now });
}

#[test]
fn b7_windows_at_both_ends_of_the_calendar_are_cut_short() {
    for window in [Window::Hour, Window::Day, Window::Week, Window::Month, Window::Total] {
        for name in ["UTC", "America/New_York", "Asia/Tokyo"] {
            let (first, last) = (Timestamp::MIN, Timestamp::MAX);
            assert_eq!(window.around(first, &zone(name)).start, FIRST, "{window:?} {name}");
            assert_eq!(window.around(last, &zone(name)).end, LAST, "{window:?} {name}");
            let hour = SignedDuration::from_hours(1);
            assert!(window.around(last - hour, &zone(name)).end <= LAST);
        }
    }
    assert_eq!(Timestamp::from_microsecond(LAST.as_microsecond()).ok(), Some(LAST));
    assert_eq!(Timestamp::from_microsecond(FIRST.as_microsecond()).ok(), Some(FIRST));
}

/// Zones whose clocks were set in every way that there is: over midnight, by half an hour, by a day.
const ZONES: &[&str] = &[
    "UTC",
    "Africa/Casablanca",
    "America/Havana",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/Toronto",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Pacific/Apia",
    "Pacific/Kwajalein",
];

/// What must hold at every moment: it lies in one window, and its neighbours begin where it ends.
fn check(window: Window, zone: &TimeZone, moment: Timestamp) {
    let Period { start, end } = window.around(moment, zone);
    assert!(start <= moment && moment < end, "{window:?} {zone:?} {moment}: {start} {end}");
    assert_eq!(window.around(start, zone), Period { start, end }, "{window:?} {zone:?} {moment}");
    if end < LAST {
        assert_eq!(window.around(end, zone).start, end, "{window:?} {zone:?} {moment}");
    }
}

const ADDING_UP: &[Window] =
    &[Window::Hour, Window::Day, Window::Week, Window::Month, Window::Total];

#[test]
fn b7_every_moment_about_every_setting_of_clocks_lies_in_exactly_one_window() {
    for name in ZONES {
        let zone = zone(name);
        let settings: Vec<_> = zone.preceding(at("2030-01-01T00:00:00Z")).collect();
        for setting in settings.iter().map(|setting| setting.timestamp()) {
            for minutes in [-1_500, -61, -31, -1, 0, 1, 29, 31, 59, 61, 1_500] {
                let moment = setting + SignedDuration::from_mins(minutes);
                ADDING_UP.iter().for_each(|window| check(*window, &zone, moment));
            }
        }
    }
}

proptest! {
    #[test]
    fn b7_every_moment_lies_in_exactly_one_window(
        second in Timestamp::MIN.as_second()..LAST.as_second(),
        recent in 0_i64..2_000_000_000,
        zone_number in 0..ZONES.len(),
    ) {
        let zone = zone(ZONES[zone_number]);
        for second in [second, recent] {
            let moment = Timestamp::from_second(second).unwrap();
            ADDING_UP.iter().for_each(|window| check(*window, &zone, moment));
        }
    }
}
