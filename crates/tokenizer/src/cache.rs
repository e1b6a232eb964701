//! What was counted before: exact bytes of a piece -> number of tokens.

use crate::key::{Key, Numbered};

const RECENT_BITS: u32 = 14;
const SHORT_BITS: u32 = 15;
const LONG_BITS: u32 = 13;

/// A piece evicts what its place held, so the size is fixed: 768 KiB for pieces of up to
/// [`Key::MAX_LEN`] bytes, a megabyte for longer ones.
pub(crate) struct Cache {
    /// Whatever came last, small enough to stay near the processor.
    recent: Box<[Numbered]>,
    /// Only what is dear to count.
    short: Box<[Numbered]>,
    long: Box<[Long]>,
}

/// Two cache lines, of which most pieces need one.
#[derive(Clone)]
#[repr(align(64))]
struct Long {
    len: u8,
    count: u8,
    bytes: [u8; Cache::MAX_LEN],
}

// === impl Cache ===

impl Cache {
    /// In bytes; longer pieces are not kept.
    pub(crate) const MAX_LEN: usize = 126;

    pub(crate) fn new() -> Self {
        Self {
            recent: vec![Numbered::EMPTY; 1 << RECENT_BITS].into(),
            short: vec![Numbered::EMPTY; 1 << SHORT_BITS].into(),
            long: vec![Long { len: 0, count: 0, bytes: [0; Self::MAX_LEN] }; 1 << LONG_BITS].into(),
        }
    }

    /// The count of a short piece: as it was, or 1 if it `is_token`, or as `count` finds it now.
    #[inline(always)]
    pub(crate) fn short(
        &mut self,
        key: Key,
        is_token: impl FnOnce() -> bool,
        count: impl FnOnce() -> u64,
    ) -> u64 {
        let hash = key.hash();
        let recent = &mut self.recent[(hash >> (u64::BITS - RECENT_BITS)) as usize];
        if let Some(count) = recent.number_of(key) {
            return count;
        }
        let count = if is_token() {
            1
        } else {
            let slot = &mut self.short[(hash >> (u64::BITS - SHORT_BITS)) as usize];
            slot.number_of(key).unwrap_or_else(|| {
                let count = count();
                *slot = Numbered::new(key, count);
                count
            })
        };
        *recent = Numbered::new(key, count);
        count
    }

    /// The count of a piece of up to [`Self::MAX_LEN`] bytes: as it was, or as `count` finds it now.
    #[inline]
    pub(crate) fn long(&mut self, piece: &[u8], count: impl FnOnce() -> u64) -> u64 {
        let slot = &mut self.long[(hash(piece) >> (u64::BITS - LONG_BITS)) as usize];
        if usize::from(slot.len) == piece.len() && slot.bytes.starts_with(piece) {
            return u64::from(slot.count);
        }
        let count = count();
        slot.bytes[..piece.len()].copy_from_slice(piece);
        (slot.len, slot.count) = (piece.len() as u8, count as u8);
        count
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
