//! An answer that comes as a stream: passed on as it comes, and read on the side.

use bytes::{Bytes, BytesMut};
use farthing_core::Usd;
use farthing_core::pricing::Served;

use crate::answer::Reported;
use crate::anthropic;
use crate::dialect::Dialect;
use crate::elements::{Element, Elements};
use crate::gemini;
use crate::json::Json;
use crate::openai_chat;
use crate::openai_embeddings;
use crate::openai_responses;
use crate::splice::{self, Edit};
use crate::sse::{Frame, Frames, Piece};
use crate::tool_use::ToolUse;

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
    splitter: Splitter,
    tap: Tap,
}

/// What finds the events of a stream.
#[derive(Debug)]
enum Splitter {
    /// One of a dialect that may send either; the first byte will tell.
    Either,
    Events(Frames),
    Array(Elements),
}

#[derive(Debug)]
struct Tap {
    read: EventReader,
    strip_usage: bool,
    /// The events that are kept back, where they are to be.
    ending: Option<BytesMut>,
    seen: Seen,
}

/// Reads one event, and says what of it came only of asking for usage.
pub(crate) type EventReader = fn(Json, &mut Seen) -> OfUsage;

/// What was read so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) model: Option<String>,
    /// The tools that the model calls.
    pub(crate) tools: Vec<ToolUse>,
    pub(crate) served: Served,
    pub(crate) usage: Reported,
    /// What `usage` is put together of, where a dialect gives it in pieces.
    pub(crate) merged: anthropic::Merged,
    /// What ran beside the model, by the items that told of it.
    pub(crate) server_tools: openai_responses::ServerTools,
    pub(crate) charged: Option<Usd>,
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
        let read = match dialect {
            Dialect::OpenAiChat => openai_chat::stream::read,
            Dialect::OpenAiResponses => openai_responses::stream::read,
            Dialect::OpenAiEmbeddings => openai_embeddings::read_event,
            Dialect::Anthropic => anthropic::stream::read,
            Dialect::Gemini => gemini::stream::read,
        };
        let mut reader = StreamReader::of_events(read);
        reader.tap.strip_usage = strip_usage;
        if dialect == Dialect::Gemini {
            reader.splitter = Splitter::Either;
        }
        reader
    }

    /// Reads a stream of events, each with this.
    pub(crate) fn of_events(read: EventReader) -> StreamReader {
        let splitter = Splitter::Events(Frames::new(FRAME_BYTES_MAX));
        let tap = Tap { read, strip_usage: false, ending: None, seen: Seen::default() };
        StreamReader { splitter, tap }
    }

    /// Takes a chunk of the provider's stream, gives what the client shall see of it.
    pub fn push(&mut self, chunk: Bytes, out: &mut impl FnMut(Bytes)) {
        if let Splitter::Either = self.splitter {
            self.choose(&chunk);
        }
        match &mut self.splitter {
            Splitter::Events(frames) => {
                if !self.tap.passes_whole_frames() {
                    out(chunk.clone());
                }
                frames.push(chunk, &mut |piece| self.tap.take(piece, out));
            }
            // Who streams an array reports usage unasked, so that there is nothing to take out.
            Splitter::Array(elements) => {
                elements.push(&chunk, &mut |element| self.tap.take_element(element));
                out(chunk);
            }
            Splitter::Either => out(chunk),
        }
    }

    /// Keeps the events with which the answer ends, so that something can be said before them.
    pub fn hold_ending(&mut self) {
        self.tap.ending = Some(BytesMut::new());
    }

    /// The events that were kept, once there are any.
    pub fn take_ending(&mut self) -> Option<Bytes> {
        let ending = self.tap.ending.take().filter(|ending| !ending.is_empty());
        ending.map(BytesMut::freeze)
    }

    /// Takes the stream's end, gives what was still held back.
    pub fn finish(&mut self, out: &mut impl FnMut(Bytes)) {
        if let Splitter::Events(frames) = &mut self.splitter {
            frames.finish(&mut |piece| self.tap.take(piece, out));
        }
    }

    /// Finds out what comes, once there is more than white space.
    fn choose(&mut self, chunk: &[u8]) {
        match chunk.trim_ascii_start().first() {
            None => {}
            Some(b'[' | b'{') => self.splitter = Splitter::Array(Elements::new(FRAME_BYTES_MAX)),
            Some(_) => self.splitter = Splitter::Events(Frames::new(FRAME_BYTES_MAX)),
        }
    }

    /// The model that answers, as the provider names it.
    pub fn model(&self) -> Option<&str> {
        self.tap.seen.model.as_deref()
    }

    /// How the request is served, by what was said last; empty for the standard way.
    pub fn served(&self) -> &Served {
        &self.tap.seen.served
    }

    /// What was consumed, by what was said last.
    pub fn usage(&self) -> &Reported {
        &self.tap.seen.usage
    }

    /// What the provider says that it charged, where it says so.
    pub fn charged(&self) -> Option<Usd> {
        self.tap.seen.charged
    }

    /// The tools that the model calls, so far.
    pub fn tools(&self) -> &[ToolUse] {
        &self.tap.seen.tools
    }

    /// Why the (last) answer ended.
    pub fn finish_reason(&self) -> Option<&str> {
        self.tap.seen.finish_reason.as_deref()
    }

    /// The provider's error, where the stream ended in one.
    pub fn error(&self) -> Option<&str> {
        self.tap.seen.error.as_deref()
    }

    /// Whether every answer has been given to its end; usage may still follow.
    pub fn finished(&self) -> bool {
        self.tap.seen.finished()
    }

    /// What the model wrote, tool calls included, up to [`TEXT_BYTES_MAX`].
    pub fn text(&self) -> &str {
        &self.tap.seen.text
    }

    /// How many bytes of text or of frames are not in [`text`](Self::text), for lack of room or
    /// because they could not be read.
    pub fn unread_bytes(&self) -> u64 {
        self.tap.seen.unread
    }
}

// === impl Tap ===

impl Tap {
    /// Whether a frame passes only once it was read.
    fn passes_whole_frames(&self) -> bool {
        self.strip_usage || self.ending.is_some()
    }

    /// Reads a part of the stream, and where it has not passed already, lets it pass.
    fn take(&mut self, piece: Piece, out: &mut impl FnMut(Bytes)) {
        let passes = match piece {
            Piece::Frame(frame) => self.read(frame),
            Piece::Oversized(bytes) => {
                self.seen.skip(bytes.len());
                Some(bytes)
            }
        };
        if let Some(bytes) = passes.filter(|_| self.passes_whole_frames()) {
            match &mut self.ending {
                Some(ending) if self.seen.finished() => ending.extend_from_slice(&bytes),
                _ => out(bytes),
            }
        }
    }

    /// Reads an element of an array, which has passed.
    fn take_element(&mut self, element: Element) {
        match element {
            Element::Whole(bytes) => match Json::parse(&bytes) {
                Ok(event) => _ = (self.read)(event, &mut self.seen),
                Err(_) => self.seen.skip(bytes.len()),
            },
            Element::Oversized(bytes) => self.seen.skip(bytes),
        }
    }

    /// Reads a frame; gives it without what came only of asking for usage.
    fn read(&mut self, frame: Frame) -> Option<Bytes> {
        let Some(data) = frame.data() else { return Some(frame.0) };
        let Ok(event) = Json::parse(&data.bytes) else {
            match data.bytes.trim_ascii() {
                b"[DONE]" => self.seen.done = true,
                unreadable => self.seen.skip(unreadable.len()),
            }
            return Some(frame.0);
        };
        match (self.read)(event, &mut self.seen) {
            OfUsage::All => None,
            OfUsage::Member(name) if self.strip_usage => {
                // Nobody breaks an event into lines; a cut across them would not be plain.
                let cut = event.cut(name).zip(data.start).map(|(span, start)| Edit {
                    at: start + span.start..start + span.end,
                    with: Bytes::new(),
                });
                Some(splice::apply(&frame.0, cut.as_slice()).unwrap_or(frame.0))
            }
            OfUsage::Member(_) | OfUsage::Nothing => Some(frame.0),
        }
    }
}

// === impl Seen ===

impl Seen {
    fn finished(&self) -> bool {
        self.done || (self.ended > 0 && self.ended >= self.begun)
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
