use serde_json::Value;

use crate::support::Folder;

#[test]
fn keys_are_made_listed_rotated_and_revoked() {
    let folder = Folder::new();
    let run = |arguments: &[&str]| -> Value {
        let arguments: Vec<_> =
            ["keys"].iter().chain(arguments).chain(&["--json"]).copied().collect();
        serde_json::from_str(&folder.run(&arguments).ok()).unwrap()
    };
    assert!(folder.run(&["keys", "list"]).ok().contains("There are no keys"));
    let made = run(&["create", "--id", "root", "--admin"]);
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("fk_") && secret.len() == 67);
    assert_ne!(run(&["rotate", "root"])["secret"], made["secret"]);
    run(&["create", "--user", "ann", "--models", "gpt-4*,o3"]);
    let listed = folder.run(&["keys", "list"]).ok();
    assert!(listed.contains("root") && listed.contains("ann") && !listed.contains("fk_"));
    run(&["revoke", "root"]);
    assert!(folder.run(&["keys", "list"]).ok().contains("revoked"));
    assert!(folder.run(&["keys", "create"]).fails(1).contains("--user"));
    assert!(folder.run(&["keys", "revoke", "nobody"]).fails(1).contains("no key `nobody`"));
}

#[test]
fn a_ledger_that_is_in_use_says_whom_to_ask() {
    let folder = Folder::new();
    let _serving = folder.serve("serve");
    assert!(folder.run(&["keys", "list"]).fails(1).contains("POST /api/v1/keys"));
}
