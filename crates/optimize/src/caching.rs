//! What a provider's prompt cache offers, and at what price.

use farthing_core::pricing::{CacheStyle, Caching as Terms, RateCard};
use farthing_core::usage::{Bucket, CacheTtl, Usage};
use jiff::SignedDuration;

/// Prices here are in thousandths of the base input price.
pub const BASE: i64 = 1_000;

/// A provider's prompt cache, as far as money depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caching {
    /// r: what a token costs that the cache has, in thousandths of the base input price.
    pub read: i64,
    /// What can be written, shortest-lived first; empty where there is no cache.
    pub lifetimes: Vec<Lifetime>,
    /// Shorter prefixes are not kept, in tokens.
    pub min_tokens: u64,
    /// How the places are chosen up to which a prompt is kept.
    pub placement: Placement,
}

/// A time that a prefix can be kept for since it was last used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// What the provider calls it.
    pub ttl: CacheTtl,
    /// How long that is.
    pub lasts: SignedDuration,
    /// w: what writing a token costs, in thousandths of the base input price.
    pub write: i64,
}

/// Who says up to where a prompt is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// The provider, by itself: every prefix that it has seen is found again.
    Automatic,
    /// The client, by breakpoints.
    Breakpoints {
        /// How many a request may have.
        most: usize,
        /// How many blocks before a breakpoint an earlier one is still found.
        look_back: usize,
    },
}

// === impl Caching ===

impl Caching {
    /// No cache at all.
    pub const NONE: Caching = Caching {
        read: BASE,
        lifetimes: Vec::new(),
        min_tokens: 0,
        placement: Placement::Automatic,
    };

    /// A model's cache by its terms and rates; [`Caching::NONE`] where reading from it would save
    /// nothing.
    pub fn of(terms: &Terms, card: &RateCard) -> Caching {
        let Some(read) = in_base(card, Bucket::CacheRead).filter(|read| *read < BASE) else {
            return Caching::NONE;
        };
        let count = |count: Option<u32>| usize::try_from(count?).ok();
        let placement = match terms.style {
            CacheStyle::Automatic => Placement::Automatic,
            CacheStyle::Explicit => Placement::Breakpoints {
                most: count(terms.max_breakpoints).unwrap_or(1),
                look_back: count(terms.look_back_blocks).unwrap_or(0),
            },
        };
        let lifetime = |ttl: &CacheTtl| {
            let (bucket, minutes) = match ttl {
                CacheTtl::FiveMinutes => (Bucket::CacheWrite5m, 5),
                CacheTtl::OneHour => (Bucket::CacheWrite1h, 60),
            };
            let write = if terms.writes_charged { in_base(card, bucket)? } else { BASE };
            Some(Lifetime { ttl: *ttl, lasts: SignedDuration::from_mins(minutes), write })
        };
        let lifetimes = terms.ttls.iter().filter_map(lifetime).collect();
        Caching { read, lifetimes, min_tokens: terms.min_tokens.unwrap_or(0), placement }
    }

    /// The lifetime that costs least to write.
    pub fn shortest(&self) -> Option<&Lifetime> {
        self.lifetimes.first()
    }

    /// For how long the provider keeps a prompt that nobody asked it to keep.
    pub fn unasked(&self) -> Option<CacheTtl> {
        let shortest = self.shortest().filter(|_| self.placement == Placement::Automatic);
        shortest.map(|shortest| shortest.ttl)
    }

    /// The lifetime of this name.
    pub fn lifetime(&self, ttl: CacheTtl) -> Option<&Lifetime> {
        self.lifetimes.iter().find(|lifetime| lifetime.ttl == ttl)
    }
}

/// A bucket's rate in thousandths of the rate of input, rounded down.
fn in_base(card: &RateCard, bucket: Bucket) -> Option<i64> {
    const MANY: u64 = 1_000_000;
    let million = |bucket| card.cost(&Usage::NONE.with(bucket, MANY)).ok()?.usd;
    let (price, base) = (million(bucket)?.pico(), million(Bucket::Input)?.pico());
    let per_mille = price.checked_mul(BASE.into())?.checked_div(base)?;
    i64::try_from(per_mille).ok()
}
