//! The connections on which queries run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::store::{Reader, Store, StoreError};

/// As many queries run at once; more wait for one of them to end.
const READERS: usize = 4;

/// A fixed number of connections, each for one query at a time.
pub(crate) struct Readers {
    readers: Vec<Arc<Mutex<Box<dyn Reader>>>>,
    /// Whose turn it is to be waited for when all are busy.
    turn: AtomicUsize,
}

// === impl Readers ===

impl Readers {
    pub(crate) fn open(store: &impl Store) -> Result<Readers, StoreError> {
        let reader = |_| Ok(Arc::new(Mutex::new(store.reader()?)));
        let readers = (0..READERS).map(reader).collect::<Result<_, StoreError>>()?;
        Ok(Readers { readers, turn: AtomicUsize::new(0) })
    }

    /// Runs a query on a thread where it may block.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut dyn Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let mut reader = self.take().await;
        let answered = tokio::task::spawn_blocking(move || query(&mut **reader)).await;
        answered.unwrap_or(Err(StoreError::Cancelled))
    }

    async fn take(&self) -> OwnedMutexGuard<Box<dyn Reader>> {
        let free = |reader: &Arc<Mutex<_>>| Arc::clone(reader).try_lock_owned().ok();
        if let Some(reader) = self.readers.iter().find_map(free) {
            return reader;
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % READERS;
        Arc::clone(&self.readers[turn]).lock_owned().await
    }
}
