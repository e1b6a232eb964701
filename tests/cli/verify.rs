use farthing_ledger::SqliteStore;

use crate::support::Folder;

#[test]
fn a_new_ledger_is_in_order() {
    let folder = Folder::new();
    drop(SqliteStore::open(folder.path("farthing.db")).unwrap());
    let out = folder.run(&["verify"]).ok();
    assert!(out.starts_with("0 entries of 0 calls"), "{out}");
    assert_eq!(folder.run(&["verify", "--json"]).json()["entries"], 0);
}

#[test]
fn what_is_no_ledger_is_refused() {
    let folder = Folder::new().with("notes.txt", "not a database, but longer than a header of one");
    let missing = folder.run(&["verify"]).fails(1);
    assert!(missing.starts_with("farthing: ledger farthing.db: cannot open"), "{missing}");
    let other = folder.run(&["verify", "--store", "notes.txt"]).fails(1);
    assert!(other.starts_with("farthing: ledger notes.txt: "), "{other}");
}
