//! What every command has in common.

use std::io::Write;
use std::process::Stdio;

use crate::support::Folder;

const COMMANDS: &[&[&str]] = &[
    &[],
    &["serve"],
    &["run"],
    &["env"],
    &["demo"],
    &["count"],
    &["price"],
    &["optimize"],
    &["replay"],
    &["catalog"],
    &["catalog", "show"],
    &["catalog", "list"],
    &["catalog", "check"],
    &["catalog", "diff"],
    &["catalog", "refresh"],
    &["config"],
    &["config", "show"],
    &["config", "check"],
    &["keys"],
    &["keys", "create"],
    &["doctor"],
    &["verify"],
];

#[test]
fn help_fits_eighty_columns() {
    let folder = Folder::new();
    for command in COMMANDS {
        let help = folder.run(&[command, &["--help"][..]].concat()).ok();
        let long: Vec<_> = help.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(long.is_empty(), "{command:?}: {long:#?}");
    }
}

#[test]
fn what_cannot_be_understood_is_a_usage_error() {
    let folder = Folder::new();
    for arguments in [
        &[][..],
        &["cuont"],
        &["count", "--colour"],
        &["count", "--requests", "a", "--request", "b"],
        &["count", "--request", "a", "--api", "odd"],
        &["price", "--model", "gpt-4.1"],
        &["price", "a text without a model"],
        &["price", "--model", "gpt-4.1", "--input", "many"],
        &["price", "--model", "gpt-4.1", "--input", "1", "--cached", "2"],
        &["serve", "--listen", "here"],
    ] {
        let err = folder.run(arguments).fails(2);
        assert!(err.contains("try '--help'") || err.contains("Usage: farthing"), "{err}");
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let folder = Folder::new();
    let mut command = folder.command(&["count", "--requests", "-"]);
    let mut process = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(process.stdout.take());
    // It ends at the first answer that nobody reads, so the rest may find nobody either.
    let _ = process.stdin.take().unwrap().write_all("{}\n".repeat(100_000).as_bytes());
    let output = process.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    // The line that it did answer was malformed, and that is still said.
    assert_eq!(output.status.code(), Some(1));

    let mut command = folder.command(&["count", "-"]);
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    drop(process.stdout.take());
    process.stdin.take().unwrap().write_all(b"a text").unwrap();
    assert!(process.wait().unwrap().success());
}
