//! What was counted before: exact bytes of a piece -> number of tokens.

use crate::key::Key;

const SHORT_BITS: u32 = 14;
const LONG_BITS: u32 = 11;

/// A piece evicts what its place held, so the size is fixed: a quarter of a megabyte for pieces of up
/// to [`Key::MAX_LEN`] bytes, at most half a megabyte for longer ones.
pub(crate) struct Cache {
    short: Box<[Short]>,
    long: Box<[Long]>,
}

#[derive(Clone, Copy)]
struct Short(Key, u32);

#[derive(Clone, Default)]
struct Long {
    piece: Box<[u8]>,
    count: u32,
}

// === impl Cache ===

impl Cache {
    /// In bytes; longer pieces are not kept.
    pub(crate) const MAX_LEN: usize = 256;

    pub(crate) fn new() -> Self {
        Self {
            short: vec![Short(Key::EMPTY, 0); 1 << SHORT_BITS].into(),
            long: vec![Long::default(); 1 << LONG_BITS].into(),
        }
    }

    /// The count of a short piece: as it was, or as `count` finds it now.
    #[inline(always)]
    pub(crate) fn short(&mut self, key: Key, count: impl FnOnce() -> u64) -> u64 {
        let slot = &mut self.short[(key.hash() >> (u64::BITS - SHORT_BITS)) as usize];
        if slot.0 != key {
            *slot = Short(key, count() as u32);
        }
        u64::from(slot.1)
    }

    /// The count of a piece of up to [`Self::MAX_LEN`] bytes: as it was, or as `count` finds it now.
    #[inline]
    pub(crate) fn long(&mut self, piece: &[u8], count: impl FnOnce() -> u64) -> u64 {
        let slot = &mut self.long[(hash(piece) >> (u64::BITS - LONG_BITS)) as usize];
        if *slot.piece != *piece {
            *slot = Long { count: count() as u32, piece: piece.into() };
        }
        u64::from(slot.count)
    }
}

/// Well mixed in its upper bits only.
#[inline(always)]
fn hash(piece: &[u8]) -> u64 {
    let (words, rest) = piece.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let words = words.iter().chain([&last]);
    words.fold(piece.len() as u64, |hash, word| {
        (hash.rotate_left(23) ^ u64::from_le_bytes(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    })
}
