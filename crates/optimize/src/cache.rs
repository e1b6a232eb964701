//! A provider's cache, simulated: what a request reads from it, and what it writes.

use std::collections::HashMap;

use farthing_core::usage::{Bucket, CacheTtl, Usage};
use jiff::Timestamp;

use crate::caching::{Caching, Placement};

/// A piece of a prompt that is kept as a whole or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// What tells it from any other.
    pub hash: u64,
    /// Its tokens.
    pub tokens: u64,
}

/// What one account has in a provider's cache.
#[derive(Clone, Debug)]
pub struct Cache {
    caching: Caching,
    /// By the hash of a prefix.
    entries: HashMap<u64, Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    ttl: CacheTtl,
    /// When it was last used; `None` where time is not known, and nothing lapses.
    used: Option<Timestamp>,
}

/// A prefix of a prompt.
#[derive(Clone, Copy, Debug, Default)]
struct Prefix {
    hash: u64,
    tokens: u64,
}

// === impl Cache ===

impl Cache {
    /// An empty cache.
    pub fn new(caching: Caching) -> Cache {
        Cache { caching, entries: HashMap::new() }
    }

    /// What a prompt of these blocks consumes at `now`. `marks` are the blocks after which it is
    /// to be kept, in order; they are ignored where the provider decides by itself. With `ttl`
    /// `None`, or without marks, nothing is written.
    pub fn send(
        &mut self,
        blocks: &[Block],
        marks: &[usize],
        ttl: Option<CacheTtl>,
        now: Option<Timestamp>,
    ) -> Usage {
        let prefixes = prefixes(blocks);
        let total = prefixes.last().copied().unwrap_or_default().tokens;
        let all: Vec<usize> = (0..blocks.len()).collect();
        let (marks, ttl, look_back) = match self.caching.placement {
            Placement::Breakpoints { look_back, .. } => (marks, ttl, look_back),
            Placement::Automatic => {
                (&*all, self.caching.shortest().map(|shortest| shortest.ttl), 0)
            }
        };
        let Some(ttl) = ttl else { return Usage::NONE.with(Bucket::Input, total) };
        let kept = |mark: &usize| Some((*mark, prefixes.get(*mark)?));
        let long_enough = |(_, prefix): &(usize, &Prefix)| prefix.tokens >= self.caching.min_tokens;
        let marks: Vec<(usize, &Prefix)> =
            marks.iter().filter_map(kept).filter(long_enough).collect();
        let found = self.find(&prefixes, &marks, look_back, now);
        let written = marks.last().map_or(0, |(_, prefix)| prefix.tokens).max(found);
        for (_, prefix) in &marks {
            let entry = Entry { ttl, used: now };
            self.entries.entry(prefix.hash).and_modify(|entry| entry.used = now).or_insert(entry);
        }
        let bucket = match ttl {
            CacheTtl::FiveMinutes => Bucket::CacheWrite5m,
            CacheTtl::OneHour => Bucket::CacheWrite1h,
        };
        Usage::NONE
            .with(Bucket::CacheRead, found)
            .with(bucket, written - found)
            .with(Bucket::Input, total - written)
    }

    /// Everything that is kept was just used.
    pub fn touch(&mut self, now: Timestamp) {
        self.entries.values_mut().for_each(|entry| entry.used = Some(now));
    }

    /// The tokens of the longest kept prefix that the marks reach; what lapsed is dropped.
    fn find(
        &mut self,
        prefixes: &[Prefix],
        marks: &[(usize, &Prefix)],
        look_back: usize,
        now: Option<Timestamp>,
    ) -> u64 {
        let caching = &self.caching;
        self.entries.retain(|_, entry| entry.is_alive(caching, now));
        let reached = |(mark, _): &(usize, &Prefix)| mark.saturating_sub(look_back)..=*mark;
        let reached = marks.iter().rev().flat_map(|mark| reached(mark).rev());
        let found = reached
            .filter_map(|index| prefixes.get(index))
            .find(|prefix| self.entries.contains_key(&prefix.hash));
        let Some(found) = found else { return 0 };
        let used = prefixes.iter().take_while(|prefix| prefix.tokens <= found.tokens);
        for prefix in used {
            self.entries.entry(prefix.hash).and_modify(|entry| entry.used = now);
        }
        found.tokens
    }
}

impl Entry {
    fn is_alive(&self, caching: &Caching, now: Option<Timestamp>) -> bool {
        let (Some(now), Some(used)) = (now, self.used) else { return true };
        let lasts = caching.lifetime(self.ttl).map(|lifetime| lifetime.lasts);
        lasts.is_some_and(|lasts| now.duration_since(used) <= lasts)
    }
}

fn prefixes(blocks: &[Block]) -> Vec<Prefix> {
    let mut prefix = Prefix::default();
    let extended = blocks.iter().map(|block| {
        // Multiplying by an odd number and turning keeps order apart from content.
        let hash = (prefix.hash ^ block.hash).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31);
        prefix = Prefix { hash, tokens: prefix.tokens.saturating_add(block.tokens) };
        prefix
    });
    extended.collect()
}
