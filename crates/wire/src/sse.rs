//! Server-sent events: where frames end, in bytes that arrive in pieces of any size.
//!
//! [The format](https://html.spec.whatwg.org/multipage/server-sent-events.html): lines end with
//! LF, CRLF or CR, and an empty line ends a frame.

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};
use farthing_core::prompt::Span;
use memchr::{memchr2, memchr2_iter};

/// Splits a stream into frames. What goes in comes out, every byte, in order.
#[derive(Debug)]
pub(crate) struct Frames {
    partial: BytesMut,
    position: Position,
    frame_bytes_max: usize,
    oversized: bool,
}

/// A part of the stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A frame: only the last of a stream may lack the empty line that ends it.
    Frame(Frame),
    /// A part of a frame that arrived in pieces and is too long to be put together.
    Oversized(Bytes),
}

/// A frame, with the empty line that ends it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame(pub(crate) Bytes);

/// What a frame says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Data<'a> {
    pub(crate) bytes: Cow<'a, [u8]>,
    /// Where in the frame these bytes stand; `None` where they are joined of several lines.
    pub(crate) start: Option<usize>,
}

/// Where in a frame the bytes so far end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    LineStart,
    InLine,
    /// Behind a CR that ended a line; an LF would be part of the same line end.
    BehindCr,
    /// Behind a CR that ended an empty line, likewise.
    BehindLastCr,
}

// === impl Frames ===

impl Frames {
    /// Frames that arrive in pieces are put together up to this size.
    pub(crate) fn new(frame_bytes_max: usize) -> Frames {
        let position = Position::LineStart;
        Frames { partial: BytesMut::new(), position, frame_bytes_max, oversized: false }
    }

    /// Takes what arrived, gives what is complete. A frame that lies within the chunk is a slice
    /// of it; only one that does not is copied.
    pub(crate) fn push(&mut self, mut chunk: Bytes, give: &mut impl FnMut(Piece)) {
        while let Some(length) = self.position.frame_end(&chunk) {
            let mut bytes = chunk.split_to(length);
            if !self.partial.is_empty() {
                self.partial.extend_from_slice(&bytes);
                bytes = self.partial.split().freeze();
            }
            let oversized = std::mem::take(&mut self.oversized);
            give(if oversized { Piece::Oversized(bytes) } else { Piece::Frame(Frame(bytes)) });
        }
        self.oversized |= self.partial.len() + chunk.len() > self.frame_bytes_max;
        if !self.oversized {
            self.partial.extend_from_slice(&chunk);
            return;
        }
        for bytes in [self.partial.split().freeze(), chunk] {
            if !bytes.is_empty() {
                give(Piece::Oversized(bytes));
            }
        }
    }

    /// Gives what the stream's end left incomplete.
    pub(crate) fn finish(&mut self, give: &mut impl FnMut(Piece)) {
        let rest = self.partial.split().freeze();
        if !rest.is_empty() {
            give(Piece::Frame(Frame(rest)));
        }
    }
}

// === impl Position ===

impl Position {
    /// Moves over `bytes` up to the end of the frame, and says where that is.
    fn frame_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..)?;
            let next = *rest.first()?;
            match (*self, next) {
                (Position::LineStart, b'\n') => return Some(at + 1),
                (Position::LineStart, b'\r') => (*self, at) = (Position::BehindLastCr, at + 1),
                (Position::LineStart | Position::InLine, _) => {
                    *self = Position::InLine;
                    let end = at + memchr2(b'\n', b'\r', rest)?;
                    let is_lf = bytes.get(end) == Some(&b'\n');
                    *self = if is_lf { Position::LineStart } else { Position::BehindCr };
                    at = end + 1;
                }
                (Position::BehindCr, _) => {
                    *self = Position::LineStart;
                    at += usize::from(next == b'\n');
                }
                (Position::BehindLastCr, _) => {
                    *self = Position::LineStart;
                    return Some(at + usize::from(next == b'\n'));
                }
            }
        }
    }
}

// === impl Frame ===

impl Frame {
    /// What the frame says; `None` where it is all comments.
    pub(crate) fn data(&self) -> Option<Data<'_>> {
        let mut lines = self.data_lines();
        let first = lines.next()?;
        let bytes = |line: Span| self.0.get(line).unwrap_or_default();
        let Some(second) = lines.next() else {
            return Some(Data { start: Some(first.start), bytes: Cow::Borrowed(bytes(first)) });
        };
        let mut joined = bytes(first).to_vec();
        for line in std::iter::once(second).chain(lines) {
            joined.push(b'\n');
            joined.extend_from_slice(bytes(line));
        }
        Some(Data { bytes: Cow::Owned(joined), start: None })
    }

    /// The values of the `data` fields.
    fn data_lines(&self) -> impl Iterator<Item = Span> {
        let mut start = 0;
        let ends = memchr2_iter(b'\n', b'\r', &self.0).chain(std::iter::once(self.0.len()));
        ends.filter_map(move |end| {
            let line = std::mem::replace(&mut start, end + 1)..end;
            let text = self.0.get(line.clone())?;
            // A stream may start with a byte order mark.
            let field = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
            let value = match field.strip_prefix(b"data")? {
                [] => &[],
                [b':', b' ', value @ ..] | [b':', value @ ..] => value,
                _ => return None,
            };
            Some(end - value.len()..end)
        })
    }
}

#[cfg(test)]
#[path = "sse_tests.rs"]
mod tests;
