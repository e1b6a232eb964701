//! The thread that records what was decided, in the order in which it was.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, Thread};
use std::time::Duration;

use farthing_core::clock::Clock;
use farthing_core::entry::Entry;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, watch};

use crate::batch::BATCH_MAX;
use crate::ledger::{Books, Options, Unavailable, lock};
use crate::store::{Store, StoreError};

/// How often balances of past windows are forgotten.
const PRUNE_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// How far the writer is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    /// How many entries are durable.
    pub committed: u64,
    /// Why nothing can be written at the moment.
    pub failing: Option<Unavailable>,
}

/// The ledger's end of the thread: dropping it makes the writer stop trying a store that fails.
#[derive(Debug)]
pub(crate) struct Writer {
    closing: Arc<AtomicBool>,
    thread: Thread,
}

struct Task<S> {
    store: S,
    queue: mpsc::Receiver<Entry>,
    books: Arc<Mutex<Books>>,
    progress: watch::Sender<Progress>,
    closing: Arc<AtomicBool>,
    clock: Clock,
    retry_every: Duration,
    tries_at_close: u32,
    prune_at: Timestamp,
}

/// Entries that will not be recorded.
struct Lost(Vec<Entry>);

// === impl Writer ===

impl Writer {
    /// Starts the thread. It ends when the queue's last sender is dropped.
    pub(crate) fn start(
        store: impl Store + 'static,
        queue: mpsc::Receiver<Entry>,
        books: Arc<Mutex<Books>>,
        progress: watch::Sender<Progress>,
        clock: Clock,
        options: &Options,
    ) -> io::Result<Writer> {
        let closing = Arc::new(AtomicBool::new(false));
        let task = Task {
            store,
            queue,
            books,
            progress,
            closing: Arc::clone(&closing),
            prune_at: clock.now(),
            clock,
            retry_every: options.retry_every,
            tries_at_close: options.tries_at_close,
        };
        let thread = thread::Builder::new().name("ledger-writer".into()).spawn(|| task.run())?;
        Ok(Writer { closing, thread: thread.thread().clone() })
    }

    /// From now on a failing store is tried a bounded number of times.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

// === impl Task ===

impl<S: Store> Task<S> {
    fn run(mut self) {
        let Err(Lost(mut lost)) = self.record_all() else { return };
        let Task { mut queue, progress, .. } = self;
        // Whoever waits for a commit learns now that it will not come.
        drop(progress);
        queue.close();
        loop {
            for entry in lost.drain(..) {
                let (id, what, charged) = (entry.id, entry.what.name(), entry.what.charged());
                tracing::error!(%id, what, %charged, "entry is lost: the store failed until the end");
            }
            if queue.blocking_recv_many(&mut lost, BATCH_MAX) == 0 {
                return;
            }
        }
    }

    /// Natural group commit: whatever was decided during one transaction goes into the next.
    fn record_all(&mut self) -> Result<(), Lost> {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        while self.queue.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
            if !self.record(&batch) {
                return Err(Lost(batch));
            }
            let recorded = u64::try_from(batch.len()).unwrap_or(u64::MAX);
            self.progress.send_modify(|progress| {
                progress.committed = progress.committed.saturating_add(recorded);
                progress.failing = None;
            });
            batch.clear();
            self.prune();
        }
        Ok(())
    }

    /// Tries until it works, or until the ledger is closing and `tries_at_close` more have failed.
    fn record(&mut self, batch: &[Entry]) -> bool {
        let mut tries_left = self.tries_at_close;
        let mut failed_before = false;
        loop {
            match self.store.commit(batch) {
                Ok(new) => {
                    self.report_success(batch.len().saturating_sub(new), failed_before);
                    return true;
                }
                Err(error) => self.report_failure(&error),
            }
            failed_before = true;
            if self.closing.load(Ordering::Acquire) {
                if tries_left == 0 {
                    return false;
                }
                tries_left -= 1;
            }
            thread::park_timeout(self.retry_every);
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
        self.progress.send_modify(|progress| match &mut progress.failing {
            Some(failing) => failing.error = error,
            None => {
                tracing::error!(error, "the ledger cannot be written; new calls are refused");
                progress.failing = Some(Unavailable { since: self.clock.now(), error });
            }
        });
    }

    fn prune(&mut self) {
        let now = self.clock.now();
        if now >= self.prune_at {
            lock(&self.books).state.prune(now);
            self.prune_at = now.checked_add(PRUNE_EVERY).unwrap_or(Timestamp::MAX);
        }
    }
}
