//! Short pieces of text as integers, to be compared and hashed at once.

/// The bytes of a piece of up to [`Key::MAX_LEN`], and how many they are: equal keys are equal pieces.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(u128);

const LEN_SHIFT: u32 = 120;
/// Behind the length is room for a number of up to 15.
const NUMBER_SHIFT: u32 = 124;
const NUMBER_BITS: u32 = 128 - NUMBER_SHIFT;

/// By a length, that many bytes of ones.
static FIRST: [u128; Key::MAX_LEN + 1] = {
    let mut masks = [0; Key::MAX_LEN + 1];
    let mut len = 1;
    while len < masks.len() {
        masks[len] = masks[len - 1] << 8 | 0xff;
        len += 1;
    }
    masks
};

/// A key with a number of up to 15.
#[derive(Clone, Copy)]
pub(crate) struct Numbered(u128);

// === impl Key ===

impl Key {
    /// In bytes.
    pub(crate) const MAX_LEN: usize = 15;
    /// Of the empty piece.
    pub(crate) const EMPTY: Self = Self(0);

    /// The key of `text[start..end]`, if it is short enough.
    #[inline(always)]
    pub(crate) fn load(text: &[u8], start: usize, end: usize) -> Option<Self> {
        let len = end.wrapping_sub(start);
        if len > Self::MAX_LEN {
            return None;
        }
        let rest = text.get(start..)?;
        let bytes = match rest.first_chunk() {
            Some(bytes) => u128::from_le_bytes(*bytes) & FIRST[len],
            None => {
                let mut bytes = [0; 16];
                bytes.get_mut(..len)?.copy_from_slice(rest.get(..len)?);
                u128::from_le_bytes(bytes)
            }
        };
        Some(Self(bytes | (len as u128) << LEN_SHIFT))
    }

    /// Well mixed in its upper bits only.
    #[inline(always)]
    pub(crate) fn hash(self) -> u64 {
        let folded = self.0 as u64 ^ ((self.0 >> 64) as u64).rotate_left(29);
        folded.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

// === impl Numbered ===

impl Numbered {
    /// The empty piece has no tokens.
    pub(crate) const EMPTY: Self = Self(Key::EMPTY.0);

    #[inline(always)]
    pub(crate) fn new(key: Key, number: u64) -> Self {
        Self(key.0 | u128::from(number) << NUMBER_SHIFT)
    }

    #[inline(always)]
    pub(crate) fn number_of(self, key: Key) -> Option<u64> {
        ((self.0 ^ key.0) << NUMBER_BITS == 0).then_some((self.0 >> NUMBER_SHIFT) as u64)
    }
}
