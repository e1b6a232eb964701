use farthing_fake_provider::Usage;
use serde_json::{Value, json};

use super::hello;
use crate::http::{messages, start};

fn words(count: usize) -> String {
    "alpha beta gamma delta ".repeat(count / 4)
}

/// A conversation as an agent sends it: the system prompt marked for an hour, the newest message
/// for five minutes.
fn conversation(messages: &[Value]) -> Value {
    let mut messages = messages.to_vec();
    if let Some(newest) = messages.last_mut() {
        newest["content"][0]["cache_control"] = json!({"type": "ephemeral"});
    }
    let control = json!({"type": "ephemeral", "ttl": "1h"});
    let mut body = hello();
    body["system"] = json!([{"type": "text", "text": words(1_200), "cache_control": control}]);
    body["messages"] = json!(messages);
    body
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": [{"type": "text", "text": text}]})
}

#[tokio::test]
async fn a_conversation_reads_what_it_wrote_before() {
    let provider = start().await;
    let mut history = Vec::new();
    let mut known = 0;
    for turn in 0..5 {
        history.push(user(&format!("{turn} {}", words(200))));
        let answer = messages(&provider, &conversation(&history)).await.json();
        let count = |pointer: &str| answer["usage"].pointer(pointer).unwrap().as_u64().unwrap();
        let [five_minutes, hour] =
            ["5m", "1h"].map(|ttl| count(&format!("/cache_creation/ephemeral_{ttl}_input_tokens")));
        assert_eq!(count("/cache_read_input_tokens"), known, "turn {turn}");
        assert_eq!(hour > 0, turn == 0, "turn {turn}");
        assert!(five_minutes > 0, "turn {turn}");
        assert_eq!(count("/cache_creation_input_tokens"), five_minutes + hour, "turn {turn}");
        assert_eq!(count("/input_tokens"), 3, "turn {turn}");
        known += five_minutes + hour;
        history.push(json!({"role": "assistant", "content": answer["content"]}));
    }
}

#[tokio::test]
async fn what_is_billed_is_what_is_reported() {
    let provider = start().await;
    let body = conversation(&[user(&words(400))]);
    for _ in 0..2 {
        let usage = messages(&provider, &body).await.json()["usage"].clone();
        let count = |name: &str| usage[name].as_u64().unwrap();
        let split = |ttl| usage["cache_creation"][format!("ephemeral_{ttl}_input_tokens")].as_u64();
        let cached_tokens = count("cache_read_input_tokens");
        let expected = Usage {
            prompt_tokens: count("input_tokens")
                + cached_tokens
                + count("cache_creation_input_tokens"),
            cached_tokens,
            cache_write_5m_tokens: split("5m").unwrap(),
            cache_write_1h_tokens: split("1h").unwrap(),
            completion_tokens: count("output_tokens"),
            reasoning_tokens: 0,
        };
        assert_eq!(provider.log().pop().unwrap().usage, Some(expected));
    }
}
