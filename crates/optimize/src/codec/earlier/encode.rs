//! Blocks of lines that stand earlier, replaced by references.

use std::sync::Arc;

use super::reference::Reference;
use super::source::{Lines, WINDOW};
use super::{Earlier, Index, LINES_MAX, LONG_LINE_BYTES, Place, Spot, insert};
use crate::codec::estimate;
use crate::codec::marker::{self, Verb};
use crate::codec::source::{Numbered, is_source, is_statement};

/// So many lines of a file view stay beside lines that are new, so that what an edit tool has to
/// find, which is often a changed line with some around it, stands in one piece.
const MARGIN_LINES: usize = 16;

/// The same in views whose numbers stand right before a colon: their editors change lines by number.
const MARGIN_LINES_BY_NUMBER: usize = 3;

/// The same in text that shows no numbers, and may be no file at all.
const MARGIN_LINES_PLAIN: usize = 8;

/// A reference has to be worth so many times its own tokens: it also costs attention.
const WORTH: usize = 2;

/// The source of a spot that is in the text itself.
const ITSELF: u32 = u32::MAX;

/// A text on its way.
struct Encoder<'e> {
    earlier: &'e Earlier,
    lines: Lines,
    /// Lines of the text that are sent as they are, by the line as which they are sent.
    literal: Vec<Option<u32>>,
    own: Index,
    /// Whether an agent may edit what the text shows.
    edited: bool,
    encoded: String,
    written: u32,
    found: bool,
}

/// Lines that stand elsewhere too.
#[derive(Clone, Copy, Debug)]
struct Match {
    spot: Spot,
    lines: usize,
    /// What has to be added to the numbers there to get the numbers here.
    moved: i64,
}

// === impl Earlier ===

impl Earlier {
    /// `text`, which is to stand at `place`, with references for what stands earlier; `None` where
    /// there is nothing worth it, or the text has references of its own.
    pub fn encode(&self, place: Place, text: &str) -> Option<String> {
        let is_long = memchr::memchr_iter(b'\n', text.as_bytes()).nth(LINES_MAX - 1).is_some();
        if marker::has(text, &[Verb::Same]) || text.len() < LONG_LINE_BYTES || is_long {
            return None;
        }
        let lines = Lines::new(Arc::from(text));
        if let Some(whole) = self.whole(&lines) {
            return Some(whole);
        }
        let edited = !matches!(place, Place::Document(_)) && is_source(text);
        let mut encoder = Encoder {
            earlier: self,
            literal: vec![None; lines.len()],
            lines,
            own: Index::default(),
            edited,
            encoded: String::with_capacity(text.len()),
            written: 0,
            found: false,
        };
        encoder.run();
        let encoded = match encoder.finish() {
            Some(encoded) => self.encode_blobs(&encoded).unwrap_or(encoded),
            None => self.encode_blobs(text)?,
        };
        (self.decode(&encoded).as_deref() == Some(text)).then_some(encoded)
    }

    /// A reference to a text that is the same from its first to its last line.
    fn whole(&self, lines: &Lines) -> Option<String> {
        let key = lines.keys(0).into_iter().flatten().next()?;
        let (first, last) = *self.index.get(&key)?;
        let source =
            [first, last].into_iter().filter_map(|spot| self.sources.get(spot.source as usize));
        let same = source.into_iter().find(|source| source.lines.text() == lines.text())?;
        let reference = Reference::Whole(same.place).to_string();
        let unique = self.decode(&reference).as_deref() == Some(lines.text());
        (unique && estimate(lines.text()) > estimate(&reference)).then_some(reference)
    }
}

// === impl Encoder ===

impl Encoder<'_> {
    fn run(&mut self) {
        let mut at = 0;
        while at < self.lines.len() {
            at = match self.longest(at).and_then(|found| self.replace(at, found)) {
                Some(next) => next,
                None => {
                    self.keep(at);
                    at + 1
                }
            };
        }
    }

    fn finish(mut self) -> Option<String> {
        self.encoded.pop();
        self.found.then_some(self.encoded)
    }

    /// The longest block that begins here and stands elsewhere.
    fn longest(&self, at: usize) -> Option<Match> {
        let keys = self.lines.keys(at).into_iter().flatten();
        let spots = keys.flat_map(|key| [self.own.get(&key), self.earlier.index.get(&key)]);
        let spots = spots.flatten().flat_map(|(first, last)| [*first, *last]);
        spots.filter_map(|spot| self.extend(at, spot)).max_by_key(|found| found.lines)
    }

    fn extend(&self, at: usize, spot: Spot) -> Option<Match> {
        let there = spot.line as usize;
        let source = match spot.source {
            ITSELF => &self.lines,
            source => &self.earlier.sources.get(source as usize)?.lines,
        };
        let moved = moved(source.line(there)?, self.lines.line(at)?)?;
        let mut lines = 0;
        while at + lines < self.lines.len()
            && source.alike(there + lines, &self.lines, at + lines)
            && self.same(source, there + lines, at + lines, moved)
            && (spot.source != ITSELF
                || (there + lines < at && self.literal[there + lines].is_some()))
        {
            lines += 1;
        }
        // What has moved is told by numbers, which an empty line need not have.
        while moved != 0 && source.line((there + lines).checked_sub(1)?) == Some("") {
            lines = lines.checked_sub(1)?;
        }
        (lines > 0).then_some(Match { spot, lines, moved })
    }

    fn same(&self, source: &Lines, there: usize, here: usize, moved: i64) -> bool {
        let (Some(there), Some(here)) = (source.line(there), self.lines.line(here)) else {
            return false;
        };
        if moved == 0 || there.is_empty() {
            return there == here;
        }
        let Some(numbered) = Numbered::parse(there) else { return false };
        let number = numbered.number.checked_add_signed(moved);
        number.is_some_and(|number| numbered.renumbered(number) == here)
    }

    /// Writes a reference for a block, apart from its margins, if that is worth it; what comes next.
    fn replace(&mut self, at: usize, found: Match) -> Option<usize> {
        let head = self.margin(at, at.checked_sub(1));
        let last = at + found.lines - 1;
        let tail = self.margin(last, Some(last + 1));
        let lines = found.lines.checked_sub(head + tail).filter(|lines| *lines > 0)?;
        let Some(reference) = self.reference(at + head, found, head, lines) else {
            // Not said in words; to try again from each of its lines would take the square of time.
            (at..=last).for_each(|line| self.keep(line));
            return Some(last + 1);
        };
        let reference = reference.to_string();
        let block: usize = (at + head..at + head + lines)
            .filter_map(|line| self.lines.line(line))
            .map(|line| estimate(line) + 1)
            .sum();
        if block <= WORTH * (estimate(&reference) + 1) {
            return None;
        }
        (at..at + head).for_each(|line| self.keep(line));
        self.write(&reference);
        self.found = true;
        Some(at + head + lines)
    }

    /// How many lines stay at the edge of a block, by whether the line beside it belongs to the same
    /// piece of code.
    fn margin(&self, edge: usize, beside: Option<usize>) -> usize {
        let beside = beside.filter(|_| self.edited).and_then(|beside| self.lines.line(beside));
        let (Some(edge), Some(beside)) = (self.lines.line(edge), beside) else { return 0 };
        match (Numbered::parse(edge), Numbered::parse(beside)) {
            (Some(edge), Some(_)) if edge.separator == ":" => MARGIN_LINES_BY_NUMBER,
            (Some(_), Some(_)) => MARGIN_LINES,
            (None, None) if is_statement(edge) || is_statement(beside) => MARGIN_LINES_PLAIN,
            _ => 0,
        }
    }

    fn reference(&self, at: usize, found: Match, skip: usize, lines: usize) -> Option<Reference> {
        let first = found.spot.line as usize + skip;
        if found.spot.source == ITSELF {
            let from = self.literal.get(first).copied()?? as usize + 1;
            return (found.moved == 0).then_some(Reference::Lines {
                from,
                to: from + lines - 1,
                place: None,
            });
        }
        let source = self.earlier.sources.get(found.spot.source as usize)?;
        let numbers =
            |line: usize| Numbered::parse(source.lines.line(line)?).map(|line| line.number);
        let (from, to) = (numbers(first), numbers(first + lines - 1));
        if let (Some(from), Some(to)) = (from, to) {
            let here = Numbered::parse(self.lines.line(at)?)?.number;
            let certain = source.lines.showing(from) == Some(first)
                && to.checked_sub(from) == Some(lines as u64 - 1);
            if certain {
                return Some(Reference::Numbers { from, to, place: source.place, here });
            }
        }
        (found.moved == 0).then_some(Reference::Lines {
            from: first + 1,
            to: first + lines,
            place: Some(source.place),
        })
    }

    fn keep(&mut self, line: usize) {
        self.literal[line] = Some(self.written);
        let text = self.lines.line(line).unwrap_or_default();
        self.encoded.push_str(text);
        self.encoded.push('\n');
        self.written += 1;
        // A window is known as soon as its last line stands.
        let first = (line + 1).saturating_sub(WINDOW);
        if self.literal[first..=line].iter().all(Option::is_some) {
            let spot = Spot { source: ITSELF, line: first as u32 };
            if let [Some(window), _] = self.lines.keys(first) {
                insert(&mut self.own, window, spot);
            }
        }
        if let [_, Some(alone)] = self.lines.keys(line) {
            insert(&mut self.own, alone, Spot { source: ITSELF, line: line as u32 });
        }
    }

    fn write(&mut self, reference: &str) {
        self.encoded.push_str(reference);
        self.encoded.push('\n');
        self.written += 1;
    }
}

/// How far the numbers that two lines show are apart; 0 where they show none and are the same.
fn moved(there: &str, here: &str) -> Option<i64> {
    if there == here {
        return Some(0);
    }
    let (there, here) = (Numbered::parse(there)?, Numbered::parse(here)?);
    Some(here.number as i64 - there.number as i64)
}
