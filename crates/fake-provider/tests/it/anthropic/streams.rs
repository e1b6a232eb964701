use std::time::Duration;

use farthing_fake_provider::{FakeProvider, Options, Script};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::{hello, streamed};
use crate::http::{ANTHROPIC, connect, eventually, messages, read_until, request, start_with};

const SCRIPT: &str = r#"[{
    "content": "Grüße, 世界 👩‍🚀! Let me look.",
    "reasoning_tokens": 7,
    "tool_calls": [
        {"id": "toolu_1", "name": "Read", "arguments": {"path": "a.rs", "lines": [1, 9]}},
        {"id": "toolu_2", "name": "List", "arguments": "{}"}
    ]
}]"#;

fn with_tools(mut body: Value) -> Value {
    body["tools"] = json!(["Read", "List"].map(|name| json!({"name": name, "input_schema": {}})));
    body
}

#[tokio::test]
async fn a_stream_has_the_events_of_anthropic() {
    let provider = start_with(r#"[{"content": "Yes."}]"#).await;
    let answer = messages(&provider, &streamed()).await;
    assert!(answer.is_complete && answer.head.contains("content-type: text/event-stream"));
    let message = concat!(
        r#"{"model":"claude-sonnet-4-5-20250929","id":"msg_000000000000000000000000","#,
        r#""type":"message","role":"assistant","content":[],"stop_reason":null,"#,
        r#""stop_sequence":null,"stop_details":null,"usage":{"input_tokens":8,"#,
        r#""cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"#,
        r#""ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":1,"#,
        r#""service_tier":"standard"}}"#,
    );
    let delta = |text: &str| {
        let delta = format!(r#","index":0,"delta":{{"type":"text_delta","text":"{text}"}}"#);
        ("content_block_delta", delta)
    };
    let stop = concat!(
        r#","delta":{"stop_reason":"end_turn","stop_sequence":null,"stop_details":null},"#,
        r#""usage":{"input_tokens":8,"cache_creation_input_tokens":0,"#,
        r#""cache_read_input_tokens":0,"output_tokens":2}"#,
    );
    let events = [
        ("message_start", format!(r#","message":{message}"#)),
        (
            "content_block_start",
            r#","index":0,"content_block":{"type":"text","text":""}"#.to_owned(),
        ),
        ("ping", String::new()),
        delta("Yes"),
        delta("."),
        ("content_block_stop", r#","index":0"#.to_owned()),
        ("message_delta", stop.to_owned()),
        ("message_stop", String::new()),
    ];
    let expected = events
        .map(|(name, rest)| format!("event: {name}\ndata: {{\"type\":\"{name}\"{rest}}}\n\n"));
    assert_eq!(answer.body, expected.concat());
}

#[tokio::test]
async fn a_stream_put_together_is_the_whole_answer() {
    let provider = start_with(SCRIPT).await;
    let mut whole = messages(&provider, &with_tools(hello())).await.json();
    let answer = messages(&provider, &with_tools(streamed())).await;

    let mut message = Value::Null;
    let mut inputs = vec![String::new(); 3];
    for (name, event) in answer.named_events() {
        assert_eq!(event["type"], name);
        let index = event["index"].as_u64().unwrap_or_default() as usize;
        match name {
            "message_start" => message = event["message"].clone(),
            "content_block_start" => {
                let content = message["content"].as_array_mut().unwrap();
                assert_eq!(index, content.len());
                content.push(event["content_block"].clone());
            }
            "content_block_delta" if event["delta"]["type"] == "text_delta" => {
                let text = &mut message["content"][index]["text"];
                let more = event["delta"]["text"].as_str().unwrap();
                *text = json!(text.as_str().unwrap().to_owned() + more);
            }
            "content_block_delta" => {
                inputs[index].push_str(event["delta"]["partial_json"].as_str().unwrap());
            }
            "content_block_stop" if !inputs[index].is_empty() => {
                let input: Value = serde_json::from_str(&inputs[index]).unwrap();
                message["content"][index]["input"] = input;
            }
            "message_delta" => {
                message["stop_reason"] = event["delta"]["stop_reason"].clone();
                for (name, count) in event["usage"].as_object().unwrap() {
                    message["usage"][name] = count.clone();
                }
            }
            _ => {}
        }
    }
    whole["id"] = message["id"].clone();
    assert_eq!(message, whole);
    assert_eq!(inputs[1], r#"{"lines":[1,9],"path":"a.rs"}"#);
}

async fn slow() -> FakeProvider {
    let script = Script::from_json(SCRIPT).unwrap();
    let between_chunks = Duration::from_secs(3_600);
    FakeProvider::start(Options { script, between_chunks, ..Options::default() }).await.unwrap()
}

#[tokio::test]
async fn a_client_that_leaves_pays_for_what_was_sent() {
    let provider = slow().await;
    let mut connection = connect(&provider).await;
    let body = with_tools(streamed()).to_string();
    let request = request("POST", "/v1/messages", ANTHROPIC, &body);
    connection.write_all(request.as_bytes()).await.unwrap();
    read_until(&mut connection, "\n\n").await;
    drop(connection);
    eventually(|| provider.log()[0].client_left).await;
    let exchange = &provider.log()[0];
    assert_eq!((exchange.streamed, exchange.chunks_sent), (true, 1));
    let usage = exchange.usage.unwrap();
    assert_eq!((usage.completion_tokens, usage.reasoning_tokens), (7, 7));
    assert!(usage.prompt_tokens > 346);
}

#[tokio::test]
async fn the_events_of_a_stream_are_billed_what_the_last_one_says() {
    let provider = start_with(SCRIPT).await;
    let answer = messages(&provider, &with_tools(streamed())).await;
    let events = answer.named_events();
    let exchange = &provider.log()[0];
    assert_eq!(exchange.chunks_sent, events.len() as u64);
    let usage = exchange.usage.unwrap();
    let reported = &events[events.len() - 2].1["usage"];
    assert_eq!(reported["output_tokens"], usage.completion_tokens);
    assert_eq!(reported["input_tokens"], usage.prompt_tokens);
    assert_eq!(reported["output_tokens_details"]["thinking_tokens"], 7);
}
