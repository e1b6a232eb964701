//! The table of what is kept: sealed bytes, bounded and with a last day.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::Place;
use super::seal::Id;
use crate::store::StoreError;
use crate::store::sqlite::{private, remedy};

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
    CREATE TABLE IF NOT EXISTS kept (
        id BLOB PRIMARY KEY,
        owner BLOB NOT NULL,
        until INTEGER NOT NULL, -- microseconds since 1970
        label BLOB NOT NULL,
        content BLOB
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS kept_by_owner ON kept (owner);
    CREATE INDEX IF NOT EXISTS kept_by_until ON kept (until);
";

/// How long a statement waits for another process that looks into the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Expired items are removed so often, in claims.
const SWEEP_EVERY: u32 = 64;

#[derive(Debug)]
pub(super) struct Shelf {
    place: String,
    connection: Connection,
    total_max: u64,
    total: u64,
    claims: u32,
}

/// An item as it lies there, sealed.
pub(super) struct Found {
    pub label: Vec<u8>,
    pub content: Option<Vec<u8>>,
}

// === impl Shelf ===

impl Shelf {
    pub(super) fn open(place: Place, total_max: u64) -> Result<Shelf, StoreError> {
        let (place, opened) = match &place {
            Place::Memory => ("in memory".to_owned(), Connection::open_in_memory()),
            Place::File(path) => (path.display().to_string(), open_file(path)),
        };
        let opened = opened.and_then(|connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.execute_batch(SCHEMA)?;
            let total = weight(&connection)?;
            Ok((connection, total))
        });
        let (connection, total) = opened.map_err(|error| failed(&place, "open", error))?;
        Ok(Shelf { place, connection, total_max, total, claims: 0 })
    }

    /// Takes an id that is free; gives what is there otherwise.
    pub(super) fn claim(
        &mut self,
        id: &Id,
        owner: &Id,
        label: &[u8],
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Found>, StoreError> {
        if self.claims.is_multiple_of(SWEEP_EVERY) {
            self.sweep(now)?;
        }
        self.claims = self.claims.wrapping_add(1);
        if let Some(found) = self.get(id, now)? {
            return Ok(Some(found));
        }
        // An expired item has lost its name.
        let insert = "INSERT OR REPLACE INTO kept VALUES (?1, ?2, ?3, ?4, NULL)";
        let values = params![id.0, owner.0, until.as_microsecond(), label];
        self.execute("keep content", insert, values)?;
        Ok(None)
    }

    /// Gives whether the id was claimed.
    pub(super) fn put(&mut self, id: &Id, content: &[u8]) -> Result<bool, StoreError> {
        let update = "UPDATE kept SET content = ?2 WHERE id = ?1 AND content IS NULL";
        let claimed = self.execute("keep content", update, params![id.0, content])? > 0;
        if claimed {
            self.total = self.total.saturating_add(content.len() as u64);
            self.make_room()?;
        }
        Ok(claimed)
    }

    pub(super) fn get(&mut self, id: &Id, now: Timestamp) -> Result<Option<Found>, StoreError> {
        let select = "SELECT label, content FROM kept WHERE id = ?1 AND until > ?2";
        let found = self.connection.prepare_cached(select).and_then(|mut select| {
            let row =
                |row: &rusqlite::Row<'_>| Ok(Found { label: row.get(0)?, content: row.get(1)? });
            select.query_row(params![id.0, now.as_microsecond()], row).optional()
        });
        found.map_err(|error| failed(&self.place, "read content", error))
    }

    pub(super) fn release(&mut self, id: &Id) -> Result<(), StoreError> {
        self.execute("release content", "DELETE FROM kept WHERE id = ?1", params![id.0])?;
        self.weigh()
    }

    /// Gives how many items there were.
    pub(super) fn erase(&mut self, owner: &Id) -> Result<u64, StoreError> {
        let erased =
            self.execute("erase content", "DELETE FROM kept WHERE owner = ?1", params![owner.0])?;
        // The log of changes still has the pages as they were.
        let checkpoint = self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
        checkpoint.map_err(|error| failed(&self.place, "erase content", error))?;
        self.weigh()?;
        Ok(erased as u64)
    }

    fn sweep(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let delete = "DELETE FROM kept WHERE until <= ?1";
        self.execute("remove expired content", delete, params![now.as_microsecond()])?;
        self.weigh()
    }

    /// The content that expires first goes first; its label stays, so that its name stays taken.
    fn make_room(&mut self) -> Result<(), StoreError> {
        let empty = "UPDATE kept SET content = NULL WHERE id IN
            (SELECT id FROM kept WHERE content IS NOT NULL ORDER BY until LIMIT 16)";
        while self.total > self.total_max {
            if self.execute("make room for content", empty, [])? == 0 {
                break;
            }
            self.weigh()?;
        }
        Ok(())
    }

    fn weigh(&mut self) -> Result<(), StoreError> {
        self.total = weight(&self.connection)
            .map_err(|error| failed(&self.place, "weigh content", error))?;
        Ok(())
    }

    fn execute(
        &self,
        doing: &'static str,
        statement: &str,
        values: impl rusqlite::Params,
    ) -> Result<usize, StoreError> {
        let prepared = self.connection.prepare_cached(statement);
        let done = prepared.and_then(|mut statement| statement.execute(values));
        done.map_err(|error| failed(&self.place, doing, error))
    }
}

fn open_file(path: &Path) -> rusqlite::Result<Connection> {
    // Made beforehand, so that nobody else can read it from the beginning. Where that fails, opening
    // it says why.
    let _ = private().create(true).open(path);
    Connection::open(path)
}

/// All content together, in bytes.
fn weight(connection: &Connection) -> rusqlite::Result<u64> {
    let sum = "SELECT coalesce(sum(length(content)), 0) FROM kept";
    connection.query_row(sum, [], |row| row.get(0).map(i64::unsigned_abs))
}

fn failed(place: &str, doing: &'static str, error: rusqlite::Error) -> StoreError {
    let remedy = remedy(&error);
    StoreError::Engine { place: format!("vault {place}"), doing, remedy, cause: error.into() }
}
