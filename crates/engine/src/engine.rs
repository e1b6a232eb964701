//! The parts that the steps of a call use.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use farthing_core::Usd;
use farthing_core::budget::{Amount, Claim, Quantity};
use farthing_core::clock::Clock;
use farthing_core::entry::{Bill, Who};
use farthing_core::event::BudgetState;
use farthing_core::id::{ModelId, RequestId};
use farthing_core::tally::Operation;
use farthing_core::threshold::Mark;
use farthing_ledger::{Held, Ledger};
use farthing_tokens::Counter;
use farthing_upstream::{Answer, Deployment, Route, Upstream};
use farthing_wire::Request;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::access::Access;
use crate::alerts::{Alerts, Seen, in_words};
use crate::attempts::{Attempts, RetryBudget, RetryPolicy};
use crate::budgets::Budgets;
use crate::failure::Failure;
use crate::live::{Runs, Threads, Turn};
use crate::metrics::Metrics;
use crate::rates::Rates;
use crate::residuals::Watch;
use crate::savings::{self, Savings};
use crate::sessions::Sessions;
use crate::tariff::Tariff;

/// What an engine is made of.
#[derive(Debug)]
pub struct Parts {
    /// Tells the time.
    pub clock: Clock,
    /// Counts tokens.
    pub counter: Counter,
    /// Turns tokens into money.
    pub tariff: Tariff,
    /// The limits on spending.
    pub budgets: Budgets,
    /// Keeps the money.
    pub ledger: Ledger,
    /// Who may call.
    pub access: Access,
    /// What each conversation and run has come to.
    pub sessions: Sessions,
    /// What somebody wants to hear of.
    pub alerts: Alerts,
    /// How fast callers may be.
    pub rates: Rates,
    /// Calls providers.
    pub upstream: Upstream,
    /// Bounds.
    pub limits: Limits,
    /// How far requests are optimized.
    pub savings: savings::Settings,
}

/// Bounds on what a call may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Calls under way at once.
    pub concurrent_calls: usize,
    /// Bytes of an answer that is not streamed.
    pub answer_bytes: usize,
    /// Tokens of an answer, where neither the request nor the catalog says how long it may be.
    pub assumed_answer_tokens: u64,
    /// The longest answer where a budget may shorten answers and the request sets no limit, in tokens.
    pub clamped_answer_tokens: u64,
    /// How long a client may leave a piece of its answer unread.
    pub reader_patience: Duration,
    /// What becomes of a call whose client goes away.
    pub on_disconnect: OnDisconnect,
    /// Attempts for one call.
    pub retries: RetryPolicy,
    /// From the hold to the end of the call.
    pub call: Duration,
}

/// What becomes of a call whose client goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDisconnect {
    /// The connection to the provider is closed, and what was seen is billed by our own count.
    Cancel,
    /// The answer is read to its end, for so long at the most, and billed exactly; it pays for words
    /// that nobody reads.
    Drain(Duration),
}

/// Everything that a call needs, shared by all calls.
#[derive(Debug)]
pub struct Engine {
    pub(crate) parts: Parts,
    pub(crate) runs: Runs,
    threads: Threads,
    pub(crate) metrics: Metrics,
    pub(crate) savings: Savings,
    pub(crate) residuals: Watch,
    places: Arc<Semaphore>,
    retry_budget: RetryBudget,
}

// === impl Engine ===

impl Engine {
    /// An engine at rest.
    pub fn new(parts: Parts) -> Engine {
        let places = Arc::new(Semaphore::new(parts.limits.concurrent_calls));
        let savings = Savings::new(parts.savings, parts.counter.clone());
        Engine {
            parts,
            runs: Runs::new(),
            threads: Threads::new(),
            metrics: Metrics::new(),
            savings,
            residuals: Watch::default(),
            places,
            retry_budget: RetryBudget::new(),
        }
    }

    /// A request's turn in the run of its conversation. Both get names where they have none.
    pub fn join(&self, who: Who, request: &Request, id: RequestId, now: Timestamp) -> Turn {
        let (tenant, user) = (&who.tenant, &who.user);
        let conversation = self.threads.find(tenant, user, &request.prompt, id);
        self.runs.begin(who, conversation, &request.prompt, id, now)
    }

    /// Ends what has been silent for long. To be called every minute or so.
    pub async fn tend(&self) {
        self.parts.sessions.sweep(self.now());
        for (tenant, events) in self.runs.sweep(self.now()) {
            // A ledger that was closed hears of it no more.
            let _ = self.parts.ledger.post(tenant, events).await;
        }
    }

    /// How far requests are optimized.
    pub fn savings(&self) -> &savings::Settings {
        self.savings.settings()
    }

    /// What is counted for operators.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// What each conversation and run has come to.
    pub fn sessions(&self) -> &Sessions {
        &self.parts.sessions
    }

    /// The limits on spending.
    pub fn budgets(&self) -> &Budgets {
        &self.parts.budgets
    }

    /// Who may call.
    pub fn access(&self) -> &Access {
        &self.parts.access
    }

    /// Turns tokens into money.
    pub fn tariff(&self) -> &Tariff {
        &self.parts.tariff
    }

    /// The ledger, for queries.
    pub fn ledger(&self) -> &Ledger {
        &self.parts.ledger
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// Waits until no call is under way. New ones must have been stopped before.
    pub async fn idle(&self) {
        let all = u32::try_from(self.parts.limits.concurrent_calls).unwrap_or(u32::MAX);
        // The semaphore is never closed.
        let _ = self.places.acquire_many(all).await;
    }

    /// Asks a provider for something that costs nothing, such as its list of models.
    ///
    /// # Errors
    /// [`Failure::Upstream`] where no answer comes.
    pub async fn look_up(
        &self,
        deployment: &Deployment,
        endpoint: &str,
        headers: &HeaderMap,
    ) -> Result<(StatusCode, HeaderMap, Bytes), Failure> {
        let answer = self.parts.upstream.get(deployment, endpoint, headers).await?;
        let Answer { status, headers, mut body } = answer;
        Ok((status, headers, body.collect(self.parts.limits.answer_bytes).await?))
    }

    /// A place among the calls under way, given back when it is dropped.
    ///
    /// # Errors
    /// [`Failure::Overloaded`] where none is free.
    pub fn place(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let limit = self.parts.limits.concurrent_calls;
        Arc::clone(&self.places).try_acquire_owned().map_err(|_| Failure::Overloaded { limit })
    }

    /// The attempts of a call.
    pub(crate) fn attempts<'a>(&'a self, route: &'a Route, request: RequestId) -> Attempts<'a> {
        Attempts::new(self.parts.limits.retries, &self.retry_budget, route, request)
    }

    /// The thresholds that a bill makes something pass, in words; its session has it from now on.
    pub(crate) fn alerts(&self, held: &Held, bill: Option<&Bill>) -> Vec<String> {
        let Some(bill) = bill else { return Vec::new() };
        let (entry, now) = (held.entry(), self.now());
        let operation = Operation::of(bill, entry.who.agent.clone(), now);
        let session = self.parts.sessions.track(&entry.who, &operation);
        let charge = Amount::of_call(bill.charged, bill.usage.tokens());
        let spent = |claim: &Claim| {
            let spent = self.parts.ledger.balance(&claim.balance).spent;
            spent.plus(charge).unwrap_or(spent)
        };
        let claims = &entry.what.hold().claims;
        let alerts = self.parts.alerts.look(&Seen {
            attempt: entry.id,
            at: now,
            charged: bill.charged,
            session: session.as_ref(),
            budgets: claims.iter().map(|claim| (claim, spent(claim))).collect(),
        });
        let told = alerts.iter().map(|alert| {
            let text = in_words(alert);
            let alert_name = alert.name();
            match alert.mark {
                Mark::Low | Mark::Medium => tracing::info!(alert = alert_name, "{text}"),
                _ => tracing::warn!(alert = alert_name, "{text}"),
            }
            text
        });
        told.collect()
    }

    /// How the tightest of the claimed budgets of dollars stands once so much more is charged.
    pub(crate) fn budget_state(&self, claims: &[Claim], charged: Usd) -> Option<BudgetState> {
        let states = claims.iter().filter_map(|claim| {
            let Quantity::Usd(limit) = claim.limit else { return None };
            let spent = self.parts.ledger.balance(&claim.balance).spent.usd;
            let spent = spent.plus(charged).unwrap_or(spent);
            let left = limit.minus(spent).unwrap_or_default();
            Some((left, BudgetState::new(claim.balance.scope.name(), spent, limit)))
        });
        states.min_by_key(|(left, _)| *left).map(|(_, state)| state)
    }

    /// The budgets that a call counts against.
    pub(crate) fn claims(&self, who: &Who, model: &ModelId, at: Timestamp) -> Vec<Claim> {
        self.parts.budgets.claims(who, model, at)
    }
}
