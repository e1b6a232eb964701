//! Against the publisher's own tiktoken, which `make test` installs.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use farthing_tokenizer::{Encoding, encoding};

use crate::texts::{cruel, of_this_machine};

type Counts = BTreeMap<String, BTreeMap<String, u64>>;

#[test]
fn texts_count_as_the_publishers_own_tiktoken_counts() {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = crate_root.join("../../target/clients/bin/python");
    let has_tiktoken = Command::new(&python).args(["-c", "import tiktoken"]).output();
    if !has_tiktoken.is_ok_and(|output| output.status.success()) {
        println!("skipped: Python's tiktoken is not there; `make clients` installs it");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for the texts");
    let mut texts = BTreeMap::new();
    let samples = include_str!("../data/languages.txt").to_owned();
    let all = cruel(3_000).into_iter().chain(of_this_machine(2_000_000)).chain([samples]);
    for (number, text) in all.enumerate() {
        std::fs::write(folder.path().join(number.to_string()), &text).expect("a text is written");
        texts.insert(number.to_string(), text);
    }
    let output = Command::new(&python)
        .arg(crate_root.join("tests/oracle/tiktoken_counts.py"))
        .arg(crate_root.join("vocabulary"))
        .arg(folder.path())
        .output()
        .expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let expected: Counts = serde_json::from_slice(&output.stdout).expect("counts");
    for name in Encoding::ALL {
        for (number, text) in &texts {
            let count = encoding(name).count(text);
            assert_eq!(count, expected[name.name()][number], "{} of {text:?}", name.name());
        }
    }
}
