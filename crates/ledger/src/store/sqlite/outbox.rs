//! The outbox of live events, and documents with their audit log.

use std::collections::BTreeMap;
use std::sync::Arc;

use farthing_core::event::Event;
use farthing_core::id::{TenantId, UserId};
use farthing_core::scope::Scope;
use rusqlite::{Connection, OptionalExtension, params};

use super::value::{Columns, json};
use crate::item::{Change, Document, DocumentId, Posted};
use crate::query::AuditRow;

/// Events that are kept of each user. Who has missed more gets a snapshot instead.
const KEPT_PER_USER: i64 = 10_000;

/// Gives each event its place in its user's sequence, and keeps it there.
pub(super) fn post(
    tx: &Connection,
    events: &[(&TenantId, &Event)],
) -> rusqlite::Result<Vec<Posted>> {
    let mut last = BTreeMap::<(&TenantId, &UserId), i64>::new();
    let mut posted = Vec::with_capacity(events.len());
    let mut insert = tx.prepare_cached("INSERT INTO event VALUES (?1, ?2, ?3, ?4)")?;
    for (tenant, event) in events.iter().copied() {
        let owner = (tenant, &event.user_id);
        let before = match last.get(&owner) {
            Some(before) => *before,
            None => last_seq(tx, owner)?,
        };
        let seq = before + 1;
        last.insert(owner, seq);
        insert.execute(params![tenant.as_str(), event.user_id.as_str(), seq, json(event)?])?;
        let (tenant, event) = (tenant.clone(), Arc::new(event.clone()));
        posted.push(Posted { tenant, seq: seq.unsigned_abs(), event });
    }
    let mut count =
        tx.prepare_cached("INSERT OR REPLACE INTO event_counter VALUES (?1, ?2, ?3)")?;
    let mut forget =
        tx.prepare_cached("DELETE FROM event WHERE tenant = ?1 AND user = ?2 AND seq <= ?3")?;
    for ((tenant, user), last) in last {
        count.execute(params![tenant.as_str(), user.as_str(), last])?;
        forget.execute(params![tenant.as_str(), user.as_str(), last - KEPT_PER_USER])?;
    }
    Ok(posted)
}

fn last_seq(tx: &Connection, (tenant, user): (&TenantId, &UserId)) -> rusqlite::Result<i64> {
    let select = "SELECT last FROM event_counter WHERE tenant = ?1 AND user = ?2";
    let mut select = tx.prepare_cached(select)?;
    let last = select.query_row(params![tenant.as_str(), user.as_str()], |row| row.get(0));
    last.optional().map(Option::unwrap_or_default)
}

/// A user's first kept and last given place.
pub(super) fn range(
    connection: &Connection,
    tenant: &TenantId,
    user: &UserId,
) -> rusqlite::Result<(u64, u64)> {
    let last = last_seq(connection, (tenant, user))?;
    let select = "SELECT min(seq) FROM event WHERE tenant = ?1 AND user = ?2";
    let first = connection.query_row(select, params![tenant.as_str(), user.as_str()], |row| {
        row.get::<_, Option<i64>>(0)
    })?;
    Ok((first.unwrap_or(last + 1).unsigned_abs(), last.unsigned_abs()))
}

/// A user's events after a place, in order.
pub(super) fn after(
    connection: &Connection,
    tenant: &TenantId,
    user: &UserId,
    seq: u64,
    limit: u32,
) -> rusqlite::Result<Vec<Posted>> {
    let select = "SELECT seq, json FROM event WHERE tenant = ?1 AND user = ?2 AND seq > ?3 \
         ORDER BY seq LIMIT ?4";
    let after = i64::try_from(seq).unwrap_or(i64::MAX);
    let mut select = connection.prepare_cached(select)?;
    let rows = select.query_map(params![tenant.as_str(), user.as_str(), after, limit], |row| {
        let mut columns = Columns::of(row);
        let (seq, event) = (columns.count()?, Arc::new(columns.json()?));
        Ok(Posted { tenant: tenant.clone(), seq, event })
    })?;
    rows.collect()
}

/// Changes a document and writes down that it was changed.
pub(super) fn change(tx: &Connection, change: &Change) -> rusqlite::Result<()> {
    let Change { at, actor, document: DocumentId { tenant, kind, id }, before, after } = change;
    let tenant = tenant.as_str();
    match after {
        Some(json) => tx
            .prepare_cached("INSERT OR REPLACE INTO document VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![tenant, kind, id, json])?,
        None => tx
            .prepare_cached("DELETE FROM document WHERE tenant = ?1 AND kind = ?2 AND id = ?3")?
            .execute(params![tenant, kind, id])?,
    };
    tx.prepare_cached("INSERT INTO audit VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
        .execute(params![at.as_microsecond(), actor, tenant, kind, id, before, after])?;
    Ok(())
}

/// All documents.
pub(super) fn documents(connection: &Connection) -> rusqlite::Result<Vec<Document>> {
    let mut select = connection.prepare("SELECT tenant, kind, id, json FROM document")?;
    let rows = select.query_map([], |row| {
        let mut columns = Columns::of(row);
        let id =
            DocumentId { tenant: columns.parsed()?, kind: columns.take()?, id: columns.take()? };
        Ok(Document { id, json: columns.take()? })
    })?;
    rows.collect()
}

/// The newest changes in scope before a place in the audit log.
pub(super) fn audit(
    connection: &Connection,
    scope: &Scope,
    before: Option<u64>,
    limit: u32,
) -> rusqlite::Result<Vec<AuditRow>> {
    // Changes belong to a tenant; a single user sees none.
    if scope.only_user().is_some() {
        return Ok(Vec::new());
    }
    let select = "SELECT seq, at, actor, tenant, kind, id, before, after FROM audit \
         WHERE tenant = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3";
    let before = before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
    let mut select = connection.prepare_cached(select)?;
    let rows = select.query_map(params![scope.tenant().as_str(), before, limit], |row| {
        let mut columns = Columns::of(row);
        let seq = columns.count()?;
        let (at, actor) = (columns.time()?, columns.take()?);
        let document =
            DocumentId { tenant: columns.parsed()?, kind: columns.take()?, id: columns.take()? };
        let change =
            Change { at, actor, document, before: columns.take()?, after: columns.take()? };
        Ok(AuditRow { seq, change })
    })?;
    rows.collect()
}
