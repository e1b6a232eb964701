//! What a storage engine must do, apart from any engine.
//!
//! A new engine implements [`Store`] and [`Reader`] in a module of its own and runs the tests of
//! `tests/conformance.rs` with one line.

use std::error::Error as StdError;

use farthing_core::budget::{Balance, BalanceKey, State};
use farthing_core::entry::AttemptId;
use farthing_core::id::{RequestId, TenantId, UserId};
use farthing_core::money::Overflow;
use farthing_core::scope::Scope;
use jiff::Timestamp;
use thiserror::Error;

use crate::batch::{RollupKey, Tally};
use crate::item::{Committed, Document, Item, Posted};
use crate::query::AuditRow;
use crate::record::Record;
use crate::saving::Saving;

pub mod sqlite;

/// Keeps entries and the tables folded from them. Only the ledger's writer has one.
pub trait Store: Send {
    /// What an earlier process left: every open hold, and the balances that hold something or
    /// whose window ends after `at`.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    fn load(&mut self, at: Timestamp) -> Result<Loaded, StoreError>;

    /// Records at most [`BATCH_MAX`](crate::batch::BATCH_MAX) items, and their effect on balances,
    /// open holds, roll-ups, events and documents, in one transaction, which is durable on return.
    /// An attempt is held once and ends once: an entry that would repeat either changes nothing and
    /// posts nothing. So a batch whose commit seemed to fail can be committed again.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was recorded, or all of it and the answer was lost.
    fn commit(&mut self, items: &[Item]) -> Result<Committed, StoreError>;

    /// A connection of its own for queries.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be opened once more.
    fn reader(&self) -> Result<Box<dyn Reader>, StoreError>;
}

/// What a store holds when it is opened.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Names the store: a new one has another epoch, so that positions in the old are not mistaken
    /// for positions in the new.
    pub epoch: String,
    /// Balances and open holds.
    pub state: State,
    /// What administrators keep.
    pub documents: Vec<Document>,
}

/// Reads what a store keeps, while others write.
pub trait Reader: Send {
    /// The entries of `limit` requests in scope, newest request first, and within a request in the
    /// order in which they were recorded. With `after`, of those that are older than this request;
    /// of none where it is not in scope.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    fn requests(
        &mut self,
        scope: &Scope,
        after: Option<RequestId>,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError>;

    /// The entries of one request in the order in which they were recorded; none where it is not in
    /// scope.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    fn request(&mut self, scope: &Scope, id: RequestId) -> Result<Vec<Record>, StoreError>;

    /// Hands out the roll-up rows in scope whose hour begins at `since` or later and before `until`.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read, or what `visit` gives.
    fn rollups(
        &mut self,
        scope: &Scope,
        since: Timestamp,
        until: Timestamp,
        visit: &mut dyn FnMut(RollupKey, Tally) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// A user's sequence of events: the first place that is still kept, and the last that was given.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    fn event_range(&mut self, tenant: &TenantId, user: &UserId) -> Result<(u64, u64), StoreError>;

    /// A user's events after a place in the sequence, in order, at most `limit` of them.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    fn events(
        &mut self,
        tenant: &TenantId,
        user: &UserId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Posted>, StoreError>;

    /// The changes of documents in scope, newest first, at most `limit` of those that were recorded
    /// before a place.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    fn audit(
        &mut self,
        scope: &Scope,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError>;

    /// What optimizing a request in scope came to; `None` where nobody knows any more.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    fn receipt(&mut self, scope: &Scope, id: RequestId) -> Result<Option<Saving>, StoreError>;

    /// Hands out what optimizing requests in scope came to that ended at `since` or later and before
    /// `until`.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read, or what `visit` gives.
    fn receipts(
        &mut self,
        scope: &Scope,
        since: Timestamp,
        until: Timestamp,
        visit: &mut dyn FnMut(Saving) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// What was decided for a user's conversation at the first of these places at which anything was.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    fn decided(
        &mut self,
        tenant: &TenantId,
        user: &UserId,
        links: &[String],
    ) -> Result<Option<String>, StoreError>;

    /// Hands out everything, as of one moment: rate cards first, then the entries in the order in
    /// which they were recorded, then the tables folded from them. For [`verify`](crate::verify())
    /// and copies; whoever answers a caller asks within a [`Scope`].
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read, or what `visit` gives.
    fn scan(
        &mut self,
        visit: &mut dyn FnMut(Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

/// Something that a store keeps.
#[derive(Clone, Debug)]
pub enum Row {
    /// A rate card.
    RateCard {
        /// Its hash, in hexadecimal digits.
        hash: String,
        /// The card, as [`RateCard::to_json`](farthing_core::pricing::RateCard::to_json) gives it.
        json: String,
    },
    /// An entry.
    Entry(Record),
    /// A balance.
    Balance(BalanceKey, Balance),
    /// An attempt whose hold is open.
    Open(AttemptId),
    /// A row of the roll-up.
    Rollup(RollupKey, Tally),
}

/// A store failed.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The engine could not do its work.
    #[error("ledger {place}: cannot {doing}: {cause}; {remedy}")]
    Engine {
        /// The store.
        place: String,
        /// What was tried.
        doing: &'static str,
        /// What the operator can do.
        remedy: &'static str,
        /// What the engine said.
        cause: Box<dyn StdError + Send + Sync>,
    },
    /// A later version of this program wrote the store.
    #[error(
        "ledger {place} has schema version {found}, this program knows up to {known}; \
         run the program that wrote it, or a later one"
    )]
    TooNew {
        /// The store.
        place: String,
        /// Its schema version.
        found: u32,
        /// The latest that is known here.
        known: u32,
    },
    /// A version of this program that was never released wrote the store.
    #[error(
        "ledger {place} has schema version {found}, which no release had; this program knows \
         {known}; name another file"
    )]
    TooOld {
        /// The store.
        place: String,
        /// Its schema version.
        found: u32,
        /// The earliest that is known here.
        known: u32,
    },
    /// Another process writes to the store.
    #[error("ledger {place} has a writer already; stop that process, or name another ledger")]
    InUse {
        /// The store.
        place: String,
    },
    /// The place holds something else.
    #[error("{place} is a database, but no ledger; name another file")]
    NotALedger {
        /// The store.
        place: String,
    },
    /// What was read adds up to more than money can.
    #[error(transparent)]
    Overflow(#[from] Overflow),
    /// A query was cut off: the process is shutting down.
    #[error("the query was cut off because the process is shutting down; ask again later")]
    Cancelled,
}
