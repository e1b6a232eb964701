//! The dialects that share their answers with chat completions: responses, embeddings, Gemini.

use farthing_fake_provider::{FakeProvider, Fault, UsageFault};
use serde_json::{Value, json};

use crate::http::{Answer, exchange, request, start, start_with};

const KEY: &str = "authorization: Bearer sk-test\r\n";
const GEMINI: &str = "/v1beta/models/gemini-2.5-flash";
const CALLING: &str = r#"[
    { "content": "I look.", "reasoning_tokens": 5,
      "tool_calls": [{ "id": "call_1", "name": "grep", "arguments": { "pattern": "x" } }] },
    { "content": "Found." }
]"#;

async fn post(provider: &FakeProvider, path: &str, body: &Value) -> Answer {
    exchange(provider, &request("POST", path, KEY, &body.to_string())).await.unwrap()
}

fn response(streamed: bool) -> Value {
    let tools = json!([{ "type": "function", "name": "grep", "parameters": null }]);
    json!({ "model": "gpt-4.1", "input": "Find x.", "tools": tools, "stream": streamed })
}

fn generation() -> Value {
    let tools = json!([{ "functionDeclarations": [{ "name": "grep" }] }]);
    json!({ "contents": [{ "role": "user", "parts": [{ "text": "Find x." }] }], "tools": tools })
}

#[tokio::test]
async fn a_response_streams_in_order_to_what_it_is_in_one_piece() {
    let provider = start_with(CALLING).await;
    let whole = post(&provider, "/v1/responses", &response(false)).await.json();
    let kinds = whole["output"].as_array().unwrap().iter().map(|item| &item["type"]);
    assert_eq!(kinds.collect::<Vec<_>>(), ["reasoning", "message", "function_call"]);
    assert_eq!(whole["output"][2]["arguments"], r#"{"pattern":"x"}"#);

    let streamed = post(&provider, "/v1/responses", &response(true)).await;
    let events = streamed.named_events();
    for (position, (name, data)) in events.iter().enumerate() {
        assert_eq!((&data["type"], &data["sequence_number"]), (&json!(name), &json!(position)));
    }
    let mut names: Vec<_> = events.iter().map(|(name, _)| *name).collect();
    names.dedup();
    let names: Vec<_> = names.iter().map(|name| name.trim_start_matches("response.")).collect();
    let expected = [
        "created",
        "in_progress",
        "output_item.added",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ];
    assert_eq!(names, expected);
    let last = &events.last().unwrap().1["response"];
    assert_eq!(last["usage"], whole["usage"]);
    let [first, second] = [0, 1].map(|position| provider.log()[position].usage.unwrap());
    assert_eq!((first, first.reasoning_tokens), (second, 5));
    assert_eq!(whole["usage"]["output_tokens"], first.completion_tokens);
}

#[tokio::test]
async fn a_turn_of_several_items_is_one_turn_and_costs_what_it_does_in_chat() {
    let provider = start_with(CALLING).await;
    let mut body = response(false);
    body["instructions"] = json!("Be brief.");
    body["input"] = json!([
        { "role": "user", "content": "Find x." },
        { "type": "message", "role": "assistant",
          "content": [{ "type": "output_text", "text": "I look." }] },
        { "type": "function_call", "call_id": "call_1", "name": "grep", "arguments": "{}" },
        { "type": "function_call_output", "call_id": "call_1", "output": "a.rs" },
    ]);
    let answer = post(&provider, "/v1/responses", &body).await.json();
    assert_eq!(answer["output"][0]["content"][0]["text"], "Found.");
    let chat = json!({ "model": "gpt-4.1", "messages": [
        { "role": "developer", "content": "Be brief." },
        { "role": "user", "content": "Find x." },
        { "role": "assistant", "content": "I look.", "tool_calls": [
            { "id": "call_1", "type": "function",
              "function": { "name": "grep", "arguments": "{}" } } ] },
        { "role": "tool", "tool_call_id": "call_1", "content": "a.rs" },
    ], "tools": [{ "type": "function", "function": { "name": "grep" } }] });
    let chat = post(&provider, "/v1/chat/completions", &chat).await.json();
    assert_eq!(answer["usage"]["input_tokens"], chat["usage"]["prompt_tokens"]);
}

#[tokio::test]
async fn what_is_cut_off_says_so_and_stays_within_its_limit() {
    let provider = start().await;
    let mut body = response(true);
    body["max_output_tokens"] = json!(3);
    let answer = post(&provider, "/v1/responses", &body).await;
    let (name, last) = answer.named_events().pop().unwrap();
    assert_eq!((name, &last["response"]["status"]), ("response.incomplete", &json!("incomplete")));
    assert_eq!(last["response"]["usage"]["output_tokens"], 3);
    let mut body = generation();
    body["generationConfig"] = json!({ "maxOutputTokens": 3 });
    let answer = post(&provider, &format!("{GEMINI}:generateContent"), &body).await.json();
    assert_eq!(answer["candidates"][0]["finishReason"], "MAX_TOKENS");
    assert_eq!(answer["usageMetadata"]["candidatesTokenCount"], 3);
}

#[tokio::test]
async fn embeddings_are_the_same_for_the_same_text_and_cost_their_tokens() {
    let provider = start().await;
    let body = json!({ "model": "text-embedding-3-small", "input": ["a b", "a b", "c"],
        "dimensions": 4 });
    let answer = post(&provider, "/v1/embeddings", &body).await.json();
    let vectors = answer["data"].as_array().unwrap();
    assert_eq!(vectors[0]["embedding"], vectors[1]["embedding"]);
    assert_ne!(vectors[0]["embedding"], vectors[2]["embedding"]);
    assert_eq!(vectors[0]["embedding"].as_array().unwrap().len(), 4);
    assert_eq!(answer["usage"], json!({ "prompt_tokens": 5, "total_tokens": 5 }));
    let mut packed = body.clone();
    packed["encoding_format"] = json!("base64");
    let packed = post(&provider, "/v1/embeddings", &packed).await.json();
    assert_eq!(packed["data"][0]["embedding"].as_str().unwrap().len(), 24);
}

#[tokio::test]
async fn gemini_streams_as_events_or_as_an_array_of_the_same_pieces() {
    let provider = start_with(CALLING).await;
    let path = format!("{GEMINI}:streamGenerateContent");
    let array = post(&provider, &path, &generation()).await;
    assert!(array.head.contains("application/json"));
    let array: Vec<Value> = serde_json::from_str(&array.body).unwrap();
    let events = post(&provider, &format!("{path}?alt=sse"), &generation()).await;
    let events: Vec<Value> = events
        .body
        .split_terminator("\r\n\r\n")
        .map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap())
        .collect();
    let parts = |pieces: &[Value]| -> Vec<Value> {
        pieces.iter().map(|piece| piece["candidates"][0]["content"]["parts"][0].clone()).collect()
    };
    assert_eq!(parts(&array), parts(&events));
    let called = parts(&array).into_iter().find(|part| part["functionCall"].is_object()).unwrap();
    assert_eq!(called["functionCall"]["args"], json!({ "pattern": "x" }));
    let usage = provider.log()[0].usage.unwrap();
    let reported = &array.last().unwrap()["usageMetadata"];
    assert_eq!(reported["thoughtsTokenCount"], 5);
    assert_eq!(reported["totalTokenCount"], usage.total_tokens());
}

#[tokio::test]
async fn gemini_counts_what_it_bills_and_takes_a_key_wherever_it_is() {
    let provider = start().await;
    let counted = post(&provider, &format!("{GEMINI}:countTokens"), &generation()).await.json();
    let path = format!("{GEMINI}:generateContent?key=x");
    let in_query = request("POST", &path, "", &generation().to_string());
    let answer = exchange(&provider, &in_query).await.unwrap().json();
    assert_eq!(counted["totalTokens"], answer["usageMetadata"]["promptTokenCount"]);
    let path = format!("{GEMINI}:generateContent");
    let without = request("POST", &path, "", &generation().to_string());
    let refused = exchange(&provider, &without).await.unwrap();
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["error"]["status"], "PERMISSION_DENIED");
}

#[tokio::test]
async fn errors_come_in_the_envelope_and_in_the_stream() {
    let provider = start().await;
    let calls = [
        ("/v1/responses".to_owned(), response(true)),
        (format!("{GEMINI}:streamGenerateContent?alt=sse"), generation()),
        (format!("{GEMINI}:streamGenerateContent"), generation()),
    ];
    for (path, body) in calls {
        provider.answer_next_with(Fault::Status(429));
        let refused = post(&provider, &path, &body).await;
        assert_eq!(refused.status, 429);
        assert!(refused.json()["error"]["message"].is_string(), "{path}");
        provider.answer_next_with(Fault::ErrorInStream { chunks: 4 });
        let broken = post(&provider, &path, &body).await;
        assert!(broken.is_complete && broken.body.contains("error"), "{path}: {}", broken.body);
        if !path.contains("sse") && path != "/v1/responses" {
            let pieces: Vec<Value> = serde_json::from_str(&broken.body).unwrap();
            assert_eq!(pieces[4]["error"]["status"], "INTERNAL");
        }
    }
}

#[tokio::test]
async fn usage_is_zero_or_null_as_asked_while_the_bill_is_right() {
    let provider = start().await;
    for (fault, number) in [(UsageFault::Zero, json!(0)), (UsageFault::Null, Value::Null)] {
        provider.answer_next_with(Fault::Usage(fault));
        let answer = post(&provider, "/v1/responses", &response(false)).await.json();
        assert_eq!(answer["usage"]["input_tokens"], number);
        let path = format!("{GEMINI}:generateContent");
        provider.answer_next_with(Fault::Usage(fault));
        let answer = post(&provider, &path, &generation()).await.json();
        assert_eq!(answer["usageMetadata"]["promptTokenCount"], number);
    }
    assert!(provider.log().iter().all(|it| it.usage.unwrap().prompt_tokens > 0));
}
