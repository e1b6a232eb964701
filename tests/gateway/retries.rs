//! Trying again, asking someone else, and leaving alone.

use farthing_fake_provider::{FakeProvider, Fault, Options};
use reqwest::Response;
use serde_json::Value;

use crate::support::{House, hello, hello_streamed};

/// Nobody listens on the discard port of this machine. It comes first in the alphabet, and has the
/// prices of OpenAI.
const DEAD_FIRST: &str = "[provider.dead]\ndialect = \"openai\"\nprices = \"openai\"\n\
    base_url = \"http://127.0.0.1:9/v1\"\n";

fn id(answer: &Response) -> String {
    answer.headers()["x-farthing-request-id"].to_str().unwrap().to_owned()
}

fn statuses(attempts: &[Value]) -> Vec<&str> {
    attempts.iter().map(|attempt| attempt["status"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn b12_a_call_that_was_declined_is_tried_again_and_charged_once() {
    let house = House::open().await;
    for body in [hello(), hello_streamed()] {
        house.provider.answer_next_with(Fault::Status(503));
        let answer = house.chat(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let attempts = house.attempts_of(&id(&answer)).await;
        assert_eq!(statuses(&attempts), ["voided", "settled"]);
        assert_eq!(attempts[0]["charged"], "0.00");
        answer.bytes().await.unwrap();
    }
    house.close().await;
}

#[tokio::test]
async fn a_provider_that_declines_to_the_end_has_the_last_word() {
    let house = House::with(Options::default(), "[upstream]\nretry_pause_ms = 1\n").await;
    for _ in 0..3 {
        house.provider.answer_next_with(Fault::Status(503));
    }
    let answer = house.chat(&hello()).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(!answer.headers().contains_key("x-farthing-error"));
    let attempts = house.attempts_of(&id(&answer)).await;
    assert_eq!(statuses(&attempts), ["voided", "voided", "voided"]);
    house.close().await;
}

#[tokio::test]
async fn what_may_have_been_billed_is_never_tried_again() {
    let house = House::open().await;
    for fault in [Fault::Status(500), Fault::CloseBeforeAnswer, Fault::MalformedJson] {
        let before = house.provider.log().len();
        house.provider.answer_next_with(fault);
        let answer = house.chat(&hello()).send().await.unwrap();
        assert!(answer.status().is_server_error());
        assert_eq!(house.provider.log().len(), before + 1, "{fault:?}");
    }
    house.close().await;
}

#[tokio::test]
async fn a_longer_pause_than_is_allowed_goes_to_the_client() {
    let settings = "[upstream]\nretry_pause_max_ms = 500\n";
    let house = House::with(Options::default(), settings).await;
    house.provider.answer_next_with(Fault::Status(429));
    let answer = house.chat(&hello()).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["retry-after"]),
        (429, &"1".parse().unwrap())
    );
    house.close().await;
}

#[tokio::test]
async fn b12_a_provider_that_cannot_be_reached_is_replaced_by_its_fallback() {
    let settings = format!("{DEAD_FIRST}fallback = [\"openai\"]\n");
    let house = House::with(Options::default(), &settings).await;
    let answer = house.chat(&hello()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let attempts = house.attempts_of(&id(&answer)).await;
    assert_eq!(statuses(&attempts), ["voided", "settled"]);
    let providers: Vec<_> = attempts.iter().map(|it| it["asked"]["provider"].clone()).collect();
    assert_eq!(providers, ["dead", "openai"]);
    house.close().await;
}

#[tokio::test]
async fn each_deployment_is_called_with_its_own_key() {
    let spare = FakeProvider::start(Options::default()).await.unwrap();
    let settings = format!(
        "fallback = [\"spare\"]\n[provider.spare]\ndialect = \"openai\"\nprices = \"openai\"\n\
         base_url = \"{}\"\napi_key_env = \"PATH\"\n",
        spare.base_url()
    );
    let house = House::with(Options::default(), &settings).await;
    house.provider.answer_next_with(Fault::Status(503));
    let answer = house.chat(&hello()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let sent = spare.log()[0].headers["authorization"].to_str().unwrap().to_owned();
    assert_eq!(sent, format!("Bearer {}", std::env::var("PATH").unwrap()));
    house.close().await;
}

#[tokio::test]
async fn a_provider_that_keeps_failing_is_left_alone() {
    let settings = "[upstream]\nbreaker_faults = 2\nbreaker_rest_ms = 600_000\n";
    let house = House::with(Options::default(), settings).await;
    for _ in 0..2 {
        house.provider.answer_next_with(Fault::Status(500));
        assert_eq!(house.chat(&hello()).send().await.unwrap().status(), 500);
    }
    let answer = house.chat(&hello()).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["x-farthing-error"], "upstream_resting");
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(house.provider.log().len(), 2);
    house.close().await;
}

#[tokio::test]
async fn a_provider_that_came_back_is_called_again() {
    let settings = "[upstream]\nbreaker_faults = 1\nbreaker_rest_ms = 50\n";
    let house = House::with(Options::default(), settings).await;
    house.provider.answer_next_with(Fault::Status(500));
    assert_eq!(house.chat(&hello()).send().await.unwrap().status(), 500);
    tokio::time::sleep(std::time::Duration::from_millis(60)).await;
    assert_eq!(house.chat(&hello()).send().await.unwrap().status(), 200);
    assert_eq!(house.chat(&hello()).send().await.unwrap().status(), 200);
    house.close().await;
}

/// A second provider with prices and a key, to fall back to.
fn spare(provider: &FakeProvider) -> String {
    format!(
        "fallback = [\"spare\"]\n[provider.spare]\ndialect = \"openai\"\nprices = \"openai\"\n\
         base_url = \"{}\"\napi_key_env = \"TEST_KEY\"\n",
        provider.base_url()
    )
}

#[tokio::test]
async fn a_fallback_that_is_well_takes_every_call() {
    let well = FakeProvider::start(Options::default()).await.unwrap();
    let house = House::with(Options::default(), &spare(&well)).await;
    for _ in 0..30 {
        house.provider.answer_next_with(Fault::Status(429));
        assert_eq!(house.chat(&hello()).send().await.unwrap().status(), 200);
    }
    assert_eq!(well.log().len(), 30);
    house.close().await;
}

#[tokio::test]
async fn a_fallback_that_cannot_be_used_leaves_the_provider_its_last_word() {
    let well = FakeProvider::start(Options::default()).await.unwrap();
    let settings = spare(&well).replace("prices = \"openai\"\n", "");
    let house = House::with(Options::default(), &settings).await;
    house.provider.answer_next_with(Fault::Status(503));
    let answer = house.chat(&hello()).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(!answer.headers().contains_key("x-farthing-error"));
    assert!(well.log().is_empty());
    house.close().await;
}

#[tokio::test]
async fn a_probe_that_was_never_sent_makes_room_for_the_next() {
    let settings = "[upstream]\nbreaker_faults = 1\nbreaker_rest_ms = 1\n\
        [[budgets.limit]]\nscope = \"user\"\nwindow = \"day\"\nusd = \"0.01\"\n";
    let house = House::with(Options::default(), settings).await;
    house.provider.answer_next_with(Fault::Status(500));
    assert_eq!(house.chat(&hello()).send().await.unwrap().status(), 500);
    // Its rest is over now.
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let mut dear = hello();
    dear["max_completion_tokens"] = 30_000.into();
    for _ in 0..3 {
        assert_eq!(house.chat(&dear).send().await.unwrap().status(), 429);
    }
    assert_eq!(house.chat(&hello()).send().await.unwrap().status(), 200);
    house.close().await;
}
