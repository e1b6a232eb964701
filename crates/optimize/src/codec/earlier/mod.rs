//! Text that stands earlier in the same request.

mod blobs;
mod decode;
mod encode;
mod reference;
mod source;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use self::source::Lines;

/// More lines than this are not indexed; what stands behind them is no longer found.
const LINES_MAX: usize = 400_000;

/// A lone line that is looked for by itself has this many bytes at least.
const LONG_LINE_BYTES: usize = 64;

/// Where a text stands in a request, in the words of a reference. Numbers count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// What the n-th tool call of the request gave back.
    ToolResult(u32),
    /// The n-th message.
    Message(u32),
    /// The document with this number, within a message.
    Document(u32),
    /// The arguments of the n-th tool call.
    ToolCall(u32),
}

/// The texts of a request so far, as they are sent, and an index of their lines.
///
/// A block of lines that a later text has in common with one of them is written as a reference:
///
/// ```text
/// [§ same as lines 12-80 of tool result 3]
/// ```
///
/// Where the lines show numbers, as file views do, the reference tells those: `[§ same as 12-80 in
/// tool result 3]`, and where the block has moved, `[§ same as 12-80 in tool result 3, now 14-82]`.
/// A data URI, or another long run of base64 or hexadecimal digits, is found within a line:
/// `![plot]([§ same as blob 1 of tool result 3])`.
///
/// A reference never points at another reference: only what literally stands there is found.
///
/// Add the texts in the order in which they stand in the request. What is found depends on nothing
/// else, so the same request gives the same references on every node. Adding takes time and memory
/// linear in the text, up to a bound on lines.
#[derive(Clone, Debug, Default)]
pub struct Earlier {
    sources: Vec<Source>,
    index: Index,
    /// Where a blob stands first; its number takes the place of the line.
    blobs: HashMap<u64, Spot, BuildHasherDefault<Hashed>>,
    lines: usize,
}

/// A text that was added.
#[derive(Clone, Debug)]
struct Source {
    place: Place,
    lines: Arc<Lines>,
}

/// A line of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Spot {
    source: u32,
    line: u32,
}

/// Where a window of lines stands first, and where last.
type Index = HashMap<u64, (Spot, Spot), BuildHasherDefault<Hashed>>;

/// The keys are hashes already.
#[derive(Clone, Copy, Debug, Default)]
struct Hashed(u64);

// === impl Earlier ===

impl Earlier {
    /// No texts yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next text of the request, as it is sent: after all codecs, with its references.
    pub fn add(&mut self, place: Place, text: impl Into<Arc<str>>) {
        let lines = Lines::new(text.into());
        let source = self.sources.len() as u32;
        self.add_blobs(source, lines.text());
        let room = LINES_MAX.saturating_sub(self.lines);
        for line in 0..lines.len().min(room) {
            for key in lines.keys(line).into_iter().flatten() {
                insert(&mut self.index, key, Spot { source, line: line as u32 });
            }
        }
        self.lines += lines.len();
        self.sources.push(Source { place, lines: Arc::new(lines) });
    }
}

fn insert(index: &mut Index, key: u64, spot: Spot) {
    index.entry(key).and_modify(|(_, last)| *last = spot).or_insert((spot, spot));
}

// === impl Place ===

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ToolResult(number) => write!(f, "tool result {number}"),
            Self::Message(number) => write!(f, "message {number}"),
            Self::Document(number) => write!(f, "document {number}"),
            Self::ToolCall(number) => write!(f, "tool call {number}"),
        }
    }
}

// === impl Hashed ===

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = source::hash(bytes);
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}
