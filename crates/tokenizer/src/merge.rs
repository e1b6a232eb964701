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
const GLANCE: usize = 256;
/// The first guess, in bytes, of how far a token's context reaches.
const WINDOW: usize = 256;
const PLACE_BITS: u32 = 8;
const PLACE: i32 = (1 << PLACE_BITS) - 1;

/// What encoding works on; kept from piece to piece.
#[derive(Default)]
pub(crate) struct Merger {
    parts: Parts,
    pairs: Vec<Pair>,
    queue: BinaryHeap<Reverse<(Rank, u32)>>,
}

/// The rank of the merge of a part with the next and, in the last bits, the part's place. Signed,
/// since the least of several is found fastest so.
type Pair = i32;

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
                if size > WINDOW {
                    // What a text made to hurt took is given back.
                    *self = Self::default();
                }
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
            true => self.merge_at_a_glance(vocabulary, text),
            false => self.merge_by_queue(vocabulary),
        };
        (text.len() - merges) as u64
    }

    fn merge_at_a_glance(&mut self, vocabulary: &Vocabulary, text: &[u8]) -> usize {
        let Self { parts, pairs, .. } = self;
        pairs.clear();
        let neighbours = text.array_windows().zip(0..);
        pairs.extend(
            neighbours.map(|(&[left, right], at)| pair(vocabulary.merged_bytes(left, right), at)),
        );
        pairs.push(pair(NONE, 0));
        let mut merges = 0;
        loop {
            let first = pairs.iter().fold(Pair::MAX, |least, &pair| least.min(pair));
            let rank = (first >> PLACE_BITS) as Rank;
            if rank >= NONE {
                return merges;
            }
            // The merges of one rank are done from left to right: what is made by one has a higher
            // rank. Those side by side need no further glance.
            let mut at = (first & PLACE) as usize;
            while pairs[at] >> PLACE_BITS == rank as Pair {
                let right = parts.merge(at, rank);
                merges += 1;
                pairs[right] = pair(NONE, 0);
                pairs[at] = pair(parts.merged(vocabulary, at), at);
                if at > 0 {
                    let before = parts.previous[at] as usize;
                    pairs[before] = pair(parts.merged(vocabulary, before), before);
                }
                at = (parts.next[at] as usize).min(pairs.len() - 1);
            }
        }
    }

    fn merge_by_queue(&mut self, vocabulary: &Vocabulary) -> usize {
        let Self { parts, queue, .. } = self;
        let ranks = (0..parts.tokens.len()).map(|at| (parts.merged(vocabulary, at), at as u32));
        queue.clear();
        queue.extend(ranks.filter(|pair| pair.0 != NONE).map(Reverse));
        let mut merges = 0;
        while let Some(Reverse((rank, at))) = queue.pop() {
            let at = at as usize;
            // The pair may have been merged into others since.
            if parts.merged(vocabulary, at) != rank {
                continue;
            }
            parts.merge(at, rank);
            merges += 1;
            let before = (at > 0).then(|| parts.previous[at] as usize);
            for at in before.into_iter().chain([at]) {
                let rank = parts.merged(vocabulary, at);
                if rank != NONE {
                    queue.push(Reverse((rank, at as u32)));
                }
            }
        }
        merges
    }
}

fn pair(rank: Rank, at: usize) -> Pair {
    (rank as Pair) << PLACE_BITS | at as Pair
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
    #[inline(always)]
    fn merged(&self, vocabulary: &Vocabulary, at: usize) -> Rank {
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
