//! What providers do wrong.

use std::time::Duration;

use farthing_fake_provider::{Fault, Options, UsageFault};
use serde_json::Value;

use crate::support::{House, hello, hello_streamed};

#[tokio::test]
async fn b4_a_refusal_by_the_provider_passes_through_and_releases_the_hold() {
    let house = House::with(Options::default(), "[upstream]\nattempts = 1\n").await;
    for status in [400, 401, 404, 429] {
        house.provider.answer_next_with(Fault::Status(status));
        let answer = house.chat(&hello()).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        assert!(!answer.headers().contains_key("x-farthing-error"));
        assert_eq!(answer.headers().contains_key("retry-after"), status == 429);
        assert_eq!(house.record(&answer).await["status"], "voided");
    }
    house.close().await;
}

#[tokio::test]
async fn b4_a_failure_of_the_provider_passes_through_and_is_charged_as_an_estimate() {
    let house = House::open().await;
    house.provider.answer_next_with(Fault::Status(500));
    let answer = house.chat(&hello()).send().await.unwrap();
    assert_eq!(answer.status(), 500);
    let record = house.record(&answer).await;
    assert_eq!((&record["status"], &record["origin"]), (&"settled".into(), &"estimated".into()));
    house.close().await;
}

#[tokio::test]
async fn a_page_of_html_is_a_clear_error() {
    let house = House::open().await;
    for body in [hello(), hello_streamed()] {
        for fault in [Fault::Html(200), Fault::MalformedJson] {
            house.provider.answer_next_with(fault);
            let answer = house.chat(&body).send().await.unwrap();
            assert_eq!(answer.status(), 502, "{fault:?}");
            assert_eq!(answer.headers()["x-farthing-error"], "upstream_invalid_answer");
            let record = house.record(&answer).await;
            assert_eq!(record["origin"], "estimated");
            let error: Value = answer.json().await.unwrap();
            let message = error["error"]["message"].as_str().unwrap();
            assert!(message.contains("base_url"), "{message}");
        }
    }
    house.close().await;
}

#[tokio::test]
async fn b4_a_refusal_that_is_no_json_passes_through_too() {
    let house = House::with(Options::default(), "[upstream]\nattempts = 1\n").await;
    for (status, origin) in [(403, Value::Null), (413, Value::Null), (502, "estimated".into())] {
        house.provider.answer_next_with(Fault::Html(status));
        let answer = house.chat(&hello_streamed()).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        assert!(!answer.headers().contains_key("x-farthing-error"));
        assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
        assert_eq!(house.record(&answer).await["origin"], origin);
        assert!(answer.text().await.unwrap().starts_with("<!doctype html>"));
    }
    house.close().await;
}

#[tokio::test]
async fn s4_usage_that_makes_no_sense_is_replaced_by_our_own_count() {
    let house = House::open().await;
    let faults = [
        UsageFault::Missing,
        UsageFault::Negative,
        UsageFault::CachedAbovePrompt,
        UsageFault::WrongTotal,
        UsageFault::Text,
    ];
    for fault in faults {
        for body in [hello(), hello_streamed()] {
            house.provider.answer_next_with(Fault::Usage(fault));
            let answer = house.chat(&body).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{fault:?}");
            let record = house.record(&answer).await;
            answer.bytes().await.unwrap();
            assert_eq!(record["cost"]["status"], "estimated", "{fault:?} {record}");
            let billed = house.provider.log().last().unwrap().usage.unwrap();
            assert_eq!(record["usage"]["input"], billed.prompt_tokens, "{fault:?}");
            assert_eq!(record["usage"]["output"], billed.completion_tokens, "{fault:?}");
        }
    }
    house.close().await;
}

#[tokio::test]
async fn b4_a_provider_that_hangs_is_given_up_in_time() {
    let settings = "[upstream]\nfirst_byte_timeout_ms = 200\n";
    let house = House::with(Options::default(), settings).await;
    house.provider.answer_next_with(Fault::Hang);
    let answer = house.chat(&hello()).send().await.unwrap();
    assert_eq!(answer.status(), 504);
    assert_eq!(answer.headers()["x-farthing-error"], "upstream_first_byte_timeout");
    assert_eq!(house.record(&answer).await["origin"], "estimated");
    house.close().await;
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_broken_off() {
    let settings = "[upstream]\nidle_timeout_ms = 200\n";
    let slow = Options { between_chunks: Duration::from_secs(5), ..Options::default() };
    let house = House::with(slow, settings).await;
    let answer = house.chat(&hello_streamed()).send().await.unwrap();
    let id = answer.headers()["x-farthing-request-id"].to_str().unwrap().to_owned();
    assert!(answer.text().await.is_err());
    assert_eq!(house.record_of(&id).await["cost"]["status"], "partial");
    house.close().await;
}

#[tokio::test]
async fn a_connection_that_closes_before_the_answer_is_a_clear_error() {
    let house = House::open().await;
    house.provider.answer_next_with(Fault::CloseBeforeAnswer);
    let answer = house.chat(&hello()).send().await.unwrap();
    assert_eq!(answer.status(), 502);
    assert_eq!(answer.headers()["x-farthing-error"], "upstream_broken");
    house.close().await;
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_is_a_clear_error_and_costs_nothing() {
    // Nobody listens on the discard port of this machine.
    let settings = "[provider.alpha]\ndialect = \"openai\"\nbase_url = \"http://127.0.0.1:9/v1\"\n";
    let house = House::with(Options::default(), settings).await;
    let answer = house.chat(&hello()).header("x-farthing-provider", "alpha");
    let answer = answer.header("x-farthing-user", "eve").send().await.unwrap();
    let status = answer.status().as_u16();
    let error: Value = answer.json().await.unwrap();
    // The catalog has no prices for `alpha`, so the default budget refuses before it calls.
    assert_eq!((status, &error["error"]["code"]), (400, &"unpriced_model".into()));

    let settings = "[upstream]\nattempts = 1\n[budgets]\nlimit = []\n\
        [provider.alpha]\ndialect = \"openai\"\nbase_url = \"http://127.0.0.1:9/v1\"\n";
    let house = House::with(Options::default(), settings).await;
    let answer = house.chat(&hello()).header("x-farthing-provider", "alpha").send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["x-farthing-error"], "upstream_unreachable");
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(house.record(&answer).await["status"], "voided");
    house.close().await;
}
