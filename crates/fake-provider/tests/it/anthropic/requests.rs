use serde_json::{Value, json};

use super::hello;
use crate::http::{ANTHROPIC, chat, exchange, messages, request, start};

const INVALID: &str = "invalid_request_error";

#[tokio::test]
async fn requests_that_cannot_be_answered_are_refused_in_the_envelope() {
    let provider = start().await;
    let member = |name: &str, value: Value| {
        let mut body = hello();
        body[name] = value;
        body.to_string()
    };
    let marked = |ttls: &[&str]| {
        let block = |ttl| {
            let control = json!({"type": "ephemeral", "ttl": ttl});
            json!({"type": "text", "text": "Hello", "cache_control": control})
        };
        let content: Vec<_> = ttls.iter().map(block).collect();
        member("messages", json!([{"role": "user", "content": content}]))
    };
    for (body, status, kind, message) in [
        ("{".to_owned(), 400, INVALID, "not valid JSON"),
        ("[]".to_owned(), 400, INVALID, "not a messages request"),
        (member("messages", json!([{"role": "king", "content": ""}])), 400, INVALID, "king"),
        (member("model", Value::Null), 400, INVALID, "model is missing"),
        (member("messages", Value::Null), 400, INVALID, "messages is missing"),
        (member("messages", json!([])), 400, INVALID, "messages is missing"),
        (member("max_tokens", Value::Null), 400, INVALID, "max_tokens is missing"),
        (member("max_tokens", json!(0)), 400, INVALID, "nonzero"),
        (marked(&["5m"; 5]), 400, INVALID, "5 blocks"),
        (marked(&["5m", "1h"]), 400, INVALID, "put it before"),
        (marked(&["1d"]), 400, INVALID, "not a messages request"),
        (member("model", json!("gpt-4o")), 404, "not_found_error", "`gpt-4o`"),
    ] {
        let request = request("POST", "/v1/messages", ANTHROPIC, &body);
        let answer = exchange(&provider, &request).await.unwrap();
        assert_eq!(answer.status, status, "{body}");
        let envelope = answer.json();
        assert_eq!(envelope["type"], "error", "{body}");
        assert_eq!(envelope["error"]["type"], kind, "{body}");
        assert!(envelope["error"]["message"].as_str().unwrap().contains(message), "{envelope}");
        assert!(envelope["request_id"].as_str().unwrap().starts_with("req_"), "{body}");
    }
    assert_eq!(provider.billed().total_tokens(), 0);
}

#[tokio::test]
async fn a_key_is_needed_in_either_header() {
    let provider = start().await;
    for (headers, status) in [
        ("anthropic-version: 2023-06-01\r\n", 401),
        ("x-api-key: \r\n", 401),
        ("authorization: Basic abc\r\n", 401),
        ("x-api-key: any\r\n", 200),
        ("authorization: Bearer any\r\n", 200),
    ] {
        let request = request("POST", "/v1/messages?beta=true", headers, &hello().to_string());
        let answer = exchange(&provider, &request).await.unwrap();
        assert_eq!(answer.status, status, "{headers:?}");
        if status == 401 {
            assert_eq!(answer.json()["error"]["type"], "authentication_error");
        }
    }
}

#[tokio::test]
async fn tokens_are_counted_as_they_are_billed_and_cost_nothing() {
    let provider = start().await;
    let mut body = hello();
    body["system"] = json!("Be brief.");
    body["tools"] = json!([{"name": "look", "input_schema": {"type": "object"}}]);
    let mut unlimited = body.clone();
    unlimited.as_object_mut().unwrap().remove("max_tokens");
    let path = "/v1/messages/count_tokens?beta=true";
    let count = request("POST", path, ANTHROPIC, &unlimited.to_string());
    let counted = exchange(&provider, &count).await.unwrap().json();
    assert_eq!(provider.billed().total_tokens(), 0);
    let billed = messages(&provider, &body).await.json();
    assert_eq!(counted, json!({"input_tokens": billed["usage"]["input_tokens"]}));
}

#[tokio::test]
async fn the_root_answers_without_a_key() {
    let provider = start().await;
    for method in ["GET", "HEAD"] {
        let answer = exchange(&provider, &request(method, "/", "", "")).await.unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{method}");
    }
}

#[tokio::test]
async fn the_models_are_those_of_the_api_that_is_asked() {
    let provider = start().await;
    let list = async |headers| {
        let list = exchange(&provider, &request("GET", "/v1/models", headers, "")).await;
        list.unwrap().json()
    };
    let anthropic = list(ANTHROPIC).await;
    let openai = list("authorization: Bearer sk-test\r\n").await;
    let ids = |list: &Value| -> Vec<Value> {
        list["data"].as_array().unwrap().iter().map(|model| model["id"].clone()).collect()
    };
    assert!(ids(&anthropic).contains(&"claude-sonnet-4-5-20250929".into()));
    assert_eq!(
        (&anthropic["first_id"], &anthropic["has_more"]),
        (&ids(&anthropic)[0], &false.into())
    );
    assert!(ids(&openai).contains(&"gpt-4o".into()));
}

#[tokio::test]
async fn one_provider_bills_both_dialects() {
    let provider = start().await;
    let openai = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]});
    chat(&provider, &openai).await;
    messages(&provider, &hello()).await;
    assert_eq!(provider.billed().prompt_tokens, 8 + 8);
    assert_eq!(provider.log().len(), 2);
}
