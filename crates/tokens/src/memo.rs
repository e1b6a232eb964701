//! What was counted before: most of a conversation comes again with its next turn.
//!
//! A piece of a prompt is known again by a keyed hash of its bytes. The hash is HighwayHash with 128
//! bits: whoever sends prompts does not know the key, so cannot look for two texts that share a
//! count, and by chance two of a billion texts do so once in 10^20 processes.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, PoisonError};

use highway::{HighwayHash, HighwayHasher, Key};

/// Bytes of numbers that are hashed at once.
const NUMBERS_BYTES: usize = 128;
/// How many locks share the entries.
const SHARDS: usize = 16;

/// A bounded memory of counts, for all threads of a process.
#[derive(Debug)]
pub(crate) struct Memo<V> {
    key: Key,
    shards: [Mutex<Shard<V>>; SHARDS],
    /// Entries of a shard's generation.
    most: usize,
}

/// Two generations: when the young one is full the old one is forgotten and takes its place.
#[derive(Debug)]
struct Shard<V> {
    young: Entries<V>,
    old: Entries<V>,
}

type Entries<V> = HashMap<u128, V, BuildHasherDefault<Halved>>;

/// What a piece of a prompt is known by.
#[derive(Debug)]
pub(crate) struct Fingerprint {
    hasher: HighwayHasher,
    /// Numbers that are not hashed yet: one at a time they would cost more than a message's text.
    numbers: [u8; NUMBERS_BYTES],
    held: usize,
}

/// Hashes what is a hash already.
#[derive(Debug, Default)]
pub(crate) struct Halved(u64);

// === impl Memo ===

impl<V: Copy> Memo<V> {
    /// Keeps at most `entries`, and at least half as many once there were so many.
    pub(crate) fn new(key: [u64; 4], entries: usize) -> Self {
        let shard = || Mutex::new(Shard { young: HashMap::default(), old: HashMap::default() });
        let most = (entries / SHARDS / 2).max(1);
        Self { key: Key(key), shards: std::array::from_fn(|_| shard()), most }
    }

    /// The fingerprint of nothing, to be added to.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let hasher = HighwayHasher::new(self.key);
        Fingerprint { hasher, numbers: [0; NUMBERS_BYTES], held: 0 }
    }

    /// What is remembered, or else what `count` says.
    pub(crate) fn get_or(&self, fingerprint: Fingerprint, count: impl FnOnce() -> V) -> V {
        let [low, high] = fingerprint.hashed().finalize128();
        let hash = u128::from(low) | (u128::from(high) << 64);
        // In range for any number of shards.
        let Some(shard) = self.shards.get(low as usize % SHARDS) else { return count() };
        let found = shard.lock().unwrap_or_else(PoisonError::into_inner).get(hash, self.most);
        found.unwrap_or_else(|| {
            let counted = count();
            shard.lock().unwrap_or_else(PoisonError::into_inner).put(hash, counted, self.most);
            counted
        })
    }
}

// === impl Shard ===

impl<V: Copy> Shard<V> {
    fn get(&mut self, hash: u128, most: usize) -> Option<V> {
        if let Some(value) = self.young.get(&hash) {
            return Some(*value);
        }
        let value = self.old.remove(&hash)?;
        self.put(hash, value, most);
        Some(value)
    }

    fn put(&mut self, hash: u128, value: V, most: usize) {
        if self.young.len() >= most {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(hash, value);
    }
}

// === impl Fingerprint ===

impl Fingerprint {
    /// Adds bytes. What is added in pieces is as if it were added at once.
    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.flush();
        self.hasher.append(bytes);
        self
    }

    /// Adds a number.
    pub(crate) fn number(mut self, number: u64) -> Self {
        if self.held == NUMBERS_BYTES {
            self.flush();
        }
        if let Some(place) = self.numbers.get_mut(self.held..self.held + size_of::<u64>()) {
            place.copy_from_slice(&number.to_le_bytes());
            self.held += size_of::<u64>();
        }
        self
    }

    fn flush(&mut self) {
        self.hasher.append(self.numbers.get(..self.held).unwrap_or_default());
        self.held = 0;
    }

    fn hashed(mut self) -> HighwayHasher {
        self.flush();
        self.hasher
    }
}

// === impl Halved ===

impl Hasher for Halved {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let (halves, _) = bytes.as_chunks::<8>();
        self.0 = halves.iter().fold(self.0, |hash, half| hash ^ u64::from_le_bytes(*half));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u64; 4] = [1, 2, 3, 4];

    fn recall(memo: &Memo<u64>, text: &str, count: u64) -> u64 {
        memo.get_or(memo.fingerprint().bytes(text.as_bytes()), || count)
    }

    #[test]
    fn what_was_counted_is_remembered_and_nothing_else() {
        let memo = Memo::new(KEY, 1_000);
        assert_eq!(recall(&memo, "a", 1), 1);
        assert_eq!(recall(&memo, "a", 2), 1);
        assert_eq!(recall(&memo, "b", 2), 2);
        assert_eq!(recall(&Memo::new([9; 4], 1_000), "a", 3), 3);
    }

    #[test]
    fn it_never_holds_more_than_its_bound_and_keeps_what_is_used() {
        let memo = Memo::new(KEY, 3_200);
        for n in 0..20_000 {
            recall(&memo, &n.to_string(), n);
            assert_eq!(recall(&memo, "used", 7), 7);
        }
        let held = |shard: &Mutex<Shard<u64>>| {
            let shard = shard.lock().unwrap();
            shard.young.len() + shard.old.len()
        };
        let held: usize = memo.shards.iter().map(held).sum();
        assert!((1_600..=3_200).contains(&held), "{held}");
        assert_eq!(recall(&memo, "used", 8), 7);
        assert_eq!(recall(&memo, "0", 8), 8);
    }
}
