//! Whatever stands in files: counted with a reason, never fatal, never silent.

use proptest::prelude::*;
use serde_json::json;

use crate::support::{Folder, answer, lines, usage};

fn good() -> String {
    lines(&[answer("m1", "09:00:00", usage(10, 20, 30, 40))])
}

#[test]
fn a_last_line_that_breaks_off_is_counted_as_such() {
    let second = answer("m2", "09:01:00", usage(1, 1, 1, 1)).to_string();
    let text = good() + &second[..second.len() / 2];
    let report = Folder::new().with("a.jsonl", text).json();
    assert_eq!(report["totals"]["requests"], 1);
    assert_eq!(report["skipped"]["truncated_line"]["count"], 1);
    let first = report["skipped"]["truncated_line"]["first"].as_str().unwrap();
    assert!(first.starts_with("/a.jsonl:2"), "{first}");
}

#[test]
fn what_breaks_off_in_the_middle_of_a_character_is_a_truncated_line_too() {
    let text = [good().as_bytes(), b"{\"type\":\"user\",\"x\":\"\xc3"].concat();
    let report = Folder::new().with("a.jsonl", text).json();
    assert_eq!(report["skipped"]["truncated_line"]["count"], 1);
}

#[test]
fn lines_that_are_not_json_or_not_text_are_counted() {
    let text = [good().as_bytes(), b"nonsense\n\n  \n{\"type\":1}\n\xff\xfe\n{}\n"].concat();
    let report = Folder::new().with("a.jsonl", text).json();
    assert_eq!(report["totals"]["requests"], 1);
    assert_eq!(report["skipped"]["malformed_line"]["count"], 2);
    assert_eq!(report["skipped"]["not_text"]["count"], 1);
}

#[test]
fn foreign_files_are_counted_and_other_logs_beside_them_read() {
    let folder = Folder::new()
        .with("a.jsonl", good())
        .with("notes.md", "# Notes")
        .with("other.jsonl", "{\"level\":\"info\",\"msg\":\"hello\"}\n")
        .with("empty.jsonl", "")
        .with("picture.json", b"\x89PNG\r\n")
        .with("settings.json", serde_json::to_string_pretty(&json!({ "theme": "dark" })).unwrap());
    let report = folder.json();
    assert_eq!(report["totals"]["requests"], 1);
    assert_eq!(report["skipped"]["foreign_file"]["count"], 5);
}

#[test]
fn a_line_longer_than_is_read_is_counted_and_the_next_one_read() {
    let long = "x".repeat(65 << 20);
    let text =
        format!("{}{{\"type\":\"user\",\"sessionId\":\"s1\",\"message\":\"{long}\"}}\n", good());
    let text = text + &lines(&[answer("m2", "09:01:00", usage(10, 20, 30, 40))]);
    let report = Folder::new().with("a.jsonl", text).json();
    assert_eq!(report["totals"]["requests"], 2);
    assert_eq!(report["skipped"]["line_too_long"]["count"], 1);
}

#[test]
fn a_first_line_that_breaks_off_is_skipped_and_the_others_read() {
    let text = format!("{{\"type\":\"user\",\"mess\n{}", good());
    let report = Folder::new().with("a.jsonl", text).json();
    assert_eq!(report["totals"]["requests"], 1);
}

#[test]
fn an_answer_buried_deep_is_not_looked_for() {
    let deep = "{\"response\":".repeat(200_000) + "1" + &"}".repeat(200_000);
    let report = Folder::new().with("a.jsonl", deep + "\n" + &good()).json();
    assert_eq!(report["totals"]["requests"], 1);
}

#[test]
fn a_clock_that_goes_back_is_no_idle_time() {
    let log = lines(&[
        answer("m1", "09:30:00", usage(10, 0, 20_000, 40)),
        answer("m2", "09:00:00", usage(10, 0, 20_100, 40)),
    ]);
    let report = Folder::new().with("a.jsonl", log).json();
    let rules: Vec<_> =
        report["waste"].as_array().unwrap().iter().map(|one| &one["rule"]).collect();
    assert!(!rules.contains(&&json!("idle_lapse")), "{rules:?}");
    assert_eq!(report["skipped"]["clock_went_back"]["count"], 1);
}

#[test]
fn requests_without_a_time_are_priced_and_their_day_is_unknown() {
    let mut line = answer("m1", "09:00:00", usage(1_000_000, 0, 0, 0));
    line["timestamp"] = json!("yesterday");
    let report = Folder::new().with("a.jsonl", lines(&[line])).json();
    assert_eq!(report["by_day"]["unknown"]["cost_usd"], "5.00");
}

#[test]
fn usage_that_contradicts_itself_is_counted_and_in_no_sum() {
    let bad = json!({ "input_tokens": -5, "output_tokens": 3 });
    let report =
        Folder::new().with("a.jsonl", good() + &lines(&[answer("m2", "09:01:00", bad)])).json();
    assert_eq!(report["totals"]["requests"], 1);
    assert_eq!(report["skipped"]["invalid_usage"]["count"], 1);
}

#[test]
fn absurd_counts_do_not_overflow() {
    let absurd = usage(u64::from(u32::MAX), 900_000_000_000, 900_000_000_000, 900_000_000_000);
    let log: Vec<_> =
        (0..50).map(|at| answer(&format!("m{at}"), "09:00:00", absurd.clone())).collect();
    let report = Folder::new().with("a.jsonl", lines(&log)).json();
    assert_eq!(report["totals"]["requests"], 50);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A log with bytes changed, cut out or put in is read to its end.
    #[test]
    fn a_damaged_log_is_read_to_its_end(
        which in 0_usize..4,
        damages in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_usize..3), 1..20),
    ) {
        let logs = [
            lines(&[answer("m1", "09:00:00", usage(10, 20, 30, 40)), crate::support::result("t", "x", true)]),
            include_str!("samples/codex.jsonl").to_owned(),
            include_str!("samples/gemini.json").to_owned(),
            include_str!("samples/api.jsonl").to_owned(),
        ];
        let mut bytes = logs[which].clone().into_bytes();
        for (at, byte, how) in damages {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte),
            }
        }
        let folder = Folder::new().with("a.jsonl", bytes);
        let report = folder.report();
        let all = report.totals.requests + report.skipped.iter().map(|(_, skip)| skip.count).sum::<u64>();
        prop_assert!(all > 0 || report.sessions.is_empty());
    }

    /// Any text is read to its end.
    #[test]
    fn any_text_is_read_to_its_end(text in "(\\PC|\n|[{}\\[\\]\":,]){0,400}") {
        Folder::new().with("a.json", text).report();
    }
}
