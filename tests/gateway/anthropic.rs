//! Anthropic's Messages API.

use farthing_fake_provider::{Fault, Options};
use serde_json::{Value, json};

use crate::support::House;

pub fn hello() -> Value {
    json!({
        "model": "claude-sonnet-4-5",
        "max_tokens": 60,
        "messages": [{ "role": "user", "content": "Say something short." }],
    })
}

pub fn hello_streamed() -> Value {
    let mut body = hello();
    body["stream"] = json!(true);
    body
}

impl House {
    pub fn message(&self, body: &Value) -> reqwest::RequestBuilder {
        let url = format!("{}/v1/messages?beta=true", self.address);
        let call = self.http.post(url).header("anthropic-version", "2023-06-01");
        call.header("content-type", "application/json").body(body.to_string())
    }
}

#[tokio::test]
async fn an_answer_is_the_providers_own_and_its_cost_is_known() {
    let house = House::open().await;
    let answer = house.message(&hello()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let record = house.record(&answer).await;
    let headers = answer.headers().clone();
    let body: Value = answer.json().await.unwrap();
    assert_eq!(headers["x-farthing-tokens-input"], body["usage"]["input_tokens"].to_string());
    assert_eq!(record["usage"]["output"], body["usage"]["output_tokens"]);
    assert_eq!(
        (&record["status"], &record["cost"]["status"]),
        (&"settled".into(), &"priced".into())
    );
    let exchange = &house.provider.log()[0];
    assert_eq!(exchange.path, "/v1/messages?beta=true");
    assert_eq!(exchange.headers["x-api-key"], "sk-test-provider-key");
    assert_eq!(exchange.headers["anthropic-version"], "2023-06-01");
    assert_eq!(exchange.body.as_ref(), hello().to_string().as_bytes());
    house.close().await;
}

#[tokio::test]
async fn a_stream_passes_byte_for_byte_and_is_billed_by_its_last_word() {
    let house = House::open().await;
    let through = house.message(&hello_streamed()).send().await.unwrap();
    let record = house.record(&through).await;
    let through = through.text().await.unwrap();
    let url = format!("{}/v1/messages", house.provider.anthropic_base_url());
    let direct = house.http.post(url).header("x-api-key", "sk").json(&hello_streamed());
    let direct = direct.send().await.unwrap().text().await.unwrap();
    let lines = |stream: &str| -> Vec<String> {
        stream.lines().filter(|line| !line.contains("message_start")).map(str::to_owned).collect()
    };
    assert_eq!(lines(&through), lines(&direct));
    assert_eq!(record["origin"], "measured");
    let billed = house.provider.log()[0].usage.unwrap();
    assert_eq!(record["usage"]["output"], billed.completion_tokens);
    house.close().await;
}

#[tokio::test]
async fn what_is_written_to_the_cache_and_read_from_it_has_its_own_price() {
    let house = House::open().await;
    let mut body = hello();
    body["system"] = json!([{
        "type": "text",
        "text": "The quick brown fox jumps over the lazy dog. ".repeat(400),
        "cache_control": { "type": "ephemeral", "ttl": "1h" },
    }]);
    let first = house.message(&body).send().await.unwrap();
    let first = house.record(&first).await;
    let second = house.message(&body).send().await.unwrap();
    let second = house.record(&second).await;
    let written = first["usage"]["cache_write_1h"].as_u64().unwrap();
    assert!(written > 1_024);
    assert_eq!(second["usage"]["cache_read"], written);
    let pico = |record: &Value| record["cost"]["pico_usd"].as_i64().unwrap();
    assert!(pico(&second) * 5 < pico(&first));
    house.close().await;
}

#[tokio::test]
async fn counting_tokens_is_free_and_recorded() {
    let house = House::open().await;
    let url = format!("{}/v1/messages/count_tokens", house.address);
    let mut body = hello();
    body.as_object_mut().unwrap().remove("max_tokens");
    let answer = house.http.post(url).header("anthropic-version", "2023-06-01").json(&body);
    let answer = answer.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let record = house.record(&answer).await;
    assert_eq!((&record["status"], &record["held"]), (&"voided".into(), &"0.00".into()));
    assert!(answer.json::<Value>().await.unwrap()["input_tokens"].as_u64().unwrap() > 0);
    house.close().await;
}

#[tokio::test]
async fn counting_tokens_is_free_also_where_it_fails() {
    let house = House::open().await;
    let url = format!("{}/v1/messages/count_tokens", house.address);
    for fault in [Fault::Status(500), Fault::Html(200), Fault::CloseBeforeAnswer] {
        house.provider.answer_next_with(fault);
        let answer = house.http.post(&url).json(&hello()).send().await.unwrap();
        assert!(answer.status().is_server_error());
        let record = house.record(&answer).await;
        assert_eq!((&record["status"], &record["charged"]), (&"voided".into(), &"0.00".into()));
    }
    house.close().await;
}

#[tokio::test]
async fn clients_find_what_they_look_for_first() {
    let house = House::open().await;
    let head = house.http.head(&house.address).send().await.unwrap();
    assert_eq!(head.status(), 200);
    let models = house.get("/v1/models").await.json::<Value>().await.unwrap();
    assert!(models["data"][0]["id"].as_str().unwrap().starts_with("gpt"), "{models}");
    let url = format!("{}/v1/models", house.address);
    let models =
        house.http.get(url).header("anthropic-version", "2023-06-01").send().await.unwrap();
    let models = models.json::<Value>().await.unwrap();
    assert!(models["data"][0]["id"].as_str().unwrap().starts_with("claude"), "{models}");
}

#[tokio::test]
async fn b15_a_refusal_is_worded_as_this_api_does() {
    let limit = "[[budgets.limit]]\nscope = \"user\"\nwindow = \"day\"\nusd = \"0.0001\"\n";
    let house = House::with(Options::default(), limit).await;
    let refused = house.message(&hello()).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["x-should-retry"], "false");
    let error: Value = refused.json().await.unwrap();
    assert_eq!(
        (&error["type"], &error["error"]["type"]),
        (&"error".into(), &"rate_limit_error".into())
    );
    assert!(error["request_id"].as_str().unwrap().starts_with("req_"));
    assert!(house.provider.log().is_empty());
}

#[tokio::test]
async fn what_is_not_a_request_is_refused_as_this_api_does() {
    let house = House::open().await;
    let refused = house.message(&json!({ "model": "claude-sonnet-4-5" })).send().await.unwrap();
    assert_eq!(refused.status(), 400);
    let error: Value = refused.json().await.unwrap();
    assert_eq!(error["error"]["type"], "invalid_request_error");
    assert!(error["error"]["message"].as_str().unwrap().contains("messages"));
}

#[tokio::test]
async fn s1_a_client_that_hangs_up_pays_for_the_prompt_as_reported_and_the_answer_as_seen() {
    let pace =
        Options { between_chunks: std::time::Duration::from_millis(20), ..Options::default() };
    let house = House::with(pace, "").await;
    let mut answer = house.message(&hello_streamed()).send().await.unwrap();
    let id = answer.headers()["x-farthing-request-id"].to_str().unwrap().to_owned();
    let mut seen = String::new();
    while !seen.contains("text_delta") {
        seen += &String::from_utf8_lossy(&answer.chunk().await.unwrap().unwrap());
    }
    drop(answer);
    let record = house.record_of(&id).await;
    assert_eq!(
        (&record["cost"]["status"], &record["origin"]),
        (&"partial".into(), &"estimated".into())
    );
    assert!(seen.contains(&format!("\"input_tokens\":{}", record["usage"]["input"])));
    house.close().await;
}

#[tokio::test]
async fn an_overloaded_provider_is_asked_again() {
    let house = House::with(Options::default(), "[upstream]\nretry_pause_ms = 1\n").await;
    house.provider.answer_next_with(Fault::Status(529));
    let answer = house.message(&hello()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let id = answer.headers()["x-farthing-request-id"].to_str().unwrap().to_owned();
    assert_eq!(house.attempts_of(&id).await.len(), 2);
    house.close().await;
}
