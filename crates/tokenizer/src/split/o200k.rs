//! The pattern of o200k_base.

use super::block::{Block, end_of_run, has};
use super::{Space, Split, byte, contraction, digits, run, run_of_others};
use crate::unicode::{Char, Class};

/// Seven alternatives, the first that matches wins:
///
/// ```text
/// [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?
/// [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?
/// \p{N}{1,3}
///  ?[^\s\p{L}\p{N}]+[\r\n/]*
/// \s*[\r\n]+
/// \s+(?!\S)
/// \s+
/// ```
pub(crate) struct O200k;

const CASELESS: Class = Class::CASELESS.or(Class::MARK);
/// What a word may begin with, and what it may go on with.
const HEAD: Class = CASELESS.or(Class::UPPER);
const TAIL: Class = CASELESS.or(Class::LOWER);
const WORD: Class = HEAD.or(TAIL);

impl Split for O200k {
    #[inline(always)]
    fn end(text: &[u8], start: usize) -> usize {
        let first = Char::at(text, start);
        let second = start + first.len;
        if first.is(Class::LETTER) {
            return lower_word(text, start).unwrap_or_else(|| upper_word(text, start));
        }
        if first.is(Class::NUMBER) {
            return digits(text, second);
        }
        if first.is(Class::MARK) {
            // As a prefix, or else as the word itself.
            let word = lower_word(text, second).or_else(|| lower_word(text, start));
            return word.unwrap_or(second);
        }
        if !first.is(Class::NEWLINE) {
            if Char::at(text, second).is(WORD) {
                return lower_word(text, second).unwrap_or_else(|| upper_word(text, second));
            }
            if let Some(end) = punctuation(text, start, first) {
                return end;
            }
        }
        white_space(text, start)
    }

    #[inline(always)]
    fn end_within(block: &Block, start: usize) -> Option<usize> {
        let letters = block.letters;
        let prefixes = !(letters | block.digits | block.newlines | block.foreign);
        if has(letters | prefixes & letters >> 1, start) {
            let word = start + usize::from(!has(letters, start));
            let capitals = end_of_run(letters & !block.lower, word);
            let end = end_of_run(block.lower, capitals);
            return block.certain(end, block.foreign | block.apostrophes);
        }
        if has(block.digits, start) {
            let end = end_of_run(block.digits, start).min(start + 3);
            return block.certain(end, block.foreign);
        }
        if let Some(end) = block.end_of_punctuation(start) {
            let end = block.certain(end, block.foreign)?;
            return block.certain(end_of_run(block.newlines | block.slashes, end), 0);
        }
        block.end_of_space(start)
    }
}

/// The first alternative behind its prefix. Characters of both classes are given back by the head as
/// long as the tail has none.
#[inline(always)]
fn lower_word(text: &[u8], start: usize) -> Option<usize> {
    let (mut at, mut both) = (start, start);
    loop {
        let next = Char::at(text, at);
        if !next.is(HEAD) {
            break;
        }
        at += next.len;
        if next.is(TAIL) {
            both = at;
        }
    }
    let tail = run(text, at, TAIL);
    let end = if tail > at { tail } else { both };
    (end > start).then(|| contraction(text, end))
}

/// The second alternative behind its prefix, where the first found nothing: capitals alone.
#[inline(always)]
fn upper_word(text: &[u8], start: usize) -> usize {
    contraction(text, run(text, start, HEAD))
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
    while matches!(byte(text, end), b'\r' | b'\n' | b'/') {
        end += 1;
    }
    Some(end)
}

#[inline(always)]
fn white_space(text: &[u8], start: usize) -> usize {
    let space = Space::at(text, start);
    if space.after_newline > start {
        return space.after_newline;
    }
    space.before_word(text, start)
}
