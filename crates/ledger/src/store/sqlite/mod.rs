//! The default engine: one SQLite file (WAL, every commit synced), or one in memory.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior};

use super::{Loaded, Reader, Store, StoreError};
use crate::item::{Committed, Item};

mod outbox;
mod parts;
mod read;
mod savings;
mod value;
mod write;

pub use read::SqliteReader;
#[cfg(test)]
pub(crate) use read::list_of_requests;

const SCHEMA: &str = include_str!("schema.sql");
/// Versions 1 and 2 were never released.
const SCHEMA_VERSION: u32 = 3;
/// What is no money came later; where it is missing, it is made.
const SAVINGS: &str = include_str!("savings.sql");

/// How long a statement waits for another connection's lock. In a file readers and the writer do
/// not wait for each other at all; in memory they do.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);
/// More than there are different statements.
const STATEMENTS_KEPT: usize = 32;

/// The writer's connection to a ledger in SQLite.
#[derive(Debug)]
pub struct SqliteStore {
    place: Place,
    connection: Connection,
    /// Locked for as long as it is open.
    _lock: Option<File>,
}

/// Where a database is.
#[derive(Clone, Debug)]
enum Place {
    File(PathBuf),
    /// The URI of a database that lives as long as a connection to it.
    Memory(String),
}

#[derive(Clone, Copy)]
enum Access {
    Write,
    Read,
}

// === impl SqliteStore ===

impl SqliteStore {
    /// Opens the ledger in this file as its only writer. A file that is missing is made, with its
    /// folder, readable by the owner alone; beside it lies a `.lock` file, which its writer has locked.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be opened, has a writer, is no ledger, or was written by
    /// a later version.
    pub fn open(path: impl Into<PathBuf>) -> Result<SqliteStore, StoreError> {
        SqliteStore::connect(Place::File(path.into()))
    }

    /// Opens the ledger of this name in the memory of this process. It is gone with the last store
    /// and reader that are open on it.
    ///
    /// # Errors
    /// [`StoreError`] where SQLite has no memory.
    pub fn in_memory(name: &str) -> Result<SqliteStore, StoreError> {
        let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let name: String = name.chars().filter(is_plain).collect();
        SqliteStore::connect(Place::Memory(format!("file:/{name}?vfs=memdb")))
    }

    fn connect(place: Place) -> Result<SqliteStore, StoreError> {
        let lock = place.prepare()?;
        let mut connection = place.connect(Access::Write)?;
        let failed = |error| place.failed("set up the database", error);
        create_missing_schema(&mut connection).map_err(failed)?;
        check_schema(&connection, &place)?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        connection.pragma_update(None, "foreign_keys", true).map_err(failed)?;
        Ok(SqliteStore { place, connection, _lock: lock })
    }
}

impl Store for SqliteStore {
    fn load(&mut self, at: Timestamp) -> Result<Loaded, StoreError> {
        let loaded = read::load(&self.connection, at);
        loaded.map_err(|error| self.place.failed("load the balances", error))
    }

    fn commit(&mut self, items: &[Item]) -> Result<Committed, StoreError> {
        let committed = write::commit(&mut self.connection, items);
        committed.map_err(|error| self.place.failed("record entries", error))
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        Ok(Box::new(SqliteReader::connect(self.place.clone())?))
    }
}

fn create_missing_schema(connection: &mut Connection) -> rusqlite::Result<()> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if tx.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))? == 0 {
        tx.execute_batch(SCHEMA)?;
        let insert =
            "INSERT INTO meta VALUES ('version', ?1), ('epoch', lower(hex(randomblob(8))))";
        tx.execute(insert, [SCHEMA_VERSION.to_string()])?;
    }
    if version(&tx)? == Some(SCHEMA_VERSION) {
        tx.execute_batch(SAVINGS)?;
    }
    tx.commit()
}

/// The version of a ledger's schema; `None` where the database is no ledger.
fn version(connection: &Connection) -> rusqlite::Result<Option<u32>> {
    let exists = "SELECT count(*) FROM sqlite_schema WHERE name IN ('meta', 'entry')";
    if connection.query_row(exists, [], |row| row.get::<_, i64>(0))? < 2 {
        return Ok(None);
    }
    let version = "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'version'";
    connection.query_row(version, [], |row| row.get(0)).optional()
}

fn check_schema(connection: &Connection, place: &Place) -> Result<(), StoreError> {
    let found = version(connection);
    let found = found.map_err(|error| place.failed("read the schema version", error))?;
    let place = place.to_string();
    match found {
        Some(SCHEMA_VERSION) => Ok(()),
        Some(found @ SCHEMA_VERSION..) => {
            Err(StoreError::TooNew { place, found, known: SCHEMA_VERSION })
        }
        Some(found @ ..SCHEMA_VERSION) => {
            Err(StoreError::TooOld { place, found, known: SCHEMA_VERSION })
        }
        None => Err(StoreError::NotALedger { place }),
    }
}

// === impl Place ===

impl Place {
    /// Creates a missing file and its folder for the owner alone, and locks the file beside it.
    fn prepare(&self) -> Result<Option<File>, StoreError> {
        let Place::File(path) = self else { return Ok(None) };
        let failed = |error| self.io("create the file", error);
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let lock =
            private().create(true).open(path.with_added_extension("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            // Two writers would each expire the holds of the other and overspend every budget.
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::InUse { place: self.to_string() });
            }
            Err(TryLockError::Error(error)) => return Err(self.io("lock the file", error)),
        }
        // A file that is there is not touched: to open and close it here would give up the locks of
        // any connection that this process has to it.
        match private().create_new(true).open(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(error)),
            _ => Ok(Some(lock)),
        }
    }

    fn connect(&self, access: Access) -> Result<Connection, StoreError> {
        let flags = match (self, access) {
            (Place::File(_), Access::Write) => OpenFlags::SQLITE_OPEN_READ_WRITE,
            (Place::File(_), Access::Read) => OpenFlags::SQLITE_OPEN_READ_ONLY,
            (Place::Memory(_), _) => {
                OpenFlags::SQLITE_OPEN_READ_WRITE
                    | OpenFlags::SQLITE_OPEN_CREATE
                    | OpenFlags::SQLITE_OPEN_URI
            }
        };
        let path = match self {
            Place::File(path) => path,
            Place::Memory(uri) => Path::new(uri),
        };
        let opened = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX);
        let opened = opened.and_then(|connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
            Ok(connection)
        });
        opened.map_err(|error| self.failed("open the database", error))
    }

    fn failed(&self, doing: &'static str, error: rusqlite::Error) -> StoreError {
        let remedy = remedy(&error);
        StoreError::Engine { place: self.to_string(), doing, remedy, cause: error.into() }
    }

    fn io(&self, doing: &'static str, error: io::Error) -> StoreError {
        let remedy = "check that its folder exists and that this user may write there";
        StoreError::Engine { place: self.to_string(), doing, remedy, cause: error.into() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File(path) => path.display().fmt(f),
            Place::Memory(uri) => f.write_str(uri),
        }
    }
}

/// How files are created that only their owner may read.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// What the operator can do about an error.
pub(crate) fn remedy(error: &rusqlite::Error) -> &'static str {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType};
    if matches!(
        error,
        FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..)
    ) {
        return "a row is damaged; restore the file from a backup";
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "free space on its disk",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "end the program that has the file locked"
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            "check that the file exists and that this user may write to it and its folder"
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            "restore the file from a backup"
        }
        Some(ErrorCode::SystemIoFailure) => "check its disk",
        _ => "report this with the text of the error",
    }
}
