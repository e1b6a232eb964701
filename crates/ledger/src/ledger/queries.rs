//! What can be asked of a ledger, each question on a connection of its own.

use farthing_core::id::{RequestId, TenantId, UserId};
use farthing_core::scope::Scope;
use jiff::Timestamp;

use super::Ledger;
use crate::answer::{RequestDetail, RequestPage, UsageRow};
use crate::item::Posted;
use crate::query::{self, AuditRow, GroupBy, Page};
use crate::reprice::{self, Unpriced};
use crate::saving::{Savings, SavingsBy, savings};
use crate::store::StoreError;
use crate::verify::{Report, verify};

impl Ledger {
    /// Requests in scope, newest first.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub async fn requests(&self, scope: Scope, page: Page) -> Result<RequestPage, StoreError> {
        self.0.readers.run(move |reader| query::requests(reader, &scope, page)).await
    }

    /// One request with all its attempts; `None` where it is not in scope, whether or not it exists.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub async fn request(
        &self,
        scope: Scope,
        id: RequestId,
    ) -> Result<Option<RequestDetail>, StoreError> {
        self.0.readers.run(move |reader| query::request(reader, &scope, id)).await
    }

    /// What calls came to that ended in the hours that begin at `since` or later and before `until`.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub async fn usage(
        &self,
        scope: Scope,
        since: Timestamp,
        until: Timestamp,
        group_by: Option<GroupBy>,
    ) -> Result<Vec<UsageRow>, StoreError> {
        let readers = &self.0.readers;
        readers.run(move |reader| query::usage(reader, &scope, since, until, group_by)).await
    }

    /// Compares what the store keeps with what its entries say.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub async fn verify(&self) -> Result<Report, StoreError> {
        self.0.readers.run(verify).await
    }

    /// What was decided for a user's conversation at the first of these places at which anything was.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub async fn decided(
        &self,
        tenant: TenantId,
        user: UserId,
        links: Vec<String>,
    ) -> Result<Option<String>, StoreError> {
        self.0.readers.run(move |reader| reader.decided(&tenant, &user, &links)).await
    }

    /// What optimizing came to in calls that ended at `since` or later and before `until`.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub async fn savings(
        &self,
        scope: Scope,
        since: Timestamp,
        until: Timestamp,
        by: Option<SavingsBy>,
    ) -> Result<Savings, StoreError> {
        let readers = &self.0.readers;
        readers.run(move |reader| savings(reader, &scope, since, until, by)).await
    }

    /// Changes of documents in scope, newest first, before a place in the log.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub async fn audit(
        &self,
        scope: Scope,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        self.0.readers.run(move |reader| reader.audit(&scope, before, limit)).await
    }

    /// A user's sequence of events: the first place that is still kept, and the last that was given.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub async fn event_range(
        &self,
        tenant: TenantId,
        user: UserId,
    ) -> Result<(u64, u64), StoreError> {
        self.0.readers.run(move |reader| reader.event_range(&tenant, &user)).await
    }

    /// A user's events after a place in the sequence, in order, at most `limit` of them.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub async fn events(
        &self,
        tenant: TenantId,
        user: UserId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Posted>, StoreError> {
        self.0.readers.run(move |reader| reader.events(&tenant, &user, after, limit)).await
    }

    /// The calls that ended from `since` on and before `until` without a price, and still have none.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub async fn unpriced(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Unpriced>, StoreError> {
        self.0.readers.run(move |reader| reprice::unpriced(reader, since, until)).await
    }
}
