//! An answer that comes as a stream: passed on as it comes, and read on the side.

use bytes::Bytes;
use farthing_core::pricing::Served;

use crate::answer::Reported;
use crate::dialect::Dialect;
use crate::json::Document;
use crate::openai_chat;
use crate::splice::{self, Edit};
use crate::sse::{Frame, Frames, Piece};

/// Frames that arrive in pieces are read up to this size; longer ones are passed on unread.
pub const FRAME_BYTES_MAX: usize = 4 << 20;

/// The text of an answer is kept up to this size, which is more than any model writes at once.
pub const TEXT_BYTES_MAX: usize = 1 << 20;

/// Reads a stream while it passes.
///
/// Without stripping, every chunk passes at once and untouched. With stripping, whole frames pass:
/// what came only of asking for usage is taken out, every other byte stays. (Where lines end with
/// CR alone, a frame passes with the first byte of the next: until then an LF could follow.)
#[derive(Debug)]
pub struct StreamReader {
    dialect: Dialect,
    strip_usage: bool,
    frames: Frames,
    seen: Seen,
}

/// What was read so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) model: Option<String>,
    pub(crate) served: Served,
    pub(crate) usage: Reported,
    pub(crate) finish_reason: Option<String>,
    pub(crate) error: Option<String>,
    /// How many answers have begun, and how many have ended.
    pub(crate) begun: u64,
    pub(crate) ended: u64,
    pub(crate) done: bool,
    text: String,
    unread: u64,
}

/// What of an event came only of asking for usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OfUsage {
    Nothing,
    /// The member of this name.
    Member(&'static str),
    All,
}

// === impl StreamReader ===

impl StreamReader {
    pub(crate) fn new(dialect: Dialect, strip_usage: bool) -> StreamReader {
        let frames = Frames::new(FRAME_BYTES_MAX);
        StreamReader { dialect, strip_usage, frames, seen: Seen::default() }
    }

    /// Takes a chunk of the provider's stream, gives what the client shall see of it.
    pub fn push(&mut self, chunk: Bytes, out: &mut impl FnMut(Bytes)) {
        if !self.strip_usage {
            out(chunk.clone());
        }
        let Self { dialect, strip_usage, frames, seen } = self;
        frames.push(chunk, &mut |piece| take(*dialect, *strip_usage, piece, seen, out));
    }

    /// Takes the stream's end, gives what was still held back.
    pub fn finish(&mut self, out: &mut impl FnMut(Bytes)) {
        let Self { dialect, strip_usage, frames, seen } = self;
        frames.finish(&mut |piece| take(*dialect, *strip_usage, piece, seen, out));
    }

    /// The model that answers, as the provider names it.
    pub fn model(&self) -> Option<&str> {
        self.seen.model.as_deref()
    }

    /// How the request is served, by what was said last; empty for the standard way.
    pub fn served(&self) -> &Served {
        &self.seen.served
    }

    /// What was consumed, by what was said last.
    pub fn usage(&self) -> &Reported {
        &self.seen.usage
    }

    /// Why the (last) answer ended.
    pub fn finish_reason(&self) -> Option<&str> {
        self.seen.finish_reason.as_deref()
    }

    /// The provider's error, where the stream ended in one.
    pub fn error(&self) -> Option<&str> {
        self.seen.error.as_deref()
    }

    /// Whether every answer has been given to its end; usage may still follow.
    pub fn finished(&self) -> bool {
        let Seen { begun, ended, done, .. } = self.seen;
        done || (ended > 0 && ended >= begun)
    }

    /// What the model wrote, tool calls included, up to [`TEXT_BYTES_MAX`].
    pub fn text(&self) -> &str {
        &self.seen.text
    }

    /// How many bytes of text or of frames are not in [`text`](Self::text), for lack of room or
    /// because they could not be read.
    pub fn unread_bytes(&self) -> u64 {
        self.seen.unread
    }
}

/// Reads a part of the stream and gives it on, where the reader did not do so already.
fn take(
    dialect: Dialect,
    strip_usage: bool,
    piece: Piece,
    seen: &mut Seen,
    out: &mut impl FnMut(Bytes),
) {
    let stripped = match piece {
        Piece::Oversized(bytes) => {
            seen.skip(bytes.len());
            Some(bytes)
        }
        Piece::Frame(frame) => seen.read(dialect, strip_usage, frame),
    };
    if let Some(bytes) = stripped.filter(|_| strip_usage) {
        out(bytes);
    }
}

// === impl Seen ===

impl Seen {
    /// Reads a frame; gives what is left of it without what came only of asking for usage.
    fn read(&mut self, dialect: Dialect, strip_usage: bool, frame: Frame) -> Option<Bytes> {
        let Some(data) = frame.data() else { return Some(frame.0) };
        let Ok(event) = Document::parse(&data.bytes) else {
            match data.bytes.trim_ascii() {
                b"[DONE]" => self.done = true,
                unreadable => self.skip(unreadable.len()),
            }
            return Some(frame.0);
        };
        let of_usage = match dialect {
            Dialect::OpenAiChat => openai_chat::stream::read(event.root(), self),
        };
        match of_usage {
            OfUsage::All => None,
            OfUsage::Member(name) if strip_usage => {
                // Nobody breaks an event into lines; a cut across them would not be plain.
                let cut = event.root().cut(name).zip(data.start).map(|(span, start)| Edit {
                    at: start + span.start..start + span.end,
                    with: Bytes::new(),
                });
                Some(splice::apply(&frame.0, cut.as_slice()).unwrap_or(frame.0))
            }
            OfUsage::Member(_) | OfUsage::Nothing => Some(frame.0),
        }
    }

    /// Keeps what the model wrote.
    pub(crate) fn say(&mut self, text: &str) {
        if self.text.len() + text.len() <= TEXT_BYTES_MAX {
            self.text.push_str(text);
        } else {
            self.skip(text.len());
        }
    }

    /// Counts what is not kept.
    fn skip(&mut self, bytes: usize) {
        self.unread = self.unread.saturating_add(bytes as u64);
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
