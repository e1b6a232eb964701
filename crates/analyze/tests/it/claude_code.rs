//! Claude Code's transcripts: what is counted once, and at which price.

use serde_json::{Value, json};

use crate::support::{Folder, answer, calling, lines, usage};

#[test]
fn of_an_answer_that_was_written_in_pieces_the_last_usage_counts_once() {
    let pieces = [1, 4, 358].map(|output| answer("m1", "09:00:00", usage(10, 20, 30, output)));
    let report = Folder::new().with("a.jsonl", lines(&pieces)).json();
    assert_eq!(report["totals"]["requests"], 1);
    assert_eq!(
        report["totals"]["usage"],
        json!({
            "input": 10, "cache_read": 20, "cache_write_5m": 30, "cache_write_1h": 0,
            "cache_write": 30, "output": 358,
        })
    );
    // Opus 4.5: 5, 0.5, 6.25 and 25 dollars a million.
    assert_eq!(report["totals"]["cost_usd"], "0.0091975");
    assert_eq!(report["totals"]["cost_status"], "priced");
}

#[test]
fn a_resumed_session_repeats_answers_that_are_paid_once() {
    let first = [
        answer("m1", "09:00:00", usage(10, 0, 0, 5)),
        answer("m2", "09:01:00", usage(10, 0, 0, 5)),
    ];
    let mut copy: Vec<Value> = first.to_vec();
    copy.iter_mut().for_each(|line| line["sessionId"] = json!("s2"));
    copy.push(answer("m3", "09:02:00", usage(10, 0, 0, 5)));
    copy[2]["sessionId"] = json!("s2");
    let folder = Folder::new().with("b/1.jsonl", lines(&first)).with("a/2.jsonl", lines(&copy));
    let report = folder.json();
    assert_eq!(report["totals"]["requests"], 3);
    assert_eq!(report["skipped"]["duplicate"]["count"], 2);
}

#[test]
fn of_two_copies_the_fuller_one_counts() {
    let part = [answer("m1", "09:00:00", usage(10, 0, 0, 1))];
    let whole = [
        answer("m1", "09:00:00", usage(10, 0, 0, 1)),
        answer("m1", "09:00:01", usage(10, 0, 0, 90)),
    ];
    let folder = Folder::new().with("a.jsonl", lines(&part)).with("b.jsonl", lines(&whole));
    let report = folder.json();
    assert_eq!(report["totals"]["usage"]["output"], 90);
    assert_eq!(report["totals"]["cost_usd"], "0.0023");
}

#[test]
fn writes_that_live_an_hour_are_priced_as_such() {
    let mut hour = usage(0, 0, 1_000_000, 0);
    hour["cache_creation"] =
        json!({ "ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 1_000_000 });
    let report = Folder::new().with("a.jsonl", lines(&[answer("m1", "09:00:00", hour)])).json();
    assert_eq!(report["totals"]["usage"]["cache_write_1h"], 1_000_000);
    assert_eq!(report["totals"]["cost_usd"], "10.00");
}

#[test]
fn a_split_of_writes_from_the_streams_beginning_does_not_void_the_bill() {
    let mut grown = usage(0, 0, 900, 5);
    grown["cache_creation"]["ephemeral_5m_input_tokens"] = json!(400);
    let report = Folder::new().with("a.jsonl", lines(&[answer("m1", "09:00:00", grown)])).json();
    assert_eq!(report["totals"]["usage"]["cache_write_5m"], 900);
}

#[test]
fn each_answer_has_its_own_models_price_and_an_unknown_one_has_none() {
    let mut haiku = answer("m2", "09:01:00", usage(1_000_000, 0, 0, 0));
    haiku["message"]["model"] = json!("claude-haiku-4-5-20251001");
    let mut unknown = answer("m3", "09:02:00", usage(1_000_000, 0, 0, 0));
    unknown["message"]["model"] = json!("claude-nobody-knows");
    let known = answer("m1", "09:00:00", usage(1_000_000, 0, 0, 0));
    let report = Folder::new().with("a.jsonl", lines(&[known, haiku, unknown])).json();
    assert_eq!(report["totals"]["cost_usd"], "6.00");
    assert_eq!(report["totals"]["cost_status"], "partial");
    assert_eq!(report["totals"]["unpriced"], 1);
    let unknown = &report["by_model"]["claude-nobody-knows"];
    assert_eq!((&unknown["cost_usd"], &unknown["cost_status"]), (&Value::Null, &json!("unpriced")));
    assert_eq!(unknown["usage"]["input"], 1_000_000);
}

#[test]
fn sub_agents_are_their_sessions_and_missing_ones_are_named() {
    let mut agent = answer("m2", "09:01:00", usage(10, 0, 0, 5));
    agent["isSidechain"] = json!(true);
    agent["agentId"] = json!("a1");
    let mut told = crate::support::result("t1", "done", false);
    told["toolUseResult"] = json!({ "agentId": "a2", "totalTokens": 5_000, "status": "completed" });
    let main = [answer("m1", "09:00:00", usage(10, 0, 0, 5)), told];
    let folder = Folder::new()
        .with("p/s1.jsonl", lines(&main))
        .with("p/s1/subagents/agent-a1.jsonl", lines(&[agent]));
    let report = folder.json();
    assert_eq!(report["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(report["sessions"][0]["requests"], 2);
    assert_eq!(report["sessions"][0]["agents"]["a1"]["requests"], 1);
    assert_eq!(
        report["incomplete"],
        json!({ "requests": 0, "agents_missing": 1, "tokens_at_least": 5_000 })
    );
}

#[test]
fn a_log_that_breaks_off_before_the_bill_is_said_to_be_incomplete() {
    let mut cut = answer("m1", "09:00:00", usage(10, 0, 0, 4));
    cut["message"]["content"] = json!([{ "type": "text", "text": "word ".repeat(300) }]);
    let report = Folder::new().with("a.jsonl", lines(std::slice::from_ref(&cut))).json();
    assert_eq!(report["totals"]["incomplete"], 1);
    cut["message"]["stop_reason"] = json!("end_turn");
    let report = Folder::new().with("a.jsonl", lines(&[cut])).json();
    assert_eq!(report["totals"]["incomplete"], Value::Null);
}

#[test]
fn what_the_program_said_itself_and_what_failed_is_skipped_with_a_reason() {
    let mut synthetic = answer("m1", "09:00:00", usage(0, 0, 0, 0));
    synthetic["message"]["model"] = json!("<synthetic>");
    let empty = answer("m2", "09:00:00", json!({}));
    let none = answer("m3", "09:00:00", Value::Null);
    let report = Folder::new().with("a.jsonl", lines(&[synthetic, empty, none])).json();
    assert_eq!(report["totals"]["requests"], 0);
    assert_eq!(report["totals"]["cost_usd"], "0.00");
    assert_eq!(report["skipped"]["synthetic"]["count"], 1);
    assert_eq!(report["skipped"]["no_usage"]["count"], 2);
}

#[test]
fn the_report_is_the_same_on_any_number_of_threads() {
    let mut folder = Folder::new();
    for file in 0..20 {
        let all: Vec<Value> = (0..30)
            .map(|at| {
                answer(
                    &format!("m{}", file * 20 + at),
                    &format!("09:{at:02}:00"),
                    usage(10, 5, 5, 7),
                )
            })
            .map(|line| calling(line, "Read", "t", json!({ "file_path": "/a" })))
            .collect();
        folder = folder.with(&format!("{file}.jsonl"), lines(&all));
    }
    let of = |threads| serde_json::to_value(folder.report_by(threads)).unwrap();
    assert_eq!(of(1), of(7));
    assert_eq!(of(1)["totals"]["requests"], 410);
}

#[test]
fn a_real_transcript_costs_what_its_last_usages_cost() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/data/corpus/claude_code_raw_part.jsonl"
    );
    let Ok(text) = std::fs::read_to_string(path) else {
        return println!("skipped: ../shared not present");
    };
    let report = Folder::new().with("a.jsonl", &text).json();
    // Reckoned here on its own: the last usage of each message, at Opus 4.5's prices.
    let mut last = std::collections::BTreeMap::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["type"] == "assistant" {
            let message = &line["message"];
            last.insert(message["id"].to_string(), message["usage"].clone());
        }
    }
    let sum = |name: &str| last.values().map(|usage| usage[name].as_u64().unwrap()).sum::<u64>();
    let pico = sum("input_tokens") * 5_000_000
        + sum("cache_read_input_tokens") * 500_000
        + sum("cache_creation_input_tokens") * 6_250_000
        + sum("output_tokens") * 25_000_000;
    let usd = farthing_core::Usd::from_pico(pico.into());
    assert_eq!(report["totals"]["requests"], last.len());
    assert_eq!(report["totals"]["cost_usd"], usd.to_string());
    let idle = &report["waste"][0];
    assert_eq!(
        (&idle["rule"], &idle["count"], &idle["cost_usd"]),
        (&json!("idle_lapse"), &json!(2), &json!("0.87674275"))
    );
}
