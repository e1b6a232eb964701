//! The pattern of cl100k_base.

use super::block::{Block, end_of_run, has};
use super::{Space, Split, byte, contraction, digits, run, run_of_others};
use crate::unicode::{Char, Class};

/// Eight alternatives, the first that matches wins:
///
/// ```text
/// '(?i:[sdmt]|ll|ve|re)
/// [^\r\n\p{L}\p{N}]?+\p{L}++
/// \p{N}{1,3}+
///  ?[^\s\p{L}\p{N}]++[\r\n]*+
/// \s++$
/// \s*[\r\n]
/// \s+(?!\S)
/// \s
/// ```
pub(crate) struct Cl100k;

impl Split for Cl100k {
    #[inline(always)]
    fn end(text: &[u8], start: usize) -> usize {
        let first = Char::at(text, start);
        let second = start + first.len;
        if first.is(Class::LETTER) {
            return run(text, second, Class::LETTER);
        }
        if first.is(Class::NUMBER) {
            return digits(text, second);
        }
        if !first.is(Class::NEWLINE) {
            let contracted = contraction(text, start);
            if contracted > start {
                return contracted;
            }
            let word = run(text, second, Class::LETTER);
            if word > second {
                return word;
            }
            if let Some(end) = punctuation(text, start, first) {
                return end;
            }
        }
        let space = Space::at(text, start);
        if space.end < text.len() && space.after_newline > start {
            return space.after_newline;
        }
        space.before_word(text, start)
    }

    #[inline(always)]
    fn end_within(block: &Block, start: usize) -> Option<usize> {
        let letters = block.letters;
        let no_prefixes =
            letters | block.digits | block.newlines | block.apostrophes | block.foreign;
        if has(letters | !no_prefixes & letters >> 1, start) {
            return block.certain(end_of_run(letters, start + 1), block.foreign);
        }
        if has(block.digits, start) {
            let end = end_of_run(block.digits, start).min(start + 3);
            return block.certain(end, block.foreign);
        }
        if has(block.apostrophes, start) {
            return None;
        }
        if let Some(end) = block.end_of_punctuation(start) {
            let end = block.certain(end, block.foreign)?;
            return block.certain(end_of_run(block.newlines, end), 0);
        }
        block.end_of_space(start)
    }
}

/// The fourth alternative.
#[inline(always)]
fn punctuation(text: &[u8], start: usize, first: Char) -> Option<usize> {
    let begin = if byte(text, start) == b' ' { start + 1 } else { start };
    if begin == start && first.is(Class::SPACE) {
        return None;
    }
    let mut end = run_of_others(text, begin, Class::SPACE.or(Class::LETTER).or(Class::NUMBER));
    if end == begin {
        return None;
    }
    while matches!(byte(text, end), b'\r' | b'\n') {
        end += 1;
    }
    Some(end)
}
