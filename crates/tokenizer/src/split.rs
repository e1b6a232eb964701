//! Text into pieces, as the published patterns do it, by hand.
//!
//! A regular expression engine spends most of the time of a count on these patterns, and those that
//! backtrack overflow the stack on a megabyte of spaces. Here each pattern is two functions that find
//! the end of the piece that begins at a place. One goes from character to character and is complete.
//! The other reads it off 64 bytes at once, as long as they are ASCII. Both look at every byte a
//! bounded number of times and need no memory.

mod block;
mod cl100k;
mod o200k;
mod p50k;

use crate::unicode::{Char, Class};

use block::Block;
pub(crate) use cl100k::Cl100k;
pub(crate) use o200k::O200k;
pub(crate) use p50k::P50k;

/// A published pattern.
pub(crate) trait Split {
    /// Where the piece ends that begins at `start`: always further on, where there is text. `text` is
    /// valid UTF-8 and `start` a boundary of characters.
    fn end(text: &[u8], start: usize) -> usize;

    /// Where in the block the piece ends that begins at `start`, below [`Block::LEN`]. Nothing where
    /// the block does not tell for certain.
    fn end_within(block: &Block, start: usize) -> Option<usize>;
}

/// Calls `each` with start and end of every piece, in order.
#[inline(always)]
pub(crate) fn for_each_piece<S: Split>(text: &str, mut each: impl FnMut(usize, usize)) {
    let text = text.as_bytes();
    let mut base = 0;
    while base < text.len() {
        let block = Block::load(text, base);
        let mut start = 0;
        while start < Block::LEN && base + start < text.len() {
            let end = match S::end_within(&block, start) {
                Some(end) => end,
                // Too near to the block's end, not too hard for it.
                None if start > 0 && block.foreign >> start == 0 => break,
                None => S::end(text, base + start) - base,
            };
            each(base + start, base + end);
            start = end;
        }
        base += start;
    }
}

/// The byte at `at`; past the end, one that no rule asks for.
#[inline(always)]
fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(0)
}

/// The end of the run of these classes that begins at `at`.
#[inline(always)]
fn run(text: &[u8], mut at: usize, set: Class) -> usize {
    loop {
        let next = Char::at(text, at);
        if !next.is(set) {
            return at;
        }
        at += next.len;
    }
}

/// The end of the run of neither these classes nor the text's end.
#[inline(always)]
fn run_of_others(text: &[u8], mut at: usize, set: Class) -> usize {
    loop {
        let next = Char::at(text, at);
        if next.len == 0 || next.is(set) {
            return at;
        }
        at += next.len;
    }
}

/// `\p{N}{1,3}` after the first.
#[inline(always)]
fn digits(text: &[u8], mut at: usize) -> usize {
    for _ in 0..2 {
        let next = Char::at(text, at);
        if !next.is(Class::NUMBER) {
            break;
        }
        at += next.len;
    }
    at
}

/// `(?i:'s|'t|'re|'ve|'m|'ll|'d)?`. The long s, U+017F, is an s without regard to case.
#[inline(always)]
fn contraction(text: &[u8], at: usize) -> usize {
    if byte(text, at) != b'\'' {
        return at;
    }
    let next = byte(text, at + 1);
    match (next.to_ascii_lowercase(), byte(text, at + 2).to_ascii_lowercase()) {
        (b's' | b't' | b'm' | b'd', _) => at + 2,
        (b'r' | b'v', b'e') | (b'l', b'l') => at + 3,
        (0xc5, 0xbf) => at + 3,
        _ => at,
    }
}

/// A run of white space.
struct Space {
    end: usize,
    /// Behind its last line end; where it began, if it has none.
    after_newline: usize,
    /// Before its last character.
    last: usize,
}

impl Space {
    #[inline(always)]
    fn at(text: &[u8], start: usize) -> Self {
        let mut run = Self { end: start, after_newline: start, last: start };
        loop {
            let next = Char::at(text, run.end);
            if !next.is(Class::SPACE) {
                return run;
            }
            run.last = run.end;
            run.end += next.len;
            if next.is(Class::NEWLINE) {
                run.after_newline = run.end;
            }
        }
    }

    /// `\s+(?!\S)|\s`: all of it at the end of the text, else without the last, which goes with what
    /// follows, unless it is alone.
    #[inline(always)]
    fn before_word(&self, text: &[u8], start: usize) -> usize {
        if self.end < text.len() && self.last > start { self.last } else { self.end }
    }
}
