//! How a reference is written and read.

use std::fmt;

use super::Place;
use crate::codec::marker::{OPEN, Verb};

/// What stands behind the verb of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    /// All of another text.
    Whole(Place),
    /// Lines of another text, or where there is no place, of this very text as it is sent. Counted
    /// from 1, both ends included.
    Lines { from: usize, to: usize, place: Option<Place> },
    /// Lines that show numbers `from` to `to` there, and from `here` on where the reference stands.
    Numbers { from: u64, to: u64, place: Place, here: u64 },
    /// A long run of digits, the n-th of its text, counted from 1.
    Blob { number: u32, place: Place },
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{OPEN}{}", Verb::Same.word())?;
        match *self {
            Self::Whole(place) => write!(f, "as {place}]"),
            Self::Lines { from, to, place } => {
                match from == to {
                    true => write!(f, "as line {from}")?,
                    false => write!(f, "as lines {from}-{to}")?,
                }
                match place {
                    Some(place) => write!(f, " of {place}]"),
                    None => f.write_str(" above]"),
                }
            }
            Self::Blob { number, place } => write!(f, "as blob {number} of {place}]"),
            Self::Numbers { from, to, place, here } if here == from => {
                write!(f, "as {from}-{to} in {place}]")
            }
            Self::Numbers { from, to, place, here } => {
                write!(f, "as {from}-{to} in {place}, now {here}-{}]", here + (to - from))
            }
        }
    }
}

impl Reference {
    /// Reads a line that is a reference and nothing else.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let says = Verb::Same.line(line)?.strip_prefix("as ")?;
        if let Some(blob) = says.strip_prefix("blob ") {
            let (number, place) = blob.split_once(" of ")?;
            return Some(Self::Blob { number: number.parse().ok()?, place: Place::parse(place)? });
        }
        if let Some(lines) = says.strip_prefix("lines ").or_else(|| says.strip_prefix("line ")) {
            let (lines, place) = match lines.strip_suffix(" above") {
                Some(lines) => (lines, None),
                None => {
                    let (lines, place) = lines.split_once(" of ")?;
                    (lines, Some(Place::parse(place)?))
                }
            };
            let (from, to) = range(lines)?;
            return Some(Self::Lines { from: from as usize, to: to as usize, place });
        }
        let Some((numbers, place)) = says.split_once(" in ") else {
            return Place::parse(says).map(Self::Whole);
        };
        let (from, to) = range(numbers)?;
        let (place, here) = match place.split_once(", now ") {
            Some((place, here)) => (place, range(here)?.0),
            None => (place, from),
        };
        Some(Self::Numbers { from, to, place: Place::parse(place)?, here })
    }
}

/// `from-to`, not empty, or one number.
fn range(text: &str) -> Option<(u64, u64)> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to): (u32, u32) = (from.parse().ok()?, to.parse().ok()?);
    (from <= to && from > 0).then_some((from.into(), to.into()))
}

impl Place {
    /// Reads what [`Display`](fmt::Display) wrote.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (kind, number) = text.rsplit_once(' ')?;
        let number = number.parse().ok()?;
        match kind {
            "tool result" => Some(Self::ToolResult(number)),
            "message" => Some(Self::Message(number)),
            "document" => Some(Self::Document(number)),
            "tool call" => Some(Self::ToolCall(number)),
            _ => None,
        }
    }
}
