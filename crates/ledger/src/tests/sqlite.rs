//! What only the SQLite engine does: files, locks, versions, and being tampered with.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::{Difference, Report, SqliteReader, verify};

fn verify_file(path: &Path) -> Report {
    verify(&mut SqliteReader::open(path).unwrap()).unwrap()
}

/// A closed ledger with a settled, an expired and a voided call.
async fn ledger_file(folder: &TempDir) -> std::path::PathBuf {
    let path = folder.path().join("ledger.db");
    let ledger = open(SqliteStore::open(&path).unwrap());
    try_hold(&ledger, 1, "0.10").await.unwrap().settle(bill());
    drop(try_hold(&ledger, 2, "0.20").await.unwrap());
    try_hold(&ledger, 3, "0.30").await.unwrap().void("429 by the provider");
    ledger.close().await.unwrap();
    path
}

#[cfg(unix)]
#[test]
fn a_new_file_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("not/yet/there/ledger.db");
    let _store = SqliteStore::open(&path).unwrap();
    for file in fs::read_dir(path.parent().unwrap()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.path().display());
    }
}

#[test]
fn a_ledger_has_one_writer() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger.db");
    let first = SqliteStore::open(&path).unwrap();
    let second = SqliteStore::open(&path).unwrap_err();
    assert!(matches!(second, StoreError::InUse { .. }), "{second}");
    assert!(second.to_string().contains("ledger.db"), "{second}");
    drop(first);
    SqliteStore::open(&path).unwrap();
}

#[test]
fn what_is_no_ledger_of_ours_is_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger.db");
    drop(SqliteStore::open(&path).unwrap());
    let change = |sql| Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    change("UPDATE meta SET value = '99' WHERE key = 'version'");
    let newer = SqliteStore::open(&path).unwrap_err();
    assert!(matches!(newer, StoreError::TooNew { found: 99, .. }), "{newer}");
    assert!(matches!(SqliteReader::open(&path).unwrap_err(), StoreError::TooNew { .. }));
    change("UPDATE meta SET value = '1' WHERE key = 'version'");
    let older = SqliteStore::open(&path).unwrap_err();
    assert!(matches!(older, StoreError::TooOld { found: 1, .. }), "{older}");

    let other = folder.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE cat (name TEXT)").unwrap();
    let before = fs::read(&other).unwrap();
    assert!(matches!(SqliteStore::open(&other).unwrap_err(), StoreError::NotALedger { .. }));
    assert_eq!(fs::read(&other).unwrap(), before);
    fs::write(&other, "no database at all, but a text that is long enough to tell".repeat(99))
        .unwrap();
    let error = SqliteStore::open(&other).unwrap_err().to_string();
    assert!(error.contains("other.db") && error.contains("restore"), "{error}");
    assert!(SqliteReader::open(folder.path().join("missing.db")).is_err());
}

#[tokio::test]
async fn l1_a_killed_process_loses_nothing_that_was_committed() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = open(SqliteStore::open(&path).unwrap());
    try_hold(&ledger, 1, "0.10").await.unwrap().settle(bill());
    let running = try_hold(&ledger, 2, "0.20").await.unwrap();
    running.committed().await.unwrap();
    // What is on the disk now is what a kill would leave.
    let left = folder.path().join("left");
    fs::create_dir(&left).unwrap();
    for name in ["ledger.db", "ledger.db-wal"] {
        fs::copy(folder.path().join(name), left.join(name)).unwrap();
    }
    drop(running);

    let ledger = open(SqliteStore::open(left.join("ledger.db")).unwrap());
    assert_eq!(balance(&ledger), (Usd::ZERO, usd("0.20145")));
    let report = ledger.verify().await.unwrap();
    assert_eq!((report.entries, report.open, report.differences), (4, 0, vec![]));
}

#[tokio::test]
async fn b6_a_ledger_is_verified_while_it_is_written() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = open(SqliteStore::open(&path).unwrap());
    for request in 0..20 {
        try_hold(&ledger, request, "0.01").await.unwrap().settle(bill());
        assert_eq!(verify_file(&path).differences, []);
    }
    ledger.flush().await.unwrap();
    let report = verify_file(&path);
    assert_eq!((report.entries, report.attempts, report.open), (40, 20, 0));
    assert_eq!(report.spent, usd("0.029"));
}

#[tokio::test]
async fn tampering_is_found_wherever_it_happens() {
    let folder = TempDir::new().unwrap();
    let path = ledger_file(&folder).await;
    let pristine = fs::read(&path);
    drop(once_free(|| SqliteStore::open(&path)));
    let clean = verify_file(&path);
    assert_eq!((clean.entries, clean.differences), (6, vec![]));
    let pristine = pristine.and_then(|_| fs::read(&path)).unwrap();
    for (tampering, place) in [
        ("UPDATE entry SET charged_pico = 1 WHERE kind = 'settle'", "balance of tenant `acme`"),
        ("UPDATE entry SET charged_pico = 1 WHERE kind = 'void'", "charged of entry"),
        ("UPDATE entry SET held_pico = 1 WHERE kind = 'expire'", "held of entry"),
        ("UPDATE entry SET user = 'bob' WHERE kind = 'settle'", "account of the ending"),
        ("UPDATE entry SET overrun = 1 WHERE kind = 'settle'", "overrun of entry"),
        ("UPDATE entry SET usage = '{\"input\":1}' WHERE kind = 'settle'", "cost of attempt"),
        ("UPDATE entry SET cost_pico = 1 WHERE kind = 'settle'", "cost of attempt"),
        ("UPDATE rate_card SET json = replace(json, '2000000', '1')", "rate card"),
        ("DELETE FROM entry WHERE kind = 'hold' AND held_pico = 300000000000", "attempt req_"),
        ("DELETE FROM entry WHERE kind = 'settle'", "balance of user `ada`"),
        ("UPDATE balance SET spent_pico = spent_pico - 1", "balance of tenant `acme`"),
        ("DELETE FROM balance", "balance of user `ada`"),
        (
            "INSERT INTO hold VALUES ('req_00000000000000000000000000000001', 1, 'acme', 'ada', 1)",
            "open hold",
        ),
        ("UPDATE rollup SET input = input + 1", "roll-up of `acme`"),
        ("UPDATE rollup SET user = 'bob'", "roll-up of `acme`"),
    ] {
        fs::write(&path, &pristine).unwrap();
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(&format!("PRAGMA foreign_keys = OFF; {tampering}")).unwrap();
        drop(connection);
        let found = verify_file(&path).differences;
        let at_place = |difference: &Difference| difference.place.starts_with(place);
        assert!(found.iter().any(at_place), "{tampering}: {found:?}");
    }
}

#[test]
fn lists_are_read_by_index_and_not_by_scanning() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger.db");
    drop(SqliteStore::open(&path).unwrap());
    let connection = Connection::open(&path).unwrap();
    for scope in [only("acme", "ada"), everyone_of("acme")] {
        let sql = format!("EXPLAIN QUERY PLAN {}", crate::store::sqlite::list_of_requests(&scope));
        let mut plan = connection.prepare(&sql).unwrap();
        let steps =
            plan.query_map(["acme", "ada", "req_1", "9"], |row| row.get::<_, String>("detail"));
        let steps: Vec<_> = steps.unwrap().map(Result::unwrap).collect();
        let scans = steps.iter().any(|step| step.starts_with("SCAN") && !step.contains("page"));
        assert!(!scans, "{steps:#?}");
    }
}
