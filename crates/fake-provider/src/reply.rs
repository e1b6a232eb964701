//! A reply as a dialect makes it, and how it is played to the client.

use std::{io, num::NonZeroUsize, time::Duration, vec};

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;

use crate::{Usage, log::Entry};

/// What goes back for one request.
#[derive(Debug)]
pub(crate) enum Reply {
    /// An answer in one piece; without usage it costs nothing and comes at once.
    Whole { response: Response<Bytes>, usage: Option<Usage> },
    /// A stream of events, or of the elements of an array.
    Events { frames: Vec<Frame>, content_type: &'static str, is_cut: bool },
    /// Nothing: the connection closes.
    Close,
}

/// An event of a stream, and what has to be paid once it was sent.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) data: Bytes,
    pub(crate) usage: Usage,
}

impl Frame {
    fn in_pieces(mut self, length: NonZeroUsize) -> Vec<Self> {
        let mut pieces = Vec::new();
        while self.data.len() > length.get() {
            let data = self.data.split_to(length.get());
            pieces.push(Self { data, usage: Usage::default() });
        }
        pieces.push(self);
        pieces
    }
}

/// How fast a model writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) first_token: Duration,
    pub(crate) between_chunks: Duration,
}

impl Pace {
    /// How long a stream of this usage takes, which has about one chunk a token.
    fn whole(self, usage: Usage) -> Duration {
        let chunks = u32::try_from(usage.completion_tokens).unwrap_or(u32::MAX);
        self.first_token.saturating_add(self.between_chunks.saturating_mul(chunks))
    }
}

impl Reply {
    /// A response that costs nothing.
    pub(crate) fn free(response: Response<Bytes>) -> Self {
        Self::Whole { response, usage: None }
    }

    /// Server-sent events.
    pub(crate) fn events(frames: Vec<Frame>) -> Self {
        Self::Events { frames, content_type: "text/event-stream; charset=utf-8", is_cut: false }
    }

    /// An error in the envelope of a dialect.
    pub(crate) fn error(status: StatusCode, envelope: &impl Serialize) -> Self {
        let reply = Self::free(json(status, envelope));
        if status == StatusCode::TOO_MANY_REQUESTS { reply.retry_after(1) } else { reply }
    }

    /// The reply without what follows its first `chunks` events.
    pub(crate) fn cut_after(self, chunks: usize) -> Self {
        match self {
            Self::Events { mut frames, content_type, .. } => {
                frames.truncate(chunks);
                Self::Events { frames, content_type, is_cut: true }
            }
            Self::Whole { .. } | Self::Close => Self::Close,
        }
    }

    /// The reply with the event `error` in place of what follows its first `chunks` events; a
    /// whole answer as it is.
    pub(crate) fn fail_after(mut self, chunks: usize, error: Bytes) -> Self {
        if let Self::Events { frames, .. } = &mut self {
            frames.truncate(chunks);
            frames.push(Frame { data: error, usage: Usage::default() });
        }
        self
    }

    /// The reply with its events cut into pieces of this length; a whole answer as it is. An event
    /// is billed with its last piece.
    pub(crate) fn in_pieces(mut self, length: NonZeroUsize) -> Self {
        if let Self::Events { frames, .. } = &mut self {
            *frames = frames.drain(..).flat_map(|frame| frame.in_pieces(length)).collect();
        }
        self
    }

    /// The reply with `retry-after`; a stream as it is.
    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        if let Self::Whole { response, .. } = &mut self {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        self
    }

    /// The response to send now; of a stream its beginning.
    pub(crate) async fn play(self, pace: Pace, mut entry: Entry) -> Response {
        match self {
            Self::Whole { response, usage } => {
                if let Some(usage) = usage {
                    wait(pace.whole(usage)).await;
                    entry.billed(usage);
                }
                entry.answered(response.status(), false);
                entry.close();
                response.map(Body::from)
            }
            Self::Events { frames, content_type, is_cut } => {
                entry.answered(StatusCode::OK, true);
                let events = events(frames, is_cut, pace, entry);
                response(StatusCode::OK, content_type, events)
            }
            Self::Close => {
                entry.close();
                // A body that fails at once fails the connection before its head was written.
                Response::new(Body::from_stream(stream::iter([Err::<Bytes, _>(closed())])))
            }
        }
    }
}

/// A stream that is being sent.
struct Playing {
    frames: vec::IntoIter<Frame>,
    is_cut: bool,
    pause: Duration,
    pace: Pace,
    entry: Entry,
}

fn events(frames: Vec<Frame>, is_cut: bool, pace: Pace, entry: Entry) -> Body {
    let frames = frames.into_iter();
    let playing = Playing { frames, is_cut, pause: pace.first_token, pace, entry };
    Body::from_stream(stream::unfold(Some(playing), async |playing| playing?.next().await))
}

impl Playing {
    async fn next(mut self) -> Option<(io::Result<Bytes>, Option<Self>)> {
        let Some(frame) = self.frames.next() else {
            self.entry.close();
            wait(Duration::ZERO).await;
            return self.is_cut.then(|| (Err(closed()), None));
        };
        wait(self.pause).await;
        self.pause = self.pace.between_chunks;
        self.entry.chunk_sent();
        self.entry.billed(frame.usage);
        if self.frames.as_slice().is_empty() {
            self.entry.close();
        }
        Some((Ok(frame.data), Some(self)))
    }
}

/// Waits at least until what was written before has been flushed, which the connection does
/// whenever the body has nothing ready.
async fn wait(pause: Duration) {
    if pause.is_zero() {
        tokio::task::yield_now().await;
    } else {
        tokio::time::sleep(pause).await;
    }
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "closed on purpose")
}

/// `value` as JSON; nothing that is sent here can fail to be written.
pub(crate) fn to_json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).unwrap_or_default().into()
}

/// A response of JSON.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response<Bytes> {
    response(status, "application/json", to_json(body))
}

/// A response of any type.
pub(crate) fn response<B>(status: StatusCode, content_type: &'static str, body: B) -> Response<B> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}
