//! What holds for every rule.

use std::sync::Arc;

use proptest::prelude::*;

use super::{Call, Observed, RULES, Thread, findings, recommendations};
use crate::pricing::{Catalog, Served};
use crate::usage::{Bucket, Usage};
use crate::{Usd, advise::Priority};

fn call(at: usize, seconds: i64, usage: Usage) -> Call {
    let at_time = jiff::Timestamp::from_second(1_790_000_000 + seconds).unwrap();
    let catalog = Catalog::embedded().unwrap();
    let found = catalog.resolve("anthropic", "claude-opus-4-5", at_time, &Served::new()).unwrap();
    Call {
        id: format!("m{at}").into(),
        at: Some(at_time),
        model: "claude-opus-4-5".into(),
        usage,
        cost: found.card.cost(&usage).unwrap(),
        card: Some(found.card),
        tools: Vec::new(),
        offered: Arc::new([]),
        max_output: None,
        prompt: None,
    }
}

fn usage(read: u64, written: u64, output: u64) -> Usage {
    let usage = Usage::NONE.with(Bucket::CacheRead, read).with(Bucket::CacheWrite5m, written);
    usage.with(Bucket::Output, output)
}

fn observed<'a>(threads: &'a [Thread<'a>]) -> Observed<'a> {
    Observed { threads, days: 3, bytes_per_tokens: (4, 1), rates_of: &|_, _| None }
}

#[test]
fn rules_have_names_of_their_own() {
    let mut names: Vec<_> = RULES.iter().map(|rule| rule.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), RULES.len());
}

#[test]
fn nothing_is_found_in_nothing() {
    assert!(findings(&observed(&[])).is_empty());
}

#[test]
fn a_month_is_ten_times_three_days_and_a_tenth_of_all_spending_is_high() {
    let calls = [call(0, 0, usage(0, 100_000, 0)), call(1, 900, usage(0, 100_000, 0))];
    let thread = Thread { session: "s".into(), agent: None, calls: calls.iter().collect() };
    let threads = [thread];
    let observed = observed(&threads);
    let found = findings(&observed);
    let advice = recommendations(&observed, &found);
    let saved = found[0].change.as_ref().unwrap().1;
    assert_eq!(advice[0].monthly_usd.pico(), saved.pico() * 10);
    assert_eq!(advice[0].priority, Priority::High);
    assert!(advice[0].steps.last().unwrap().contains("in 3 days"), "{:?}", advice[0].steps);
}

proptest! {
    /// No finding costs more than what was spent, but for the rules whose calls overlap.
    #[test]
    fn no_finding_exceeds_what_was_spent(
        rows in prop::collection::vec((0_i64..8_000, 0_u64..200_000, 0_u64..200_000, 0_u64..9_000), 0..40),
    ) {
        let mut seconds = 0;
        let calls: Vec<Call> = rows.iter().enumerate().map(|(at, (idle, read, written, output))| {
            seconds += idle;
            call(at, seconds, usage(*read, *written, *output))
        }).collect();
        let thread = Thread { session: "s".into(), agent: None, calls: calls.iter().collect() };
        let threads = [thread];
        let observed = observed(&threads);
        let found = findings(&observed);
        for finding in &found {
            prop_assert!(finding.usd > Usd::ZERO && finding.usd <= observed.spent(), "{finding:?}");
            prop_assert!(finding.evidence.len() as u64 <= finding.count);
        }
        for advice in recommendations(&observed, &found) {
            prop_assert!(advice.monthly_usd > Usd::ZERO);
            prop_assert!(advice.monthly_usd.pico() <= observed.spent().pico() * 10);
        }
    }
}
