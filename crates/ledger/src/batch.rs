//! What entries change in the tables that are folded from them. Pure, so that every storage engine
//! folds alike and [`verify`](crate::verify()) can fold again.

use std::collections::{BTreeMap, BTreeSet};

use farthing_core::budget::BalanceKey;
use farthing_core::entry::{Adjustment, Ending, Entry, Move, Origin};
use farthing_core::id::{AgentId, ModelId, ProviderId, TenantId, UserId};
use farthing_core::money::Overflow;
use farthing_core::usage::{Bucket, Usage};
use farthing_core::{Usd, pricing::CostStatus};
use jiff::Timestamp;

/// The most entries that one transaction takes.
pub const BATCH_MAX: usize = 1_000;

/// The highest count that every engine's signed 64-bit column holds; counts stay at it.
const COUNT_MAX: u64 = i64::MAX.unsigned_abs();

const SECONDS_PER_HOUR: i64 = 3_600;

/// One row of the roll-up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RollupKey {
    /// Who paid.
    pub tenant: TenantId,
    /// The hour in which the calls ended, by its beginning, UTC.
    pub hour: Timestamp,
    /// Who acted.
    pub user: UserId,
    /// The program that acted.
    pub agent: Option<AgentId>,
    /// The configured provider.
    pub provider: ProviderId,
    /// The model, as the client named it.
    pub model: ModelId,
}

/// What calls came to, added up. Voided attempts are not among them: they answered nothing and
/// cost nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Attempts that were billed or may have been.
    pub requests: u64,
    /// Prompt tokens at the full price, of every medium.
    pub input: u64,
    /// Prompt tokens that a provider had in its cache.
    pub cache_read: u64,
    /// Prompt tokens written to a provider's cache.
    pub cache_write: u64,
    /// Answer tokens, thinking included.
    pub output: u64,
    /// Those of them that the model thought and did not say.
    pub reasoning: u64,
    /// The known costs.
    pub cost: Usd,
    /// Requests whose cost is not known; of a correction, less than zero.
    pub unknown_cost: i64,
    /// Requests whose usage or cost is not the provider's but our own estimate.
    pub estimated: u64,
    /// What budgets were charged.
    pub charged: Usd,
}

/// The balances that the entries change, in the order in which engines lock them.
pub fn balances<'a>(entries: &[&'a Entry]) -> BTreeSet<&'a BalanceKey> {
    entries.iter().flat_map(|entry| &entry.what.hold().claims).map(|claim| &claim.balance).collect()
}

/// What the entries add to the roll-up.
///
/// # Errors
/// [`Overflow`] where the amounts are absurd.
pub fn rollups(entries: &[&Entry]) -> Result<BTreeMap<RollupKey, Tally>, Overflow> {
    let mut rollups = BTreeMap::<RollupKey, Tally>::new();
    for (key, tally) in entries.iter().filter_map(|entry| Tally::of(entry)) {
        let sum = rollups.entry(key).or_default();
        *sum = sum.plus(&tally)?;
    }
    Ok(rollups)
}

// === impl Tally ===

impl Tally {
    /// What an entry adds to the roll-up, and to which row; `None` where it adds nothing.
    pub fn of(entry: &Entry) -> Option<(RollupKey, Tally)> {
        let tally = match &entry.what {
            Move::Hold(_) | Move::End(_, Ending::Void(_)) => return None,
            Move::End(_, Ending::Expire) => {
                Tally { requests: 1, unknown_cost: 1, estimated: 1, ..Tally::default() }
            }
            Move::Adjust(_, Adjustment { rebilled: Some(rebilled), .. }) => Tally {
                cost: rebilled.bill.cost.usd.unwrap_or_default(),
                unknown_cost: -i64::from(rebilled.bill.cost.usd.is_some()),
                ..Tally::default()
            },
            Move::Adjust(_, adjustment) => Tally { cost: adjustment.delta, ..Tally::default() },
            Move::End(_, Ending::Settle(bill)) => Tally {
                requests: 1,
                cost: bill.cost.usd.unwrap_or_default(),
                unknown_cost: i64::from(bill.cost.usd.is_none()),
                estimated: u64::from(
                    bill.origin == Origin::Estimated || bill.cost.status == CostStatus::Estimated,
                ),
                ..Tally::tokens(&bill.usage)
            },
        };
        let hold = entry.what.hold();
        let key = RollupKey {
            tenant: entry.who.tenant.clone(),
            hour: hour_of(entry.what.ended_at().unwrap_or(entry.at)),
            user: entry.who.user.clone(),
            agent: entry.who.agent.clone(),
            provider: hold.asked.provider.clone(),
            model: hold.asked.model.clone(),
        };
        Some((key, Tally { charged: entry.what.charged(), ..tally }))
    }

    /// Both together.
    ///
    /// # Errors
    /// [`Overflow`] where the amounts are absurd.
    pub fn plus(&self, other: &Tally) -> Result<Tally, Overflow> {
        let count = |mine: u64, theirs: u64| mine.saturating_add(theirs).min(COUNT_MAX);
        Ok(Tally {
            requests: count(self.requests, other.requests),
            input: count(self.input, other.input),
            cache_read: count(self.cache_read, other.cache_read),
            cache_write: count(self.cache_write, other.cache_write),
            output: count(self.output, other.output),
            reasoning: count(self.reasoning, other.reasoning),
            cost: self.cost.plus(other.cost)?,
            unknown_cost: self.unknown_cost.saturating_add(other.unknown_cost),
            estimated: count(self.estimated, other.estimated),
            charged: self.charged.plus(other.charged)?,
        })
    }

    fn tokens(usage: &Usage) -> Tally {
        use Bucket::*;
        let sum = |buckets: &[Bucket]| {
            let counts = buckets.iter().map(|bucket| usage.get(*bucket));
            counts.fold(0, u64::saturating_add).min(COUNT_MAX)
        };
        Tally {
            input: sum(&[Input, InputAudio, InputImage, InputVideo]),
            cache_read: sum(&[CacheRead, CacheReadAudio, CacheReadImage]),
            cache_write: sum(&[CacheWrite5m, CacheWrite1h]),
            output: usage.completion().min(COUNT_MAX),
            reasoning: sum(&[OutputReasoning]),
            ..Tally::default()
        }
    }
}

/// The beginning of the hour that `at` lies in.
fn hour_of(at: Timestamp) -> Timestamp {
    let second = at.as_second().div_euclid(SECONDS_PER_HOUR) * SECONDS_PER_HOUR;
    // The calendar begins on the hour, so that no time rounds to before it.
    Timestamp::from_second(second).unwrap_or(at)
}
