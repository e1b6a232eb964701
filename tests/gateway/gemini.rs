//! What only Gemini's API has: a model and a key in the address, and the counting of tokens.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::{House, hello};

const MODEL: &str = "/v1beta/models/gemini-2.5-flash";

impl House {
    fn gemini(&self, method_and_query: &str) -> RequestBuilder {
        let body = json!({ "contents": [{ "parts": [{ "text": "Say something short." }] }] });
        self.http.post(format!("{}{MODEL}:{method_and_query}", self.address)).json(&body)
    }
}

#[tokio::test]
async fn b3_counting_tokens_is_free_and_recorded() {
    let house = House::open().await;
    let answer = house.gemini("countTokens").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let record = house.record(&answer).await;
    assert_eq!((&record["status"], &record["held"]), (&"voided".into(), &"0.00".into()));
    assert!(answer.json::<Value>().await.unwrap()["totalTokens"].as_u64() > Some(0));
    house.close().await;
}

#[tokio::test]
async fn x3_a_key_of_ours_lets_its_holder_in_and_never_reaches_the_provider() {
    let house = House::open().await;
    let keys = house.http.post(format!("{}/api/v1/keys", house.address));
    let made: Value =
        keys.json(&json!({ "user": "ada" })).send().await.unwrap().json().await.unwrap();
    let secret = made["secret"].as_str().unwrap();
    assert_eq!(house.gemini("generateContent").send().await.unwrap().status(), 401);

    let plain = || house.gemini("generateContent");
    let shown = [
        house.gemini(&format!("generateContent?key={secret}")),
        house.gemini(&format!("streamGenerateContent?alt=sse&key={secret}")),
        house.gemini(&format!("countTokens?key={secret}&x={secret}")),
        plain().header("x-goog-api-key", secret),
        plain().bearer_auth(secret),
        plain().header("x-farthing-key", secret).header("x-goog-api-key", "its-own"),
    ];
    for call in shown {
        assert_eq!(call.send().await.unwrap().status(), 200);
        let exchange = house.provider.log().pop().unwrap();
        assert_eq!(exchange.headers["x-goog-api-key"], "sk-test-provider-key");
        assert!(!format!("{exchange:?}").contains("fk_"), "{exchange:?}");
    }
    let elsewhere = house.http.post(format!("{}/v1/chat/completions?key={secret}", house.address));
    let elsewhere = elsewhere.bearer_auth(secret).json(&hello()).send().await.unwrap();
    assert_eq!(elsewhere.status(), 200);
    assert!(!house.provider.log().pop().unwrap().path.contains("fk_"));
}

#[tokio::test]
async fn every_version_that_clients_write_is_served() {
    let house = House::open().await;
    for version in ["v1", "v1alpha", "v1beta"] {
        let path = format!("/{version}/models/gemini-2.5-flash:generateContent");
        let body = json!({ "contents": [{ "parts": [{ "text": "Say something short." }] }] });
        let call = house.http.post(format!("{}{path}", house.address)).json(&body);
        assert_eq!(call.send().await.unwrap().status(), 200, "{version}");
    }
    house.close().await;
}

#[tokio::test]
async fn models_are_listed_and_what_is_not_there_is_said_in_the_envelope() {
    let house = House::open().await;
    let models: Value = house.get("/v1beta/models").await.json().await.unwrap();
    assert!(models["models"][0]["name"].as_str().unwrap().starts_with("models/gemini"));
    let missing = house.gemini("inventContent").send().await.unwrap();
    assert_eq!(missing.status(), 404);
    let error: Value = missing.json().await.unwrap();
    assert_eq!(error["error"]["status"], "NOT_FOUND");
    house.close().await;
}
