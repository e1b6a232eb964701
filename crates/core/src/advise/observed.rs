//! What rules look at.

use std::sync::Arc;

use jiff::SignedDuration;

use super::log::{Call, Thread};
use crate::money::Usd;
use crate::pricing::RateCard;
use crate::usage::{Bucket, Usage};

/// Cached prefixes differ by less for reasons of granularity alone.
const LAPSE_TOKENS_MIN: u64 = 1_024;

/// Gives a model's rates in the situation of a call, if it has any.
type RatesOf<'a> = dyn Fn(&Call, &str) -> Option<Arc<RateCard>> + 'a;

/// Calls, and what is known beside them.
#[derive(Clone, Copy)]
pub struct Observed<'a> {
    /// The conversations.
    pub threads: &'a [Thread<'a>],
    /// How many days they span, for projections to a month.
    pub days: u64,
    /// How many bytes of logged text the provider counted as how many tokens.
    pub bytes_per_tokens: (u64, u64),
    /// What another model would have taken for a call.
    pub rates_of: &'a RatesOf<'a>,
}

/// A prefix that was cached, and was not any more at the next call.
#[derive(Clone, Copy, Debug)]
pub struct Lapse<'t> {
    /// The conversation.
    pub thread: &'t Thread<'t>,
    /// The call that left it in the cache.
    pub before: &'t Call,
    /// The call that had to send it again.
    pub after: &'t Call,
    /// The tokens that were sent again at a higher price.
    pub tokens: u64,
    /// The time between both, where it is known.
    pub idle: Option<SignedDuration>,
    /// What sending them again cost over reading them.
    pub usd: Usd,
}

// === impl Observed ===

impl<'a> Observed<'a> {
    /// All calls with their threads.
    pub fn calls(&self) -> impl Iterator<Item = (&'a Thread<'a>, &'a Call)> + use<'a> {
        self.threads.iter().flat_map(|thread| thread.calls.iter().map(move |call| (thread, *call)))
    }

    /// What is known to have been spent.
    pub fn spent(&self) -> Usd {
        let costs = self.calls().filter_map(|(_, call)| call.cost.usd);
        costs.fold(Usd::ZERO, |sum, usd| sum.plus(usd).unwrap_or(sum))
    }

    /// How many tokens so many bytes of logged text are, by what the provider counted in these very
    /// logs.
    pub fn tokens(&self, bytes: u64) -> u64 {
        let (per, tokens) = self.bytes_per_tokens;
        let scaled = u128::from(bytes) * u128::from(tokens) / u128::from(per.max(1));
        u64::try_from(scaled).unwrap_or(u64::MAX)
    }

    /// Every cached prefix that was not read by the next call of its conversation, although that
    /// call's prompt was no shorter.
    pub fn lapses(&self) -> impl Iterator<Item = Lapse<'a>> + use<'a> {
        let pairs = |thread: &'a Thread<'a>| {
            thread.calls.windows(2).filter_map(move |pair| match pair {
                [before, after] => Lapse::between(thread, before, after),
                _ => None,
            })
        };
        self.threads.iter().flat_map(pairs)
    }
}

impl std::fmt::Debug for Observed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Observed").field("threads", &self.threads).finish_non_exhaustive()
    }
}

// === impl Lapse ===

impl<'t> Lapse<'t> {
    fn between(thread: &'t Thread<'t>, before: &'t Call, after: &'t Call) -> Option<Lapse<'t>> {
        let prefix = before.usage.cached().saturating_add(before.written());
        let continues = before.model == after.model && after.usage.prompt() >= prefix;
        let resent = after.usage.prompt().saturating_sub(after.usage.cached());
        let tokens = prefix.saturating_sub(after.usage.cached()).min(resent);
        if !continues || tokens < LAPSE_TOKENS_MIN {
            return None;
        }
        let usd = after.saves(&after.with_read(tokens))?;
        let idle = before.at.zip(after.at).map(|(before, after)| after.duration_since(before));
        Some(Lapse { thread, before, after, tokens, idle, usd })
    }

    /// How long the provider kept the prefix.
    pub fn ttl(&self) -> SignedDuration {
        let hour = self.before.usage.get(Bucket::CacheWrite1h) > 0;
        if hour { SignedDuration::from_hours(1) } else { SignedDuration::from_mins(5) }
    }

    /// Whether nobody called for so long that the provider forgot; unknown times are no proof.
    pub fn is_idle(&self) -> bool {
        self.idle.is_some_and(|idle| idle > self.ttl())
    }
}

// === impl Thread ===

impl Thread<'_> {
    /// What an hour of TTL for all that is written would have saved: prefixes that lapsed within the
    /// hour would have been read; every write would have been dearer, so it may be negative.
    pub fn saved_by_an_hour(&self) -> Usd {
        let within = |lapse: &Lapse<'_>| {
            lapse.is_idle() && lapse.idle.is_some_and(|idle| idle.as_hours() < 1)
        };
        let saved = self.calls.iter().enumerate().filter_map(|(at, call)| {
            let before = at.checked_sub(1).and_then(|at| self.calls.get(at));
            let lapse = before.and_then(|before| Lapse::between(self, before, call));
            let lapse = lapse.filter(within);
            let usage = lapse.map_or(call.usage, |lapse| call.with_read(lapse.tokens));
            call.saves(&written_for_an_hour(usage))
        });
        saved.fold(Usd::ZERO, |sum, usd| sum.plus(usd).unwrap_or(sum))
    }
}

fn written_for_an_hour(usage: Usage) -> Usage {
    let [short, long] = [Bucket::CacheWrite5m, Bucket::CacheWrite1h];
    let all = usage.get(short).saturating_add(usage.get(long));
    usage.with(short, 0).with(long, all)
}

// === impl Call ===

impl Call {
    /// Tokens that were written to the cache.
    pub fn written(&self) -> u64 {
        let [short, long] = [Bucket::CacheWrite5m, Bucket::CacheWrite1h];
        self.usage.get(short).saturating_add(self.usage.get(long))
    }

    /// What `instead` of the real usage would have saved at this call's rates; `None` where there
    /// are none.
    pub fn saves(&self, instead: &Usage) -> Option<Usd> {
        let card = self.card.as_deref()?;
        let price = |usage| card.cost(usage).ok()?.usd;
        price(&self.usage)?.minus(price(instead)?).ok()
    }

    /// The usage, had so many more tokens been read from the cache instead of sent again.
    pub fn with_read(&self, tokens: u64) -> Usage {
        let (usage, moved) = take(self.usage, tokens, &RESENT);
        usage.with(Bucket::CacheRead, usage.get(Bucket::CacheRead).saturating_add(moved))
    }
}

/// Where tokens are that were not read from the cache, the dearest first.
const RESENT: [Bucket; 3] = [Bucket::CacheWrite1h, Bucket::CacheWrite5m, Bucket::Input];

/// Takes so many tokens out of the first buckets that have them; and how many those were.
pub(super) fn take(mut usage: Usage, tokens: u64, from: &[Bucket]) -> (Usage, u64) {
    let mut left = tokens;
    for bucket in from {
        let taken = usage.get(*bucket).min(left);
        usage = usage.with(*bucket, usage.get(*bucket) - taken);
        left -= taken;
    }
    (usage, tokens - left)
}
