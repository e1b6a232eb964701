//! Whether to try again, whom, and when.
//!
//! A call is tried again only where it is certain that nothing was billed: there was no connection,
//! or the provider said that it will not serve it now. Each attempt is a hold of its own. Retries
//! are budgeted over all calls, so that they cannot turn a provider's bad minute into a storm.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use farthing_core::id::RequestId;
use farthing_upstream::{Answer, CallError, Deployment, Permit, Route, Stage};
use http::header;
use jiff::Timestamp;

use crate::call::{Called, declined};

/// How often, and how long after one another.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// Attempts for one call, the first included.
    pub attempts: u32,
    /// The pause before a deployment is asked again; it doubles each time.
    pub pause: Duration,
    /// The longest pause. Where a provider wants a longer one, its answer goes to the client.
    pub longest_pause: Duration,
}

/// What all calls together may spend on retries: every call earns a tenth of one.
#[derive(Debug)]
pub struct RetryBudget {
    tenths: AtomicU32,
}

/// The attempts of one call.
#[derive(Debug)]
pub(crate) struct Attempts<'a> {
    policy: RetryPolicy,
    budget: &'a RetryBudget,
    route: &'a Route,
    request: RequestId,
    /// Attempts made.
    made: u32,
    /// Whom the next attempt asks, as a position in the route; past its end they are asked again.
    position: usize,
}

/// One attempt of a call.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    /// Counts from 1.
    pub number: u32,
    /// Whom it asks.
    pub deployment: &'a Deployment,
    /// Learns how it went.
    pub permit: Permit<'a>,
}

/// Retries that may be saved up.
const MAX_TENTHS: u32 = 100;

// === impl RetryBudget ===

impl RetryBudget {
    /// A full budget.
    pub fn new() -> RetryBudget {
        RetryBudget { tenths: AtomicU32::new(MAX_TENTHS) }
    }

    fn earn(&self) {
        let earned = |tenths: u32| (tenths < MAX_TENTHS).then_some(tenths + 1);
        // At the maximum nothing is earned.
        let _ = self.tenths.fetch_update(Ordering::Relaxed, Ordering::Relaxed, earned);
    }

    fn spend(&self) -> bool {
        let spent = |tenths: u32| tenths.checked_sub(10);
        self.tenths.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spent).is_ok()
    }
}

impl Default for RetryBudget {
    fn default() -> RetryBudget {
        RetryBudget::new()
    }
}

// === impl Attempt ===

impl Attempt<'_> {
    /// Tells the deployment's breaker how it went; `None` says nothing about the provider.
    pub(crate) fn tell(self, provider_is_well: Option<bool>, at: Timestamp) {
        match provider_is_well {
            Some(true) => self.permit.succeeded(),
            Some(false) => self.permit.failed(at),
            None => drop(self.permit),
        }
    }
}

// === impl Attempts ===

impl<'a> Attempts<'a> {
    /// The attempts of a call along a route.
    pub(crate) fn new(
        policy: RetryPolicy,
        budget: &'a RetryBudget,
        route: &'a Route,
        request: RequestId,
    ) -> Attempts<'a> {
        budget.earn();
        Attempts { policy, budget, route, request, made: 0, position: 0 }
    }

    /// Begins an attempt. Deployments whose breaker is open are passed over.
    ///
    /// # Errors
    /// [`Stage::Resting`] where that are all.
    pub(crate) fn begin(&mut self, at: Timestamp) -> Result<Attempt<'a>, CallError> {
        let mut soonest = Timestamp::MAX;
        for position in self.position..self.position + self.route.len() {
            let deployment = self.route.at(position);
            match deployment.breaker.admit(at) {
                Ok(permit) => {
                    self.position = position + 1;
                    self.made += 1;
                    return Ok(Attempt { number: self.made, deployment, permit });
                }
                Err(until) => soonest = soonest.min(until),
            }
        }
        Err(CallError {
            provider: self.route.at(self.position).provider.clone(),
            stage: Stage::Resting,
            reason: format!("it may be called again at {soonest:.0}"),
        })
    }

    /// Whether to try again after this, and after how long. The next attempt asks whoever comes
    /// next in the route; only where all were asked is there a pause, and a retry to be paid for.
    pub(crate) fn again(&mut self, called: &Called) -> Option<Duration> {
        let wanted = match called {
            Called::Failed(error) if error.stage.nothing_billed() => None,
            Called::Answering(answer) if declined(answer) => asked_to_wait(answer),
            Called::Answering(_) | Called::Failed(_) | Called::Abandoned => return None,
        };
        if self.position < self.route.len() {
            return Some(Duration::ZERO);
        }
        let in_vain = matches!(called, Called::Answering(answer) if forbids_retry(answer));
        if in_vain || self.made >= self.policy.attempts {
            return None;
        }
        let pause = self.pause(wanted)?;
        self.budget.spend().then_some(pause)
    }

    /// As long as the provider wants, or twice as long each time, less up to half of it, so that
    /// calls that failed together do not come back together.
    fn pause(&self, wanted: Option<Duration>) -> Option<Duration> {
        if let Some(wanted) = wanted {
            return (wanted <= self.policy.longest_pause).then_some(wanted);
        }
        let doublings = self.made.saturating_sub(1).min(16);
        let whole = self.policy.pause.saturating_mul(1 << doublings).min(self.policy.longest_pause);
        Some(whole.saturating_sub(whole / 512 * u32::from(self.request.chance())))
    }
}

/// `Retry-After` in seconds. A date is as good as none: the clocks may differ.
fn asked_to_wait(answer: &Answer) -> Option<Duration> {
    let value = answer.headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}

/// Whether the provider said that to ask it again would be in vain.
fn forbids_retry(answer: &Answer) -> bool {
    answer.headers.get("x-should-retry").is_some_and(|value| value == "false")
}
