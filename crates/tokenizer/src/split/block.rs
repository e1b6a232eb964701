//! Sixty-four bytes of text at a glance.

/// For each class of ASCII characters a bit for each byte, the first being the lowest.
pub(crate) struct Block {
    pub(super) letters: u64,
    pub(super) lower: u64,
    pub(super) digits: u64,
    pub(super) space: u64,
    /// U+0020 alone; it is in `space` too.
    pub(super) blanks: u64,
    /// Carriage returns and line feeds; they are in `space` too.
    pub(super) newlines: u64,
    pub(super) slashes: u64,
    pub(super) apostrophes: u64,
    /// Bytes of other characters, and what is behind the end of the text.
    pub(super) foreign: u64,
}

// === impl Block ===

impl Block {
    /// In bytes.
    pub(super) const LEN: usize = 64;

    #[inline]
    pub(super) fn load(text: &[u8], start: usize) -> Self {
        let rest = text.get(start..).unwrap_or_default();
        match rest.first_chunk() {
            Some(bytes) => Self::of(bytes),
            None => {
                let mut bytes = [u8::MAX; Self::LEN];
                bytes[..rest.len()].copy_from_slice(rest);
                Self::of(&bytes)
            }
        }
    }

    #[inline]
    fn of(bytes: &[u8; Self::LEN]) -> Self {
        let mut classes = [0; Self::LEN];
        for (class, &byte) in classes.iter_mut().zip(bytes) {
            *class = class_of(byte);
        }
        let mut rows = [[0; 8]; 8];
        for (row, word) in rows.iter_mut().zip(classes.as_chunks().0) {
            *row = transposed(u64::from_le_bytes(*word)).to_le_bytes();
        }
        let column = |bit: usize| u64::from_le_bytes(rows.map(|row| row[bit]));
        let letters = column(0);
        Self {
            letters,
            lower: column(1) & letters,
            blanks: column(1) & !letters,
            digits: column(2),
            space: column(3),
            newlines: column(4),
            slashes: column(5),
            apostrophes: column(6),
            foreign: column(7),
        }
    }

    /// `end`, if the character there is in the block and none of these.
    #[inline(always)]
    pub(super) fn certain(&self, end: usize, doubtful: u64) -> Option<usize> {
        (end < Self::LEN && !has(doubtful, end)).then_some(end)
    }

    /// The end of a run of what is in no class, with or without a blank before; no less than
    /// [`Self::LEN`] where it may go on beyond.
    #[inline(always)]
    pub(super) fn end_of_punctuation(&self, start: usize) -> Option<usize> {
        let punctuation = !(self.letters | self.digits | self.space | self.foreign);
        let begin = start + usize::from(has(self.blanks, start));
        has(punctuation, begin).then(|| end_of_run(punctuation, begin))
    }

    /// The end of white space: behind the last newline, else before the last of several.
    #[inline(always)]
    pub(super) fn end_of_space(&self, start: usize) -> Option<usize> {
        let end = self.certain(end_of_run(self.space, start), self.foreign)?;
        let newlines = self.newlines & !(u64::MAX << end) & u64::MAX << start;
        if newlines != 0 {
            return Some(Self::LEN - newlines.leading_zeros() as usize);
        }
        (end > start).then(|| end.max(start + 2) - 1)
    }
}

/// The end of the run of ones that begins at `start`; no less than 64 where it may go on beyond.
#[inline(always)]
pub(super) fn end_of_run(ones: u64, start: usize) -> usize {
    start + (!ones).unbounded_shr(start as u32).trailing_zeros() as usize
}

/// Whether there is a one at `at`.
#[inline(always)]
pub(super) fn has(ones: u64, at: usize) -> bool {
    ones.unbounded_shr(at as u32) & 1 != 0
}

/// In the order of the columns of [`Block::of`]. Written so that it is compiled to instructions on
/// many bytes at once.
#[inline(always)]
fn class_of(byte: u8) -> u8 {
    let lower = byte.wrapping_sub(b'a') < 26;
    let upper = byte.wrapping_sub(b'A') < 26;
    let digit = byte.wrapping_sub(b'0') < 10;
    let newline = (byte == b'\n') | (byte == b'\r');
    let space = (byte == b' ') | (byte.wrapping_sub(b'\t') < 5);
    u8::from(lower | upper)
        | u8::from(lower | (byte == b' ')) << 1
        | u8::from(digit) << 2
        | u8::from(space) << 3
        | u8::from(newline) << 4
        | u8::from(byte == b'/') << 5
        | u8::from(byte == b'\'') << 6
        | byte & 0x80
}

/// Eight bytes as the rows of a matrix of bits, mirrored at its diagonal: in three steps, ever
/// larger squares change places.
#[inline(always)]
fn transposed(mut bits: u64) -> u64 {
    for (distance, mask) in
        [(7, 0x00aa_00aa_00aa_00aa), (14, 0x0000_cccc_0000_cccc), (28, 0x0000_0000_f0f0_f0f0)]
    {
        let swapped = (bits ^ bits >> distance) & mask;
        bits ^= swapped ^ swapped << distance;
    }
    bits
}
