//! Every program's logs, each as it writes them.

use serde_json::{Value, json};

use crate::support::{Folder, lines};

fn codex(at: &str, kind: &str, payload: Value) -> Value {
    json!({ "timestamp": format!("2026-01-06T{at}Z"), "type": kind, "payload": payload })
}

fn counts(input: u64, cached: u64, output: u64, reasoning: u64) -> Value {
    json!({
        "input_tokens": input, "cached_input_tokens": cached, "output_tokens": output,
        "reasoning_output_tokens": reasoning, "total_tokens": input + output,
    })
}

fn token_count(at: &str, total: &Value, last: &Value) -> Value {
    let info = json!({ "total_token_usage": total, "last_token_usage": last });
    codex(at, "event_msg", json!({ "type": "token_count", "info": info }))
}

fn rollout() -> Vec<Value> {
    let first = counts(1_000, 0, 100, 40);
    let second = counts(2_000, 1_000, 50, 0);
    let both = counts(3_000, 1_000, 150, 40);
    vec![
        codex(
            "09:00:00",
            "session_meta",
            json!({ "id": "c1", "cwd": "/shop", "model_provider": "openai" }),
        ),
        codex("09:00:00", "turn_context", json!({ "model": "gpt-5", "cwd": "/shop" })),
        codex("09:00:01", "event_msg", json!({ "type": "token_count", "info": null })),
        token_count("09:00:02", &first, &first),
        token_count("09:00:03", &first, &first),
        codex("09:00:04", "turn_context", json!({ "model": "gpt-5-mini" })),
        token_count("09:00:05", &both, &second),
    ]
}

#[test]
fn codex_counts_each_request_once_by_its_own_model() {
    let report = Folder::new().with("rollout-1.jsonl", lines(&rollout())).json();
    assert_eq!(report["totals"]["requests"], 2);
    assert_eq!(
        report["totals"]["usage"],
        json!({
            "input": 2_000, "cache_read": 1_000, "cache_write_5m": 0, "cache_write_1h": 0,
            "cache_write": 0, "output": 150,
        })
    );
    // gpt-5: 1.25 and 10 dollars a million; gpt-5-mini: 0.25, 0.025 and 2.
    assert_eq!(report["by_model"]["gpt-5"]["cost_usd"], "0.00225");
    assert_eq!(report["by_model"]["gpt-5-mini"]["cost_usd"], "0.000375");
    assert_eq!(report["skipped"]["repeated_count"]["count"], 1);
    assert_eq!(report["sessions"][0]["session"], "c1");
}

#[test]
fn a_forked_codex_session_repeats_counts_that_are_paid_once() {
    let mut fork = rollout();
    let own = json!({ "id": "c2", "cwd": "/shop", "forked_from_id": "c1" });
    fork.insert(0, codex("10:00:00", "session_meta", own));
    let total = counts(9_000, 1_000, 170, 40);
    fork.push(token_count("10:00:09", &total, &counts(6_000, 0, 20, 0)));
    // Another session that counts the same by chance is one of its own.
    let mut other = rollout();
    other[0]["payload"]["id"] = json!("c3");
    let folder = Folder::new()
        .with("2026/01/06/rollout-1.jsonl", lines(&rollout()))
        .with("2026/01/06/rollout-2.jsonl", lines(&fork))
        .with("2026/01/06/rollout-3.jsonl", lines(&other));
    let report = folder.json();
    assert_eq!(report["skipped"]["duplicate"]["count"], 2);
    assert_eq!(report["totals"]["requests"], 5);
}

#[test]
fn codex_without_a_last_count_is_the_growth_of_its_total() {
    let total = |input, output| json!({ "total_token_usage": counts(input, 0, output, 0) });
    let event =
        |info| codex("09:00:00", "event_msg", json!({ "type": "token_count", "info": info }));
    let log = [event(total(1_000, 10)), event(total(1_500, 30)), event(total(200, 5))];
    let report = Folder::new().with("rollout-1.jsonl", lines(&log)).json();
    assert_eq!(report["totals"]["usage"]["input"], 1_700);
    assert_eq!(report["totals"]["usage"]["output"], 35);
    assert_eq!(report["by_model"]["gpt-4.1"]["requests"], 3, "the model that was said to stand in");
}

fn gemini(id: &str, input: u64, cached: u64) -> Value {
    json!({
        "id": id, "timestamp": "2026-01-06T09:00:00Z", "type": "gemini", "content": "Done.",
        "model": "gemini-2.5-pro",
        "tokens": {
            "input": input, "output": 100, "cached": cached, "thoughts": 50, "tool": 10,
            "total": input + 160,
        },
        "toolCalls": [{ "id": "t", "name": "read_file", "args": { "absolute_path": "/a" }, "status": "success" }],
    })
}

#[test]
fn gemini_cli_documents_and_lines_are_the_same_session() {
    let head =
        json!({ "sessionId": "g1", "projectHash": "f00", "startTime": "2026-01-06T09:00:00Z" });
    let user =
        json!({ "id": "u1", "type": "user", "timestamp": "2026-01-06T09:00:00Z", "content": "Hi" });
    let messages = [user.clone(), gemini("a1", 1_000, 400)];
    let mut document = head.clone();
    document["messages"] = json!(messages);
    let document = serde_json::to_string_pretty(&document).unwrap();
    // A message that changed is written again; one that was rewound was paid all the same.
    let newer = [
        head,
        user,
        gemini("a1", 1_000, 400),
        gemini("a2", 5, 0),
        gemini("a2", 2_000, 0),
        json!({ "$rewindTo": "a2" }),
    ];
    let folder = Folder::new()
        .with("tmp/f00/chats/session-1.json", document)
        .with("tmp/f00/chats/session-1.jsonl", lines(&newer));
    let report = folder.json();
    assert_eq!(report["totals"]["requests"], 2);
    assert_eq!(report["skipped"]["duplicate"]["count"], 1);
    let usage = &report["totals"]["usage"];
    assert_eq!(
        (&usage["input"], &usage["cache_read"], &usage["output"]),
        (&json!(2_620), &json!(400), &json!(300))
    );
    assert_eq!(report["sessions"][0]["source"], "gemini_cli");
    assert_eq!(report["totals"]["cost_status"], "priced");
}

fn completion(id: &str) -> Value {
    json!({
        "id": id, "object": "chat.completion", "created": 1_795_000_000, "model": "gpt-4.1-2025-04-14",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": "Yes." } }],
        "usage": {
            "prompt_tokens": 1_000, "completion_tokens": 10, "total_tokens": 1_010,
            "prompt_tokens_details": { "cached_tokens": 200 },
        },
    })
}

#[test]
fn answers_pairs_and_batch_results_are_read_from_lines() {
    let pair = json!({ "request": { "model": "gpt-4.1", "messages": [{ "role": "user", "content": "So?" }] }, "response": completion("c2") });
    let batch = json!({ "id": "b", "custom_id": "1", "response": { "status_code": 200, "body": completion("c3") }, "error": null });
    let failed = json!({ "id": "b", "custom_id": "2", "response": { "status_code": 500, "body": { "error": { "message": "no" } } } });
    // Gateways write their own time and session beside the answer's.
    let mut again =
        json!({ "timestamp": "2026-11-18T11:06:40Z", "ts": 1, "session_id": "a", "trace_id": "b" });
    again["response"] = completion("c1");
    let log = lines(&[completion("c1"), pair, batch, failed, again]);
    let report = Folder::new().with("log.jsonl", log).json();
    assert_eq!(report["totals"]["requests"], 3);
    assert_eq!(report["skipped"]["no_usage"]["count"], 1);
    assert_eq!(report["skipped"]["duplicate"]["count"], 1);
    assert_eq!(report["totals"]["usage"]["cache_read"], 600);
    // gpt-4.1: 2, 0.5 and 8 dollars a million; in a batch 1 and 4, and the same for what was cached.
    assert_eq!(report["totals"]["cost_usd"], "0.0045");
    assert_eq!(report["by_day"]["2026-11-18"]["requests"], 3);
}

#[test]
fn messages_of_anthropic_and_lists_of_answers_are_read_too() {
    let message = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
        "content": [], "usage": { "input_tokens": 1_000, "output_tokens": 10 },
    });
    let result = json!({ "custom_id": "1", "result": { "type": "succeeded", "message": message } });
    let response = json!({
        "id": "resp_1", "object": "response", "created_at": 1_795_000_000, "model": "gpt-4.1", "output": [],
        "usage": { "input_tokens": 1_000, "input_tokens_details": { "cached_tokens": 400 },
                   "output_tokens": 10, "output_tokens_details": { "reasoning_tokens": 4 }, "total_tokens": 1_010 },
    });
    let gemini = json!({
        "responseId": "g", "modelVersion": "gemini-2.5-pro", "candidates": [],
        "usageMetadata": { "promptTokenCount": 1_000, "candidatesTokenCount": 10, "thoughtsTokenCount": 5, "totalTokenCount": 1_015 },
    });
    let folder = Folder::new()
        .with("a.jsonl", lines(std::slice::from_ref(&result)))
        .with(
            "b.json",
            serde_json::to_string_pretty(&json!([completion("c1"), completion("c2")])).unwrap(),
        )
        .with("c.jsonl", lines(&[response, json!({ "response": gemini })]));
    let report = folder.json();
    assert_eq!(report["totals"]["requests"], 5);
    assert_eq!(report["by_model"]["gpt-4.1"]["usage"]["cache_read"], 400);
    assert_eq!(report["by_model"]["gemini-2.5-pro"]["usage"]["output"], 15);
    // Sonnet 4.5, from a batch: half of 3 and 15 dollars a million.
    assert_eq!(report["by_model"]["claude-sonnet-4-5"]["cost_usd"], "0.001575");
}

#[test]
fn an_api_log_without_sessions_is_put_together_by_its_prompts() {
    let long = "word ".repeat(6_000);
    let messages = |turns: u64| {
        let mut messages = vec![json!({ "role": "system", "content": long })];
        for turn in 0..turns {
            messages.push(json!({ "role": "user", "content": format!("turn {turn}") }));
        }
        messages
    };
    let line = |id: u64, turns: u64| {
        let mut answer = completion(&format!("c{id}"));
        answer["usage"] = json!({ "prompt_tokens": 6_000 + turns * 10, "completion_tokens": 10 });
        json!({ "request": { "messages": messages(turns) }, "response": answer })
    };
    let log: Vec<_> = (1..6).map(|turn| line(turn, turn)).collect();
    let report = Folder::new().with("log.jsonl", lines(&log)).json();
    let missing =
        report["waste"].as_array().unwrap().iter().find(|one| one["rule"] == "missing_cache");
    assert_eq!(missing.expect("a growing prompt is never cached")["count"], 4);
}

#[test]
fn trajectories_have_the_usage_that_their_scaffold_keeps() {
    let swe = json!({
        "environment": "swe_main", "trajectory": [], "history": [],
        "info": { "model_stats": { "instance_cost": 0.1, "tokens_sent": 1_001, "tokens_received": 20, "api_calls": 2 } },
        "replay_config": json!({ "agent": { "model": { "name": "openai/gpt-4.1" } } }).to_string(),
    });
    let mini = json!({
        "trajectory_format": "mini-swe-agent-1.1", "info": { "model_stats": { "instance_cost": 0.1, "api_calls": 1 } },
        "messages": [
            { "role": "user", "content": "Fix it." },
            { "role": "assistant", "content": "ls", "extra": { "response": completion("c9") } },
        ],
    });
    let openhands = json!({
        "instance_id": "x__y-1", "history": [],
        "metrics": { "accumulated_cost": 0.1, "token_usages": [
            { "model": "anthropic/claude-sonnet-4-5", "prompt_tokens": 1_000, "completion_tokens": 10,
              "cache_read_tokens": 600, "cache_write_tokens": 300, "response_id": "r1" },
        ] },
    });
    let folder = Folder::new()
        .with("a.traj", serde_json::to_string_pretty(&swe).unwrap())
        .with("b.traj.json", serde_json::to_string_pretty(&mini).unwrap())
        .with("output.jsonl", lines(&[openhands]));
    let report = folder.json();
    assert_eq!(report["totals"]["requests"], 4);
    // Sums of SWE-agent are split evenly, which is an estimate.
    assert_eq!(report["by_model"]["gpt-4.1"]["usage"]["input"], 1_001);
    assert_eq!(report["by_model"]["gpt-4.1"]["cost_status"], "estimated");
    assert_eq!(report["by_model"]["claude-sonnet-4-5"]["usage"]["cache_write_5m"], 300);
    assert_eq!(report["by_model"]["gpt-4.1-2025-04-14"]["cost_status"], "priced");
    assert_eq!(report["totals"]["cost_status"], "estimated");
}

#[test]
fn traces_have_their_usage_or_our_own_count() {
    let trace = json!({
        "id": "t1", "kind": "coding-agent", "api": "anthropic", "model": "claude-opus-4-5", "tools": [],
        "messages": [
            { "role": "user", "content": "Hi", "ts": "2026-01-06T09:00:00Z" },
            { "role": "assistant", "content": "Yes?", "ts": "2026-01-06T09:00:01Z",
              "usage": { "input_tokens": 100, "output_tokens": 5, "cache_read_input_tokens": 0 } },
            { "role": "user", "content": "Go" },
            { "role": "assistant", "content": "Gone.",
              "tool_calls": [{ "id": "t", "type": "function", "function": { "name": "go", "arguments": "{}" } }] },
        ],
    });
    let waste = || {
        let mut trace = trace.clone();
        let turn = trace["messages"][3].clone();
        trace["tools"] = json!(
            ["go", "stay"].map(|name| json!({ "type": "function", "function": { "name": name } }))
        );
        let messages = trace["messages"].as_array_mut().unwrap();
        (0..20).for_each(|_| messages.push(turn.clone()));
        Folder::new().with("trace.jsonl", lines(&[trace])).json()["waste"].clone()
    };
    let unused =
        waste().as_array().unwrap().iter().find(|one| one["rule"] == "unused_tool").cloned();
    assert_eq!(unused.expect("one of two tools is never called")["count"], 1);
    let report = Folder::new().with("trace.jsonl", lines(&[trace])).json();
    // What has no usage is counted here, and said to be.
    assert_eq!(
        (&report["totals"]["requests"], &report["totals"]["estimated"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(report["totals"]["cost_status"], "estimated");
    assert_eq!(report["by_day"]["2026-01-06"]["cost_usd"], "0.000625");
    assert_eq!(report["by_day"]["2026-01-06"]["cost_status"], "priced");
    assert_eq!(report["by_day"]["unknown"]["usage"]["output"], 3);
}
