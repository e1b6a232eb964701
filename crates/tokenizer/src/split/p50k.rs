//! The pattern of p50k_base.

use super::block::{Block, end_of_run, has};
use super::{Space, Split, byte, run, run_of_others};
use crate::unicode::{Char, Class};

/// Seven alternatives, the first that matches wins:
///
/// ```text
/// '(?:[sdmt]|ll|ve|re)
///  ?\p{L}++
///  ?\p{N}++
///  ?[^\s\p{L}\p{N}]++
/// \s++$
/// \s+(?!\S)
/// \s
/// ```
pub(crate) struct P50k;

impl Split for P50k {
    #[inline(always)]
    fn end(text: &[u8], start: usize) -> usize {
        match (byte(text, start), byte(text, start + 1), byte(text, start + 2)) {
            (b'\'', b's' | b'd' | b'm' | b't', _) => return start + 2,
            (b'\'', b'l', b'l') | (b'\'', b'v' | b'r', b'e') => return start + 3,
            _ => {}
        }
        let begin = if byte(text, start) == b' ' { start + 1 } else { start };
        let first = Char::at(text, begin);
        if first.is(Class::LETTER) {
            return run(text, begin, Class::LETTER);
        }
        if first.is(Class::NUMBER) {
            return run(text, begin, Class::NUMBER);
        }
        if first.len > 0 && !first.is(Class::SPACE) {
            return run_of_others(text, begin, Class::SPACE.or(Class::LETTER).or(Class::NUMBER));
        }
        Space::at(text, start).before_word(text, start)
    }

    #[inline(always)]
    fn end_within(block: &Block, start: usize) -> Option<usize> {
        let begin = start + usize::from(has(block.blanks, start));
        if has(block.letters, begin) {
            return block.certain(end_of_run(block.letters, begin), block.foreign);
        }
        // Old and rare: what is less common is left to the other way.
        None
    }
}
