//! What optimizing a call came to, once its provider has said what it consumed.

use std::collections::BTreeMap;
use std::sync::Arc;

use farthing_core::Usd;
use farthing_core::context::Context;
use farthing_core::entry::Bill;
use farthing_core::pricing::RateCard;
use farthing_core::usage::{Bucket, Usage};
use farthing_ledger::saving::{Pass, Saving};
use farthing_optimize::receipt::Receipt;
use farthing_optimize::{Mode, Optimized, Thread};
use jiff::Timestamp;

use super::memory::Place;

/// The pass to whose account goes what the provider's cache cost and saved.
const CACHE: &str = "cache";

/// What was done to a call.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    mode: Mode,
    held_out: bool,
    conversation: String,
    receipt: Receipt,
    /// Whether the provider was asked to keep the prompt, which it was not by the client.
    marked: bool,
    /// How many messages at the start were sent before.
    seen: usize,
}

/// What was saved, in short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Tokens of the prompt that were not sent.
    pub tokens: u64,
    /// What that saved, net; negative is a loss. `None` where nobody knows.
    pub usd: Option<Usd>,
}

// === impl Account ===

impl Account {
    pub(super) fn new(
        mode: Mode,
        held_out: bool,
        place: &Place,
        before: &Thread,
        optimized: &Optimized,
    ) -> Account {
        Account {
            mode,
            held_out,
            conversation: place.conversation(),
            receipt: optimized.receipt.clone(),
            marked: !optimized.plan.places.is_empty(),
            seen: before.messages,
        }
    }

    /// The same for a call whose provider would not have it, so that it was sent as it came.
    pub(crate) fn taken_back(self) -> Account {
        let Receipt { tokens_before, .. } = self.receipt;
        let receipt = Receipt { tokens_before, tokens_after: tokens_before, ..Receipt::default() };
        Account { receipt, marked: false, ..self }
    }

    /// What it came to.
    pub(crate) fn settled(&self, ctx: &Context, bill: &Bill, at: Timestamp) -> Saving {
        let sent = self.mode != Mode::Shadow;
        let Receipt { tokens_before, tokens_after, .. } = self.receipt;
        let card = bill.priced_by.as_ref().map(|by| by.card.as_ref());
        let would = card.and_then(|card| Would::of(self, card, bill));
        let would = would.unwrap_or_default();
        Saving {
            request: ctx.request(),
            who: Arc::clone(ctx.who()),
            at,
            mode: self.mode.name().to_owned(),
            held_out: self.held_out,
            conversation: self.conversation.clone(),
            tokens_before,
            tokens_after: if sent { tokens_after } else { tokens_before },
            paid: bill.cost.usd,
            would_have_paid: would.paid,
            uncached: would.uncached,
            passes: if sent {
                would.passes.unwrap_or_else(|| self.unpriced())
            } else {
                BTreeMap::new()
            },
            // Numbers and names always serialise.
            receipt: serde_json::to_value(&self.receipt).unwrap_or_default(),
        }
    }

    /// The edits of each pass, and the tokens that they removed: of what stands in messages that were
    /// sent before, and of what is new. They add up to what the prompt has less.
    fn removed(&self) -> BTreeMap<&'static str, [u64; 3]> {
        let mut passes = BTreeMap::<_, [u64; 3]>::new();
        for entry in &self.receipt.edits {
            let [edits, old, new] = passes.entry(entry.pass).or_default();
            let is_old = entry.message.is_some_and(|message| message < self.seen);
            *edits += 1;
            *if is_old { old } else { new } += entry.verdict.removed;
        }
        let sum = passes.values().map(|[_, old, new]| old + new).sum();
        let Receipt { tokens_before, tokens_after, .. } = self.receipt;
        let less = tokens_before.saturating_sub(tokens_after);
        for [_, old, new] in passes.values_mut() {
            (*old, *new) = (share(*old, less, sum), share(*new, less, sum));
        }
        passes
    }

    fn unpriced(&self) -> BTreeMap<String, Pass> {
        let pass = |[edits, old, new]: [u64; 3]| Pass { edits, tokens: old + new, saved_usd: None };
        self.removed().into_iter().map(|(name, counts)| (name.to_owned(), pass(counts))).collect()
    }
}

/// What a call would have cost as it came.
#[derive(Default)]
struct Would {
    paid: Option<Usd>,
    uncached: Option<Usd>,
    passes: Option<BTreeMap<String, Pass>>,
}

// === impl Would ===

impl Would {
    /// The provider's own counts say what was sent. As it came there would have been the removed
    /// tokens beside them, at the rate of those around them; and where only we asked for the prompt
    /// to be kept, none of it would have been in the cache.
    fn of(account: &Account, card: &RateCard, bill: &Bill) -> Option<Would> {
        let cost = |usage: &Usage| card.cost(usage).ok()?.usd;
        // Of a sum over several models nobody can say which would have consumed what.
        let paid = bill.cost.usd.filter(|_| bill.others.is_empty())?;
        if account.mode == Mode::Shadow {
            let uncached = cost(&uncached(&bill.usage));
            return Some(Would { paid: Some(paid), uncached, passes: None });
        }
        let listed = cost(&bill.usage)?;
        let mut would = account.as_asked(&bill.usage);
        let mut before = cost(&would)?;
        let mut passes = BTreeMap::new();
        let of_cache = before.minus(listed).ok()?;
        if of_cache != Usd::ZERO {
            let edits = u64::from(account.marked);
            passes.insert(CACHE.to_owned(), Pass { edits, tokens: 0, saved_usd: Some(of_cache) });
        }
        let [old_bucket, new_bucket] = account.buckets(&bill.usage);
        // How the provider counts what was sent tells how it would have counted the rest.
        let theirs = |ours| share(ours, bill.usage.prompt(), account.receipt.tokens_after);
        for (name, [edits, old, new]) in account.removed() {
            would = more(more(would, old_bucket, theirs(old)), new_bucket, theirs(new));
            let with = cost(&would)?;
            let saved_usd = Some(with.minus(before).ok()?);
            passes.insert(name.to_owned(), Pass { edits, tokens: old + new, saved_usd });
            before = with;
        }
        // What a provider charges may not be what its list says; the difference is the list's.
        let would_have_paid = paid.plus(before.minus(listed).ok()?).ok()?;
        let uncached = cost(&uncached(&would));
        Some(Would { paid: Some(would_have_paid), uncached, passes: Some(passes) })
    }
}

impl Account {
    /// What the sent prompt would have consumed if nobody but the client had a hand in the cache.
    fn as_asked(&self, usage: &Usage) -> Usage {
        if self.marked {
            return uncached(usage);
        }
        // An edit of what the cache had made it write again what stands behind.
        let rewritten = self.receipt.edits.iter().map(|entry| entry.verdict.rewritten).max();
        let mut usage = *usage;
        let mut left = rewritten.unwrap_or(0);
        for bucket in [Bucket::CacheWrite1h, Bucket::CacheWrite5m] {
            let moved = usage.get(bucket).min(left);
            usage = usage.with(bucket, usage.get(bucket) - moved);
            usage = more(usage, Bucket::CacheRead, moved);
            left -= moved;
        }
        usage
    }

    /// Where the removed tokens of earlier and of new messages would have gone.
    fn buckets(&self, usage: &Usage) -> [Bucket; 2] {
        if self.marked {
            return [Bucket::Input; 2];
        }
        let writes = [Bucket::CacheWrite1h, Bucket::CacheWrite5m];
        let write = writes.into_iter().find(|bucket| usage.get(*bucket) > 0);
        let new = write.unwrap_or(Bucket::Input);
        [if usage.cached() > 0 { Bucket::CacheRead } else { new }, new]
    }
}

/// The same without a cache.
fn uncached(usage: &Usage) -> Usage {
    let cached = [Bucket::CacheRead, Bucket::CacheWrite5m, Bucket::CacheWrite1h];
    cached
        .into_iter()
        .fold(*usage, |usage, bucket| more(usage.with(bucket, 0), Bucket::Input, usage.get(bucket)))
}

/// As much of `count` as `part` is of `whole`, rounded down; all of it where there is no whole.
fn share(count: u64, part: u64, whole: u64) -> u64 {
    let share = u128::from(count) * u128::from(part) / u128::from(whole.max(1));
    if whole == 0 { count } else { u64::try_from(share).unwrap_or(u64::MAX) }
}

fn more(usage: Usage, bucket: Bucket, count: u64) -> Usage {
    usage.with(bucket, usage.get(bucket).saturating_add(count))
}

// === impl Saved ===

impl From<&Saving> for Saved {
    fn from(saving: &Saving) -> Saved {
        Saved { tokens: saving.tokens_saved(), usd: saving.net() }
    }
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
