//! A text as lines that can be compared.

use std::sync::Arc;

use super::{LINES_MAX, LONG_LINE_BYTES};
use crate::codec::source::Numbered;

/// So many lines in a row make an entry of the index.
pub(super) const WINDOW: usize = 3;

/// A window with fewer bytes than this (closing brackets, empty lines) says nothing.
const WINDOW_BYTES_MIN: usize = 12;

/// The lines of a text, hashed without the numbers that they may show.
#[derive(Debug)]
pub(super) struct Lines {
    text: Arc<str>,
    lines: Vec<Line>,
    /// Numbers that lines show, each with the first line that shows it, in order of the numbers.
    numbers: Vec<(u32, u32)>,
}

#[derive(Clone, Copy, Debug)]
struct Line {
    start: u32,
    end: u32,
    hash: u64,
}

/// A fast hash of no cryptographic strength: what it finds is compared, so a collision that somebody
/// made on purpose costs a saving at most.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let mut hash = bytes.len() as u64;
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        hash = mix(hash, u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(hash, u64::from_le_bytes(last))
}

fn mix(hash: u64, word: u64) -> u64 {
    let hash = (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ (hash >> 32)
}

// === impl Lines ===

impl Lines {
    /// Splits a text, up to a number of lines; one that is larger than 4 GiB has none.
    pub(super) fn new(text: Arc<str>) -> Self {
        let mut lines = Vec::new();
        let mut numbers = Vec::new();
        let mut start = 0;
        let lines_max = if u32::try_from(text.len()).is_ok() { LINES_MAX } else { 0 };
        for line in text.split('\n').take(lines_max) {
            let numbered = Numbered::parse(line);
            if let Some(numbered) = numbered {
                numbers.push((numbered.number as u32, lines.len() as u32));
            }
            let content = numbered.map_or(line, |numbered| numbered.text);
            let end = start + line.len();
            lines.push(Line {
                start: start as u32,
                end: end as u32,
                hash: hash(content.as_bytes()),
            });
            start = end + 1;
        }
        numbers.sort_by_key(|(number, _)| *number);
        numbers.dedup_by_key(|(number, _)| *number);
        Self { text, lines, numbers }
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn line(&self, line: usize) -> Option<&str> {
        let Line { start, end, .. } = *self.lines.get(line)?;
        self.text.get(start as usize..end as usize)
    }

    /// The first line that shows this number.
    pub(super) fn showing(&self, number: u64) -> Option<usize> {
        let at =
            self.numbers.binary_search_by_key(&number, |(number, _)| u64::from(*number)).ok()?;
        Some(self.numbers[at].1 as usize)
    }

    /// Whether lines have the same content, by their hashes.
    pub(super) fn alike(&self, line: usize, other: &Self, other_line: usize) -> bool {
        let both = self.lines.get(line).zip(other.lines.get(other_line));
        both.is_some_and(|(line, other)| line.hash == other.hash)
    }

    /// What the index knows a place by: the window that begins there, and the line by itself if it
    /// is long.
    pub(super) fn keys(&self, line: usize) -> [Option<u64>; 2] {
        let window = self.lines.get(line..line + WINDOW).and_then(|window| {
            let bytes = window[WINDOW - 1].end - window[0].start;
            let key = window.iter().fold(WINDOW as u64, |key, line| mix(key, line.hash));
            (bytes as usize >= WINDOW_BYTES_MIN).then_some(key)
        });
        let alone = self.lines.get(line).and_then(|line| {
            ((line.end - line.start) as usize >= LONG_LINE_BYTES).then_some(mix(1, line.hash))
        });
        [window, alone]
    }
}
