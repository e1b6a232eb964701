use serde_json::{Value, json};

use crate::http::{chat, start};

fn words(count: usize) -> String {
    "alpha beta gamma delta ".repeat(count / 4)
}

fn conversation(messages: &[Value]) -> Value {
    json!({
        "model": "gpt-4o", "messages": messages, "max_tokens": 8,
        "tools": [{"type": "function", "function": {"name": "look", "description": words(400)}}],
    })
}

#[tokio::test]
async fn a_conversation_reads_what_it_sent_before_from_the_cache() {
    let provider = start().await;
    let mut messages = vec![json!({"role": "system", "content": words(400)})];
    let mut prompt_before = 0;
    for turn in 0..6 {
        messages.push(json!({"role": "user", "content": format!("{turn} {}", words(200))}));
        let answer = chat(&provider, &conversation(&messages)).await.json();
        let count = |pointer| answer["usage"].pointer(pointer).unwrap().as_u64().unwrap();
        let cached = count("/prompt_tokens_details/cached_tokens");
        let expected = if prompt_before < 1_024 { 0 } else { prompt_before / 128 * 128 };
        assert_eq!(cached, expected, "turn {turn}");
        prompt_before = count("/prompt_tokens");
        messages.push(answer["choices"][0]["message"].clone());
    }
    assert!(provider.billed().cached_tokens > 0);
}

#[tokio::test]
async fn another_tool_or_model_finds_nothing_cached() {
    let provider = start().await;
    let body = conversation(&[json!({"role": "user", "content": words(2_000)})]);
    let mut other_tool = body.clone();
    other_tool["tools"][0]["function"]["name"] = json!("watch");
    let mut other_model = body.clone();
    other_model["model"] = json!("gpt-4o-mini");
    for (body, is_cached) in
        [(&body, false), (&other_tool, false), (&other_model, false), (&body, true)]
    {
        let answer = chat(&provider, body).await.json();
        let cached = &answer["usage"]["prompt_tokens_details"]["cached_tokens"];
        assert_eq!(*cached != 0, is_cached, "{body}");
    }
}
