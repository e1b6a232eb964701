//! Libraries for Python and JavaScript, of the versions that `requirements.txt` and
//! `package.json` pin.

use farthing_fake_provider::{Options, Script};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::House;
use crate::{NO_ROOM, assert_refused, bill, client, installed, isolated, printed};

const PYTHON: &str = "target/clients/bin/python";
const JAVASCRIPT: &str = "tests/clients/node_modules/openai";
/// Answers those that offer this tool.
const SCRIPT: &str = r#"[
    { "tool_calls": [{ "id": "call_1", "name": "weather", "arguments": {} }] },
    { "content": "It rains indeed." }
]"#;

#[tokio::test]
async fn calls_of_the_python_sdks_cost_in_the_ledger_what_the_provider_billed() {
    let folder = TempDir::new().unwrap();
    let Some(python) = python(&folder) else { return };
    let house = house().await;
    let outcomes = make_calls(python, &house).await;
    let usages = outcomes
        .iter()
        .map(|usages| usages.as_array().unwrap_or_else(|| panic!("{outcomes:?}")).clone());
    assert_eq!(usages.flatten().collect::<Vec<_>>(), billed(&house), "{outcomes:?}");
    bill::assert_settled(&house).await;
    house.close().await;
}

#[tokio::test]
async fn b15_the_python_sdks_do_not_ask_again_after_a_refusal() {
    let folder = TempDir::new().unwrap();
    let Some(python) = python(&folder) else { return };
    let house = House::with(Options::default(), NO_ROOM).await;
    let outcomes = make_calls(python, &house).await;
    let expected = [["RateLimitError"; 9].as_slice(), &["ClientError"; 3]].concat();
    assert_eq!(json!(outcomes), json!(expected));
    assert_refused(&house, outcomes.len()).await;
}

#[tokio::test]
async fn calls_of_the_javascript_sdks_cost_in_the_ledger_what_the_provider_billed() {
    let folder = TempDir::new().unwrap();
    let Some(node) = node(&folder) else { return };
    let house = house().await;
    let outcomes = make_calls(node, &house).await;
    assert_eq!(outcomes, billed(&house));
    bill::assert_settled(&house).await;
    house.close().await;
}

#[tokio::test]
async fn b15_the_javascript_sdks_do_not_ask_again_after_a_refusal() {
    let folder = TempDir::new().unwrap();
    let Some(node) = node(&folder) else { return };
    let house = House::with(Options::default(), NO_ROOM).await;
    let outcomes = make_calls(node, &house).await;
    assert_eq!(json!(outcomes), json!(vec!["RateLimitError"; 7]));
    assert_refused(&house, 7).await;
}

async fn house() -> House {
    let script = Script::from_json(SCRIPT).unwrap();
    House::with(Options { script, ..Options::default() }, "").await
}

/// What the provider billed: the tokens of prompt and answer of each exchange.
fn billed(house: &House) -> Vec<Value> {
    let bill = house.provider.log().into_iter().map(|exchange| exchange.usage.unwrap());
    bill.map(|it| json!([it.prompt_tokens, it.completion_tokens])).collect()
}

fn python(folder: &TempDir) -> Option<Command> {
    let mut python = client(PYTHON, folder)?;
    python.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/calls.py"));
    Some(python)
}

fn node(folder: &TempDir) -> Option<Command> {
    installed(JAVASCRIPT)?;
    let mut node = isolated("node", folder);
    node.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/calls.mjs"));
    Some(node)
}

/// Makes all calls; gives what each came to.
async fn make_calls(mut program: Command, house: &House) -> Vec<Value> {
    program.arg(&house.address);
    serde_json::from_str(&printed(program).await).unwrap()
}
