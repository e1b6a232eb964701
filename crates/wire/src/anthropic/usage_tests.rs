use std::fs;

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn read(usage: &str) -> Reported {
    reported(Some(Json::parse(usage.as_bytes()).unwrap()), Some("own"))
}

fn buckets(usage: &Usage) -> Vec<(&'static str, u64)> {
    usage.iter().map(|(bucket, n)| (bucket.name(), n)).collect()
}

fn valid(usage: &str) -> Vec<(&'static str, u64)> {
    match read(usage) {
        Reported::Valid(usage) => buckets(&usage),
        other => panic!("{usage}: {other:?}"),
    }
}

#[test]
fn counts_become_disjoint() {
    for (usage, buckets) in [
        (r#"{"input_tokens":9,"output_tokens":6.0}"#, vec![("input", 9), ("output", 6)]),
        (
            r#"{"input_tokens":0,"cache_read_input_tokens":5,"output_tokens":0,
                "cache_creation_input_tokens":null,"cache_creation":null,"iterations":null,
                "output_tokens_details":null,"server_tool_use":null}"#,
            vec![("cache_read", 5)],
        ),
        (
            r#"{"input_tokens":1,"cache_creation_input_tokens":7,"output_tokens":2}"#,
            vec![("input", 1), ("cache_write_5m", 7), ("output", 2)],
        ),
        (
            r#"{"input_tokens":1,"cache_creation_input_tokens":7,"output_tokens":2,"cache_creation":{}}"#,
            vec![("input", 1), ("cache_write_5m", 7), ("output", 2)],
        ),
        (
            r#"{"input_tokens":1,"output_tokens":2,"cache_creation":{"ephemeral_1h_input_tokens":7}}"#,
            vec![("input", 1), ("cache_write_1h", 7), ("output", 2)],
        ),
        (
            r#"{"input_tokens":1,"output_tokens":9,"output_tokens_details":{"thinking_tokens":9},
                "server_tool_use":{"web_search_requests":3,"web_fetch_requests":4}}"#,
            vec![("input", 1), ("output_reasoning", 9), ("web_search", 3)],
        ),
    ] {
        assert_eq!(valid(usage), buckets, "{usage}");
    }
}

#[test]
fn nothing_said_is_not_the_same_as_nothing_consumed() {
    assert_eq!(reported(None, None), Reported::Absent);
    assert_eq!(read("null"), Reported::Absent);
    assert_eq!(read("{}"), Reported::Absent);
    let zero = r#"{"input_tokens":0,"output_tokens":0}"#;
    assert_eq!(read(zero), Reported::NoPrompt(Usage::NONE));
}

#[test]
fn contradictions_are_refused_with_their_reason() {
    for (usage, reason) in [
        ("7", "usage is the number 7, not an object"),
        (r#"{"output_tokens":1}"#, "input_tokens is missing"),
        (r#"{"input_tokens":1}"#, "output_tokens is missing"),
        (
            r#"{"input_tokens":-1,"output_tokens":1}"#,
            "input_tokens is the number -1, which is no count of tokens",
        ),
        (
            r#"{"input_tokens":1,"output_tokens":1,"cache_read_input_tokens":1000000000001}"#,
            "cache_read_input_tokens is the number 1000000000001, which is no count of tokens",
        ),
        (
            r#"{"input_tokens":1,"output_tokens":1,"output_tokens_details":{"thinking_tokens":2}}"#,
            "thinking_tokens exceed the 1 output_tokens that contain them",
        ),
        (
            r#"{"input_tokens":1,"output_tokens":1,"cache_creation_input_tokens":7,
                "cache_creation":{"ephemeral_5m_input_tokens":3,"ephemeral_1h_input_tokens":3}}"#,
            "cache_creation adds up to 6, but cache_creation_input_tokens is 7",
        ),
        (
            r#"{"input_tokens":1,"output_tokens":7,
                "iterations":[{"type":"message","input_tokens":1,"output_tokens":6}]}"#,
            "iterations add up to 6 of the 7 output_tokens",
        ),
        (
            r#"{"input_tokens":1,"output_tokens":1,"iterations":[{"type":"message"}]}"#,
            "input_tokens is missing",
        ),
        (
            r#"{"input_tokens":1,"output_tokens":1,
                "iterations":[{"type":"advisor_message","input_tokens":1,"output_tokens":1}]}"#,
            "an advisor_message does not name its model",
        ),
    ] {
        assert_eq!(read(usage), Reported::Invalid(reason.into()), "{usage}");
    }
}

#[test]
fn iterations_are_the_bill_and_the_counts_beside_them_are_not() {
    // The split beside the iterations is that of the first.
    let usage = r#"{"input_tokens":5,"output_tokens":3,"cache_creation_input_tokens":30,
        "cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":10},
        "output_tokens_details":{"thinking_tokens":1},"iterations":[
        {"type":"compaction","input_tokens":1000,"output_tokens":100},
        {"type":"message","model":"alias of own","input_tokens":5,"output_tokens":1,
         "cache_creation_input_tokens":10,
         "cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":10}},
        {"type":"message","input_tokens":50,"output_tokens":2,"cache_creation_input_tokens":20}]}"#;
    let expected = [
        ("input", 1055),
        ("cache_write_5m", 20),
        ("cache_write_1h", 10),
        ("output", 102),
        ("output_reasoning", 1),
    ];
    assert_eq!(valid(usage), expected);
    let none = r#"{"input_tokens":5,"output_tokens":3,"iterations":[]}"#;
    assert_eq!(valid(none), [("input", 5), ("output", 3)]);
}

/// What each model consumed by these iterations.
fn joint(iterations: &str) -> (Usage, Vec<ModelUsage>) {
    match read(&format!(r#"{{"input_tokens":0,"output_tokens":0,"iterations":[{iterations}]}}"#)) {
        Reported::Joint { own, others } => (own, others),
        other => panic!("{iterations}: {other:?}"),
    }
}

#[test]
fn advisors_are_billed_by_their_own_model() {
    let (own, others) = joint(
        r#"{"type":"message","input_tokens":1,"output_tokens":2},
           {"type":"advisor_message","model":"dear","input_tokens":3,"output_tokens":0},
           {"type":"advisor_message","model":"own","input_tokens":10,"output_tokens":20},
           {"type":"advisor_message","model":"dear","input_tokens":4,"output_tokens":5}"#,
    );
    assert_eq!(buckets(&own), [("input", 11), ("output", 22)]);
    let [ModelUsage { model, usage }] = &others[..] else { panic!("{others:?}") };
    assert_eq!((model.as_str(), buckets(usage)), ("dear", vec![("input", 7), ("output", 5)]));
}

#[test]
fn of_models_that_declined_only_those_that_wrote_are_billed() {
    let (own, others) = joint(
        r#"{"type":"message","model":"silent","input_tokens":1,"output_tokens":0},
           {"type":"message","model":"chatty","input_tokens":2,"output_tokens":3},
           {"type":"message","model":"own","input_tokens":4,"output_tokens":5},
           {"type":"fallback_message","model":"own","input_tokens":6,"output_tokens":7}"#,
    );
    assert_eq!(buckets(&own), [("input", 10), ("output", 12)]);
    let [ModelUsage { model, usage }] = &others[..] else { panic!("{others:?}") };
    assert_eq!((model.as_str(), buckets(usage)), ("chatty", vec![("input", 2), ("output", 3)]));
    // Without a fallback, an answer of nothing was asked for: to fill the cache.
    let usage = r#"{"input_tokens":9,"output_tokens":0,
        "iterations":[{"type":"message","input_tokens":9,"output_tokens":0}]}"#;
    assert_eq!(valid(usage), [("input", 9)]);
}

/// The usage that providers reported in recorded requests and transcripts.
#[test]
fn recorded_usage_is_valid_and_complete() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let files = ["token_ground_truth.jsonl", "corpus/claude_code_raw_part.jsonl"];
    let mut checked = 0;
    for file in files {
        let Ok(text) = fs::read_to_string(format!("{data}/{file}")) else {
            println!("skipped: ../shared not present");
            return;
        };
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let recorded = [&line["usage"], &line["message"]["usage"]];
            let ours = |usage: &&&Value| usage["cache_read_input_tokens"].is_u64();
            let Some(usage) = recorded.iter().find(ours) else { continue };
            let Reported::Valid(read) = read(&usage.to_string()) else { continue };
            let said = |name: &str| usage[name].as_u64().unwrap();
            assert_eq!(read.get(Bucket::Input), said("input_tokens"), "{usage}");
            assert_eq!(read.get(Bucket::CacheRead), said("cache_read_input_tokens"), "{usage}");
            assert_eq!(read.completion(), said("output_tokens"), "{usage}");
            checked += 1;
        }
    }
    assert!(checked > 200, "only {checked} were found");
}

proptest! {
    #[test]
    fn no_token_is_lost_or_counted_twice(
        [input, read_back, short, long, output, thought] in any::<[u8; 6]>(),
        grown in 0..3_u64,
        at_start in any::<bool>(),
    ) {
        let total = u64::from(short) + u64::from(long) + grown;
        let usage = format!(
            r#"{{"input_tokens":{input},"cache_read_input_tokens":{read_back},
                "cache_creation_input_tokens":{total},"cache_creation":{{
                    "ephemeral_5m_input_tokens":{short},"ephemeral_1h_input_tokens":{long}}},
                "output_tokens":{output},"output_tokens_details":{{"thinking_tokens":{thought}}}}}"#
        );
        let split = if at_start { Split::AtStart } else { Split::Now };
        let valid = thought <= output && (at_start || grown == 0);
        match answer(Json::parse(usage.as_bytes()).unwrap(), None, split) {
            Ok(Reported::Valid(usage) | Reported::NoPrompt(usage)) => {
                prop_assert!(valid);
                prop_assert_eq!(usage.prompt(), u64::from(input) + u64::from(read_back) + total);
                prop_assert_eq!(usage.completion(), u64::from(output));
            }
            other => prop_assert!(!valid && other.is_err(), "{other:?}"),
        }
    }
}
