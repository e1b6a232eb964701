//! How fast: requests and tokens by time, and calls at once.
//!
//! A rate is kept as the one moment at which all that was taken will have flowed off (the generic
//! cell rate algorithm, ITU-T I.371): one number a scope, exact, and it says to the nanosecond when
//! there is room again. After a pause a whole period's worth may come at once.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::budget::ScopeKind;
use crate::entry::Who;
use crate::id::{ModelId, Pattern, TenantId, UserId};

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// No call uses a trillion tokens.
const AMOUNT_MAX: u64 = 1_000_000_000_000;

/// Scopes at rest are forgotten when there are more than this, and twice as many as were busy before.
const GAUGES_MIN: usize = 1_024;

/// How fast each scope of a kind may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateRule {
    /// Who is limited.
    pub scope: ScopeKind,
    /// Which of them, as in a [budget's rule](crate::budget::Rule::of).
    #[serde(default = "Pattern::any")]
    pub of: Pattern,
    /// To what.
    pub limit: RateLimit,
    /// In how many seconds; of no meaning for calls at once.
    #[serde(default = "minute")]
    pub per_seconds: u32,
}

/// What a rate rule limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateLimit {
    /// Calls that begin.
    Requests(u64),
    /// Tokens of prompts and answers.
    Tokens(u64),
    /// Calls at once.
    Concurrent(u64),
}

/// Keeps all rates. Give back what [`begin`](RateLimiter::begin) gave with
/// [`end`](RateLimiter::end), or calls at once fill up.
#[derive(Debug)]
pub struct RateLimiter {
    rules: Vec<RateRule>,
    gauges: HashMap<GaugeKey, Gauge>,
    forget_at: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct GaugeKey {
    tenant: TenantId,
    user: Option<UserId>,
    scope: ScopeKind,
    id: Arc<str>,
    limit: RateLimit,
    per_seconds: u32,
}

/// How much of a rate is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gauge {
    /// All that was taken has flowed off by then, in nanoseconds since 1970.
    Flow(i128),
    /// Calls at once.
    Running(u64),
}

/// What a call took of the rates.
#[derive(Debug)]
#[must_use = "a call that does not end counts as running for ever"]
pub struct Admission {
    taken: Vec<GaugeKey>,
    tokens: u64,
}

/// A rate's no.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{} `{id}` may {limit}{}; {}", scope.name(), per(.limit, .per_seconds), advice(.retry_after))]
pub struct Limited {
    /// Who is limited.
    pub scope: ScopeKind,
    /// Its name, or the pattern of those who share the rate.
    pub id: Arc<str>,
    /// To what.
    pub limit: RateLimit,
    /// In how many seconds.
    pub per_seconds: u32,
    /// After how long there is room, if nobody else takes it; `None` where nobody knows (a call that
    /// runs may end any time) or there never is (more is asked for than fits at all).
    pub retry_after: Option<SignedDuration>,
}

// === impl RateLimiter ===

impl RateLimiter {
    /// A limiter at rest.
    pub fn new(rules: Vec<RateRule>) -> RateLimiter {
        RateLimiter { rules, gauges: HashMap::new(), forget_at: GAUGES_MIN }
    }

    /// Other rules from now on. Of a rule that is the same as before, what is taken stays taken.
    pub fn set_rules(&mut self, rules: Vec<RateRule>) {
        self.rules = rules;
    }

    /// Takes what a call needs of every rate that holds for it, or nothing. Its tokens are an
    /// estimate, which its end corrects.
    ///
    /// # Errors
    /// [`Limited`], by the rate that has room last.
    pub fn begin(
        &mut self,
        who: &Who,
        model: &ModelId,
        tokens: u64,
        at: Timestamp,
    ) -> Result<Admission, Limited> {
        let mut taken: Vec<GaugeKey> =
            self.rules.iter().filter_map(|rule| GaugeKey::of(rule, who, model)).collect();
        // Two rules that are the same are one.
        let mut seen = HashSet::new();
        taken.retain(|key| seen.insert(key.clone()));

        let mut after = Vec::with_capacity(taken.len());
        let mut refused = Vec::new();
        for key in &taken {
            match key.begin(self.gauges.get(key).copied(), tokens, at) {
                Ok(gauge) => after.push(gauge),
                Err(limited) => refused.push(limited),
            }
        }
        // Whoever waits for the last one need not be refused again.
        let last = |limited: &Limited| limited.retry_after.unwrap_or(SignedDuration::MAX);
        if let Some(limited) = refused.into_iter().max_by_key(last) {
            return Err(limited);
        }
        self.gauges.extend(taken.iter().cloned().zip(after));
        self.forget(at);
        Ok(Admission { taken, tokens })
    }

    /// Ends a call that used so many tokens.
    pub fn end(&mut self, admission: Admission, tokens: u64, at: Timestamp) {
        for key in admission.taken {
            let gauge = self.gauges.get(&key).copied();
            if let Some(gauge) = key.end(gauge, admission.tokens, tokens, at) {
                self.gauges.insert(key, gauge);
            }
        }
    }

    /// How many scopes are kept.
    pub fn len(&self) -> usize {
        self.gauges.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.gauges.is_empty()
    }

    /// Forgets scopes at rest, from time to time: they are as those that were never seen.
    fn forget(&mut self, at: Timestamp) {
        if self.gauges.len() >= self.forget_at {
            self.gauges.retain(|_, gauge| gauge.is_busy(at));
            self.forget_at = self.gauges.len().saturating_mul(2).max(GAUGES_MIN);
        }
    }
}

// === impl GaugeKey ===

impl GaugeKey {
    fn of(rule: &RateRule, who: &Who, model: &ModelId) -> Option<GaugeKey> {
        let id = rule.scope.member_of(&rule.of, who, model)?;
        Some(GaugeKey {
            tenant: who.tenant.clone(),
            user: rule.scope.is_of_a_user().then(|| who.user.clone()),
            scope: rule.scope,
            id: Arc::from(id),
            limit: rule.limit,
            per_seconds: rule.per_seconds,
        })
    }

    fn begin(&self, gauge: Option<Gauge>, tokens: u64, at: Timestamp) -> Result<Gauge, Limited> {
        match self.limit {
            RateLimit::Requests(limit) => self.flow(gauge, 1, limit, at),
            RateLimit::Tokens(limit) => self.flow(gauge, tokens, limit, at),
            RateLimit::Concurrent(limit) => match gauge {
                Some(Gauge::Running(running)) if running < limit => Ok(Gauge::Running(running + 1)),
                None if limit > 0 => Ok(Gauge::Running(1)),
                _ => Err(self.limited(None)),
            },
        }
    }

    fn flow(
        &self,
        gauge: Option<Gauge>,
        wanted: u64,
        limit: u64,
        at: Timestamp,
    ) -> Result<Gauge, Limited> {
        if wanted > limit {
            return Err(self.limited(None));
        }
        let now = at.as_nanosecond();
        let flows_until = match gauge {
            Some(Gauge::Flow(until)) => until.max(now),
            _ => now,
        };
        let until = flows_until.saturating_add(self.nanos(wanted, limit));
        let wait = until.saturating_sub(now).saturating_sub(self.period());
        if wait <= 0 {
            return Ok(Gauge::Flow(until));
        }
        let wait = SignedDuration::from_nanos(i64::try_from(wait).unwrap_or(i64::MAX));
        Err(self.limited(Some(wait)))
    }

    /// Ends a call that ran, and corrects what was taken by what was used; `None` where nothing changes.
    fn end(&self, gauge: Option<Gauge>, taken: u64, used: u64, at: Timestamp) -> Option<Gauge> {
        match (self.limit, gauge) {
            (RateLimit::Concurrent(_), Some(Gauge::Running(running))) => {
                Some(Gauge::Running(running.saturating_sub(1)))
            }
            (RateLimit::Tokens(limit), gauge) if used != taken => {
                let now = at.as_nanosecond();
                let flows_until = match gauge {
                    Some(Gauge::Flow(until)) if used < taken => until,
                    // What was used too much begins to flow off now.
                    Some(Gauge::Flow(until)) => until.max(now),
                    _ => now,
                };
                let more = self.nanos(used, limit) - self.nanos(taken, limit);
                Some(Gauge::Flow(flows_until.saturating_add(more)))
            }
            _ => None,
        }
    }

    /// In how many nanoseconds so much flows off, rounded up. A trillion is the most that is believed.
    fn nanos(&self, amount: u64, limit: u64) -> i128 {
        let limit = i128::from(limit.max(1));
        (i128::from(amount.min(AMOUNT_MAX)) * self.period() + limit - 1) / limit
    }

    fn period(&self) -> i128 {
        i128::from(self.per_seconds) * NANOS_PER_SECOND
    }

    fn limited(&self, retry_after: Option<SignedDuration>) -> Limited {
        Limited {
            scope: self.scope,
            id: Arc::clone(&self.id),
            limit: self.limit,
            per_seconds: self.per_seconds,
            retry_after,
        }
    }
}

// === impl Gauge ===

impl Gauge {
    fn is_busy(&self, at: Timestamp) -> bool {
        match self {
            Gauge::Flow(until) => *until > at.as_nanosecond(),
            Gauge::Running(running) => *running > 0,
        }
    }
}

const fn minute() -> u32 {
    60
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RateLimit::Requests(limit) => write!(f, "begin {limit} calls"),
            RateLimit::Tokens(limit) => write!(f, "use {limit} tokens"),
            RateLimit::Concurrent(limit) => write!(f, "make {limit} calls at once"),
        }
    }
}

fn per(limit: &RateLimit, seconds: &u32) -> String {
    match limit {
        RateLimit::Concurrent(_) => String::new(),
        RateLimit::Requests(_) | RateLimit::Tokens(_) => format!(" in {seconds} s"),
    }
}

fn advice(retry_after: &Option<SignedDuration>) -> String {
    match retry_after {
        Some(wait) => {
            let millis = wait.as_nanos().saturating_add(999_999) / 1_000_000;
            format!("try again in {}.{:03} s", millis / 1_000, millis % 1_000)
        }
        None => "wait for a call to end, or ask for less".to_owned(),
    }
}

#[cfg(test)]
#[path = "ratelimit_tests.rs"]
mod tests;
