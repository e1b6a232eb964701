//! Gemini CLI, of the version that `package.json` pins.

use std::path::Path;

use farthing_fake_provider::{Options, Script};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::House;
use crate::{bill, client, printed};

const GEMINI: &str = "tests/clients/node_modules/.bin/gemini";
const SAYING: &str = "Four farthings make a penny.\n";

#[tokio::test]
async fn a_task_of_gemini_cli_costs_in_the_ledger_what_the_provider_billed() {
    let folder = TempDir::new().unwrap();
    let Some(gemini) = client(GEMINI, &folder) else { return };
    let file = folder.path().join("saying.txt");
    let house = House::with(Options { script: script(&file), ..Options::default() }, "").await;
    let outcome = run_task(gemini, &folder, &house).await;
    assert_eq!(outcome["response"], "It is written.", "{outcome}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), SAYING);

    let requests = bill::assert_settled(&house).await;
    assert!(requests.len() >= 2, "each turn of the script is a request: {requests:?}");
    let report = house.close().await;
    assert_eq!((&report["open"], &report["attempts"]), (&json!(0), &json!(requests.len())));
}

/// A task of one tool call: to write a file.
fn script(file: &Path) -> Script {
    let arguments = json!({ "file_path": file, "content": SAYING });
    let turns = json!([
        { "content": "I write it down.",
          "tool_calls": [{ "id": "call_01", "name": "write_file", "arguments": arguments }] },
        { "content": "It is written." },
    ]);
    Script::from_json(&turns.to_string()).unwrap()
}

/// Runs Gemini CLI to the end of its task; gives what it says about that.
async fn run_task(mut gemini: Command, folder: &TempDir, house: &House) -> Value {
    let settings = folder.path().join(".gemini");
    std::fs::create_dir(&settings).unwrap();
    let auth = json!({ "security": { "auth": { "selectedType": "gemini-api-key" } } });
    std::fs::write(settings.join("settings.json"), auth.to_string()).unwrap();
    gemini
        .args(["--model", "gemini-2.5-flash", "--yolo", "--output-format", "json"])
        .args(["--prompt", "Write a saying about pennies to saying.txt."])
        .env("GOOGLE_GEMINI_BASE_URL", &house.address)
        .env("GEMINI_API_KEY", "test-client-key")
        .env("GEMINI_CLI_TRUST_WORKSPACE", "true");
    serde_json::from_str(&printed(gemini).await).unwrap()
}
