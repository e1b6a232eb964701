//! Nobody is faster than allowed, and whoever waits as long as told is let through.

use proptest::prelude::*;

use super::*;
use crate::id::ThreadId;

fn who(user: &str) -> Who {
    Who::new(TenantId::new("acme").unwrap(), UserId::new(user).unwrap())
}

fn model() -> ModelId {
    ModelId::new("gpt-5").unwrap()
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap()
}

fn limiter(limits: &[RateLimit]) -> RateLimiter {
    let rule = |limit: &RateLimit| RateRule {
        scope: ScopeKind::User,
        of: Pattern::any(),
        limit: *limit,
        per_seconds: 60,
    };
    RateLimiter::new(limits.iter().map(rule).collect())
}

fn begin(limiter: &mut RateLimiter, tokens: u64, millis: i64) -> Result<Admission, Limited> {
    limiter.begin(&who("ada"), &model(), tokens, at(millis))
}

fn wait(refused: Result<Admission, Limited>) -> Option<i128> {
    refused.unwrap_err().retry_after.map(|wait| wait.as_millis())
}

#[test]
fn requests_are_let_through_at_the_rate_and_the_wait_is_exact() {
    let mut limiter = limiter(&[RateLimit::Requests(2)]);
    let _ = begin(&mut limiter, 0, 0).unwrap();
    let _ = begin(&mut limiter, 0, 0).unwrap();
    let refused = begin(&mut limiter, 0, 0).unwrap_err();
    assert_eq!(refused.to_string(), "user `ada` may begin 2 calls in 60 s; try again in 30.000 s");
    assert_eq!(refused.retry_after, Some(SignedDuration::from_secs(30)));
    assert_eq!(wait(begin(&mut limiter, 0, 29_999)), Some(1));
    let _ = begin(&mut limiter, 0, 30_000).unwrap();
    assert_eq!(wait(begin(&mut limiter, 0, 30_000)), Some(30_000));
    assert!(
        limiter.begin(&who("bob"), &model(), 0, at(0)).is_ok(),
        "another has a rate of his own"
    );
}

#[test]
fn tokens_are_taken_by_estimate_and_corrected_by_use() {
    let mut limiter = limiter(&[RateLimit::Tokens(600)]);
    let pass = begin(&mut limiter, 600, 0).unwrap();
    assert_eq!(wait(begin(&mut limiter, 100, 0)), Some(10_000));
    limiter.end(pass, 200, at(0));
    let pass = begin(&mut limiter, 400, 0).unwrap();
    limiter.end(pass, 460, at(0));
    assert_eq!(
        wait(begin(&mut limiter, 1, 0)),
        Some(6_100),
        "what was used too much is waited for"
    );
    assert_eq!(wait(begin(&mut limiter, 601, 0)), None, "more than fits at all");
}

#[test]
fn what_was_used_beyond_the_estimate_is_waited_for_however_late_it_is_known() {
    let mut limiter = limiter(&[RateLimit::Tokens(600)]);
    let admission = begin(&mut limiter, 6, 0).unwrap();
    limiter.gauges.clear();
    limiter.end(admission, 606, at(300_000));
    assert_eq!(wait(begin(&mut limiter, 1, 300_000)), Some(100));
}

#[test]
fn calls_at_once_are_counted_and_nobody_knows_when_one_ends() {
    let mut limiter = limiter(&[RateLimit::Concurrent(2)]);
    let first = begin(&mut limiter, 0, 0).unwrap();
    let _second = begin(&mut limiter, 0, 0).unwrap();
    let refused = begin(&mut limiter, 0, 0).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "user `ada` may make 2 calls at once; wait for a call to end, or ask for less"
    );
    limiter.end(first, 0, at(0));
    assert!(begin(&mut limiter, 0, 0).is_ok());
}

#[test]
fn a_call_takes_of_all_rates_or_of_none_and_is_told_the_longest_wait() {
    let limits = [RateLimit::Requests(1), RateLimit::Tokens(100), RateLimit::Concurrent(9)];
    let mut limiter = limiter(&limits);
    limiter.rules.push(RateRule { per_seconds: 3_600, ..limiter.rules[0].clone() });
    let pass = begin(&mut limiter, 50, 0).unwrap();
    limiter.end(pass, 50, at(0));
    assert_eq!(wait(begin(&mut limiter, 60, 0)), Some(3_600_000));
    let gauges = limiter.gauges.clone();
    assert!(begin(&mut limiter, 60, 60_000).is_err());
    assert_eq!(limiter.gauges, gauges);
}

#[test]
fn a_rate_of_nothing_lets_nothing_through() {
    for limit in [RateLimit::Requests(0), RateLimit::Concurrent(0)] {
        assert_eq!(wait(begin(&mut limiter(&[limit]), 0, 0)), None);
    }
}

#[test]
fn absurd_counts_are_waited_for_and_overflow_nothing() {
    let mut limiter = limiter(&[RateLimit::Tokens(1)]);
    limiter.rules[0].per_seconds = u32::MAX;
    let admission = begin(&mut limiter, 1, 0).unwrap();
    limiter.end(admission, u64::MAX, at(0));
    assert!(wait(begin(&mut limiter, 1, i64::from(u32::MAX))).is_some());
}

#[test]
fn scopes_at_rest_are_forgotten() {
    let rule = RateRule {
        scope: ScopeKind::Thread,
        of: Pattern::any(),
        limit: RateLimit::Requests(60),
        per_seconds: 60,
    };
    let mut limiter = RateLimiter::new(vec![rule]);
    for number in 0..20_000 {
        let thread = ThreadId::new(&format!("thread-{number}")).ok();
        let who = Who { thread, ..who("ada") };
        let pass = limiter.begin(&who, &model(), 0, at(number * 100)).unwrap();
        limiter.end(pass, 0, at(number * 100));
        assert!(limiter.len() <= GAUGES_MIN, "{}", limiter.len());
    }
}

proptest! {
    #[test]
    fn whoever_waits_as_long_as_told_is_let_through_and_nobody_sooner(
        limit in 1..50_u64,
        per_seconds in 1..120_u32,
        calls in proptest::collection::vec((0..60_u64, 0..5_000_i64), 1..60),
    ) {
        let rule = RateRule {
            scope: ScopeKind::User,
            of: Pattern::any(),
            limit: RateLimit::Tokens(limit),
            per_seconds,
        };
        let mut limiter = RateLimiter::new(vec![rule]);
        let (mut now, mut used) = (at(0), 0_u64);
        for (tokens, later) in calls {
            now += SignedDuration::from_millis(later);
            match limiter.begin(&who("ada"), &model(), tokens, now) {
                Ok(pass) => {
                    used += tokens;
                    limiter.end(pass, tokens, now);
                }
                Err(Limited { retry_after: None, .. }) => prop_assert!(tokens > limit),
                Err(Limited { retry_after: Some(wait), .. }) => {
                    prop_assert!(wait <= SignedDuration::from_secs(per_seconds.into()));
                    let sooner = now + wait - SignedDuration::from_nanos(1);
                    prop_assert!(limiter.begin(&who("ada"), &model(), tokens, sooner).is_err());
                    now += wait;
                    let pass = limiter.begin(&who("ada"), &model(), tokens, now).unwrap();
                    used += tokens;
                    limiter.end(pass, tokens, now);
                }
            }
            // What was full at first, and what flowed off since.
            let elapsed = now.as_nanosecond();
            let flowed = elapsed * i128::from(limit) / (i128::from(per_seconds) * NANOS_PER_SECOND);
            prop_assert!(i128::from(used) <= i128::from(limit) + flowed);
        }
    }
}
