//! What can be asked of a ledger, always within a [`Scope`]. What is in another scope is answered
//! exactly as what does not exist.

use std::collections::BTreeMap;

use farthing_core::id::{AgentId, RequestId};
use farthing_core::money::Overflow;
use farthing_core::scope::Scope;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::answer::{RequestDetail, RequestPage, RequestRow, UsageRow};
use crate::batch::{RollupKey, Tally};
use crate::item::Change;
use crate::store::{Reader, StoreError};

/// Which part of a list to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    limit: u32,
    after: Option<RequestId>,
}

/// A page was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a page of {0} requests is not possible; ask for 1 to {max}", max = Page::LIMIT_MAX)]
pub struct InvalidPage(u32);

/// By what usage can be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// Who acted.
    User,
    /// The model, as clients named it.
    Model,
    /// The program that acted.
    Agent,
    /// The configured provider.
    Provider,
    /// The day on which calls ended, UTC.
    Day,
}

/// A change in the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditRow {
    /// Its place in the log.
    pub seq: u64,
    /// What was changed, by whom and when.
    pub change: Change,
}

/// Requests in scope, newest first.
///
/// # Errors
/// [`StoreError`] where the store cannot be read.
pub fn requests(
    reader: &mut dyn Reader,
    scope: &Scope,
    page: Page,
) -> Result<RequestPage, StoreError> {
    // One more than is shown tells whether there is another page.
    let records = reader.requests(scope, page.after, page.limit.saturating_add(1))?;
    let by_request = records.chunk_by(|a, b| a.id.request == b.id.request);
    let details = by_request.map(RequestDetail::of).collect::<Result<Vec<_>, Overflow>>()?;
    let mut requests: Vec<_> = details.into_iter().flatten().filter_map(RequestRow::of).collect();
    let shown = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let is_last = requests.len() <= shown;
    requests.truncate(shown);
    let next = requests.last().filter(|_| !is_last).map(|row| row.request);
    Ok(RequestPage { requests, next })
}

/// One request with all its attempts; `None` where it is not in scope, whether or not it exists.
///
/// # Errors
/// [`StoreError`] where the store cannot be read.
pub fn request(
    reader: &mut dyn Reader,
    scope: &Scope,
    id: RequestId,
) -> Result<Option<RequestDetail>, StoreError> {
    let detail = RequestDetail::of(&reader.request(scope, id)?)?;
    let Some(detail) = detail else { return Ok(None) };
    Ok(Some(RequestDetail { savings: reader.receipt(scope, id)?, ..detail }))
}

/// What calls came to that ended in the hours that begin at `since` or later and before `until`; in
/// order of the groups' names. Without groups, one row, or none where there was no call.
///
/// # Errors
/// [`StoreError`] where the store cannot be read.
pub fn usage(
    reader: &mut dyn Reader,
    scope: &Scope,
    since: Timestamp,
    until: Timestamp,
    group_by: Option<GroupBy>,
) -> Result<Vec<UsageRow>, StoreError> {
    // Added up here and not in SQL, where sums of pico-dollars overflow 64 bits.
    let mut groups = BTreeMap::<Option<String>, Tally>::new();
    reader.rollups(scope, since, until, &mut |key, tally| {
        let sum = groups.entry(group_by.and_then(|by| by.name_in(&key))).or_default();
        *sum = sum.plus(&tally)?;
        Ok(())
    })?;
    Ok(groups.into_iter().map(|(group, tally)| UsageRow::of(group, &tally)).collect())
}

// === impl Page ===

impl Page {
    /// The most requests on a page.
    pub const LIMIT_MAX: u32 = 1_000;

    /// The `limit` newest requests, or those that are older than `after`.
    ///
    /// # Errors
    /// [`InvalidPage`] where the limit is not within 1 to [`Page::LIMIT_MAX`].
    pub fn new(limit: u32, after: Option<RequestId>) -> Result<Page, InvalidPage> {
        if (1..=Page::LIMIT_MAX).contains(&limit) {
            Ok(Page { limit, after })
        } else {
            Err(InvalidPage(limit))
        }
    }
}

// === impl GroupBy ===

impl GroupBy {
    fn name_in(self, key: &RollupKey) -> Option<String> {
        match self {
            GroupBy::User => Some(key.user.to_string()),
            GroupBy::Model => Some(key.model.to_string()),
            GroupBy::Agent => key.agent.as_ref().map(AgentId::to_string),
            GroupBy::Provider => Some(key.provider.to_string()),
            GroupBy::Day => Some(key.hour.to_zoned(TimeZone::UTC).date().to_string()),
        }
    }
}
