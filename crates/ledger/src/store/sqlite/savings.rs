//! What optimizing calls came to, and what was decided for conversations.

use farthing_core::id::{TenantId, UserId};
use rusqlite::{Connection, OptionalExtension, params};

use super::value::json;
use crate::saving::{Decided, Saving};

/// Receipts that are kept, the newest.
const RECEIPTS_KEPT: i64 = 1_000_000;

/// Conversations are gone on with from so many places, the newest.
const DECIDED_KEPT: i64 = 200_000;

/// Gives whether it is new.
pub(super) fn record(tx: &Connection, saving: &Saving) -> rusqlite::Result<bool> {
    let insert = "INSERT INTO receipt VALUES (NULL, ?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    let inserted = tx.prepare_cached(insert)?.execute(params![
        saving.request.to_string(),
        saving.who.tenant.as_str(),
        saving.who.user.as_str(),
        saving.at.as_microsecond(),
        json(saving)?,
    ])?;
    if inserted == 1 {
        let forget = "DELETE FROM receipt WHERE seq <= ?1";
        tx.prepare_cached(forget)?.execute([tx.last_insert_rowid() - RECEIPTS_KEPT])?;
    }
    Ok(inserted == 1)
}

pub(super) fn decide(tx: &Connection, decided: &Decided) -> rusqlite::Result<()> {
    let Decided { who, link, json } = decided;
    tx.prepare_cached("INSERT OR REPLACE INTO decided VALUES (NULL, ?1, ?2, ?3, ?4)")?
        .execute(params![who.tenant.as_str(), who.user.as_str(), link, json])?;
    let forget = "DELETE FROM decided WHERE seq <= ?1";
    tx.prepare_cached(forget)?.execute([tx.last_insert_rowid() - DECIDED_KEPT])?;
    Ok(())
}

/// What was decided at the first of these places at which anything was.
pub(super) fn decided(
    connection: &Connection,
    tenant: &TenantId,
    user: &UserId,
    links: &[String],
) -> rusqlite::Result<Option<String>> {
    let select = "SELECT json FROM decided WHERE tenant = ?1 AND user = ?2 AND link = ?3";
    let mut select = connection.prepare_cached(select)?;
    for link in links {
        let place = params![tenant.as_str(), user.as_str(), link];
        if let Some(found) = select.query_row(place, |row| row.get(0)).optional()? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
