//! Recorded conversations, where they are present.

use std::path::Path;

use farthing_optimize::Observations;
use farthing_wire::Dialect;
use serde_json::Value;

use crate::conversations::Conversation;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/corpus/");

/// The first conversations of a file; there are none where the folder is not present.
fn conversations(file: &str, observations: Observations, count: usize) -> Vec<Conversation> {
    let Ok(text) = std::fs::read_to_string(Path::new(CORPUS).join(file)) else {
        println!("skipped: ../shared not present");
        return Vec::new();
    };
    let read = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let tools =
            Some(line["tools"].take()).filter(|tools| !tools.as_array().unwrap().is_empty());
        let messages = serde_json::from_value(line["messages"].take()).unwrap();
        Conversation { dialect: Dialect::OpenAiChat, tools, messages, observations }
    };
    text.lines().take(count).map(read).collect()
}

fn prove(file: &str, observations: Observations, count: usize) {
    conversations(file, observations, count).iter().for_each(Conversation::prove);
}

#[test]
fn customer_service_keeps_the_promises() {
    prove("tau_airline_gpt4o.jsonl", Observations::Tool, 20);
}

#[test]
fn coding_agents_keep_the_promises() {
    prove("openhands_multiswe.jsonl", Observations::Tool, 2);
    prove("sweagent_demos.jsonl", Observations::UserAfterFirst, 11);
}

#[test]
fn retrieval_and_one_shots_keep_the_promises() {
    prove("rag_codebase.jsonl", Observations::Tool, 50);
    prove("bfcl_live_multiple.jsonl", Observations::Tool, 20);
    prove("toolbench_rapidapi.jsonl", Observations::Tool, 7);
    prove("inspect_logs.jsonl", Observations::Tool, 6);
}
