use std::fs;

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn read(usage: &str) -> Reported {
    reported(Some(Json::parse(usage.as_bytes()).unwrap()), CHAT)
}

fn valid(usage: &str) -> Vec<(&'static str, u64)> {
    match read(usage) {
        Reported::Valid(usage) => usage.iter().map(|(bucket, n)| (bucket.name(), n)).collect(),
        other => panic!("{usage}: {other:?}"),
    }
}

#[test]
fn counts_that_contain_each_other_become_disjoint() {
    for (usage, buckets) in [
        (r#"{"prompt_tokens":9,"completion_tokens":6}"#, vec![("input", 9), ("output", 6)]),
        (
            r#"{"prompt_tokens":9.0,"completion_tokens":0,"total_tokens":9,"prompt_tokens_details":null}"#,
            vec![("input", 9)],
        ),
        (
            r#"{"prompt_tokens":4020,"completion_tokens":5,"total_tokens":4025,
                "prompt_tokens_details":{"cached_tokens":4000,"cache_write_tokens":12,"audio_tokens":null}}"#,
            vec![("input", 8), ("cache_read", 4000), ("cache_write_5m", 12), ("output", 5)],
        ),
        (
            r#"{"prompt_tokens":100,"completion_tokens":50,"prompt_tokens_details":{"cache_creation_tokens":40}}"#,
            vec![("input", 60), ("cache_write_5m", 40), ("output", 50)],
        ),
        (
            r#"{"prompt_tokens":81,"completion_tokens":72,"prompt_tokens_details":{"audio_tokens":60,"image_tokens":9,"text_tokens":12},
                "completion_tokens_details":{"reasoning_tokens":2,"audio_tokens":20,"image_tokens":30,"accepted_prediction_tokens":3,"rejected_prediction_tokens":4}}"#,
            vec![
                ("input", 12),
                ("input_audio", 60),
                ("input_image", 9),
                ("output", 20),
                ("output_reasoning", 2),
                ("output_audio", 20),
                ("output_image", 30),
            ],
        ),
    ] {
        assert_eq!(valid(usage), buckets, "{usage}");
    }
}

#[test]
fn media_that_have_no_room_beside_cached_tokens_were_cached() {
    let usage = r#"{"prompt_tokens":100,"completion_tokens":1,
        "prompt_tokens_details":{"cached_tokens":80,"audio_tokens":30,"video_tokens":5}}"#;
    let buckets =
        [("input_audio", 20), ("cache_read", 70), ("cache_read_audio", 10), ("output", 1)];
    assert_eq!(valid(usage), buckets);
}

#[test]
fn cached_tokens_are_found_where_other_providers_put_them() {
    let buckets = [("input", 51), ("cache_read", 512), ("output", 1)];
    for place in [
        r#""prompt_tokens_details":{"cached_tokens":512}"#,
        r#""prompt_cache_hit_tokens":512,"prompt_cache_miss_tokens":51"#,
        r#""cached_tokens":512"#,
        r#""cached_tokens":512,"prompt_tokens_details":{"cached_tokens":512}"#,
    ] {
        let usage = format!(r#"{{"prompt_tokens":563,"completion_tokens":1,{place}}}"#);
        assert_eq!(valid(&usage), buckets, "{place}");
    }
}

#[test]
fn the_total_tells_whether_thinking_is_inside_of_the_completion() {
    let usage = |total: u64| {
        format!(
            r#"{{"prompt_tokens":4000,"completion_tokens":900,"total_tokens":{total},
                 "completion_tokens_details":{{"reasoning_tokens":300}}}}"#
        )
    };
    let input = ("input", 4000);
    assert_eq!(valid(&usage(4900)), [input, ("output", 600), ("output_reasoning", 300)]);
    assert_eq!(valid(&usage(5200)), [input, ("output", 900), ("output_reasoning", 300)]);
    assert!(matches!(read(&usage(5000)), Reported::Invalid(_)));
}

#[test]
fn research_is_counted_beside_the_answer() {
    let usage = r#"{"prompt_tokens":33,"completion_tokens":7163,"total_tokens":7196,
        "citation_tokens":20016,"num_search_queries":18,"reasoning_tokens":73997,"cost":{"x":1}}"#;
    let buckets = [
        ("input", 33),
        ("output", 7163),
        ("output_reasoning", 73_997),
        ("citation", 20_016),
        ("web_search", 18),
    ];
    assert_eq!(valid(usage), buckets);
}

#[test]
fn cached_tokens_are_found_wherever_they_are_told() {
    for (member, cached) in [
        (r#""cached_tokens":4"#, 4),
        (r#""num_cached_tokens":4"#, 4),
        (r#""cached_prompt_text_tokens":4"#, 4),
        (r#""cache_read_input_tokens":4"#, 4),
        (r#""prompt_cache_hit_tokens":4,"prompt_cache_miss_tokens":5"#, 4),
        (r#""num_cached_tokens":null,"prompt_tokens_details":{"cached_tokens":4}"#, 4),
    ] {
        let usage = format!(r#"{{"prompt_tokens":9,"completion_tokens":1,{member}}}"#);
        let expected = [("input", 9 - cached), ("cache_read", cached), ("output", 1)];
        assert_eq!(valid(&usage), expected, "{member}");
    }
}

#[test]
fn nothing_said_is_not_the_same_as_nothing_consumed() {
    assert_eq!(reported(None, CHAT), Reported::Absent);
    assert_eq!(read("null"), Reported::Absent);
    assert_eq!(read("{}"), Reported::Absent);
    let zero = r#"{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}"#;
    assert_eq!(read(zero), Reported::NoPrompt(Usage::NONE));
    let output = Usage::NONE.with(Bucket::Output, 3);
    let no_prompt = r#"{"prompt_tokens":0,"completion_tokens":3}"#;
    assert_eq!(read(no_prompt), Reported::NoPrompt(output));
}

#[test]
fn contradictions_are_refused_with_their_reason() {
    for (usage, reason) in [
        (r#""12""#, "usage is a string, not an object"),
        ("[]", "usage is an array, not an object"),
        (r#"{"prompt_tokens":1}"#, "completion_tokens is missing"),
        (r#"{"total_tokens":1}"#, "prompt_tokens is missing"),
        (
            r#"{"prompt_tokens":-1,"completion_tokens":1}"#,
            "prompt_tokens is the number -1, which is no count of tokens",
        ),
        (
            r#"{"prompt_tokens":1,"completion_tokens":"1"}"#,
            "completion_tokens is a string, which is no count of tokens",
        ),
        (
            r#"{"prompt_tokens":1000000000001,"completion_tokens":1}"#,
            "prompt_tokens is the number 1000000000001, which is no count of tokens",
        ),
        (
            r#"{"prompt_tokens":9,"completion_tokens":6,"total_tokens":14}"#,
            "total_tokens is 14, but prompt_tokens and completion_tokens are 9 and 6",
        ),
        (
            r#"{"prompt_tokens":9,"completion_tokens":6,"prompt_tokens_details":{"cached_tokens":10}}"#,
            "cached_tokens and cache_write_tokens exceed the 9 prompt_tokens that contain them",
        ),
        (
            r#"{"prompt_tokens":9,"completion_tokens":6,"prompt_tokens_details":{"audio_tokens":10}}"#,
            "audio_tokens exceed the 9 prompt_tokens that contain them",
        ),
        (
            r#"{"prompt_tokens":9,"completion_tokens":6,"completion_tokens_details":{"reasoning_tokens":7}}"#,
            "reasoning_tokens exceed the 6 completion_tokens that contain them",
        ),
        (
            r#"{"prompt_tokens":9,"completion_tokens":6,"cached_tokens":1,"prompt_cache_hit_tokens":2}"#,
            "cached tokens are said to be 2 and 1",
        ),
        (
            r#"{"prompt_tokens":9,"completion_tokens":6,"prompt_cache_hit_tokens":2,"prompt_cache_miss_tokens":8}"#,
            "2 cache hits and 8 misses are not 9 tokens",
        ),
        (
            r#"{"prompt_tokens":9,"completion_tokens":6,"completion_tokens_details":{"rejected_prediction_tokens":7}}"#,
            "rejected_prediction_tokens exceed the 6 completion_tokens that contain them",
        ),
    ] {
        assert_eq!(read(usage), Reported::Invalid(reason.into()), "{usage}");
    }
}

/// Prompt, cached tokens and completion of every recorded payload, against an independent reading.
#[test]
fn recorded_payloads_are_read_as_others_read_them() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/pricing_cases.jsonl");
    let Ok(cases) = fs::read_to_string(path) else {
        println!("skipped: ../shared not present");
        return;
    };
    let mut checked = 0;
    for line in cases.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let usage = case["usage_payload"]["usage"].to_string();
        // Where xAI's total says that thinking is inside, the reading beside it is known as wrong.
        let is_wrong = case["provider"] == "x-ai" && case["verdict"] == "corrected";
        let (true, false) = (case["api_flavor"] == "chat", is_wrong) else { continue };
        let (Some(units), Reported::Valid(usage)) = (case["units"].as_object(), read(&usage))
        else {
            continue;
        };
        let cached = [Bucket::CacheRead, Bucket::CacheReadAudio].map(|b| usage.get(b));
        for (unit, count) in [
            ("input_tokens", usage.prompt()),
            ("cache_read_tokens", cached.iter().sum()),
            ("cache_write_tokens", usage.get(Bucket::CacheWrite5m)),
            ("input_audio_tokens", usage.get(Bucket::InputAudio)),
            ("output_tokens", usage.completion()),
            ("output_reasoning_tokens", usage.get(Bucket::OutputReasoning)),
        ] {
            if let Some(expected) = units.get(unit) {
                assert_eq!(expected.as_u64(), Some(count), "{unit} of case {}", case["id"]);
            }
        }
        checked += 1;
    }
    assert!(checked > 100, "only {checked} cases were found");
}

proptest! {
    #[test]
    fn no_token_is_lost_or_counted_twice(
        whole in any::<[u8; 2]>(),
        [cached, written, audio, image, video] in any::<[u8; 5]>().prop_map(|n| n.map(|n| n / 3)),
        [thought, spoken, drawn] in any::<[u8; 3]>().prop_map(|n| n.map(|n| n / 2)),
    ) {
        let [prompt, completion] = whole.map(u64::from);
        let usage = format!(
            r#"{{"prompt_tokens":{prompt},"completion_tokens":{completion},
                "prompt_tokens_details":{{"cached_tokens":{cached},"cache_write_tokens":{written},
                    "audio_tokens":{audio},"image_tokens":{image},"video_tokens":{video}}},
                "completion_tokens_details":{{"reasoning_tokens":{thought},
                    "audio_tokens":{spoken},"image_tokens":{drawn}}}}}"#
        );
        match read(&usage) {
            Reported::Valid(usage) | Reported::NoPrompt(usage) => {
                prop_assert_eq!((usage.prompt(), usage.completion()), (prompt, completion));
            }
            Reported::Invalid(_) => {}
            other => prop_assert!(false, "{other:?}"),
        }
    }
}
