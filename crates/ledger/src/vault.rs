//! Content that is kept for a while: answers, for whoever asks again, and originals of what was
//! shortened.
//!
//! It is no money and lies in a file of its own beside the ledger, so that it can be bounded,
//! expire, and be erased without a trace in the books. What is kept is sealed: the file tells neither
//! whose it is nor what it says to anyone without the [`Secret`]. It can only be opened for the
//! owner and the name that it was kept under.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use farthing_core::id::{TenantId, UserId};
use jiff::Timestamp;
use tokio::task::spawn_blocking;

use crate::store::StoreError;

mod seal;
mod shelf;

pub use seal::Secret;
use seal::{Id, Sealer};
use shelf::Shelf;

/// Whose content it is. Nobody else's name opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The tenant.
    pub tenant: TenantId,
    /// The user.
    pub user: UserId,
}

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The answer to a request with an `Idempotency-Key`.
    Answer,
    /// The original of a text that was shortened.
    Original,
}

/// Something that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What it is about, as it was claimed: it stays until it expires.
    pub label: Vec<u8>,
    /// What it says; `None` where it has not come yet, was too long, or had to make room.
    pub content: Option<Vec<u8>>,
}

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The longest content, in bytes.
    pub item_bytes: usize,
    /// All content together, in bytes. Beyond it, the oldest makes room.
    pub total_bytes: u64,
}

/// Where a vault lies.
#[derive(Clone, Debug)]
pub enum Place {
    /// A file, made where it is missing, readable by the owner alone.
    File(PathBuf),
    /// The memory of this process.
    Memory,
}

/// Keeps content. Copies are one vault.
#[derive(Clone, Debug)]
pub struct Vault(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    sealer: Sealer,
    shelf: Mutex<Shelf>,
    bounds: Bounds,
}

// === impl Vault ===

impl Vault {
    /// Opens a vault.
    ///
    /// # Errors
    /// [`StoreError`] where its file cannot be opened or is none.
    pub fn open(place: Place, secret: &Secret, bounds: Bounds) -> Result<Vault, StoreError> {
        let shelf = Mutex::new(Shelf::open(place, bounds.total_bytes)?);
        Ok(Vault(Arc::new(Inner { sealer: Sealer::new(secret), shelf, bounds })))
    }

    /// Takes a name, durably, for the first who asks; whoever comes later is given what is there.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be recorded.
    pub async fn claim(
        &self,
        id: ItemId,
        label: Vec<u8>,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Kept>, StoreError> {
        self.run(move |inner, shelf| {
            let sealed = inner.sealer.seal(&id.0, &label)?;
            let found = shelf.claim(&id.0, &inner.sealer.owner(&id.1), &sealed, until, now)?;
            Ok(found.and_then(|found| inner.opened(&id.0, &found)))
        })
        .await
    }

    /// Puts content under a name that was claimed. Gives whether it is kept: not where it is too
    /// long, or the name was not claimed or has expired.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be recorded.
    pub async fn put(&self, id: ItemId, content: Vec<u8>) -> Result<bool, StoreError> {
        if content.len() > self.0.bounds.item_bytes {
            return Ok(false);
        }
        self.run(move |inner, shelf| shelf.put(&id.0, &inner.sealer.seal(&id.0, &content)?)).await
    }

    /// What is kept under a name.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be read.
    pub async fn get(&self, id: ItemId, now: Timestamp) -> Result<Option<Kept>, StoreError> {
        self.run(move |inner, shelf| {
            Ok(shelf.get(&id.0, now)?.and_then(|found| inner.opened(&id.0, &found)))
        })
        .await
    }

    /// Gives a name back, with all that is kept under it.
    ///
    /// # Errors
    /// [`StoreError`] where that cannot be recorded.
    pub async fn release(&self, id: ItemId) -> Result<(), StoreError> {
        self.run(move |_, shelf| shelf.release(&id.0)).await
    }

    /// Removes all that is kept for an owner, and overwrites it. Gives how many items there were.
    ///
    /// # Errors
    /// [`StoreError`] where that cannot be recorded.
    pub async fn erase(&self, owner: Owner) -> Result<u64, StoreError> {
        self.run(move |inner, shelf| shelf.erase(&inner.sealer.owner(&owner))).await
    }

    /// What an owner's content is kept under. Names of any length and content will do.
    pub fn id(&self, owner: &Owner, kind: Kind, name: &str) -> ItemId {
        ItemId(self.0.sealer.id(owner, kind, name), owner.clone())
    }

    /// The longest content that is kept, in bytes.
    pub fn longest(&self) -> usize {
        self.0.bounds.item_bytes
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner, &mut Shelf) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = Arc::clone(&self.0);
        let done = spawn_blocking(move || {
            let mut shelf = inner.shelf.lock().unwrap_or_else(PoisonError::into_inner);
            work(&inner, &mut shelf)
        });
        done.await.unwrap_or(Err(StoreError::Cancelled))
    }
}

/// What an item is kept under: tells nothing, and is the same for the same owner, kind and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemId(Id, Owner);

impl ItemId {
    /// As bytes, for those who keep track of items in memory.
    pub fn bytes(&self) -> [u8; 32] {
        self.0.0
    }
}

// === impl Inner ===

impl Inner {
    /// What was sealed under another secret cannot be opened: it is as if it were not there.
    fn opened(&self, id: &Id, found: &shelf::Found) -> Option<Kept> {
        let label = self.sealer.open(id, &found.label)?;
        let content = found.content.as_ref().and_then(|sealed| self.sealer.open(id, sealed));
        Some(Kept { label, content })
    }
}

#[cfg(test)]
#[path = "vault/tests.rs"]
mod tests;
