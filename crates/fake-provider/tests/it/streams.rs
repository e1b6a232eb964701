use std::time::Duration;

use farthing_fake_provider::{FakeProvider, Options, Script};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::http::{chat, connect, eventually, post, read_until, start, start_with};

const SCRIPT: &str = r#"[{
    "content": "Grüße, 世界 👩‍🚀! Let me look.",
    "reasoning_tokens": 7,
    "tool_calls": [
        {"id": "call_1", "name": "read_file", "arguments": {"path": "a.rs"}},
        {"id": "call_2", "name": "list", "arguments": "{}"}
    ]
}]"#;

fn streamed(include_usage: bool) -> Value {
    json!({
        "model": "gpt-4o", "stream": true, "stream_options": {"include_usage": include_usage},
        "messages": [{"role": "user", "content": "Hello"}],
    })
}

fn whole() -> Value {
    json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]})
}

/// `body` with the tools that the script calls.
fn with_tools(mut body: Value) -> Value {
    let tools = ["read_file", "list"].map(|name| json!({"function": {"name": name}}));
    body["tools"] = json!(tools);
    body
}

#[tokio::test]
async fn a_stream_opens_with_the_role_and_ends_with_usage_and_done() {
    let provider = start_with(r#"[{"content": "Yes."}]"#).await;
    let answer = chat(&provider, &streamed(true)).await;
    assert!(answer.is_complete && answer.head.contains("content-type: text/event-stream"));
    let head = concat!(
        r#"{"id":"chatcmpl-00000000000000000000000000000","object":"chat.completion.chunk","#,
        r#""created":1760000000,"model":"gpt-4o-2024-08-06","service_tier":"default","#,
        r#""system_fingerprint":"fp_fake000000","choices":["#,
    );
    let choice = |delta: &str, reason: &str| {
        let choice = r#"{"index":0,"delta":"#;
        format!(
            "{head}{choice}{delta},\"logprobs\":null,\"finish_reason\":{reason}}}],\"usage\":null}}"
        )
    };
    let usage = concat!(
        r#"],"usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10,"#,
        r#""prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"#,
        r#""completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"#,
        r#""accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}"#,
    );
    let expected = [
        choice(r#"{"role":"assistant","content":"","refusal":null}"#, "null"),
        choice(r#"{"content":"Yes"}"#, "null"),
        choice(r#"{"content":"."}"#, "null"),
        choice("{}", r#""stop""#),
        format!("{head}{usage}"),
        "[DONE]".to_owned(),
    ];
    assert_eq!(answer.events(), expected);
}

#[tokio::test]
async fn a_stream_put_together_is_the_whole_answer() {
    let provider = start_with(SCRIPT).await;
    let whole = chat(&provider, &with_tools(whole())).await.json();
    let chunks = chat(&provider, &with_tools(streamed(true))).await.chunks();
    let (last, chunks) = chunks.split_last().unwrap();
    assert_eq!(last["usage"], whole["usage"]);

    let mut content = String::new();
    let mut calls: Vec<Value> = Vec::new();
    for chunk in chunks {
        let delta = &chunk["choices"][0]["delta"];
        content.push_str(delta["content"].as_str().unwrap_or_default());
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            if call.get("id").is_some() {
                assert_eq!(call["index"], calls.len());
                calls.push(call.clone());
            } else {
                let arguments =
                    &mut calls[call["index"].as_u64().unwrap() as usize]["function"]["arguments"];
                let more = call["function"]["arguments"].as_str().unwrap();
                *arguments = json!(arguments.as_str().unwrap().to_owned() + more);
            }
        }
    }
    for call in &mut calls {
        call.as_object_mut().unwrap().remove("index");
    }
    let message = &whole["choices"][0]["message"];
    assert_eq!(message["content"], content);
    assert_eq!(message["tool_calls"], json!(calls));
}

#[tokio::test]
async fn a_stream_without_include_usage_does_not_mention_it() {
    let provider = start_with(SCRIPT).await;
    let mut bare = streamed(false);
    bare.as_object_mut().unwrap().remove("stream_options");
    for body in [streamed(false), bare] {
        let answer = chat(&provider, &body).await;
        assert!(!answer.body.contains("usage"));
        let chunks = answer.chunks();
        assert!(chunks.iter().all(|chunk| chunk["choices"] != json!([])));
    }
}

#[tokio::test]
async fn choices_of_a_stream_are_told_apart_by_their_index() {
    let provider = start().await;
    let mut body = streamed(false);
    body["n"] = json!(2);
    let chunks = chat(&provider, &body).await.chunks();
    let finished = chunks.iter().map(|chunk| &chunk["choices"][0]);
    let finished = finished.filter(|choice| choice["finish_reason"] == "stop");
    assert_eq!(finished.map(|choice| &choice["index"]).collect::<Vec<_>>(), [0, 1]);
}

async fn slow(first_token: Duration, between_chunks: Duration) -> FakeProvider {
    let script = Script::from_json(SCRIPT).unwrap();
    let options = Options { script, first_token, between_chunks, ..Options::default() };
    FakeProvider::start(options).await.unwrap()
}

#[tokio::test]
async fn an_event_is_sent_at_once_and_a_client_that_leaves_pays_for_what_was_sent() {
    let provider = slow(Duration::ZERO, Duration::from_secs(3_600)).await;
    let mut connection = connect(&provider).await;
    connection.write_all(post(&with_tools(streamed(true))).as_bytes()).await.unwrap();
    read_until(&mut connection, "\n\n").await;
    drop(connection);
    eventually(|| provider.log()[0].client_left).await;
    let exchange = &provider.log()[0];
    assert!(exchange.streamed);
    assert_eq!(exchange.chunks_sent, 1);
    let usage = exchange.usage.unwrap();
    assert_eq!((usage.completion_tokens, usage.reasoning_tokens), (7, 7));
    assert!(usage.prompt_tokens > 0);
    assert_eq!(provider.billed(), usage);
}

#[tokio::test]
async fn the_head_of_a_stream_does_not_wait_for_the_first_token() {
    let provider = slow(Duration::from_secs(3_600), Duration::ZERO).await;
    let mut connection = connect(&provider).await;
    connection.write_all(post(&streamed(true)).as_bytes()).await.unwrap();
    let head = read_until(&mut connection, "\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200 OK") && head.ends_with("\r\n\r\n"));
    drop(connection);
    eventually(|| provider.log()[0].client_left).await;
    assert_eq!(provider.log()[0].chunks_sent, 0);
    assert_eq!(provider.log()[0].usage, None);
}

#[tokio::test]
async fn a_whole_answer_takes_as_long_as_its_stream() {
    let provider = slow(Duration::ZERO, Duration::from_secs(3_600)).await;
    let mut connection = connect(&provider).await;
    connection.write_all(post(&whole()).as_bytes()).await.unwrap();
    eventually(|| !provider.log().is_empty()).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(provider.log()[0].status, None);
    drop(connection);
    eventually(|| provider.log()[0].client_left).await;
    assert_eq!(provider.billed().total_tokens(), 0);
}

#[tokio::test]
async fn a_client_that_reads_to_the_end_has_not_left() {
    let provider = start_with(SCRIPT).await;
    let answer = chat(&provider, &with_tools(streamed(true))).await;
    let exchange = &provider.log()[0];
    assert!(!exchange.client_left);
    assert_eq!(exchange.chunks_sent, answer.events().len() as u64);
    let reported = &answer.chunks().pop().unwrap()["usage"];
    assert_eq!(reported["total_tokens"], exchange.usage.unwrap().total_tokens());
}
