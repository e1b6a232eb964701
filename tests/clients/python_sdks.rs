//! OpenAI's and Anthropic's libraries for Python, of the versions that `requirements.txt` pins.

use farthing_fake_provider::Options;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::House;
use crate::{NO_ROOM, assert_refused, bill, client, printed};

const PYTHON: &str = "target/clients/bin/python";
const CALLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/calls.py");

#[tokio::test]
async fn calls_of_the_python_sdks_cost_in_the_ledger_what_the_provider_billed() {
    let folder = TempDir::new().unwrap();
    let Some(python) = client(PYTHON, &folder) else { return };
    let house = House::open().await;
    let outcomes = make_calls(python, &house).await;
    let log = house.provider.log();
    let billed = log.iter().map(|exchange| exchange.usage.unwrap());
    let billed: Vec<_> = billed.map(|it| json!([it.prompt_tokens, it.completion_tokens])).collect();
    assert_eq!(outcomes, json!(billed));
    assert_eq!(log.iter().map(|it| it.streamed).collect::<Vec<_>>(), [false, true, false, true]);
    bill::assert_settled(&house).await;
    house.close().await;
}

#[tokio::test]
async fn b15_the_python_sdks_do_not_ask_again_after_a_refusal() {
    let folder = TempDir::new().unwrap();
    let Some(python) = client(PYTHON, &folder) else { return };
    let house = House::with(Options::default(), NO_ROOM).await;
    let outcomes = make_calls(python, &house).await;
    assert_eq!(outcomes, json!(vec!["RateLimitError"; 4]));
    assert_refused(&house, 4).await;
}

/// Makes a plain and a streamed call with each library; gives what each came to.
async fn make_calls(mut python: Command, house: &House) -> Value {
    python.args([CALLS, &house.address]);
    serde_json::from_str(&printed(python).await).unwrap()
}
