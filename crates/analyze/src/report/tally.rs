//! Requests, added up.

use farthing_core::Usd;
use farthing_core::pricing::CostStatus;
use farthing_core::usage::{Bucket, Usage};
use serde::{Serialize, Serializer};

use crate::priced::{Request, sum};

/// Requests, what they consumed and what that cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// How many.
    pub requests: u64,
    /// What they consumed.
    pub usage: Tokens,
    /// What is known of their cost; `None` where nothing is.
    #[serde(serialize_with = "known")]
    pub cost_usd: KnownUsd,
    /// How it is known: what holds for all of them, or `partial` where some have no price.
    #[serde(serialize_with = "named")]
    pub cost_status: Statuses,
    /// Requests without a price: their cost is in no sum.
    #[serde(skip_serializing_if = "none")]
    pub unpriced: u64,
    /// Requests whose usage is estimated: the log has sums only, or none at all.
    #[serde(skip_serializing_if = "none")]
    pub estimated: u64,
    /// Requests whose log breaks off before their bill: their cost is higher than what it says.
    #[serde(skip_serializing_if = "none")]
    pub incomplete: u64,
}

/// Tokens of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens(pub Usage);

/// The sum of what is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KnownUsd {
    usd: Usd,
    /// Whether something has no amount, and whether anything has.
    unknown: bool,
    known: bool,
}

/// The statuses of some costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statuses {
    first: Option<CostStatus>,
    mixed: Option<CostStatus>,
}

// === impl Tally ===

impl Tally {
    /// Adds a request.
    pub fn add(&mut self, request: &Request) {
        let cost = request.call.cost;
        self.requests += 1;
        self.usage.0 = self.usage.0.plus(&request.call.usage);
        self.cost_usd.add(cost.usd);
        self.cost_status.add(cost.status);
        self.unpriced += u64::from(cost.usd.is_none());
        self.estimated += u64::from(request.estimated);
        self.incomplete += u64::from(request.incomplete);
    }

    /// What is known of the cost; `None` where nothing is.
    pub fn usd(&self) -> Option<Usd> {
        self.cost_usd.get()
    }

    /// How the cost is known.
    pub fn status(&self) -> CostStatus {
        self.cost_status.get()
    }
}

// === impl KnownUsd ===

impl KnownUsd {
    fn add(&mut self, usd: Option<Usd>) {
        match usd {
            Some(usd) => {
                self.usd = sum(self.usd, usd);
                self.known = true;
            }
            None => self.unknown = true,
        }
    }

    fn get(self) -> Option<Usd> {
        (self.known || !self.unknown).then_some(self.usd)
    }
}

// === impl Statuses ===

impl Statuses {
    fn add(&mut self, status: CostStatus) {
        let first = *self.first.get_or_insert(status);
        if first != status {
            let sure = |status| matches!(status, CostStatus::Priced | CostStatus::Estimated);
            let both_sure = sure(first) && sure(status);
            let mixed = if both_sure { CostStatus::Estimated } else { CostStatus::Partial };
            if self.mixed != Some(CostStatus::Partial) {
                self.mixed = Some(mixed);
            }
        }
    }

    fn get(self) -> CostStatus {
        self.mixed.or(self.first).unwrap_or(CostStatus::Priced)
    }
}

impl Tokens {
    /// The counts that reports show, by name.
    pub fn columns(&self) -> [(&'static str, u64); 6] {
        let usage = &self.0;
        let (short, long) = (usage.get(Bucket::CacheWrite5m), usage.get(Bucket::CacheWrite1h));
        let written = short.saturating_add(long);
        let read = usage.cached();
        let input = usage.prompt().saturating_sub(read.saturating_add(written));
        [
            ("input", input),
            ("cache_read", read),
            ("cache_write_5m", short),
            ("cache_write_1h", long),
            ("cache_write", written),
            ("output", usage.completion()),
        ]
    }
}

impl Serialize for Tokens {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.columns())
    }
}

fn known<S: Serializer>(usd: &KnownUsd, serializer: S) -> Result<S::Ok, S::Error> {
    usd.get().serialize(serializer)
}

fn named<S: Serializer>(statuses: &Statuses, serializer: S) -> Result<S::Ok, S::Error> {
    statuses.get().serialize(serializer)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands in a reference")]
fn none(count: &u64) -> bool {
    *count == 0
}
