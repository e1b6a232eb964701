//! Waste: which calls show it, and how the dollars come about.

use serde_json::{Value, json};

use crate::support::{Folder, answer, calling, lines, result, usage};

fn found(log: &[Value], rule: &str) -> Option<Value> {
    let report = Folder::new().with("a.jsonl", lines(log)).json();
    report["waste"].as_array().unwrap().iter().find(|one| one["rule"] == rule).cloned()
}

#[test]
fn a_lapse_costs_what_writing_costs_over_reading() {
    let log = [
        answer("m1", "09:00:00", usage(0, 0, 100_000, 10)),
        answer("m2", "09:04:00", usage(0, 100_000, 1_000, 10)),
        answer("m3", "09:30:00", usage(0, 10_000, 92_000, 10)),
    ];
    let lapse = found(&log, "idle_lapse").unwrap();
    // 91,000 of 101,000 tokens were written again at 6.25 instead of read at 0.5 dollars a million.
    assert_eq!(lapse["tokens"], 91_000);
    assert_eq!(lapse["cost_usd"], "0.52325");
    assert_eq!(lapse["basis"], "observed");
    assert_eq!(lapse["evidence"][0]["call"], "m3");
}

#[test]
fn a_lapse_within_the_time_to_live_is_a_changed_prefix_and_a_shorter_prompt_is_neither() {
    let log = [
        answer("m1", "09:00:00", usage(0, 0, 100_000, 10)),
        answer("m2", "09:01:00", usage(0, 20_000, 81_000, 10)),
        answer("m3", "09:02:00", usage(0, 0, 30_000, 10)),
    ];
    assert_eq!(found(&log, "prefix_change").unwrap()["tokens"], 80_000);
    assert_eq!(found(&log, "idle_lapse"), None);
}

#[test]
fn an_hour_of_ttl_is_advised_where_it_saves_more_than_it_adds() {
    // Forty minutes idle: seven pings of 200,000 tokens are dearer than writing for an hour.
    let log = [
        answer("m1", "09:00:00", usage(0, 0, 200_000, 10)),
        answer("m2", "09:58:00", usage(0, 0, 200_100, 10)),
        answer("m3", "10:56:00", usage(0, 0, 200_200, 10)),
    ];
    let report = Folder::new().with("a.jsonl", lines(&log)).json();
    let advice = &report["recommendations"][0];
    assert_eq!(advice["rule"], "idle_lapse");
    assert!(advice["change"].as_str().unwrap().contains("\"ttl\": \"1h\""), "{advice}");
    let hour = report["what_if"].as_array().unwrap().iter().find(|one| one["policy"] == "ttl_1h");
    // Written once for 10 dollars a million, read twice for 0.5, and 300 tokens more.
    assert_eq!(hour.unwrap()["cost_usd"], "2.2028");
}

#[test]
fn a_file_read_again_is_carried_by_every_call_behind_it() {
    let read = |id: &str, at: &str, use_id: &str, usage| {
        calling(answer(id, at, usage), "Read", use_id, json!({ "file_path": "/a.rs" }))
    };
    let text = "x".repeat(39_998);
    let log = [
        read("m1", "09:00:00", "t1", usage(0, 0, 20_000, 10)),
        result("t1", &text, false),
        read("m2", "09:00:10", "t2", usage(0, 20_000, 10_010, 10)),
        result("t2", &text, false),
        answer("m3", "09:00:20", usage(0, 30_010, 10_010, 10)),
        answer("m4", "09:00:30", usage(0, 40_020, 10, 10)),
    ];
    let again = found(&log, "repeated_read").unwrap();
    // 40,000 bytes are 10,000 tokens by what the provider counted: written once, read once.
    assert_eq!((&again["count"], &again["tokens"]), (&json!(1), &json!(10_000)));
    assert_eq!(again["cost_usd"], "0.0675");
    assert_eq!(again["basis"], "estimated");
    let mut edited = log.to_vec();
    edited[2] = calling(edited[2].clone(), "Edit", "t2", json!({ "file_path": "/a.rs" }));
    assert_eq!(found(&edited, "repeated_read"), None);
}

#[test]
fn a_file_that_changed_in_between_is_no_repeated_read() {
    let with = |tool: &str, id: &str, at: &str| {
        calling(answer(id, at, usage(0, 0, 20_000, 10)), tool, id, json!({ "file_path": "/a.rs" }))
    };
    let log = [
        with("Read", "m1", "09:00:00"),
        result("m1", &"x".repeat(40_000), false),
        with("Edit", "m2", "09:00:10"),
        with("Read", "m3", "09:00:20"),
        result("m3", &"x".repeat(40_000), false),
        answer("m4", "09:00:30", usage(0, 20_000, 10_000, 10)),
    ];
    assert_eq!(found(&log, "repeated_read"), None);
}

#[test]
fn a_call_that_only_repeats_what_failed_is_a_loop() {
    let run = |id: &str, at: &str, command: &str| {
        calling(answer(id, at, usage(1_000, 0, 0, 10)), "Bash", id, json!({ "command": command }))
    };
    let log = [
        run("m1", "09:00:00", "make"),
        result("m1", "error", true),
        run("m2", "09:00:10", "make"),
        result("m2", "error", true),
        run("m3", "09:00:20", "make test"),
        result("m3", "fine", false),
        run("m4", "09:00:30", "make test"),
    ];
    let again = found(&log, "retry_loop").unwrap();
    assert_eq!((&again["count"], &again["cost_usd"]), (&json!(1), &json!("0.00525")));
    assert_eq!(again["evidence"][0]["call"], "m2");
}

#[test]
fn a_prompt_beyond_the_threshold_is_dearer_by_the_difference_of_the_tiers() {
    let mut long = answer("m1", "09:00:00", usage(0, 0, 300_000, 1_000));
    long["message"]["model"] = json!("claude-sonnet-4-5-20250929");
    let crossed = found(&[long], "long_context").unwrap();
    // 300,000 written at 7.5 instead of 3.75, 1,000 answered at 22.5 instead of 15.
    assert_eq!(crossed["cost_usd"], "1.1325");
}

#[test]
fn tools_that_no_request_called_are_named() {
    let tool = |name: &str| json!({ "type": "function", "function": { "name": name, "description": "d".repeat(380) } });
    let line = |id: u64| {
        let call = json!({ "id": "t", "type": "function", "function": { "name": "used", "arguments": "{}" } });
        json!({
            "request": { "tools": [tool("used"), tool("idle")], "messages": [{ "role": "user", "content": format!("{id}") }] },
            "response": {
                "id": format!("c{id}"), "object": "chat.completion", "created": 1_767_690_000 + id, "model": "gpt-4.1",
                "choices": [{ "message": { "role": "assistant", "content": null, "tool_calls": [call] } }],
                "usage": { "prompt_tokens": 300, "completion_tokens": 10, "total_tokens": 310 },
            },
        })
    };
    let unused = found(&(0..12).map(line).collect::<Vec<_>>(), "unused_tool").unwrap();
    assert_eq!(
        (&unused["count"], &unused["evidence"][0]["what"]),
        (&json!(1), &json!("idle stood in 12 requests and was never called"))
    );
    let few = (0..9).map(line).collect::<Vec<_>>();
    assert_eq!(found(&few, "unused_tool"), None);
}

#[test]
fn the_same_prompt_again_costs_its_whole_request() {
    let line = |id: u64| {
        json!({
            "request": { "messages": [{ "role": "user", "content": "What is the capital?" }] },
            "response": {
                "id": format!("c{id}"), "object": "chat.completion", "created": 1_767_690_000 + id, "model": "gpt-4.1",
                "choices": [], "usage": { "prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100 },
            },
        })
    };
    let again = found(&[line(1), line(2), line(3)], "repeated_prompt").unwrap();
    assert_eq!((&again["count"], &again["cost_usd"]), (&json!(2), &json!("0.0056")));
}

#[test]
fn sub_agents_on_a_dear_model_are_compared_with_a_cheaper_one_in_use() {
    let mut agent = answer("m1", "09:00:00", usage(1_000_000, 0, 0, 0));
    agent["agentId"] = json!("a1");
    let mut cheap = answer("m2", "09:00:10", usage(1_000, 0, 0, 0));
    cheap["message"]["model"] = json!("claude-haiku-4-5-20251001");
    let report = Folder::new().with("a.jsonl", lines(&[agent, cheap])).json();
    let advice = report["recommendations"].as_array().unwrap();
    let advice = advice.iter().find(|one| one["rule"] == "cheaper_model").unwrap();
    // 5 dollars a million against 1, on one day of thirty.
    assert_eq!(advice["monthly_usd"], "120.00");
    assert_eq!(advice["basis"], "estimated");
}

#[test]
fn no_waste_is_found_where_there_is_none() {
    let log: Vec<Value> = (0..20_u64)
        .map(|at| {
            answer(
                &format!("m{at}"),
                &format!("09:00:{at:02}"),
                usage(5, 5_000 + at * 300, 300, 50),
            )
        })
        .collect();
    let report = Folder::new().with("a.jsonl", lines(&log)).json();
    assert_eq!(report["waste"], json!([]));
    assert_eq!(report["recommendations"], json!([]));
}

#[test]
fn the_parts_of_an_anatomy_add_up_to_what_was_counted_and_paid() {
    let log = [
        answer("m1", "09:00:00", usage(3, 0, 20_000, 101)),
        result("t", &"x".repeat(9_000), false),
        answer("m2", "09:00:10", usage(7, 20_000, 3_001, 13)),
        answer("m3", "09:00:20", usage(7, 0, 3_001, 13)),
    ];
    let report = Folder::new().with("a.jsonl", lines(&log)).report();
    let anatomy = report.anatomy;
    let prompt =
        [anatomy.tools, anatomy.system, anatomy.history, anatomy.tool_results, anatomy.user];
    let tokens: u64 = prompt.iter().map(|part| part.tokens).sum();
    assert_eq!(tokens, report.totals.usage.0.prompt());
    let all = prompt.iter().chain([&anatomy.output]).map(|part| part.cost_usd);
    assert_eq!(farthing_core::Usd::sum(all).ok(), report.totals.usd());
}
