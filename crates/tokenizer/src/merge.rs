//! Byte-pair encoding: merge the pair of lowest rank, the first of these, until no pair merges.
//!
//! Pieces are short, and the next pair is found by a glance at all of them. A long piece (a word
//! without end, a line of dashes) is encoded window by window, so that time stays linear and memory
//! constant. This is exact: a sequence of tokens is the encoding of its text if and only if each two
//! neighbours are the encoding of theirs. (Take the first merge across a border in the encoding of
//! the whole. Until then both neighbours merged as they do by themselves, so the same merge crosses
//! the border where only these two are encoded.) A window begins with a token of the window before,
//! and is believed only if it finds that token too; then all neighbours have been seen side by side.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::vocabulary::{NONE, Rank, Vocabulary};

/// The longest text, in bytes, that is searched for its next pair at a glance.
const GLANCE: usize = 128;
/// The first guess, in bytes, of how far a token's context reaches.
const WINDOW: usize = 128;
const POSITION_BITS: u32 = 8;

/// What encoding works on; kept from piece to piece.
#[derive(Default)]
pub(crate) struct Merger {
    parts: Parts,
    /// For each part the rank of its merge with the next and its place, in one number.
    pairs: Vec<u32>,
    queue: BinaryHeap<Reverse<(Rank, u32)>>,
}

/// The tokens so far, each at the place of its first byte.
#[derive(Default)]
struct Parts {
    /// [`NONE`] where no token begins.
    tokens: Vec<Rank>,
    next: Vec<u32>,
    previous: Vec<u32>,
}

// === impl Merger ===

impl Merger {
    /// The number of tokens of a piece that is not empty.
    pub(crate) fn count(&mut self, vocabulary: &Vocabulary, piece: &[u8]) -> u64 {
        let mut size = WINDOW;
        loop {
            if let Some(count) = self.count_by_windows(vocabulary, piece, size) {
                return count;
            }
            size *= 4;
        }
    }

    /// Nothing where a token's context reaches further than half a window.
    fn count_by_windows(
        &mut self,
        vocabulary: &Vocabulary,
        piece: &[u8],
        size: usize,
    ) -> Option<u64> {
        let (mut start, mut count, mut expected) = (0, 0, NONE);
        loop {
            let rest = piece.get(start..).unwrap_or_default();
            let window = rest.get(..size).unwrap_or(rest);
            let tokens = self.encode(vocabulary, window);
            if expected != NONE && self.parts.tokens.first() != Some(&expected) {
                return None;
            }
            if window.len() == rest.len() {
                return Some(count + tokens);
            }
            let mut end = 0;
            while end < size / 2 {
                end = self.parts.next[end] as usize;
                count += 1;
            }
            expected = *self.parts.tokens.get(end)?;
            start += end;
        }
    }

    /// Leaves the tokens of `text` in `parts` and gives their number.
    fn encode(&mut self, vocabulary: &Vocabulary, text: &[u8]) -> u64 {
        self.parts.begin(vocabulary, text);
        let merges = match text.len() <= GLANCE {
            true => self.merge_at_a_glance(vocabulary),
            false => self.merge_by_queue(vocabulary),
        };
        (text.len() - merges) as u64
    }

    fn merge_at_a_glance(&mut self, vocabulary: &Vocabulary) -> usize {
        let Self { parts, pairs, .. } = self;
        let key = |rank: Rank, at: usize| match rank {
            NONE => u32::MAX,
            rank => rank << POSITION_BITS | at as u32,
        };
        pairs.clear();
        pairs.extend((0..parts.tokens.len()).map(|at| key(parts.pair(vocabulary, at), at)));
        let mut merges = 0;
        loop {
            let first = pairs.iter().fold(u32::MAX, |least, &pair| least.min(pair));
            if first == u32::MAX {
                return merges;
            }
            let at = (first & ((1 << POSITION_BITS) - 1)) as usize;
            let right = parts.merge(at, first >> POSITION_BITS);
            merges += 1;
            pairs[right] = u32::MAX;
            pairs[at] = key(parts.pair(vocabulary, at), at);
            if at > 0 {
                let before = parts.previous[at] as usize;
                pairs[before] = key(parts.pair(vocabulary, before), before);
            }
        }
    }

    fn merge_by_queue(&mut self, vocabulary: &Vocabulary) -> usize {
        let Self { parts, queue, .. } = self;
        let pairs = (0..parts.tokens.len()).map(|at| (parts.pair(vocabulary, at), at as u32));
        queue.clear();
        queue.extend(pairs.filter(|pair| pair.0 != NONE).map(Reverse));
        let mut merges = 0;
        while let Some(Reverse((rank, at))) = queue.pop() {
            let at = at as usize;
            // The pair may have been merged into others since.
            if parts.pair(vocabulary, at) != rank {
                continue;
            }
            parts.merge(at, rank);
            merges += 1;
            let before = (at > 0).then(|| parts.previous[at] as usize);
            for at in before.into_iter().chain([at]) {
                let rank = parts.pair(vocabulary, at);
                if rank != NONE {
                    queue.push(Reverse((rank, at as u32)));
                }
            }
        }
        merges
    }
}

// === impl Parts ===

impl Parts {
    /// Every byte a token.
    fn begin(&mut self, vocabulary: &Vocabulary, text: &[u8]) {
        self.tokens.clear();
        self.next.clear();
        self.previous.clear();
        self.tokens.extend(text.iter().map(|&byte| vocabulary.byte(byte)));
        self.next.extend(1..=text.len() as u32);
        self.previous.extend((0..text.len() as u32).map(|at| at.saturating_sub(1)));
    }

    /// The rank of the merge of the token at `at` with the next one.
    fn pair(&self, vocabulary: &Vocabulary, at: usize) -> Rank {
        match (self.tokens[at], self.tokens.get(self.next[at] as usize)) {
            (NONE, _) | (_, None) => NONE,
            (left, Some(&right)) => vocabulary.merged(left, right),
        }
    }

    /// Merges the token at `at` with the next into `merged`; where that one began.
    fn merge(&mut self, at: usize, merged: Rank) -> usize {
        let right = self.next[at] as usize;
        let after = self.next[right];
        self.tokens[at] = merged;
        self.tokens[right] = NONE;
        self.next[at] = after;
        if let Some(previous) = self.previous.get_mut(after as usize) {
            *previous = at as u32;
        }
        right
    }
}
