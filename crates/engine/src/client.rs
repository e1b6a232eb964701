//! The way back to whoever asked.
//!
//! A call runs in a task of its own, so that it ends in order (metered, settled) although the
//! asker may have gone. This is the channel between the two.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use farthing_core::Usd;
use farthing_core::anatomy::Anatomy;
use farthing_core::entry::Bill;
use http::{HeaderMap, StatusCode};
use jiff::SignedDuration;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

use crate::failure::Failure;
use crate::savings::Saved;
use crate::terms::Changed;

/// Pieces of a stream that may wait for a slow reader; then the provider waits too.
const WAITING_CHUNKS: usize = 16;

/// The call's end of the channel.
#[derive(Debug)]
pub struct Client {
    head: Option<oneshot::Sender<Result<Head, Failure>>>,
    chunks: mpsc::Sender<Bytes>,
    is_whole: Arc<AtomicBool>,
    terms: Option<Changed>,
}

/// The asker's end of the channel. Dropping it tells the call that nobody waits any more.
#[derive(Debug)]
pub struct Answering {
    /// The head of the answer, or why there is none. A call that vanished drops its end.
    pub head: oneshot::Receiver<Result<Head, Failure>>,
    /// The pieces of a streamed answer.
    pub chunks: Chunks,
}

/// The pieces of a streamed answer. They end in an error unless the call said that it is whole: a
/// call that fails or vanishes must not look like one that ended well.
#[derive(Debug)]
pub struct Chunks {
    pieces: mpsc::Receiver<Bytes>,
    is_whole: Arc<AtomicBool>,
}

/// The beginning of an answer: all that is known before its last byte.
#[derive(Debug)]
pub struct Head {
    /// The provider's status.
    pub status: StatusCode,
    /// The provider's headers, less those of the connection.
    pub headers: HeaderMap,
    /// The whole body, unless it is streamed.
    pub body: Option<Bytes>,
    /// What the call came to, unless it is streamed and still running.
    pub receipt: Option<Receipt>,
    /// What is not as the client asked.
    pub terms: Option<Changed>,
}

/// What a call came to.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Our own count of the prompt.
    pub anatomy: Option<Anatomy>,
    /// What it consumed and cost; nothing where it was not billed.
    pub bill: Option<Arc<Bill>>,
    /// What optimizing it saved; `None` where it was not looked at.
    pub saved: Option<Saved>,
    /// What the tightest budget has left; `None` without a budget.
    pub room: Option<Usd>,
    /// What we took before a provider was asked.
    pub overhead: SignedDuration,
}

/// A streamed answer ended before it was whole: the asker's connection must break off too, as it
/// would have without us.
#[derive(Clone, Debug, Error)]
#[error("the provider's answer broke off")]
pub struct BrokenOff;

/// Nobody waits for the answer any more.
#[derive(Clone, Copy, Debug)]
pub struct Left;

/// A channel between a call and whoever asked for it.
pub fn channel() -> (Client, Answering) {
    let (head, heads) = oneshot::channel();
    let (chunks, pieces) = mpsc::channel(WAITING_CHUNKS);
    let is_whole = Arc::new(AtomicBool::new(false));
    let theirs = Chunks { pieces, is_whole: Arc::clone(&is_whole) };
    (
        Client { head: Some(head), chunks, is_whole, terms: None },
        Answering { head: heads, chunks: theirs },
    )
}

// === impl Chunks ===

impl Chunks {
    /// The next piece; an error, once, where the answer ended before it was whole.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        self.pieces.poll_recv(cx).map(|piece| match piece {
            Some(piece) => Some(Ok(piece)),
            None if self.is_whole.swap(true, Ordering::AcqRel) => None,
            None => Some(Err(BrokenOff)),
        })
    }
}

// === impl Client ===

impl Client {
    /// Says what is not as the client asked, before the head of the answer.
    pub fn changed(&mut self, terms: Option<Changed>) {
        self.terms = terms;
    }

    /// Gives the head of the answer. Later heads are ignored: an answer has one.
    pub fn head(&mut self, head: Head) {
        let terms = head.terms.or_else(|| self.terms.take());
        self.give(Ok(Head { terms, ..head }));
    }

    /// Says that there will be no answer. One that has begun breaks off.
    pub fn fail(&mut self, failure: Failure) {
        self.give(Err(failure));
    }

    /// Gives a piece of a streamed answer, waiting for a slow reader, but not for ever.
    ///
    /// # Errors
    /// [`Left`] where nobody reads.
    pub async fn chunk(&self, chunk: Bytes, patience: Duration) -> Result<(), Left> {
        self.chunks.send_timeout(chunk, patience).await.map_err(|_| Left)
    }

    /// Says that a streamed answer is whole.
    pub fn whole(&self) {
        self.is_whole.store(true, Ordering::Release);
    }

    /// Whether nobody waits for the answer any more.
    pub fn has_left(&self) -> bool {
        self.chunks.is_closed()
    }

    /// Returns once nobody waits for the answer any more.
    pub async fn left(&self) {
        self.chunks.closed().await;
    }

    fn give(&mut self, head: Result<Head, Failure>) {
        if let Some(sender) = self.head.take() {
            // Whoever has gone needs no head; the call notices by `left`.
            let _ = sender.send(head);
        }
    }
}
