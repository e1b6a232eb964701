//! Answers in one piece.

use serde_json::{Value, json};

use crate::support::{House, hello};

#[tokio::test]
async fn an_answer_is_the_providers_own_and_its_cost_is_in_headers_and_ledger() {
    let house = House::open().await;
    let answer = house.chat(&hello()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let record = house.record(&answer).await;
    let headers = answer.headers().clone();
    let body: Value = answer.json().await.unwrap();

    let usage = &body["usage"];
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("x-farthing-tokens-input"), usage["prompt_tokens"].to_string());
    assert_eq!(header("x-farthing-tokens-output"), usage["completion_tokens"].to_string());
    assert_eq!(header("x-farthing-cost-status"), "priced");
    assert_eq!(record["status"], "settled");
    assert_eq!(record["cost"]["usd"], header("x-farthing-cost-usd"));
    assert_eq!(record["usage"]["input"], usage["prompt_tokens"]);
    let report = house.close().await;
    assert_eq!(report["entries"], 2);
}

#[tokio::test]
async fn our_count_of_plain_text_is_what_the_provider_reports() {
    let house = House::open().await;
    let body = json!({
        "model": "gpt-4o",
        "messages": [
            { "role": "system", "content": "You are terse." },
            { "role": "user", "name": "ada", "content": "Wie spät ist es in 東京? ☕" },
            { "role": "assistant", "content": "Spät." },
            { "role": "user", "content": [{ "type": "text", "text": "Genauer, bitte.\n\n" }] },
        ],
    });
    let answer = house.chat(&body).send().await.unwrap();
    let record = house.record(&answer).await;
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(record["asked"]["anatomy"]["method"], "exact");
    assert_eq!(record["asked"]["anatomy"]["upper_bound"], answer["usage"]["prompt_tokens"]);
}

#[tokio::test]
async fn a_body_reaches_the_provider_byte_for_byte() {
    let house = House::open().await;
    let odd = br#" {"model" :"gpt-4.1","temperature":1.0, "seed":12345678901234567890,
        "messages":[{"role":"user","content":"caf\u00e9 \/ ok"}] , "x":{"a":1,"a":2}}  "#;
    let answer = house.post(odd.to_vec()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(house.provider.log()[0].body.as_ref(), odd);
}

#[tokio::test]
async fn nothing_of_ours_reaches_the_provider_and_its_key_does_not_come_back() {
    let house = House::open().await;
    let call = house.chat(&hello()).header("x-farthing-user", "ada").header("openai-beta", "x");
    let answer = call.bearer_auth("fk_mine").send().await.unwrap();
    let seen = format!("{:?}", answer.headers());
    let sent = house.provider.log()[0].headers.clone();
    assert_eq!(sent["authorization"], "Bearer sk-test-provider-key");
    assert_eq!(sent["openai-beta"], "x");
    assert!(!sent.keys().any(|name| name.as_str().starts_with("x-farthing")));
    assert!(!seen.contains("sk-test-provider-key"));
}

#[tokio::test]
async fn a_repeated_prompt_is_billed_at_the_cached_rate() {
    let house = House::open().await;
    let mut body = hello();
    body["messages"][0]["content"] = json!("The quick brown fox jumps over it. ".repeat(400));
    let first = house.chat(&body).send().await.unwrap();
    let first = house.record(&first).await;
    let second = house.chat(&body).send().await.unwrap();
    assert_ne!(second.headers()["x-farthing-tokens-cached"], "0");
    let second = house.record(&second).await;
    let pico = |record: &Value| record["cost"]["pico_usd"].as_i64().unwrap();
    assert!(pico(&second) < pico(&first), "{second} {first}");
}

#[tokio::test]
async fn many_calls_at_once_are_each_recorded_once() {
    let house = House::open().await;
    let calls = (0..100).map(|_| house.chat(&hello()).send());
    let calls: Vec<_> = calls.map(tokio::spawn).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
    let billed = house.provider.billed();
    let usage = house.until("/api/v1/usage", |usage| usage["data"][0]["requests"] == 100).await;
    assert_eq!(usage["data"][0]["output"], billed.completion_tokens);
    let report = house.close().await;
    assert_eq!(report["attempts"], 100);
}
