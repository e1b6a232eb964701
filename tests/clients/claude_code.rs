//! Claude Code, of the version that `package.json` pins.

use std::path::Path;

use farthing_fake_provider::{Options, Script};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::House;
use crate::{NO_ROOM, assert_refused, bill, client, printed};

const CLAUDE: &str = "tests/clients/node_modules/.bin/claude";
const SAYING: &str = "Four farthings make a penny.\n";

#[tokio::test]
async fn a_task_of_claude_code_costs_in_the_ledger_what_the_provider_billed() {
    let folder = TempDir::new().unwrap();
    let Some(claude) = client(CLAUDE, &folder) else { return };
    let file = folder.path().join("saying.txt");
    let house = House::with(Options { script: script(&file), ..Options::default() }, "").await;
    let outcome = run_task(claude, &house).await;
    assert_eq!(outcome["result"], "It is written.", "{outcome}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), SAYING);

    let requests = bill::assert_settled(&house).await;
    assert!(requests.len() >= 3, "each turn of the script is a request: {requests:?}");
    for request in &requests {
        assert_eq!(request["who"]["thread"], outcome["session_id"], "{request}");
    }
    let report = house.close().await;
    assert_eq!((&report["open"], &report["attempts"]), (&json!(0), &json!(requests.len())));
}

#[tokio::test]
async fn b15_claude_code_does_not_ask_again_after_a_refusal_and_shows_why() {
    let folder = TempDir::new().unwrap();
    let Some(claude) = client(CLAUDE, &folder) else { return };
    let house = House::with(Options::default(), NO_ROOM).await;
    let outcome = run_task(claude, &house).await;
    assert_eq!(outcome["api_error_status"], 429, "{outcome}");
    assert!(outcome["result"].as_str().unwrap().contains("user `default` has $0.0000001 left"));
    assert_refused(&house, 1).await;
}

/// A task of two tool calls: to write a file, and to read it.
fn script(file: &Path) -> Script {
    let call = |id, name, arguments| json!([{ "id": id, "name": name, "arguments": arguments }]);
    let write = json!({ "file_path": file, "content": SAYING });
    let turns = json!([
        { "content": "I write it down.", "tool_calls": call("toolu_01", "Write", write) },
        { "tool_calls": call("toolu_02", "Read", json!({ "file_path": file })) },
        { "content": "It is written." },
    ]);
    Script::from_json(&turns.to_string()).unwrap()
}

/// Runs Claude Code to the end of its task; gives what it says about that.
async fn run_task(mut claude: Command, house: &House) -> Value {
    claude
        .args(["-p", "Write a saying about pennies to saying.txt.", "--output-format", "json"])
        .args(["--model", "claude-sonnet-4-6", "--allowedTools", "Write", "Read"])
        .env("ANTHROPIC_BASE_URL", &house.address)
        .env("ANTHROPIC_API_KEY", "sk-test-client-key")
        .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
        .env("DISABLE_AUTOUPDATER", "1")
        .env("DISABLE_TELEMETRY", "1");
    serde_json::from_str(&printed(claude).await).unwrap()
}
