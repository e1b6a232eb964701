use std::time::Duration;

use farthing_fake_provider::{Fault, UsageFault};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, time::Instant};

use crate::http::{chat, connect, eventually, exchange, post, start};

fn body(stream: bool) -> Value {
    let mut body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]});
    if stream {
        body["stream"] = json!(true);
        body["stream_options"] = json!({"include_usage": true});
    }
    body
}

#[tokio::test]
async fn a_fault_is_for_one_request_and_costs_nothing() {
    let provider = start().await;
    provider.answer_next_with(Fault::Status(500));
    provider.answer_next_with(Fault::Status(429));
    assert_eq!(chat(&provider, &body(false)).await.status, 500);
    assert_eq!(chat(&provider, &body(true)).await.status, 429);
    assert_eq!(provider.billed().total_tokens(), 0);
    assert_eq!(chat(&provider, &body(false)).await.status, 200);
}

#[tokio::test]
async fn an_error_status_comes_in_the_envelope() {
    let provider = start().await;
    for (asked, sent, kind) in [
        (400, 400, "invalid_request_error"),
        (401, 401, "invalid_request_error"),
        (429, 429, "requests"),
        (503, 503, "server_error"),
        (200, 500, "server_error"),
        (7, 500, "server_error"),
    ] {
        provider.answer_next_with(Fault::Status(asked));
        let answer = chat(&provider, &body(false)).await;
        assert_eq!(answer.status, sent);
        assert_eq!(answer.json()["error"]["type"], kind);
        assert_eq!(answer.head.contains("retry-after: 1"), sent == 429);
    }
}

#[tokio::test]
async fn any_error_can_say_how_long_to_wait() {
    let provider = start().await;
    for (status, seconds) in [(503, 0), (429, 7), (500, 60)] {
        provider.answer_next_with(Fault::RetryAfter { status, seconds });
        let answer = chat(&provider, &body(true)).await;
        assert_eq!(answer.status, status);
        assert!(answer.head.contains(&format!("retry-after: {seconds}\r\n")), "{}", answer.head);
    }
}

#[tokio::test]
async fn a_delayed_answer_is_right_and_only_late() {
    let provider = start().await;
    let pause = Duration::from_millis(50);
    provider.answer_next_with(Fault::DelayedAnswer(pause));
    let start = Instant::now();
    let answer = chat(&provider, &body(false)).await;
    assert!(start.elapsed() >= pause);
    assert_eq!(answer.json()["choices"], chat(&provider, &body(false)).await.json()["choices"]);
}

#[tokio::test]
async fn an_error_in_a_stream_takes_the_place_of_the_rest() {
    let provider = start().await;
    for chunks in [0, 3] {
        provider.answer_next_with(Fault::ErrorInStream { chunks });
        let answer = chat(&provider, &body(true)).await;
        assert!(answer.status == 200 && answer.is_complete);
        let events = answer.events();
        assert_eq!(events.len(), chunks + 1);
        let error: Value = serde_json::from_str(events[chunks]).unwrap();
        assert_eq!(error["error"]["type"], "server_error");
    }
    provider.answer_next_with(Fault::ErrorInStream { chunks: 3 });
    let whole = chat(&provider, &body(false)).await;
    assert_eq!(whole.json()["object"], "chat.completion");
}

#[tokio::test]
async fn a_page_and_half_an_object_come_with_status_200() {
    let provider = start().await;
    provider.answer_next_with(Fault::Html(200));
    let page = chat(&provider, &body(true)).await;
    assert!(page.status == 200 && page.head.contains("text/html"));
    provider.answer_next_with(Fault::MalformedJson);
    let half = chat(&provider, &body(false)).await;
    assert!(half.status == 200 && half.head.contains("application/json") && half.is_complete);
    assert!(serde_json::from_str::<Value>(&half.body).is_err());
}

#[tokio::test]
async fn usage_is_wrong_as_asked_while_the_bill_is_right() {
    type Check = fn(&Value) -> bool;
    let checks: [(UsageFault, Check); 5] = [
        (UsageFault::Missing, Value::is_null),
        (UsageFault::Negative, |usage| usage["completion_tokens"] == -1),
        (UsageFault::CachedAbovePrompt, |usage| {
            usage["prompt_tokens_details"]["cached_tokens"].as_u64()
                > usage["prompt_tokens"].as_u64()
        }),
        (UsageFault::WrongTotal, |usage| usage["total_tokens"] != usage["prompt_tokens"]),
        (UsageFault::Text, |usage| usage["prompt_tokens"] == "8"),
    ];
    for (fault, is_wrong) in checks {
        let provider = start().await;
        provider.answer_next_with(Fault::Usage(fault));
        let whole = chat(&provider, &body(false)).await.json();
        assert!(is_wrong(&whole["usage"]), "{fault:?}: {whole}");
        provider.answer_next_with(Fault::Usage(fault));
        let last = chat(&provider, &body(true)).await.chunks().pop().unwrap();
        assert!(is_wrong(&last["usage"]), "{fault:?}: {last}");
        let [first, second] = [0, 1].map(|position| provider.log()[position].usage.unwrap());
        assert_eq!((first.prompt_tokens, first), (8, second), "{fault:?}");
    }
}

#[tokio::test]
async fn a_cut_stream_ends_without_done_after_its_chunks() {
    let provider = start().await;
    for chunks in [0, 1, 4] {
        provider.answer_next_with(Fault::CutMidStream { chunks });
        let answer = chat(&provider, &body(true)).await;
        assert_eq!(answer.status, 200);
        assert!(!answer.is_complete);
        assert_eq!(answer.events().len(), chunks);
        assert!(!answer.body.contains("[DONE]"));
        let exchange = provider.log().pop().unwrap();
        assert_eq!((exchange.chunks_sent, exchange.client_left), (chunks as u64, false));
    }
}

#[tokio::test]
async fn a_closed_connection_has_no_answer() {
    let provider = start().await;
    for fault in [Fault::CloseBeforeAnswer, Fault::CutMidStream { chunks: 3 }] {
        provider.answer_next_with(fault);
        assert!(exchange(&provider, &post(&body(false))).await.is_none(), "{fault:?}");
        let exchange = provider.log().pop().unwrap();
        assert_eq!((exchange.status, exchange.usage, exchange.client_left), (None, None, false));
    }
}

#[tokio::test]
async fn a_hanging_answer_ends_when_the_client_leaves() {
    let provider = start().await;
    provider.answer_next_with(Fault::Hang);
    let mut connection = connect(&provider).await;
    connection.write_all(post(&body(true)).as_bytes()).await.unwrap();
    eventually(|| provider.log().iter().any(|exchange| !exchange.body.is_empty())).await;
    assert!(!provider.log()[0].client_left);
    drop(connection);
    eventually(|| provider.log()[0].client_left).await;
    assert_eq!(provider.log()[0].status, None);
}
