//! Whose balance a rule finds, and when its window begins and ends.

use proptest::prelude::*;

use super::*;
use crate::id::UserId;

fn who(tenant: &str, user: &str) -> Who {
    let (tenant, user) = (TenantId::new(tenant).unwrap(), UserId::new(user).unwrap());
    Who { tenant, user, agent: None, thread: None, run: None }
}

#[track_caller]
fn assert_day(at: &str, start: &str, end: &str) {
    let (from, to) = Window::Day.around(at.parse().unwrap());
    assert_eq!((from.to_string(), to.to_string()), (start.to_owned(), end.to_owned()));
}

#[test]
fn a_day_begins_at_midnight_utc_and_ends_where_the_next_begins() {
    let day = ("2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z");
    assert_day("2026-11-22T00:00:00Z", day.0, day.1);
    assert_day("2026-11-22T23:59:59.999999999Z", day.0, day.1);
    assert_day("2026-11-23T00:00:00Z", day.1, "2026-11-24T00:00:00Z");
    assert_day("2026-11-22T23:30:00-02:00", day.1, "2026-11-24T00:00:00Z");
}

#[test]
fn a_day_ends_a_month_a_leap_year_and_a_century_right() {
    assert_day("2028-02-28T12:00:00Z", "2028-02-28T00:00:00Z", "2028-02-29T00:00:00Z");
    assert_day("2028-02-29T12:00:00Z", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z");
    assert_day("2026-12-31T12:00:00Z", "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z");
    assert_day("2100-02-28T12:00:00Z", "2100-02-28T00:00:00Z", "2100-03-01T00:00:00Z");
}

#[test]
fn a_day_before_1970_begins_at_its_midnight_too() {
    assert_day("1969-12-31T23:59:59.5Z", "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z");
    assert_day("1900-02-28T01:00:00Z", "1900-02-28T00:00:00Z", "1900-03-01T00:00:00Z");
}

#[test]
fn the_first_and_the_last_day_of_the_calendar_are_cut_short() {
    let (first, last) = (Timestamp::MIN, Timestamp::MAX);
    let hour = jiff::SignedDuration::from_hours(1);
    assert_eq!(Window::Day.around(first).0, first);
    assert_eq!(Window::Day.around(first + hour), Window::Day.around(first));
    assert_eq!(Window::Day.around(last).1, last);
    assert_eq!(Window::Day.around(last - hour), Window::Day.around(last));
    assert_day("9999-12-29T12:00:00Z", "9999-12-29T00:00:00Z", "9999-12-30T00:00:00Z");
}

#[test]
fn a_balance_is_of_one_tenant_one_scope_and_one_window() {
    let rule = |scope| Rule { scope, window: Window::Day, limit: Usd::from_pico(7) };
    let noon: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    let claim = rule(ScopeKind::User).claim(&who("acme", "ada"), noon);
    assert_eq!((&*claim.balance.id, claim.limit), ("ada", Usd::from_pico(7)));
    assert_eq!(claim.resets_at, "2026-11-23T00:00:00Z".parse().unwrap());

    let others = [
        rule(ScopeKind::User).claim(&who("acme", "bob"), noon),
        rule(ScopeKind::User).claim(&who("emca", "ada"), noon),
        rule(ScopeKind::Tenant).claim(&who("acme", "ada"), noon),
        rule(ScopeKind::User).claim(&who("acme", "ada"), claim.resets_at),
    ];
    assert!(others.iter().all(|other| other.balance != claim.balance));

    // A tenant may be called as one of its users is.
    let [tenant, user] =
        [ScopeKind::Tenant, ScopeKind::User].map(|s| rule(s).claim(&who("ada", "ada"), noon));
    assert_ne!(tenant.balance, user.balance);
}

proptest! {
    #[test]
    fn every_moment_lies_in_exactly_one_day(
        second in Timestamp::MIN.as_second()..Timestamp::MAX.as_second(),
    ) {
        let at = Timestamp::from_second(second).unwrap();
        let (start, end) = Window::Day.around(at);
        prop_assert!(start <= at && at < end);
        prop_assert_eq!(Window::Day.around(start), (start, end));
        if end < Timestamp::MAX {
            prop_assert_eq!(Window::Day.around(end).0, end);
        }
    }
}
