//! One listener's events: what was missed, then what comes.

use std::collections::VecDeque;
use std::sync::Arc;

use farthing_core::event::Event;
use farthing_core::id::{AgentId, RunId, TenantId, ThreadId, UserId};
use farthing_ledger::item::Posted;
use farthing_ledger::{Ledger, StoreError};
use serde::Serialize;
use thiserror::Error;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

/// Events that are read from the store at once; a slow listener has no more of them in memory.
const PAGE: u32 = 256;

/// A place in a user's sequence, in one epoch of the store: `epoch:seq`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Names the store.
    pub epoch: String,
    /// The last event that was seen.
    pub seq: u64,
}

/// A text is no cursor.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is no cursor; send `epoch:seq` as the last event that you saw has them")]
pub struct InvalidCursor(String);

/// Which of a user's events to hear; what is not named is not looked at.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this conversation.
    pub thread: Option<ThreadId>,
    /// Of this run.
    pub run: Option<RunId>,
    /// Of this program.
    pub agent: Option<AgentId>,
}

/// How a subscription begins: what the listener is told first. These are no events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Opening {
    /// From now on.
    Live,
    /// From where it was left: all that was missed follows.
    Resumed {
        /// The first that was missed.
        from: u64,
        /// The last.
        to: u64,
        /// How many there are.
        count: u64,
    },
    /// What was missed is not kept any more. The sums of each run's next event are right all the same.
    Gap {
        /// The oldest that is kept; all from there follow.
        oldest: String,
        /// Why: `epoch` (another store), `expired` (too long ago), `unknown` (not given yet).
        reason: &'static str,
    },
}

/// One listener's events, in order, each once.
#[derive(Debug)]
pub struct Subscription {
    ledger: Ledger,
    tenant: TenantId,
    user: UserId,
    filter: Filter,
    /// The last event that was given, or passed over.
    seen: u64,
    /// The last event of what was missed; until then the listener is behind.
    missed_to: u64,
    live: Receiver<Posted>,
    waiting: VecDeque<Posted>,
}

/// What a listener is told next.
#[derive(Debug)]
pub enum Next {
    /// An event, and its place.
    Event(u64, Arc<Event>),
    /// All that was missed has been told.
    CaughtUp,
    /// The ledger has ended.
    Ended,
}

// === impl Subscription ===

impl Subscription {
    /// Listens to the events of one user, from now on or after a cursor.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub async fn open(
        ledger: &Ledger,
        tenant: TenantId,
        user: UserId,
        filter: Filter,
        after: Option<Cursor>,
    ) -> Result<(Opening, Subscription), StoreError> {
        // Before the store is asked, so that nothing falls between.
        let live = ledger.outbox().listen(&tenant, &user);
        let (oldest, last) = ledger.event_range(tenant.clone(), user.clone()).await?;
        let (opening, seen) = opening(after, ledger.epoch(), oldest, last);
        let (ledger, waiting) = (ledger.clone(), VecDeque::new());
        // Who begins now has missed nothing.
        let missed_to = if opening == Opening::Live { 0 } else { last };
        let all = Subscription { ledger, tenant, user, filter, seen, missed_to, live, waiting };
        Ok((opening, all))
    }

    /// Begins anew after a cursor.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub async fn resume(&mut self, after: Cursor) -> Result<Opening, StoreError> {
        let (tenant, user, filter) = (self.tenant.clone(), self.user.clone(), self.filter.clone());
        let opened = Subscription::open(&self.ledger, tenant, user, filter, Some(after)).await?;
        let opening;
        (opening, *self) = opened;
        Ok(opening)
    }

    /// What comes next. Model calls of one run that wait together are told as one.
    ///
    /// It may be dropped and called again.
    ///
    /// # Errors
    /// [`StoreError`] where what was missed cannot be read.
    pub async fn next(&mut self) -> Result<Next, StoreError> {
        loop {
            self.take_what_is_there();
            if let Some(posted) = self.waiting.pop_front() {
                if posted.seq > self.seen.saturating_add(1) {
                    self.waiting.push_front(posted);
                    self.read().await?;
                } else if posted.seq > self.seen {
                    self.seen = posted.seq;
                    if self.filter.lets_through(&posted.event) {
                        return Ok(self.merged(posted));
                    }
                }
            } else if self.seen < self.missed_to {
                self.read().await?;
            } else if self.missed_to > 0 {
                self.missed_to = 0;
                return Ok(Next::CaughtUp);
            } else {
                match self.live.recv().await {
                    Ok(posted) => self.waiting.push_back(posted),
                    Err(RecvError::Lagged(_)) => self.read().await?,
                    Err(RecvError::Closed) => return Ok(Next::Ended),
                }
            }
        }
    }

    /// The cursor to go on from.
    pub fn cursor(&self) -> Cursor {
        Cursor { epoch: self.ledger.epoch().to_owned(), seq: self.seen }
    }

    fn take_what_is_there(&mut self) {
        while self.waiting.len() < PAGE as usize {
            match self.live.try_recv() {
                Ok(posted) => self.waiting.push_back(posted),
                // What was missed shows as a gap, and is read then.
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    /// Reads what comes behind the last that was seen; it replaces what waits.
    async fn read(&mut self) -> Result<(), StoreError> {
        let (tenant, user) = (self.tenant.clone(), self.user.clone());
        let read = self.ledger.events(tenant, user, self.seen, PAGE).await?;
        match read.first() {
            // What was missed is gone meanwhile: on with what is there.
            Some(first) => self.seen = first.seq.saturating_sub(1),
            None => self.seen = self.seen.max(self.missed_to),
        }
        self.waiting = read.into();
        Ok(())
    }

    /// The event, with those that wait behind it and can be told with it.
    fn merged(&mut self, first: Posted) -> Next {
        let Posted { mut seq, mut event, .. } = first;
        while let Some(next) = self.waiting.front() {
            let Some(both) = event.merged(&next.event).filter(|_| next.seq == seq + 1) else {
                break;
            };
            (seq, event) = (next.seq, Arc::new(both));
            self.waiting.pop_front();
        }
        self.seen = seq;
        Next::Event(seq, event)
    }
}

fn opening(after: Option<Cursor>, epoch: &str, oldest: u64, last: u64) -> (Opening, u64) {
    let Some(after) = after else { return (Opening::Live, last) };
    let gap = |reason| {
        let before = oldest.saturating_sub(1);
        (Opening::Gap { oldest: format!("{epoch}:{oldest}"), reason }, before)
    };
    if after.epoch != epoch {
        gap("epoch")
    } else if after.seq > last {
        gap("unknown")
    } else if after.seq.saturating_add(1) < oldest {
        gap("expired")
    } else {
        let count = last - after.seq;
        (Opening::Resumed { from: after.seq + 1, to: last, count }, after.seq)
    }
}

// === impl Filter ===

impl Filter {
    fn lets_through(&self, event: &Event) -> bool {
        self.thread.as_ref().is_none_or(|thread| *thread == event.thread_id)
            && self.run.as_ref().is_none_or(|run| *run == event.run_id)
            && (self.agent.is_none() || self.agent == event.agent)
    }
}

// === impl Cursor ===

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.epoch, self.seq)
    }
}

impl std::str::FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Cursor, InvalidCursor> {
        let split = text.rsplit_once(':').filter(|(epoch, _)| !epoch.is_empty());
        let cursor = split.and_then(|(epoch, seq)| {
            Some(Cursor { epoch: epoch.to_owned(), seq: seq.parse().ok()? })
        });
        cursor.ok_or_else(|| InvalidCursor(text.chars().take(64).collect()))
    }
}
