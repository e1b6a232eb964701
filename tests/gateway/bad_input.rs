//! What clients send by mistake.

use farthing_fake_provider::Options;
use serde_json::{Value, json};

use crate::support::{House, hello};

/// Sends a body and gives status, our code, and the message.
async fn refused(house: &House, body: impl Into<reqwest::Body>) -> (u16, String, String) {
    let answer = house.post(body).send().await.unwrap();
    let status = answer.status().as_u16();
    let code = answer.headers()["x-farthing-error"].to_str().unwrap().to_owned();
    assert!(answer.headers().contains_key("x-farthing-request-id"));
    let error: Value = answer.json().await.unwrap();
    assert_eq!(error["error"]["type"], "invalid_request_error");
    (status, code, error["error"]["message"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn what_is_not_a_request_is_refused_with_the_reason_and_costs_nothing() {
    let house = House::open().await;
    let cases: &[(&str, &str, &str)] = &[
        ("", "malformed_json", ""),
        ("{\"model\":\"gpt-4.1\",\"messages\":[{\"role\":\"us", "malformed_json", ""),
        ("[]", "invalid_request", "object"),
        ("{\"messages\":[]}", "invalid_request", "model"),
        ("{\"model\":\"gpt-4.1\"}", "invalid_request", "messages"),
        ("{\"model\":7,\"messages\":[]}", "invalid_request", "model"),
        ("{\"model\":\"gpt-4.1\",\"messages\":{}}", "invalid_request", "messages"),
        ("{\"model\":\"gpt-4.1\",\"messages\":[7]}", "invalid_request", "messages[0]"),
        ("{\"model\":\"gpt-4.1\",\"messages\":[],\"stream\":\"yes\"}", "invalid_request", "stream"),
        ("{\"model\":\"gpt-4.1\",\"messages\":[],\"n\":-1}", "invalid_request", "n"),
    ];
    for (body, code, names) in cases {
        let (status, said, message) = refused(&house, *body).await;
        assert_eq!((status, said.as_str()), (400, *code), "{body}: {message}");
        assert!(message.contains(names), "{body}: {message}");
    }
    let (status, ..) = refused(&house, b"{\"model\":\"gpt\xff\"}".to_vec()).await;
    assert_eq!(status, 400);
    assert!(house.provider.log().is_empty());
    assert_eq!(house.close().await["entries"], 0);
}

#[tokio::test]
async fn deep_nesting_is_no_danger() {
    let house = House::open().await;
    let deep = "[".repeat(1_000_000);
    let body = format!("{{\"model\":\"gpt-4.1\",\"messages\":{deep}");
    assert_eq!(refused(&house, body).await.0, 400);
    let closed = format!("{deep}{}", "]".repeat(1_000_000));
    let body = format!("{{\"model\":\"gpt-4.1\",\"messages\":[],\"metadata\":{closed}}}");
    // It is JSON, and what is in `metadata` is the provider's business.
    let status = house.post(body).send().await.unwrap().status().as_u16();
    assert!(status == 200 || status == 400, "{status}");
    house.close().await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let house = House::with(Options::default(), "[server]\nmax_body_bytes = 1_000\n").await;
    let mut body = hello();
    body["messages"][0]["content"] = json!("x".repeat(2_000));
    let (status, code, message) = refused(&house, body.to_string()).await;
    assert_eq!((status, code.as_str()), (413, "body_too_long"));
    assert!(message.contains("1000 bytes"), "{message}");
}

#[tokio::test]
async fn a_label_that_cannot_be_a_name_is_refused() {
    let house = House::open().await;
    let answer =
        house.chat(&hello()).header("x-farthing-thread", "undefined").send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.headers()["x-farthing-error"], "invalid_label");
    let error: Value = answer.json().await.unwrap();
    assert!(error["error"]["message"].as_str().unwrap().contains("x-farthing-thread"));
}

#[tokio::test]
async fn an_unknown_provider_is_refused_with_the_known_ones() {
    let house = House::open().await;
    let answer = house.chat(&hello()).header("x-farthing-provider", "acme").send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let error: Value = answer.json().await.unwrap();
    assert_eq!(error["error"]["code"], "unknown_provider");
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.contains("acme") && message.contains("openai"), "{message}");
}

#[tokio::test]
async fn a_page_of_another_site_may_not_call() {
    let house = House::open().await;
    let answer = house.chat(&hello()).header("origin", "https://evil.test").send().await.unwrap();
    assert_eq!(answer.status(), 403);
    let answer = house.chat(&hello()).header("host", "rebound.test").send().await.unwrap();
    assert_eq!(answer.status(), 403);
    assert!(house.provider.log().is_empty());
}

#[tokio::test]
async fn a_long_history_is_counted_and_one_that_is_too_long_is_refused() {
    let house = House::open().await;
    let messages = |count: usize| -> Value {
        let message = |_| json!({ "role": "user", "content": "ok" });
        let messages: Vec<Value> = (0..count).map(message).collect();
        json!({ "model": "gpt-4.1", "max_completion_tokens": 5, "messages": messages })
    };
    let answer = house.chat(&messages(40_000)).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let (status, code, _) = refused(&house, messages(100_001).to_string()).await;
    assert_eq!((status, code.as_str()), (400, "too_many_elements"));
    house.close().await;
}

#[tokio::test]
async fn a_body_of_many_megabytes_passes_whole() {
    let house = House::open().await;
    let mut body = hello();
    body["messages"][0]["content"] = json!("All work and no play. ".repeat(200_000));
    let body = body.to_string();
    let answer = house.post(body.clone()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(house.provider.log()[0].body.as_ref() == body.as_bytes());
    house.close().await;
}
