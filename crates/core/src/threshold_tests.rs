//! B14: alerts are given once a period, with their cause.

use uuid::Uuid;

use super::*;
use crate::budget::{Rule, ScopeKind, Window};
use crate::entry::Who;
use crate::id::{ModelId, RequestId, TenantId, UserId};

fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(hour * 3_600).unwrap()
}

fn attempt(number: u32) -> AttemptId {
    AttemptId { request: RequestId::new(Uuid::nil()), attempt: number }
}

fn usd(pico: i128) -> Usd {
    Usd::from_pico(pico)
}

fn levels(low: i128) -> Levels {
    Levels { low: usd(low), medium: usd(low * 10), high: usd(low * 50), critical: usd(low * 250) }
}

fn thresholds() -> Thresholds {
    Thresholds {
        operation: levels(1),
        session: levels(10),
        daily_warning: usd(500),
        daily_limit: usd(1_000),
        budget_percent: vec![50, 80, 100],
    }
}

fn key(user: &str, hour: i64) -> BalanceKey {
    let who = Who::new(TenantId::new("acme").unwrap(), UserId::new(user).unwrap());
    let rule = Rule::new(ScopeKind::User, Window::Day, Quantity::Usd(usd(1)));
    rule.claim(&who, &ModelId::new("gpt-5").unwrap(), at(hour)).unwrap().balance
}

/// What is said of a subject that has `number` of everything.
fn look(alarms: &mut Alarms, subject: &Subject, number: u32, hour: i64) -> Option<Mark> {
    let amount = Amount { usd: usd(number.into()), tokens: number.into(), requests: 1 };
    let sighting = Sighting {
        subject: subject.clone(),
        amount: subject.amount(&amount),
        until: at(24),
        cause: attempt(number),
        at: at(hour),
    };
    let alert = alarms.look(sighting, &thresholds().marks(subject))?;
    assert_eq!((alert.cause, alert.amount.number()), (attempt(number), number.into()));
    Some(alert.mark)
}

#[test]
fn b14_a_threshold_fires_once_in_its_period_and_names_its_cause() {
    let mut alarms = Alarms::new();
    let day = Subject::Day(key("ada", 1));
    assert_eq!(look(&mut alarms, &day, 499, 1), None);
    assert_eq!(look(&mut alarms, &day, 500, 2), Some(Mark::Warning));
    assert_eq!(look(&mut alarms, &day, 700, 3), None);
    assert_eq!(look(&mut alarms, &day, 450, 3), None, "a correction took some back");
    assert_eq!(look(&mut alarms, &day, 600, 3), None);
    assert_eq!(look(&mut alarms, &day, 1_200, 4), Some(Mark::Limit));
    assert_eq!(look(&mut alarms, &day, 9_000, 5), None);

    assert_eq!(look(&mut alarms, &Subject::Day(key("bob", 1)), 500, 5), Some(Mark::Warning));
    let tomorrow = Subject::Day(key("ada", 25));
    assert_eq!(look(&mut alarms, &tomorrow, 500, 25), Some(Mark::Warning));
}

#[test]
fn b14_a_leap_over_several_thresholds_fires_the_highest_alone() {
    let mut alarms = Alarms::new();
    let one = Subject::Operation(attempt(1));
    assert_eq!(look(&mut alarms, &one, 60, 1), Some(Mark::High));
    assert_eq!(look(&mut alarms, &one, 60, 1), None);
    let other = Subject::Operation(attempt(2));
    assert_eq!(look(&mut alarms, &other, 9_999, 1), Some(Mark::Critical));
}

#[test]
fn b14_a_session_and_a_budget_have_thresholds_of_their_own() {
    let mut alarms = Alarms::new();
    let session = Subject::Session("ses_00000000000000000000000000000007".parse().unwrap());
    assert_eq!(look(&mut alarms, &session, 9, 1), None);
    assert_eq!(look(&mut alarms, &session, 10, 1), Some(Mark::Low));
    assert_eq!(look(&mut alarms, &session, 99, 1), None);
    assert_eq!(look(&mut alarms, &session, 100, 1), Some(Mark::Medium));

    let budget = Subject::Budget { balance: key("ada", 1), limit: Quantity::Tokens(1_000) };
    assert_eq!(look(&mut alarms, &budget, 499, 1), None);
    assert_eq!(look(&mut alarms, &budget, 500, 1), Some(Mark::Percent(50)));
    assert_eq!(look(&mut alarms, &budget, 1_001, 1), Some(Mark::Percent(100)));
}

#[test]
fn b14_an_alert_has_the_same_name_after_a_restart() {
    let alert = |cause| {
        let subject = Subject::Day(key("ada", 1));
        let amount = Quantity::Usd(usd(501));
        let marks = thresholds().marks(&subject);
        let sighting =
            Sighting { subject, amount, until: at(24), cause: attempt(cause), at: at(1) };
        Alarms::new().look(sighting, &marks).unwrap()
    };
    assert_eq!(alert(1).name(), alert(2).name());
    assert_eq!(
        alert(1).name(),
        "day:usd:acme::user:ada:day:1970-01-01T00:00:00Z:1970-01-02T00:00:00Z:500"
    );
}

#[test]
fn what_was_given_in_past_periods_is_forgotten() {
    let mut alarms = Alarms::new();
    for hour in 0..10_000 {
        let subject = Subject::Operation(attempt(u32::try_from(hour).unwrap()));
        let amount = Quantity::Usd(usd(7));
        let marks = thresholds().marks(&subject);
        let sighting =
            Sighting { subject, amount, until: at(hour + 1), cause: attempt(1), at: at(hour) };
        assert!(alarms.look(sighting, &marks).is_some());
        assert!(alarms.given.len() <= SUBJECTS_MIN);
    }
}
