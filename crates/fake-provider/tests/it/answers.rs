use serde_json::{Value, json};

use crate::http::{chat, exchange, post, request, start, start_with};

fn hello(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "Hello"}]})
}

#[tokio::test]
async fn a_whole_answer_has_the_members_of_openai_in_their_order() {
    let provider = start_with(r#"[{"content": "Good morning."}]"#).await;
    let answer = chat(&provider, &hello("gpt-4o")).await;
    assert_eq!(answer.status, 200);
    let expected = concat!(
        r#"{"id":"chatcmpl-00000000000000000000000000000","object":"chat.completion","#,
        r#""created":1760000000,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"#,
        r#""message":{"role":"assistant","content":"Good morning.","refusal":null,"#,
        r#""annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"#,
        r#""prompt_tokens":8,"completion_tokens":3,"total_tokens":11,"#,
        r#""prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"#,
        r#""completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"#,
        r#""accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"#,
        r#""service_tier":"default","system_fingerprint":"fp_fake000000"}"#,
    );
    assert_eq!(answer.body, expected);
}

#[tokio::test]
async fn a_script_is_followed_by_the_number_of_assistant_messages() {
    let provider = start_with(
        r#"[
            {"tool_calls": [{"id": "call_1", "name": "add", "arguments": {"a": 1, "b": 2}}]},
            {"content": "It is 3.", "reasoning_tokens": 20}
        ]"#,
    )
    .await;
    let tools = json!([{"type": "function", "function": {"name": "add"}}]);
    let question = json!({"role": "user", "content": "1 + 2?"});
    let body = json!({"model": "gpt-5", "messages": [question], "tools": tools});
    let first = chat(&provider, &body).await.json();
    let call = json!({
        "id": "call_1", "type": "function",
        "function": {"name": "add", "arguments": r#"{"a":1,"b":2}"#},
    });
    let message = &first["choices"][0]["message"];
    assert_eq!(message["tool_calls"], json!([call]));
    assert_eq!(message["content"], Value::Null);
    assert_eq!(first["choices"][0]["finish_reason"], "tool_calls");

    let result = json!({"role": "tool", "tool_call_id": "call_1", "content": "3"});
    let body = json!({"model": "gpt-5", "messages": [question, message, result], "tools": tools});
    let second = chat(&provider, &body).await.json();
    assert_eq!(second["choices"][0]["message"]["content"], "It is 3.");
    assert_eq!(second["choices"][0]["message"].get("tool_calls"), None);
    assert_eq!(second["usage"]["completion_tokens"], 25);
    assert_eq!(second["usage"]["completion_tokens_details"]["reasoning_tokens"], 20);
}

#[tokio::test]
async fn a_request_without_the_tools_of_the_script_gets_some_sentences() {
    let script = r#"[{"tool_calls": [{"id": "call_1", "name": "add", "arguments": {}}]}]"#;
    let provider = start_with(script).await;
    let answer = chat(&provider, &hello("gpt-4o")).await.json();
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert!(answer["choices"][0]["message"]["content"].is_string());
}

#[tokio::test]
async fn without_a_script_the_same_request_has_the_same_answer() {
    let provider = start().await;
    let mut body = hello("gpt-4o");
    let [first, second] = [chat(&provider, &body).await, chat(&provider, &body).await];
    assert_eq!(first.json()["choices"], second.json()["choices"]);
    body["messages"][0]["content"] = json!("Goodbye");
    assert_ne!(first.json()["choices"], chat(&provider, &body).await.json()["choices"]);
}

#[tokio::test]
async fn an_answer_is_cut_at_the_tokens_allowed() {
    let provider = start().await;
    for limit in ["max_tokens", "max_completion_tokens"] {
        let mut body = hello("gpt-4o");
        body[limit] = json!(5);
        let answer = chat(&provider, &body).await.json();
        assert_eq!(answer["choices"][0]["finish_reason"], "length", "{limit}");
        assert_eq!(answer["usage"]["completion_tokens"], 5, "{limit}");
    }
}

#[tokio::test]
async fn choices_differ_and_are_billed_with_one_prompt() {
    let provider = start().await;
    let mut body = hello("gpt-4o");
    body["n"] = json!(3);
    body["max_tokens"] = json!(4);
    let answer = chat(&provider, &body).await.json();
    let choices = answer["choices"].as_array().unwrap();
    let indices: Vec<_> = choices.iter().map(|choice| &choice["index"]).collect();
    assert_eq!(indices, [0, 1, 2]);
    assert_ne!(choices[0]["message"], choices[1]["message"]);
    assert_eq!(answer["usage"]["prompt_tokens"], 8);
    assert_eq!(answer["usage"]["completion_tokens"], 12);
}

#[tokio::test]
async fn a_dated_model_answers_for_its_family() {
    let provider = start().await;
    for (asked, answered) in [
        ("gpt-5-mini", "gpt-5-mini-2025-08-07"),
        ("gpt-4o-2024-11-20", "gpt-4o-2024-11-20"),
        ("gpt-6-from-tomorrow", "gpt-6-from-tomorrow"),
    ] {
        assert_eq!(chat(&provider, &hello(asked)).await.json()["model"], answered);
    }
    let list = request("GET", "/v1/models", "authorization: Bearer sk-test\r\n", "");
    let list = exchange(&provider, &list).await.unwrap().json();
    let is_listed = |id: &str| list["data"].as_array().unwrap().iter().any(|m| m["id"] == id);
    assert!(is_listed("gpt-4o") && is_listed("gpt-4o-2024-08-06"));
}

#[tokio::test]
async fn requests_that_cannot_be_answered_are_refused_in_the_envelope() {
    let provider = start().await;
    let messages = r#""messages": [{"role": "user", "content": "Hello"}]"#;
    for (body, status, param, code) in [
        ("{", 400, None, None),
        ("[]", 400, None, None),
        (r#"{"model": "gpt-4o", "messages": "Hello"}"#, 400, None, None),
        (r#"{"model": "gpt-4o", "messages": [{"role": "king"}]}"#, 400, None, None),
        (r#"{"model": "gpt-4o"}"#, 400, Some("messages"), Some("missing_required_parameter")),
        (&format!("{{{messages}}}"), 400, Some("model"), Some("missing_required_parameter")),
        (&format!(r#"{{"model": "claude", {messages}}}"#), 404, None, Some("model_not_found")),
        (&format!(r#"{{"model": "o1", {messages}, "n": 0}}"#), 400, Some("n"), None),
        (&format!(r#"{{"model": "o1", {messages}, "n": 129}}"#), 400, Some("n"), None),
        (
            &format!(r#"{{"model": "o1", {messages}, "max_tokens": 0}}"#),
            400,
            Some("max_tokens"),
            None,
        ),
        (
            &format!(r#"{{"model": "o1", {messages}, "stream_options": {{}}}}"#),
            400,
            Some("stream_options"),
            None,
        ),
    ] {
        let request =
            request("POST", "/v1/chat/completions", "authorization: Bearer sk-test\r\n", body);
        let answer = exchange(&provider, &request).await.unwrap();
        assert_eq!(answer.status, status, "{body}");
        let error = &answer.json()["error"];
        assert_eq!(error["type"], "invalid_request_error", "{body}");
        assert_eq!((error["param"].as_str(), error["code"].as_str()), (param, code), "{body}");
        assert!(error["message"].is_string(), "{body}");
    }
    assert_eq!(provider.billed().total_tokens(), 0);
}

#[tokio::test]
async fn a_key_is_needed_and_any_will_do() {
    let provider = start().await;
    let body = hello("gpt-4o").to_string();
    for headers in ["", "authorization: Bearer \r\n", "authorization: Basic abc\r\n"] {
        let request = request("POST", "/v1/chat/completions", headers, &body);
        assert_eq!(exchange(&provider, &request).await.unwrap().status, 401, "{headers:?}");
    }
    assert_eq!(exchange(&provider, &post(&hello("gpt-4o"))).await.unwrap().status, 200);
}
