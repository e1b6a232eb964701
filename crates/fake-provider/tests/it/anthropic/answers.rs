use serde_json::{Value, json};

use super::hello;
use crate::http::{messages, start, start_with};

#[tokio::test]
async fn a_whole_answer_has_the_members_of_anthropic_in_their_order() {
    let provider = start_with(r#"[{"content": "Good morning."}]"#).await;
    let answer = messages(&provider, &hello()).await;
    assert_eq!(answer.status, 200);
    let expected = concat!(
        r#"{"model":"claude-sonnet-4-5-20250929","id":"msg_000000000000000000000000","#,
        r#""type":"message","role":"assistant","#,
        r#""content":[{"type":"text","text":"Good morning."}],"stop_reason":"end_turn","#,
        r#""stop_sequence":null,"stop_details":null,"usage":{"input_tokens":8,"#,
        r#""cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"#,
        r#""ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":3,"#,
        r#""service_tier":"standard"}}"#,
    );
    assert_eq!(answer.body, expected);
}

#[tokio::test]
async fn a_script_is_followed_by_the_number_of_assistant_messages() {
    let provider = start_with(
        r#"[
            {
                "content": "Let me add.",
                "tool_calls": [{"id": "toolu_1", "name": "add", "arguments": {"a": 1, "b": 2}}]
            },
            {"content": "It is 3.", "reasoning_tokens": 20}
        ]"#,
    )
    .await;
    let question = json!({"role": "user", "content": "1 + 2?"});
    let mut body = hello();
    body["tools"] = json!([{"name": "add", "input_schema": {"type": "object"}}]);
    body["messages"] = json!([question]);
    let first = messages(&provider, &body).await.json();
    let call =
        json!({"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 1, "b": 2}});
    assert_eq!(first["content"], json!([{"type": "text", "text": "Let me add."}, call]));
    assert_eq!(first["stop_reason"], "tool_use");
    assert_eq!(first["usage"].get("output_tokens_details"), None);

    let result = json!({"type": "tool_result", "tool_use_id": "toolu_1", "content": "3"});
    body["messages"] = json!([
        question,
        {"role": "assistant", "content": first["content"]},
        {"role": "user", "content": [result]},
    ]);
    let second = messages(&provider, &body).await.json();
    assert_eq!(second["content"], json!([{"type": "text", "text": "It is 3."}]));
    assert_eq!(second["usage"]["output_tokens"], 25);
    assert_eq!(second["usage"]["output_tokens_details"], json!({"thinking_tokens": 20}));
}

#[tokio::test]
async fn a_side_request_without_tools_leaves_the_script_alone() {
    let script = r#"[{"tool_calls": [{"id": "toolu_1", "name": "Read", "arguments": {}}]}]"#;
    let provider = start_with(script).await;
    let mut body = hello();
    let side = messages(&provider, &body).await.json();
    assert_eq!(
        (&side["stop_reason"], &side["content"][0]["type"]),
        (&"end_turn".into(), &"text".into())
    );
    body["tools"] = json!([{"name": "Read", "input_schema": {"type": "object"}}]);
    assert_eq!(messages(&provider, &body).await.json()["stop_reason"], "tool_use");
}

#[tokio::test]
async fn a_model_has_its_own_script() {
    let script = r#"{"claude-sonnet-4-5": [{"content": "One."}], "*": [{"content": "Any."}]}"#;
    let provider = start_with(script).await;
    for (model, said) in [("claude-sonnet-4-5", "One."), ("claude-haiku-4-5", "Any.")] {
        let mut body = hello();
        body["model"] = json!(model);
        assert_eq!(messages(&provider, &body).await.json()["content"][0]["text"], said);
    }
}

#[tokio::test]
async fn an_answer_is_cut_at_the_tokens_allowed() {
    let provider = start().await;
    for max_tokens in [1, 5] {
        let mut body = hello();
        body["max_tokens"] = json!(max_tokens);
        let answer = messages(&provider, &body).await.json();
        assert_eq!(answer["stop_reason"], "max_tokens");
        assert_eq!(answer["usage"]["output_tokens"], max_tokens);
    }
}

#[tokio::test]
async fn arguments_that_are_no_object_are_no_input() {
    let script = r#"[{"tool_calls": [{"id": "toolu_1", "name": "Read", "arguments": "{\"pa"}]}]"#;
    let provider = start_with(script).await;
    let mut body = hello();
    body["tools"] = json!([{"name": "Read", "input_schema": {"type": "object"}}]);
    assert_eq!(messages(&provider, &body).await.json()["content"][0]["input"], json!({}));
}

#[tokio::test]
async fn the_model_that_answers_is_dated_where_it_has_a_date() {
    let provider = start().await;
    for (asked, answered) in [
        ("claude-haiku-4-5", "claude-haiku-4-5-20251001"),
        ("claude-sonnet-4-0", "claude-sonnet-4-20250514"),
        ("claude-opus-4-6", "claude-opus-4-6"),
        ("claude-of-tomorrow", "claude-of-tomorrow"),
    ] {
        let mut body = hello();
        body["model"] = json!(asked);
        assert_eq!(messages(&provider, &body).await.json()["model"], Value::from(answered));
    }
}
