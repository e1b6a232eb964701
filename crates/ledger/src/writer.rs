//! The thread that records what was decided, in the order in which it was.

use std::io;
use std::sync::{Arc, Mutex};
use std::thread::{self, Thread};

use farthing_core::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, watch};

use crate::batch::BATCH_MAX;
use crate::error::Unavailable;
use crate::item::{Committed, Item};
use crate::ledger::{Books, Options, lock};
use crate::outbox::Outbox;
use crate::store::{Store, StoreError};

/// How often balances of past windows are forgotten.
const PRUNE_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// How far the writer is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    /// How many items are durable.
    pub committed: u64,
    /// Why nothing can be written at the moment.
    pub failing: Option<Unavailable>,
}

/// What the thread works with.
pub(crate) struct Writer<S> {
    pub store: S,
    pub queue: mpsc::Receiver<Item>,
    pub books: Arc<Mutex<Books>>,
    pub progress: watch::Sender<Progress>,
    pub outbox: Outbox,
    pub clock: Clock,
    pub options: Options,
    /// When balances of past windows are forgotten next.
    pub prune_at: Timestamp,
}

// === impl Writer ===

impl<S: Store + 'static> Writer<S> {
    /// Starts the thread. It ends when the queue's last sender is dropped.
    pub(crate) fn start(self) -> io::Result<Thread> {
        let thread = thread::Builder::new().name("ledger-writer".into());
        thread.spawn(|| self.run()).map(|handle| handle.thread().clone())
    }

    fn run(mut self) {
        let Err(mut lost) = self.record_all() else { return };
        let Writer { mut queue, progress, .. } = self;
        // Whoever waits for a commit learns now that it will not come.
        drop(progress);
        queue.close();
        loop {
            for entry in lost.drain(..).filter_map(|item| item.entry().cloned()) {
                let (id, what, charged) = (entry.id, entry.what.name(), entry.what.charged());
                tracing::error!(%id, what, %charged, "entry is lost: the store failed until the end");
            }
            if queue.blocking_recv_many(&mut lost, BATCH_MAX) == 0 {
                return;
            }
        }
    }

    /// Natural group commit: whatever was decided during one transaction goes into the next. Gives
    /// back what it could not record.
    fn record_all(&mut self) -> Result<(), Vec<Item>> {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        while self.queue.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
            if !self.record(&batch) {
                return Err(batch);
            }
            self.prune();
            let recorded = u64::try_from(batch.len()).unwrap_or(u64::MAX);
            self.progress.send_modify(|progress| {
                progress.committed = progress.committed.saturating_add(recorded);
                progress.failing = None;
            });
            batch.clear();
        }
        Ok(())
    }

    /// Tries until it works, or until the ledger is closed and `tries_at_close` more have failed.
    fn record(&mut self, batch: &[Item]) -> bool {
        let mut tries_left = self.options.tries_at_close;
        let mut failed_before = false;
        loop {
            match self.store.commit(batch) {
                Ok(Committed { new, posted }) => {
                    self.report_success(batch.len().saturating_sub(new), failed_before);
                    self.outbox.publish(posted);
                    return true;
                }
                Err(error) => self.report_failure(&error),
            }
            failed_before = true;
            if lock(&self.books).closed {
                if tries_left == 0 {
                    return false;
                }
                tries_left -= 1;
            }
            thread::park_timeout(self.options.retry_every);
        }
    }

    fn report_success(&self, repeated: usize, failed_before: bool) {
        if failed_before {
            tracing::info!("the ledger can be written again");
        } else if repeated > 0 {
            tracing::error!(repeated, "attempts were held or ended twice; only the first counts");
        }
    }

    fn report_failure(&self, error: &StoreError) {
        let error = error.to_string();
        let since = self.progress.borrow().failing.as_ref().map(|failing| failing.since);
        if since.is_none() {
            tracing::error!(error, "the ledger cannot be written; new calls are refused");
        }
        let since = since.unwrap_or_else(|| self.clock.now());
        self.progress.send_modify(|progress| progress.failing = Some(Unavailable { since, error }));
    }

    fn prune(&mut self) {
        let now = self.clock.now();
        if now >= self.prune_at {
            lock(&self.books).state.prune(now);
            self.prune_at = now.checked_add(PRUNE_EVERY).unwrap_or(Timestamp::MAX);
        }
    }
}
