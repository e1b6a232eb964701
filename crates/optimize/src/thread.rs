//! What is remembered of a conversation between its requests.

use std::collections::VecDeque;

use farthing_core::usage::CacheTtl;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::mode::Mode;

/// So many gaps between requests are remembered, the newest.
const GAPS_MAX: usize = 64;

/// The decisions and the timing of one conversation. A value: whoever keeps it hands it in and
/// gets the next one back, so that any node sends the same bytes. It does not grow with the
/// conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// How many requests came.
    pub requests: u64,
    /// When the latest came.
    pub last: Option<Timestamp>,
    /// When somebody last read its prompt to keep it in the provider's cache.
    pub warmed: Option<Timestamp>,
    /// Milliseconds between requests, newest last.
    gaps: VecDeque<i64>,
    /// For how long the latest request asked to be kept; `None` where nothing was.
    pub kept: Option<CacheTtl>,
    /// How many messages at the start stand in the provider's cache as they came, because they
    /// were sent before anything was optimized.
    pub plain: usize,
    /// How many messages the latest request had.
    pub messages: usize,
    /// The order of tools in the first request, as hashes of their definitions.
    pub tools: Vec<u64>,
    /// How far the optimizer went with it, since its prompt was last written as a whole.
    pub mode: Option<Mode>,
    /// In how many messages at the start observations are masked.
    pub masked: usize,
}

/// What earlier threads of the same agent did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Habits {
    /// How many there were.
    pub threads: u64,
    /// How many of them had a second request.
    pub returned: u64,
}

// === impl Thread ===

impl Thread {
    /// The time since the latest request.
    pub fn idle(&self, now: Option<Timestamp>) -> Option<SignedDuration> {
        Some(now?.duration_since(self.last?))
    }

    /// Whether what the latest request wrote is gone, if it wrote anything; without times, nothing
    /// ever is.
    pub fn is_cold(&self, now: Option<Timestamp>, lasts: SignedDuration) -> bool {
        let used = self.last.max(self.warmed);
        let unused = now.zip(used).map(|(now, used)| now.duration_since(used));
        self.kept.is_none() || unused.is_some_and(|unused| unused > lasts)
    }

    /// The thread after a request at `now`.
    #[must_use]
    pub fn arrived(mut self, now: Option<Timestamp>) -> Thread {
        if let Some(idle) = self.idle(now) {
            if self.gaps.len() == GAPS_MAX {
                self.gaps.pop_front();
            }
            self.gaps.push_back(i64::try_from(idle.as_millis()).unwrap_or(i64::MAX));
        }
        self.requests = self.requests.saturating_add(1);
        self.last = now.or(self.last);
        self
    }

    /// How many gaps are remembered, and how many of them are longer than `lasts`.
    pub fn gaps_beyond(&self, lasts: SignedDuration) -> (usize, usize) {
        let beyond = self.gaps.iter().filter(|gap| i128::from(**gap) > lasts.as_millis());
        (self.gaps.len(), beyond.count())
    }
}

// === impl Habits ===

impl Habits {
    /// With one more thread, which had a second request or not.
    #[must_use]
    pub fn and(self, returned: bool) -> Habits {
        Habits {
            threads: self.threads.saturating_add(1),
            returned: self.returned.saturating_add(u64::from(returned)),
        }
    }
}
