use serde_json::{Value, json};

use crate::support::{Folder, shared};

/// Figures of a corpus: at most this ratio to a rolling breakpoint, at least so many percent of the
/// tokens saved.
const FIGURES: &[(&str, &[&str], f64, u64)] = &[
    ("tau_airline_gpt4o.jsonl", &[], 0.92, 7),
    ("openhands_multiswe.jsonl", &[], 0.77, 20),
    ("sweagent_demos.jsonl", &["--observations", "user_after_first"], 0.85, 11),
    ("rag_codebase.jsonl", &[], 1.0, 6),
    ("bfcl_live_multiple.jsonl", &[], 1.0, 0),
    ("claude_code_raw_part.jsonl", &[], 0.64, 3),
];

fn conversation(id: &str, gap_seconds: i64) -> String {
    let rows: Vec<_> = (0..80).map(|n| json!({"name": format!("row {n}"), "number": n})).collect();
    let mut messages = vec![
        json!({"role": "system", "content": "You keep the rows. ".repeat(400)}),
        json!({"role": "user", "content": "Show the rows."}),
    ];
    for turn in 0..4 {
        let at = gap_seconds * turn;
        let id = format!("call_{turn}");
        let function = json!({"name": "rows", "arguments": "{}"});
        messages.extend([
            json!({"role": "assistant", "content": "row 7 it is", "ts": at,
                "tool_calls": [{"id": id, "type": "function", "function": function}]}),
            json!({"role": "tool", "tool_call_id": id, "content": json!(rows).to_string(), "ts": at}),
        ]);
    }
    json!({"id": id, "api": "openai-chat", "tools": [], "messages": messages}).to_string()
}

fn replay(lines: &str, policy: &str) -> Value {
    let folder = Folder::new().with("trace.jsonl", lines);
    folder.run(&["replay", "trace.jsonl", "--policy", policy, "--json"]).json()
}

fn usd(figures: &Value, way: &str) -> f64 {
    figures["bill_usd"][way].as_str().unwrap().parse().unwrap()
}

#[test]
fn a_policy_is_compared_with_what_else_could_be_done() {
    let trace = [conversation("a", 1), conversation("b", 1)].join("\n");
    let figures = replay(&trace, "safe");
    assert_eq!((&figures["conversations"], &figures["requests"]), (&json!(2), &json!(10)));
    assert!(figures["tokens_sent"]["policy"].as_u64() < figures["tokens_sent"]["as_sent"].as_u64());
    assert!(usd(&figures, "policy") < usd(&figures, "rolling"));
    assert!(usd(&figures, "rolling") < usd(&figures, "no_cache"));
    assert_eq!(usd(&figures, "as_sent"), usd(&figures, "no_cache"));
    assert_eq!(figures["losing"], json!([]));
    assert_eq!((&figures["turns"], &figures["prefix_stable_turns"]), (&json!(8), &json!(8)));
    assert_eq!(figures["needles"]["kept"], figures["needles"]["total"]);
    assert_eq!(figures["per_conversation"][1]["id"], "b");
}

#[test]
fn rolling_and_none_are_what_they_say() {
    let trace = conversation("a", 1);
    let rolling = replay(&trace, "rolling");
    assert_eq!(rolling["bill_usd"]["policy"], rolling["bill_usd"]["rolling"]);
    assert_eq!(rolling["ratio_to_rolling"], 1.0);
    let none = replay(&trace, "none");
    assert_eq!(none["bill_usd"]["policy"], none["bill_usd"]["no_cache"]);
    assert_eq!(none["losing"], json!(["a"]));
}

#[test]
fn a_cache_that_lapses_is_written_again_or_kept_warm() {
    let rolling = |gap| usd(&replay(&conversation("a", gap), "rolling"), "rolling");
    assert!(rolling(600) > 2.0 * rolling(60));
    let without = "mode = \"safe\"\nkeep_warm = false\n";
    let folder = Folder::new().with("p.toml", without).with("t.jsonl", conversation("a", 600));
    let lapsing = folder.run(&["replay", "t.jsonl", "--policy", "p.toml", "--json"]).json();
    let warm = folder.run(&["replay", "t.jsonl", "--policy", "safe", "--json"]).json();
    assert_eq!(lapsing["keep_warm_requests"], 0);
    assert!(usd(&lapsing, "policy") < usd(&lapsing, "rolling"));
    assert!(usd(&warm, "policy") < usd(&warm, "rolling"));
}

#[test]
fn what_is_no_trace_or_policy_is_refused_by_name() {
    let folder = Folder::new().with("notes.txt", "hello\n").with("t.jsonl", conversation("a", 1));
    let run = folder.run(&["replay", "notes.txt"]);
    assert!(run.code != Some(0) && run.err.contains("notes.txt, line 1"), "{}", run.err);
    let run = folder.run(&["replay", "t.jsonl", "--policy", "bold"]);
    assert!(run.code != Some(0) && run.err.contains("`bold` is no policy"), "{}", run.err);
}

#[test]
fn the_figures_of_the_corpus_are_reached() {
    for (file, arguments, ratio_max, percent_min) in FIGURES {
        let Some(path) = shared(&format!("corpus/{file}")) else { return };
        let command = [&["replay", &path, "--policy", "safe", "--json"], *arguments].concat();
        let figures = Folder::new().run(&command).json();
        let ratio = figures["ratio_to_rolling"].as_f64().unwrap();
        assert!(ratio <= *ratio_max, "{file}: {ratio} of rolling");
        let tokens = |way: &str| figures["tokens_sent"][way].as_u64().unwrap();
        let saved = 100 * (tokens("as_sent") - tokens("policy"));
        assert!(saved >= percent_min * tokens("as_sent"), "{file}: {saved} saved");
        assert_eq!(figures["losing"], json!([]), "{file}");
        assert_eq!(figures["turns"], figures["prefix_stable_turns"], "{file}");
        for kept in ["needles", "edits"] {
            assert_eq!(figures[kept]["kept"], figures[kept]["total"], "{file}: {kept}");
        }
    }
}
