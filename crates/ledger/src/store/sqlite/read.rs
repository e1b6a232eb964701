//! Reading what was recorded.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use farthing_core::Usd;
use farthing_core::budget::{Balance, BalanceKey, State};
use farthing_core::entry::{
    Adjustment, Asked, AttemptId, Bill, Ending, Hold, Origin, Rebilled, Who,
};
use farthing_core::id::{RequestId, TenantId, UserId};
use farthing_core::pricing::Cost;
use farthing_core::scope::Scope;
use jiff::Timestamp;
use rusqlite::{Connection, Params, params};
use thiserror::Error;

use super::parts::KeptPart;
use super::value::Columns;
use super::{Access, Place, check_schema, outbox, savings};
use crate::batch::{RollupKey, Tally};
use crate::item::Posted;
use crate::query::AuditRow;
use crate::record::{CardRef, Cards, Record, Recorded};
use crate::saving::Saving;
use crate::store::{Loaded, Reader, Row, StoreError};

/// The columns of an entry but for its own and its hold's id, in the order in which they are
/// written and read.
macro_rules! entry_columns {
    () => {
        "kind, at, tenant, team, user, key, agent, thread, run, request, attempt, provider, model_asked, \
         streamed, held_usd, held_pico, charged_usd, charged_pico, overrun, deadline, held_tokens, \
         anatomy, claims, origin, reason, cause, rebilled, model_served, usage, cost_usd, cost_pico, \
         cost_status, cost_inexact, cost_assumed_rate, card_hash, rule, served, listed_usd, \
         listed_pico, others"
    };
}
pub(super) use entry_columns;

const ROLLUP_COLUMNS: &str = "tenant, hour, user, agent, provider, model";
pub(super) const TALLY_COLUMNS: &str = "requests, input, cache_read, cache_write, output, \
     reasoning, cost_usd, cost_pico, unknown_cost, estimated, charged_usd, charged_pico";
const BALANCE_COLUMNS: &str = "tenant, user, scope_kind, scope_id, window, window_start, \
     window_end, held_usd, held_pico, held_tokens, held_requests, spent_usd, spent_pico, \
     spent_tokens, spent_requests";

/// Reads a ledger, within a transaction of its own for each question.
#[derive(Debug)]
pub struct SqliteReader {
    place: Place,
    connection: Connection,
}

// === impl SqliteReader ===

impl SqliteReader {
    /// Opens the ledger in this file for reading, whether or not it has a writer.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be opened, is no ledger, or was written by a later
    /// version.
    pub fn open(path: impl Into<PathBuf>) -> Result<SqliteReader, StoreError> {
        SqliteReader::connect(Place::File(path.into()))
    }

    pub(super) fn connect(place: Place) -> Result<SqliteReader, StoreError> {
        let connection = place.connect(Access::Read)?;
        check_schema(&connection, &place)?;
        Ok(SqliteReader { place, connection })
    }

    /// Hands out the rows of a statement. Of a failure to read and one of `visit`, the first.
    fn each<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl Fn(&mut Columns<'_>) -> rusqlite::Result<T>,
        mut visit: impl FnMut(T) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let failed = |error| self.place.failed("read it", error);
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let mut rows = statement.query(params).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            visit(read(&mut Columns::of(row)).map_err(failed)?)?;
        }
        Ok(())
    }

    fn records(&self, sql: &str, params: impl Params) -> Result<Vec<Record>, StoreError> {
        let mut records = Vec::new();
        self.each(sql, params, record, |record| {
            records.push(record);
            Ok(())
        })?;
        Ok(records)
    }

    fn scan_all(
        &self,
        visit: &mut dyn FnMut(Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let card = |columns: &mut Columns<'_>| {
            Ok(Row::RateCard { hash: columns.take()?, json: columns.take()? })
        };
        self.each("SELECT hash, json FROM rate_card", [], card, &mut *visit)?;
        let entries = concat!("SELECT ", entry_columns!(), " FROM entry ORDER BY seq");
        self.each(entries, [], |columns| record(columns).map(Row::Entry), &mut *visit)?;
        let balances = format!("SELECT {BALANCE_COLUMNS} FROM balance");
        let read = |columns: &mut Columns<'_>| balance(columns).map(|(k, b)| Row::Balance(k, b));
        self.each(&balances, [], read, &mut *visit)?;
        let open = "SELECT request, attempt FROM hold";
        self.each(open, [], |columns| attempt(columns).map(Row::Open), &mut *visit)?;
        let rollups = format!("SELECT {ROLLUP_COLUMNS}, {TALLY_COLUMNS} FROM rollup");
        let read = |columns: &mut Columns<'_>| rollup(columns).map(|(k, t)| Row::Rollup(k, t));
        self.each(&rollups, [], read, &mut *visit)
    }
}

impl Reader for SqliteReader {
    fn requests(
        &mut self,
        scope: &Scope,
        after: Option<RequestId>,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError> {
        let sql = list_of_requests(scope);
        let (tenant, user) = names(scope);
        self.records(&sql, params![tenant, user, after.map(|id| id.to_string()), limit])
    }

    fn request(&mut self, scope: &Scope, id: RequestId) -> Result<Vec<Record>, StoreError> {
        let within = within(scope);
        let columns = entry_columns!();
        let sql =
            format!("SELECT {columns} FROM entry WHERE request = ?3 AND {within} ORDER BY seq");
        let (tenant, user) = names(scope);
        self.records(&sql, params![tenant, user, id.to_string()])
    }

    fn rollups(
        &mut self,
        scope: &Scope,
        since: Timestamp,
        until: Timestamp,
        visit: &mut dyn FnMut(RollupKey, Tally) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let within = within(scope);
        let sql = format!(
            "SELECT {ROLLUP_COLUMNS}, {TALLY_COLUMNS} FROM rollup \
             WHERE {within} AND hour >= ?3 AND hour < ?4"
        );
        let (tenant, user) = names(scope);
        let hours = (since.as_microsecond(), until.as_microsecond());
        let params = params![tenant, user, hours.0, hours.1];
        self.each(&sql, params, rollup, |(key, tally)| visit(key, tally))
    }

    fn event_range(&mut self, tenant: &TenantId, user: &UserId) -> Result<(u64, u64), StoreError> {
        let range = outbox::range(&self.connection, tenant, user);
        range.map_err(|error| self.place.failed("read events", error))
    }

    fn events(
        &mut self,
        tenant: &TenantId,
        user: &UserId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Posted>, StoreError> {
        let events = outbox::after(&self.connection, tenant, user, after, limit);
        events.map_err(|error| self.place.failed("read events", error))
    }

    fn audit(
        &mut self,
        scope: &Scope,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let audit = outbox::audit(&self.connection, scope, before, limit);
        audit.map_err(|error| self.place.failed("read the audit log", error))
    }

    fn receipt(&mut self, scope: &Scope, id: RequestId) -> Result<Option<Saving>, StoreError> {
        let sql = format!("SELECT json FROM receipt WHERE request = ?3 AND {}", within(scope));
        let (tenant, user) = names(scope);
        let mut found = None;
        self.each(
            &sql,
            params![tenant, user, id.to_string()],
            |columns| columns.json(),
            |saving| {
                found = Some(saving);
                Ok(())
            },
        )?;
        Ok(found)
    }

    fn receipts(
        &mut self,
        scope: &Scope,
        since: Timestamp,
        until: Timestamp,
        visit: &mut dyn FnMut(Saving) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let within = within(scope);
        let sql = format!("SELECT json FROM receipt WHERE {within} AND at >= ?3 AND at < ?4");
        let (tenant, user) = names(scope);
        let times = (since.as_microsecond(), until.as_microsecond());
        self.each(&sql, params![tenant, user, times.0, times.1], |columns| columns.json(), visit)
    }

    fn decided(
        &mut self,
        tenant: &TenantId,
        user: &UserId,
        links: &[String],
    ) -> Result<Option<String>, StoreError> {
        let found = savings::decided(&self.connection, tenant, user, links);
        found.map_err(|error| self.place.failed("read what was decided", error))
    }

    fn scan(
        &mut self,
        visit: &mut dyn FnMut(Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let failed = |error| self.place.failed("read it", error);
        // One transaction sees one moment, however much is written meanwhile.
        let _moment = self.connection.unchecked_transaction().map_err(failed)?;
        self.scan_all(visit)
    }
}

/// A scope's tenant and its only user, if any.
fn names(scope: &Scope) -> (&str, Option<&str>) {
    (scope.tenant().as_str(), scope.only_user().map(|user| user.as_str()))
}

/// The condition for a scope whose tenant is `?1` and whose only user, if any, is `?2`.
fn within(scope: &Scope) -> &'static str {
    match scope.only_user() {
        Some(_) => "tenant = ?1 AND user = ?2",
        None => "tenant = ?1 AND ?2 IS NULL",
    }
}

/// The entries of a page of requests: of the scope `?1` and `?2`, after the request `?3`, at most `?4`
/// of them.
pub(crate) fn list_of_requests(scope: &Scope) -> String {
    let within = within(scope);
    // A request stands where its first entry stands.
    format!(
        "WITH page AS MATERIALIZED ( \
             SELECT seq AS first, request FROM entry AS hold \
             WHERE kind = 'hold' AND {within} \
                 AND NOT EXISTS (SELECT 1 FROM entry AS earlier \
                     WHERE earlier.request = hold.request AND earlier.seq < hold.seq) \
                 AND seq < CASE WHEN ?3 IS NULL THEN {last} ELSE \
                     (SELECT min(seq) FROM entry WHERE request = ?3 AND {within}) END \
             ORDER BY seq DESC LIMIT ?4) \
         SELECT {columns} FROM page JOIN entry USING (request) \
         WHERE {within} ORDER BY page.first DESC, entry.seq",
        columns = entry_columns!(),
        last = i64::MAX,
    )
}

/// The state to go on with at `at`.
pub(super) fn load(connection: &Connection, at: Timestamp) -> rusqlite::Result<Loaded> {
    let epoch = "SELECT value FROM meta WHERE key = 'epoch'";
    let epoch = connection.query_row(epoch, [], |row| row.get(0))?;
    let balances = format!(
        "SELECT {BALANCE_COLUMNS} FROM balance \
         WHERE window_end > ?1 OR held_requests <> 0"
    );
    let balances = connection
        .prepare(&balances)?
        .query_map([at.as_microsecond()], |row| balance(&mut Columns::of(row)))?
        .collect::<rusqlite::Result<HashMap<_, _>>>()?;
    let holds =
        concat!("SELECT ", entry_columns!(), " FROM entry WHERE seq IN (SELECT entry FROM hold)");
    let mut open = HashMap::new();
    let mut holds = connection.prepare(holds)?;
    let mut holds = holds.query([])?;
    while let Some(row) = holds.next()? {
        let record = record(&mut Columns::of(row))?;
        if let Recorded::Hold(hold) = record.what {
            open.insert(record.id, (record.who, hold));
        }
    }
    let documents = outbox::documents(connection)?;
    Ok(Loaded { epoch, state: State::restore(balances, open), documents })
}

fn attempt(columns: &mut Columns<'_>) -> rusqlite::Result<AttemptId> {
    Ok(AttemptId { request: columns.parsed()?, attempt: columns.take()? })
}

fn balance(columns: &mut Columns<'_>) -> rusqlite::Result<(BalanceKey, Balance)> {
    let key = BalanceKey {
        tenant: columns.parsed()?,
        user: columns.unless_empty()?,
        scope: columns.word()?,
        id: columns.take()?,
        window: columns.word()?,
        start: columns.time()?,
        end: columns.time()?,
    };
    Ok((key, Balance { held: columns.amount()?, spent: columns.amount()? }))
}

fn rollup(columns: &mut Columns<'_>) -> rusqlite::Result<(RollupKey, Tally)> {
    let key = RollupKey {
        tenant: columns.parsed()?,
        hour: columns.time()?,
        user: columns.parsed()?,
        agent: columns.unless_empty()?,
        provider: columns.parsed()?,
        model: columns.parsed()?,
    };
    Ok((key, tally(columns)?))
}

/// Reads [`TALLY_COLUMNS`].
pub(super) fn tally(columns: &mut Columns<'_>) -> rusqlite::Result<Tally> {
    Ok(Tally {
        requests: columns.count()?,
        input: columns.count()?,
        cache_read: columns.count()?,
        cache_write: columns.count()?,
        output: columns.count()?,
        reasoning: columns.count()?,
        cost: columns.money()?,
        unknown_cost: columns.take()?,
        estimated: columns.count()?,
        charged: columns.money()?,
    })
}

/// Reads what [`entry_columns`] names.
fn record(columns: &mut Columns<'_>) -> rusqlite::Result<Record> {
    let kind: String = columns.take()?;
    let at = columns.time()?;
    let who = Arc::new(Who {
        tenant: columns.parsed()?,
        team: columns.optional()?,
        user: columns.parsed()?,
        key: columns.optional()?,
        agent: columns.optional()?,
        thread: columns.optional()?,
        run: columns.optional()?,
    });
    let id = attempt(columns)?;
    let (provider, model, streamed) = (columns.parsed()?, columns.parsed()?, columns.take()?);
    let (held, charged) = (columns.money()?, columns.money()?);
    let overrun = columns.take()?;
    let what = match kind.as_str() {
        "hold" | "adjust" => {
            let (deadline, tokens) = (columns.time()?, columns.count()?);
            let asked = Asked { provider, model, streamed, anatomy: columns.json()? };
            let claims = columns.json()?;
            let hold = Arc::new(Hold { amount: held, tokens, deadline, claims, asked });
            if kind == "hold" { Recorded::Hold(hold) } else { adjustment(hold, charged, columns)? }
        }
        _ => ending(&kind, charged, columns)?,
    };
    Ok(Record { id, at, who, held, charged, overrun, what })
}

/// Reads the rest of a correction's columns.
fn adjustment(
    hold: Arc<Hold>,
    delta: Usd,
    columns: &mut Columns<'_>,
) -> rusqlite::Result<Recorded> {
    let origin = columns.optional_word()?;
    let (reason, cause) = (columns.take()?, columns.parsed()?);
    let ended_at = columns.optional_time()?;
    let (rebilled, cards) = match ended_at.zip(origin) {
        None => (None, Cards::default()),
        Some((ended_at, origin)) => {
            let (bill, cards) = bill(origin, columns)?;
            let charged = bill.cost.usd.unwrap_or_default();
            (Some(Rebilled { ended_at, bill: Arc::new(Bill { charged, ..bill }) }), cards)
        }
    };
    Ok(Recorded::Adjust(hold, Adjustment { cause, delta, reason, rebilled }, cards))
}

/// Reads the rest of an ending's columns.
fn ending(kind: &str, charged: Usd, columns: &mut Columns<'_>) -> rusqlite::Result<Recorded> {
    const OF_A_HOLD: usize = 4;
    columns.skip(OF_A_HOLD);
    match kind {
        "settle" => settlement(charged, columns),
        "expire" => Ok(Recorded::End(Ending::Expire, Cards::default())),
        "void" => {
            columns.skip(1);
            Ok(Recorded::End(Ending::Void(columns.take()?), Cards::default()))
        }
        _ => Err(columns.damaged(UnknownKind(kind.to_owned()))),
    }
}

fn settlement(charged: Usd, columns: &mut Columns<'_>) -> rusqlite::Result<Recorded> {
    let origin = columns.word()?;
    columns.skip(3);
    let (bill, cards) = bill(origin, columns)?;
    Ok(Recorded::End(Ending::Settle(Arc::new(Bill { charged, ..bill })), cards))
}

/// Reads a bill from its model on; what it charges stands elsewhere.
fn bill(origin: Origin, columns: &mut Columns<'_>) -> rusqlite::Result<(Bill, Cards)> {
    let (model, usage) = (columns.parsed()?, columns.json()?);
    let cost = Cost {
        usd: columns.optional_money()?,
        status: columns.word()?,
        inexact: columns.take()?,
        assumed_rate: columns.take()?,
    };
    let (hash, rule) = (columns.take()?, columns.optional_word()?);
    let own = Option::zip(hash, rule).map(|(hash, rule)| CardRef { hash, rule });
    let served = columns.optional_json()?.unwrap_or_default();
    let listed = columns.optional_money()?;
    let kept: Vec<KeptPart> = columns.optional_json()?.unwrap_or_default();
    let (others, cards) = kept.into_iter().map(KeptPart::split).unzip();
    let (charged, priced_by) = (Usd::ZERO, None);
    let bill = Bill { model, usage, origin, served, cost, listed, charged, priced_by, others };
    Ok((bill, Cards { own, others: cards }))
}

#[derive(Debug, Error)]
#[error("`{0}` is not a kind of entry")]
struct UnknownKind(String);
