//! A vocabulary in memory: which tokens there are, and which merges make them.

use crate::key::Key;

/// A token's place in the order in which byte-pair encoding merges; below 2^18.
pub(crate) type Rank = u32;

/// More than any rank: no token.
pub(crate) const NONE: Rank = 1 << RANK_BITS;

const RANK_BITS: u32 = 18;
const RANK_MASK: u64 = (1 << RANK_BITS) - 1;
const SINGLE_BYTES: usize = 256;

/// The tokens and merges of one encoding.
pub(crate) struct Vocabulary {
    /// The rank of each byte's own token.
    bytes: [Rank; SINGLE_BYTES],
    /// The rank of what two such tokens merge into, the first byte's times 256 apart.
    byte_pairs: Box<[Rank]>,
    merges: Merges,
    words: Words,
}

/// (left, right) -> what they merge into: an open hash table of slots that hold all three ranks.
///
/// Most pairs do not merge. A filter that stays near the processor knows it of nearly all of them.
struct Merges {
    /// Two bits of one word for each pair.
    filter: Box<[u64]>,
    slots: Box<[u64]>,
    shift: u32,
}

/// The tokens of up to [`Key::MAX_LEN`] bytes: a hash table of buckets as large as a cache line.
struct Words {
    buckets: Box<[[Key; 4]]>,
    shift: u32,
}

// === impl Vocabulary ===

impl Vocabulary {
    /// Reads the format that `tools/vocabulary/pack.py` writes and describes. What is not of that
    /// format is left out.
    pub(crate) fn unpack(packed: &[u8]) -> Self {
        let (singles, pairs) = packed.split_at_checked(SINGLE_BYTES).unwrap_or_default();
        let pairs = pairs.as_chunks::<9>().0;
        let count = singles.len() + 2 * pairs.len();
        let mut this = Self {
            bytes: [NONE; SINGLE_BYTES],
            byte_pairs: Box::default(),
            merges: Merges::with_room_for(count),
            words: Words::with_room_for(count),
        };
        let mut tokens = Arena::with_room_for(count);
        for (rank, &byte) in (0..).zip(singles) {
            this.bytes[usize::from(byte)] = rank;
            this.words.insert(tokens.push(&[byte]));
        }
        let both = pairs.iter().flat_map(|pair| {
            let mut bits = [0; 16];
            bits[..9].copy_from_slice(pair);
            let bits = u128::from_le_bytes(bits);
            [bits as u64, (bits >> (2 * RANK_BITS)) as u64]
        });
        for (rank, bits) in (SINGLE_BYTES as Rank..).zip(both) {
            let (left, right) = (bits & RANK_MASK, bits >> RANK_BITS & RANK_MASK);
            this.merges.insert(left, right, u64::from(rank));
            this.words.insert(tokens.join(left as usize, right as usize));
        }
        let ranks = &this.bytes;
        let byte_pairs =
            ranks.iter().flat_map(|&left| ranks.iter().map(move |&right| (left, right)));
        this.byte_pairs = byte_pairs.map(|(left, right)| this.merged(left, right)).collect();
        this
    }

    /// The rank of the token that is this byte.
    #[inline(always)]
    pub(crate) fn byte(&self, byte: u8) -> Rank {
        self.bytes[usize::from(byte)]
    }

    /// The rank of what the tokens of two bytes merge into; [`NONE`] where they do not.
    #[inline(always)]
    pub(crate) fn merged_bytes(&self, left: u8, right: u8) -> Rank {
        self.byte_pairs[usize::from(left) << 8 | usize::from(right)]
    }

    /// The rank of what two tokens merge into; [`NONE`] where they do not.
    #[inline(always)]
    pub(crate) fn merged(&self, left: Rank, right: Rank) -> Rank {
        self.merges.get(left, right)
    }

    /// Whether these bytes are a token.
    #[inline(always)]
    pub(crate) fn is_token(&self, key: Key) -> bool {
        self.words.contains(key)
    }
}

/// The bytes of all tokens while a vocabulary is read.
struct Arena {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

// === impl Arena ===

impl Arena {
    fn with_room_for(tokens: usize) -> Self {
        Self { bytes: Vec::with_capacity(8 * tokens), ends: Vec::with_capacity(tokens) }
    }

    fn push(&mut self, token: &[u8]) -> Option<Key> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(token);
        self.ends.push(self.bytes.len() as u32);
        Key::load(&self.bytes, start, self.bytes.len())
    }

    /// Adds the token made of two earlier ones.
    fn join(&mut self, left: usize, right: usize) -> Option<Key> {
        let start = self.bytes.len();
        for part in [left, right] {
            let range = self.range(part);
            self.bytes.extend_from_within(range);
        }
        self.ends.push(self.bytes.len() as u32);
        Key::load(&self.bytes, start, self.bytes.len())
    }

    fn range(&self, token: usize) -> std::ops::Range<usize> {
        let end = |token| self.ends.get(token).map_or(0, |&end| end as usize);
        token.checked_sub(1).map_or(0, end)..end(token)
    }
}

// === impl Merges ===

impl Merges {
    fn with_room_for(count: usize) -> Self {
        let slots = (2 * count).next_power_of_two();
        Self {
            filter: vec![0; slots / 16].into(),
            slots: vec![0; slots].into(),
            shift: u64::BITS - slots.ilog2(),
        }
    }

    #[inline(always)]
    fn hash(pair: u64) -> u64 {
        pair.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    /// A word of the filter and the two bits in it.
    #[inline(always)]
    fn place_in_filter(&self, hash: u64) -> (usize, u64) {
        let bits = hash ^ hash >> 32;
        ((hash >> (self.shift + 4)) as usize, 1 << (bits & 63) | 1 << (bits >> 6 & 63))
    }

    fn insert(&mut self, left: u64, right: u64, merged: u64) {
        let pair = left << RANK_BITS | right;
        let mask = self.slots.len() - 1;
        let hash = Self::hash(pair);
        let (word, bits) = self.place_in_filter(hash);
        self.filter[word] |= bits;
        let mut at = (hash >> self.shift) as usize;
        while self.slots[at] != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = pair << RANK_BITS | merged;
    }

    #[inline(always)]
    fn get(&self, left: Rank, right: Rank) -> Rank {
        let pair = u64::from(left) << RANK_BITS | u64::from(right);
        let mask = self.slots.len() - 1;
        let hash = Self::hash(pair);
        let (word, bits) = self.place_in_filter(hash);
        if self.filter[word] & bits != bits {
            return NONE;
        }
        let mut at = (hash >> self.shift) as usize;
        loop {
            let slot = self.slots[at & mask];
            if slot >> RANK_BITS == pair && slot != 0 {
                return (slot & RANK_MASK) as Rank;
            }
            if slot == 0 {
                return NONE;
            }
            at += 1;
        }
    }
}

// === impl Words ===

impl Words {
    fn with_room_for(count: usize) -> Self {
        let buckets = count.div_ceil(3).next_power_of_two();
        Self { buckets: vec![[Key::EMPTY; 4]; buckets].into(), shift: u64::BITS - buckets.ilog2() }
    }

    #[inline(always)]
    fn first_bucket(&self, key: Key) -> usize {
        (key.hash() >> self.shift) as usize
    }

    fn insert(&mut self, key: Option<Key>) {
        let Some(key) = key else { return };
        let mask = self.buckets.len() - 1;
        let mut at = self.first_bucket(key);
        loop {
            if let Some(free) = self.buckets[at & mask].iter_mut().find(|slot| **slot == Key::EMPTY)
            {
                *free = key;
                return;
            }
            at += 1;
        }
    }

    #[inline(always)]
    fn contains(&self, key: Key) -> bool {
        let mask = self.buckets.len() - 1;
        let mut at = self.first_bucket(key);
        loop {
            let bucket = &self.buckets[at & mask];
            if bucket.contains(&key) {
                return true;
            }
            if bucket[3] == Key::EMPTY {
                return false;
            }
            at += 1;
        }
    }
}
