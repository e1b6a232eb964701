//! References back into the text that they stand for.

use super::reference::Reference;
use super::source::Lines;
use super::{Earlier, Place};
use crate::codec::source::Numbered;

/// The most bytes that decoding may write.
const DECODED_MAX: usize = 1 << 28;

/// What becomes of the numbers that a file view shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbers {
    /// They stay.
    Shown,
    /// They go: they are not in the file. Where it is not certain that they are none of it, nothing
    /// is decoded.
    Gone,
}

// === impl Earlier ===

impl Earlier {
    /// `text` with its references replaced by what they stand for; `None` where it has none, or one
    /// that points nowhere. The texts added must be those that stand before it in its request.
    pub fn decode(&self, text: &str) -> Option<String> {
        self.decoded(text, Numbers::Shown)
    }

    /// The same for text that a model wrote, and copied references into: what they stand for is to go
    /// into a file, so without the numbers of file views. For [`marker::restore`].
    ///
    /// [`marker::restore`]: crate::codec::marker::restore
    pub fn restore(&self, text: &str) -> Option<String> {
        self.decoded(text, Numbers::Gone)
    }

    fn decoded(&self, text: &str, numbers: Numbers) -> Option<String> {
        let whole = self.decode_blobs(text)?;
        let mut decoded = String::with_capacity(2 * text.len());
        let mut found = whole.len() != text.len();
        let lines: Vec<&str> = whole.split('\n').collect();
        for (at, line) in lines.iter().enumerate() {
            match Reference::parse(line) {
                Some(reference) => {
                    let start = decoded.len();
                    self.resolve(reference, &lines[..at], numbers, &mut decoded)?;
                    let shows_numbers =
                        |text: &str| text.lines().any(|line| Numbered::parse(line).is_some());
                    if numbers == Numbers::Gone && shows_numbers(&decoded[start..]) {
                        return None;
                    }
                    found = true;
                }
                None => push(line, &mut decoded),
            }
            if decoded.len() > DECODED_MAX {
                return None;
            }
        }
        decoded.pop();
        found.then_some(decoded)
    }

    fn resolve(
        &self,
        reference: Reference,
        above: &[&str],
        numbers: Numbers,
        decoded: &mut String,
    ) -> Option<()> {
        match reference {
            // Replaced before; on a line of its own it can only have stood in a blob.
            Reference::Blob { .. } => return None,
            Reference::Whole(place) => push(self.at(place)?.text(), decoded),
            Reference::Lines { from, to, place: None } => {
                above.get(from - 1..to)?.iter().for_each(|line| push(line, decoded));
            }
            Reference::Lines { from, to, place: Some(place) } => {
                let source = self.at(place)?;
                for line in from - 1..to {
                    push(source.line(line)?, decoded);
                }
            }
            Reference::Numbers { from, to, place, here } => {
                let source = self.at(place)?;
                let first = source.showing(from)?;
                for offset in 0..=to - from {
                    let line = source.line(first + offset as usize)?;
                    if line.is_empty() {
                        push(line, decoded);
                        continue;
                    }
                    let line = Numbered::parse(line)?;
                    match numbers {
                        Numbers::Shown => push(&line.renumbered(here + offset), decoded),
                        Numbers::Gone => push(line.text, decoded),
                    }
                }
            }
        }
        Some(())
    }

    /// The text that was added last for this place.
    pub(super) fn at(&self, place: Place) -> Option<&Lines> {
        self.sources.iter().rev().find(|source| source.place == place).map(|source| &*source.lines)
    }
}

fn push(line: &str, decoded: &mut String) {
    decoded.push_str(line);
    decoded.push('\n');
}
