use farthing_fake_provider::{Fault, UsageFault};
use serde_json::Value;

use super::{hello, streamed};
use crate::http::{ANTHROPIC, exchange, messages, request, start};

#[tokio::test]
async fn an_error_status_comes_in_the_envelope() {
    let provider = start().await;
    for (asked, sent, kind) in [
        (400, 400, "invalid_request_error"),
        (401, 401, "authentication_error"),
        (403, 403, "permission_error"),
        (413, 413, "request_too_large"),
        (429, 429, "rate_limit_error"),
        (500, 500, "api_error"),
        (503, 503, "api_error"),
        (529, 529, "overloaded_error"),
        (200, 500, "api_error"),
    ] {
        provider.answer_next_with(Fault::Status(asked));
        let answer = messages(&provider, &streamed()).await;
        assert_eq!(answer.status, sent);
        let envelope = answer.json();
        assert_eq!(
            (&envelope["type"], &envelope["error"]["type"]),
            (&"error".into(), &kind.into())
        );
        assert!(envelope["request_id"].is_string());
        assert_eq!(answer.head.contains("retry-after: 1\r\n"), sent == 429);
    }
    provider.answer_next_with(Fault::RetryAfter { status: 529, seconds: 3 });
    let answer = messages(&provider, &hello()).await;
    assert!(answer.status == 529 && answer.head.contains("retry-after: 3\r\n"));
    assert_eq!(provider.billed().total_tokens(), 0);
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_in_the_envelope() {
    let provider = start().await;
    let body = " ".repeat((64 << 20) + 1);
    let answer = exchange(&provider, &request("POST", "/v1/messages", ANTHROPIC, &body)).await;
    let answer = answer.unwrap();
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json()["error"]["type"], "request_too_large");
}

#[tokio::test]
async fn usage_is_wrong_as_asked_while_the_bill_is_right() {
    type Check = fn(&Value) -> bool;
    let written = |usage: &Value| usage["cache_creation_input_tokens"].as_u64();
    let checks: [(UsageFault, Check); 5] = [
        (UsageFault::Missing, Value::is_null),
        (UsageFault::Negative, |usage| usage["output_tokens"] == -1),
        (UsageFault::CachedAbovePrompt, |usage| usage["cache_read_input_tokens"] == 0),
        (UsageFault::WrongTotal, |usage| usage["cache_creation_input_tokens"] == 1),
        (UsageFault::Text, |usage| usage["input_tokens"] == "8"),
    ];
    for (fault, is_as_asked) in checks {
        let provider = start().await;
        provider.answer_next_with(Fault::Usage(fault));
        let whole = messages(&provider, &hello()).await.json();
        assert!(is_as_asked(&whole["usage"]), "{fault:?}: {whole}");
        provider.answer_next_with(Fault::Usage(fault));
        let answer = messages(&provider, &streamed()).await;
        let events = answer.named_events();
        let start = &events[0].1["message"]["usage"];
        let end = &events[events.len() - 2].1["usage"];
        assert!(is_as_asked(start) && is_as_asked(end), "{fault:?}: {start} {end}");
        assert_eq!(written(start), written(end));
        let [first, second] = [0, 1].map(|position| provider.log()[position].usage.unwrap());
        assert_eq!((first.prompt_tokens, first), (8, second), "{fault:?}");
    }
}

#[tokio::test]
async fn a_page_and_half_an_object_come_with_status_200() {
    let provider = start().await;
    provider.answer_next_with(Fault::Html(200));
    let page = messages(&provider, &streamed()).await;
    assert!(page.status == 200 && page.head.contains("text/html"));
    provider.answer_next_with(Fault::MalformedJson);
    let half = messages(&provider, &hello()).await;
    assert!(half.status == 200 && half.is_complete && half.body.contains("msg_"));
    assert!(serde_json::from_str::<Value>(&half.body).is_err());
}

#[tokio::test]
async fn a_cut_stream_ends_without_its_last_event() {
    let provider = start().await;
    for chunks in [0, 1, 4] {
        provider.answer_next_with(Fault::CutMidStream { chunks });
        let answer = messages(&provider, &streamed()).await;
        assert!(answer.status == 200 && !answer.is_complete);
        assert_eq!(answer.named_events().len(), chunks);
    }
}

#[tokio::test]
async fn an_error_in_a_stream_takes_the_place_of_the_rest() {
    let provider = start().await;
    for chunks in [0, 4] {
        provider.answer_next_with(Fault::ErrorInStream { chunks });
        let answer = messages(&provider, &streamed()).await;
        assert!(answer.status == 200 && answer.is_complete);
        let events = answer.named_events();
        assert_eq!(events.len(), chunks + 1);
        let (name, error) = &events[chunks];
        assert_eq!((*name, &error["type"]), ("error", &"error".into()));
        assert_eq!(error["error"]["type"], "overloaded_error");
    }
}

#[tokio::test]
async fn a_closed_connection_has_no_answer() {
    let provider = start().await;
    for fault in [Fault::CloseBeforeAnswer, Fault::CutMidStream { chunks: 3 }] {
        provider.answer_next_with(fault);
        let request = request("POST", "/v1/messages", ANTHROPIC, &hello().to_string());
        assert!(exchange(&provider, &request).await.is_none(), "{fault:?}");
    }
}
