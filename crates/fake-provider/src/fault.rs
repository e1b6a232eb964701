//! What can go wrong on purpose.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Faults that may wait for a request.
const WAITING_MAX: usize = 1_000;

/// One way for a provider to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An error of this status, 400 to 599 (anything else is sent as 500), in the provider's
    /// envelope. 429 comes with `retry-after: 1`.
    Status(u16),
    /// The same, with a `retry-after` of so many seconds whatever the status.
    RetryAfter {
        /// The status, 400 to 599 (anything else is sent as 500).
        status: u16,
        /// Seconds to wait.
        seconds: u32,
    },
    /// This status, and a web page, as from a proxy on the way.
    Html(u16),
    /// Status 200 and JSON that ends in the middle.
    MalformedJson,
    /// The right answer with usage that is wrong.
    Usage(UsageFault),
    /// The right answer, after a pause.
    DelayedAnswer(Duration),
    /// No answer: the connection stays open until the client leaves, at most 60 seconds.
    Hang,
    /// The connection closes after this many events of a stream. An answer that is not streamed
    /// is not sent at all.
    CutMidStream {
        /// Events that are sent before the connection closes.
        chunks: usize,
    },
    /// After this many events of a stream comes one that says that the provider failed, and the
    /// stream ends. An answer that is not streamed is right.
    ErrorInStream {
        /// Events that are sent before the error.
        chunks: usize,
    },
    /// The connection closes where the answer should begin.
    CloseBeforeAnswer,
}

/// How reported usage can be wrong. What is billed stays right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageFault {
    /// None is reported, asked for or not.
    Missing,
    /// Fewer than no tokens were completed.
    Negative,
    /// More tokens were cached than the prompt has. Anthropic's usage has no such number, and
    /// stays right: cached tokens are no part of its `input_tokens`.
    CachedAbovePrompt,
    /// The total is not the sum. Anthropic's only total is that of the tokens written to the
    /// cache, `cache_creation_input_tokens`.
    WrongTotal,
    /// Numbers are strings.
    Text,
    /// All numbers are zero.
    Zero,
    /// Numbers are null.
    Null,
}

/// The faults that wait, each for one request.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<VecDeque<Fault>>);

impl Faults {
    pub(crate) fn push(&self, fault: Fault) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < WAITING_MAX {
            waiting.push_back(fault);
        } else {
            tracing::warn!(?fault, "{WAITING_MAX} faults wait already, this one is dropped");
        }
    }

    pub(crate) fn take(&self) -> Option<Fault> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_in_order_and_no_more_than_a_thousand_wait() {
        let faults = Faults::default();
        for status in 0..=1_000 {
            faults.push(Fault::Status(status));
        }
        let taken: Vec<_> = std::iter::from_fn(|| faults.take()).collect();
        assert_eq!(taken, (0..1_000).map(Fault::Status).collect::<Vec<_>>());
    }
}
