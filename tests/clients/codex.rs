//! Codex, of the version that `package.json` pins.

use farthing_fake_provider::{Options, Script};
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::House;
use crate::{NO_ROOM, assert_refused, bill, client, installed, isolated, printed};

const CODEX: &str = "tests/clients/node_modules/.bin/codex";
const SAYING: &str = "Four farthings make a penny.\n";

#[tokio::test]
async fn a_task_of_codex_costs_in_the_ledger_what_the_provider_billed() {
    let folder = TempDir::new().unwrap();
    let Some(codex) = client(CODEX, &folder) else { return };
    let house = House::with(Options { script: script(), ..Options::default() }, "").await;
    let events = run_task(codex, &house).await;
    assert!(events.contains("It is written."), "{events}");
    let written = std::fs::read_to_string(folder.path().join("saying.txt")).unwrap();
    assert_eq!(written, SAYING);

    let requests = bill::assert_settled(&house).await;
    assert_eq!(requests.len(), 2, "each turn of the script is a request: {requests:?}");
    assert!(house.provider.log().iter().all(|it| it.path == "/v1/responses" && it.streamed));
    let report = house.close().await;
    assert_eq!((&report["open"], &report["attempts"]), (&json!(0), &json!(2)));
}

#[tokio::test]
async fn b15_codex_does_not_ask_again_after_a_refusal() {
    let folder = TempDir::new().unwrap();
    let Some(codex) = client(CODEX, &folder) else { return };
    let house = House::with(Options::default(), NO_ROOM).await;
    let events = run_task(codex, &house).await;
    assert!(events.contains("Quota exceeded"), "{events}");
    assert_refused(&house, 1).await;
}

#[tokio::test]
async fn farthing_run_sends_codex_through_the_gateway_that_runs() {
    let folder = TempDir::new().unwrap();
    let Some(codex) = installed(CODEX) else { return };
    let house = House::with(Options { script: script(), ..Options::default() }, "").await;
    let mut farthing = isolated(env!("CARGO_BIN_EXE_farthing"), &folder);
    let path = std::env::var("PATH").unwrap();
    farthing.env("PATH", format!("{}:{path}", codex.parent().unwrap().display())).args([
        "run",
        "--listen",
        house.address.trim_start_matches("http://"),
        "codex",
        "--",
    ]);
    let events = printed(task(farthing)).await;
    assert!(events.contains("It is written."), "{events}");
    assert_eq!(bill::assert_settled(&house).await.len(), 2);
    house.close().await;
}

/// A task of one tool call: to write a file.
fn script() -> Script {
    let arguments = json!({ "cmd": format!("printf '{}' > saying.txt", SAYING.escape_default()) });
    let turns = json!([
        { "content": "I write it down.",
          "tool_calls": [{ "id": "call_01", "name": "exec_command", "arguments": arguments }] },
        { "content": "It is written." },
    ]);
    Script::from_json(&turns.to_string()).unwrap()
}

/// Runs Codex to the end of its task; gives its events, a JSON object a line.
async fn run_task(mut codex: Command, house: &House) -> String {
    let provider = format!(
        "model_providers.farthing={{name=\"Farthing\",base_url=\"{}/v1\",env_key=\"KEY\",\
         wire_api=\"responses\"}}",
        house.address
    );
    codex.args(["-c", "model_provider=\"farthing\"", "-c", &provider]);
    codex.env("KEY", "sk-test-client-key");
    printed(task(codex)).await
}

fn task(mut codex: Command) -> Command {
    codex
        .args(["exec", "--json", "--skip-git-repo-check", "--model", "gpt-5"])
        .arg("--dangerously-bypass-approvals-and-sandbox")
        .arg("Write a saying about pennies to saying.txt.");
    codex
}
