//! What holds for every dialect: the same calls in OpenAI's responses and embeddings and in
//! Gemini's API, whole and streamed. Chat completions and messages have files of their own.

use std::num::NonZeroUsize;
use std::time::Duration;

use farthing_fake_provider::{FakeProvider, Fault, Options, Script, UsageFault};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::bill;
use crate::events::{Listener, types};
use crate::support::House;

const RESPONSES: &str = "/v1/responses";
const EMBEDDINGS: &str = "/v1/embeddings";
const GENERATE: &str = "/v1beta/models/gemini-2.5-flash:generateContent";
const STREAM: &str = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse";
const STREAM_ARRAY: &str = "/v1beta/models/gemini-2.5-flash:streamGenerateContent";

/// A call by its path and its body.
type Call = (&'static str, Value);

fn response(streamed: bool) -> Call {
    let body = json!({
        "model": "gpt-4.1", "input": "Sag etwas Kurzes über Öl: 世界!", "max_output_tokens": 60,
        "stream": streamed,
    });
    (RESPONSES, body)
}

fn embedding() -> Call {
    let body = json!({ "model": "text-embedding-3-small", "input": ["One.", "Another one."] });
    (EMBEDDINGS, body)
}

fn generation(path: &'static str) -> Call {
    let body = json!({
        "contents": [{ "role": "user", "parts": [{ "text": "Sag etwas Kurzes: 世界!" }] }],
        "generationConfig": { "maxOutputTokens": 60 },
    });
    (path, body)
}

fn streams() -> [Call; 3] {
    [response(true), generation(STREAM), generation(STREAM_ARRAY)]
}

fn calls() -> Vec<Call> {
    let whole = [response(false), embedding(), generation(GENERATE)];
    whole.into_iter().chain(streams()).collect()
}

impl House {
    fn call(&self, (path, body): &Call) -> RequestBuilder {
        let call = self.http.post(format!("{}{path}", self.address));
        call.header("content-type", "application/json").body(body.to_string())
    }
}

#[tokio::test]
async fn what_is_sent_and_answered_passes_byte_for_byte_and_costs_what_the_provider_says() {
    let house = House::open().await;
    let other = FakeProvider::start(Options::default()).await.unwrap();
    for call in calls() {
        let answer = house.call(&call).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{call:?}");
        let through = answer.bytes().await.unwrap();
        let direct = house.http.post(format!("{}{}", other.anthropic_base_url(), call.0));
        let direct = direct.bearer_auth("sk").body(call.1.to_string()).send().await.unwrap();
        assert_eq!(through, direct.bytes().await.unwrap(), "{call:?}");
        let exchange = house.provider.log().pop().unwrap();
        assert_eq!(
            (exchange.path.as_str(), &exchange.body[..]),
            (call.0, call.1.to_string().as_bytes())
        );
    }
    assert_eq!(bill::assert_settled(&house).await.len(), calls().len());
    house.close().await;
}

#[tokio::test]
async fn s5_what_was_cached_and_what_was_thought_is_billed_as_the_provider_does() {
    let script = r#"[{ "content": "Forty-two.", "reasoning_tokens": 40 }]"#;
    let script = Script::from_json(script).unwrap();
    let house = House::with(Options { script, ..Options::default() }, "").await;
    let long = "The quick brown fox jumps over it. ".repeat(400);
    for (path, mut body) in
        [response(false), response(true), generation(GENERATE), generation(STREAM)]
    {
        if path == RESPONSES {
            body["model"] = json!("gpt-5");
            body["input"] = json!(long);
        } else {
            body["contents"][0]["parts"][0]["text"] = json!(long);
        }
        house.call(&(path, body)).send().await.unwrap().bytes().await.unwrap();
    }
    let log = house.provider.log();
    let cached = log.iter().map(|exchange| exchange.usage.unwrap().cached_tokens > 0);
    assert_eq!(cached.collect::<Vec<_>>(), [false, true, false, true]);
    assert!(log.iter().all(|exchange| exchange.usage.unwrap().reasoning_tokens == 40));
    bill::assert_settled(&house).await;
    house.close().await;
}

#[tokio::test]
async fn s7_a_stream_is_read_and_passed_on_wherever_it_is_cut() {
    for length in [1, 2, 3, 7, 61] {
        let piece_bytes = NonZeroUsize::new(length);
        let house = House::with(Options { piece_bytes, ..Options::default() }, "").await;
        let other = FakeProvider::start(Options::default()).await.unwrap();
        for call in streams() {
            let through = house.call(&call).send().await.unwrap().bytes().await.unwrap();
            let direct = house.http.post(format!("{}{}", other.anthropic_base_url(), call.0));
            let direct = direct.bearer_auth("sk").body(call.1.to_string()).send().await.unwrap();
            assert_eq!(through, direct.bytes().await.unwrap(), "{length} {call:?}");
        }
        bill::assert_settled(&house).await;
        house.close().await;
    }
}

#[tokio::test]
async fn s4_usage_that_makes_no_sense_is_replaced_by_our_own_count() {
    let house = House::open().await;
    let faults = [
        UsageFault::Missing,
        UsageFault::Negative,
        UsageFault::WrongTotal,
        UsageFault::Text,
        UsageFault::Zero,
        UsageFault::Null,
    ];
    for fault in faults {
        for call in calls() {
            house.provider.answer_next_with(Fault::Usage(fault));
            let answer = house.call(&call).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{fault:?}");
            let id = answer.headers()["x-farthing-request-id"].to_str().unwrap().to_owned();
            answer.bytes().await.unwrap();
            let record = house.record_of(&id).await;
            assert_eq!(record["cost"]["status"], "estimated", "{fault:?} {call:?} {record}");
            assert!(record["usage"]["input"].as_u64() > Some(0), "{fault:?} {call:?} {record}");
        }
    }
    house.close().await;
}

#[tokio::test]
async fn s1_a_client_that_hangs_up_is_billed_for_what_was_seen() {
    let pace = Options { between_chunks: Duration::from_millis(20), ..Options::default() };
    let house = House::with(pace, "").await;
    for call in streams() {
        let mut answer = house.call(&call).send().await.unwrap();
        let id = answer.headers()["x-farthing-request-id"].to_str().unwrap().to_owned();
        answer.chunk().await.unwrap();
        drop(answer);
        let record = house.record_of(&id).await;
        let found = [&record["status"], &record["cost"]["status"]];
        assert_eq!(found, ["settled", "partial"], "{call:?}");
        assert!(record["usage"]["input"].as_u64() > Some(0), "{call:?} {record}");
    }
    house.close().await;
}

#[tokio::test]
async fn a_stream_that_breaks_off_or_says_so_is_billed_for_what_was_seen() {
    let house = House::open().await;
    for fault in [Fault::CutMidStream { chunks: 6 }, Fault::ErrorInStream { chunks: 6 }] {
        for call in streams() {
            house.provider.answer_next_with(fault);
            let answer = house.call(&call).send().await.unwrap();
            let record = house.record(&answer).await;
            let whole = answer.text().await;
            assert_eq!(
                whole.is_ok_and(|it| it.contains("error")),
                matches!(fault, Fault::ErrorInStream { .. })
            );
            assert_eq!(record["cost"]["status"], "partial", "{fault:?} {call:?} {record}");
        }
    }
    house.close().await;
}

#[tokio::test]
async fn b4_an_error_of_the_provider_passes_and_costs_nothing() {
    let house = House::with(Options::default(), "[upstream]\nattempts = 1\n").await;
    for call in calls() {
        house.provider.answer_next_with(Fault::Status(429));
        let answer = house.call(&call).send().await.unwrap();
        assert_eq!(answer.status(), 429);
        let record = house.record(&answer).await;
        assert!(answer.json::<Value>().await.unwrap()["error"]["message"].is_string());
        assert_eq!(record["status"], "voided", "{call:?}");
    }
    house.close().await;
}

#[tokio::test]
async fn b15_a_refusal_is_worded_as_the_api_does() {
    let limit = "[[budgets.limit]]\nscope = \"user\"\nwindow = \"day\"\nusd = \"0.0000001\"\n";
    let house = House::with(Options::default(), limit).await;
    for call in calls() {
        let refused = house.call(&call).send().await.unwrap();
        assert_eq!(refused.status(), 429, "{call:?}");
        assert_eq!(refused.headers()["x-should-retry"], "false");
        let error = refused.json::<Value>().await.unwrap()["error"].take();
        assert!(error["message"].as_str().unwrap().contains("user `default`"), "{error}");
        if call.0.starts_with("/v1beta") {
            assert_eq!(
                (&error["code"], &error["status"]),
                (&json!(429), &json!("RESOURCE_EXHAUSTED"))
            );
        } else {
            assert_eq!(error["code"], "insufficient_quota");
        }
    }
    assert!(house.provider.log().is_empty());
    house.close().await;
}

#[tokio::test]
async fn l4_a_repeat_is_given_the_same_answer_and_charged_once() {
    let house = House::open().await;
    for (number, call) in calls().iter().enumerate() {
        let keyed = || house.call(call).header("idempotency-key", format!("key-{number}")).send();
        let first = keyed().await.unwrap().bytes().await.unwrap();
        let again = keyed().await.unwrap();
        assert_eq!(again.headers()["x-farthing-replayed"], "true", "{call:?}");
        assert_eq!(again.bytes().await.unwrap(), first, "{call:?}");
        assert_eq!(house.provider.log().len(), number + 1);
    }
    house.close().await;
}

/// A conversation's first request, and the second with the tool's result.
fn conversation(path: &'static str, streamed: bool) -> [Call; 2] {
    if path == RESPONSES {
        let asked = json!({ "role": "user", "content": "Find x." });
        let later = json!([
            asked,
            { "type": "message", "role": "assistant",
              "content": [{ "type": "output_text", "text": "Let me look." }] },
            { "type": "function_call", "call_id": "call_1", "name": "grep", "arguments": "{}" },
            { "type": "function_call_output", "call_id": "call_1", "output": "a.rs:1: x" },
        ]);
        let tools = json!([{ "type": "function", "name": "grep", "parameters": {} }]);
        return [json!([asked]), later].map(|input| {
            let body = json!({
                "model": "gpt-4.1", "input": input, "tools": tools, "stream": streamed,
                "max_output_tokens": 60,
            });
            (path, body)
        });
    }
    let asked = json!({ "role": "user", "parts": [{ "text": "Find x." }] });
    let later = json!([
        asked,
        { "role": "model", "parts": [
            { "text": "Let me look." },
            { "functionCall": { "id": "call_1", "name": "grep", "args": {} } } ] },
        { "role": "user", "parts": [{ "functionResponse": {
            "id": "call_1", "name": "grep", "response": { "output": "a.rs:1: x" } } }] },
    ]);
    let tools = json!([{ "functionDeclarations": [{ "name": "grep" }] }]);
    [json!([asked]), later].map(|contents| {
        let body = json!({ "contents": contents, "tools": tools });
        (path, body)
    })
}

#[tokio::test]
async fn a_conversation_with_a_tool_tells_its_run() {
    let script = r#"[
        { "content": "Let me look.",
          "tool_calls": [{ "id": "call_1", "name": "grep", "arguments": {} }] },
        { "content": "Found it." }
    ]"#;
    for (path, streamed) in
        [(RESPONSES, false), (RESPONSES, true), (GENERATE, false), (STREAM, true)]
    {
        let script = Script::from_json(script).unwrap();
        let house = House::with(Options { script, ..Options::default() }, "").await;
        let mut listener = Listener::new(&house, "").await;
        for call in conversation(path, streamed) {
            let answer = house.call(&call).send().await.unwrap();
            house.record(&answer).await;
            answer.bytes().await.unwrap();
        }
        let events = listener.events(6).await;
        let expected = [
            "agent_started",
            "agent_thinking",
            "tool_executing",
            "tool_completed",
            "agent_thinking",
            "agent_completed",
        ];
        assert_eq!(types(&events), expected, "{path}");
        assert_eq!(
            (&events[2]["data"]["tool"], &events[3]["data"]["status"]),
            (&json!("grep"), &json!("ok"))
        );
        bill::assert_settled(&house).await;
        house.close().await;
    }
}
