//! Requests with an `Idempotency-Key`.

use std::time::Duration;

use farthing_fake_provider::{Fault, Options};
use reqwest::{RequestBuilder, Response};
use serde_json::Value;

use crate::support::{House, hello, hello_streamed};

fn keyed(call: RequestBuilder, key: &str) -> RequestBuilder {
    call.header("idempotency-key", key)
}

fn id(answer: &Response) -> String {
    answer.headers()["x-farthing-request-id"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn l4_a_repeat_is_given_the_same_answer_and_charged_once() {
    let mut house = House::open().await;
    for (key, body) in [("whole", hello()), ("streamed", hello_streamed())] {
        let first = keyed(house.chat(&body), key).send().await.unwrap();
        let (number, kind) = (id(&first), first.headers()["content-type"].clone());
        assert!(!first.headers().contains_key("x-farthing-replayed"));
        let text = first.text().await.unwrap();
        // A repeat waits until the answer is kept; then it outlives the process.
        let at_once = keyed(house.chat(&body), key).send().await.unwrap();
        assert_eq!((id(&at_once), at_once.text().await.unwrap()), (number.clone(), text.clone()));
        house.kill_and_restart().await;
        let again = keyed(house.chat(&body), key).send().await.unwrap();
        assert_eq!((again.status().as_u16(), id(&again)), (200, number));
        assert_eq!(again.headers()["content-type"], kind);
        assert_eq!(again.headers()["x-farthing-replayed"], "true");
        assert_eq!(again.text().await.unwrap(), text);
    }
    assert_eq!(house.provider.log().len(), 2);
    assert_eq!(house.close().await["attempts"], 2);
}

#[tokio::test]
async fn l4_repeats_of_a_call_that_is_running_wait_for_it() {
    let pace = Options { between_chunks: Duration::from_millis(20), ..Options::default() };
    let house = House::with(pace, "").await;
    let calls = (0..10).map(|_| keyed(house.chat(&hello()), "k").send());
    let calls: Vec<_> = calls.map(tokio::spawn).collect();
    let mut texts = Vec::new();
    for call in calls {
        texts.push(call.await.unwrap().unwrap().text().await.unwrap());
    }
    texts.dedup();
    assert_eq!((texts.len(), house.provider.log().len()), (1, 1));
    assert_eq!(house.close().await["attempts"], 1);
}

#[tokio::test]
async fn l4_a_client_that_left_finds_the_whole_answer_when_it_comes_back() {
    let pace = Options { between_chunks: Duration::from_millis(20), ..Options::default() };
    let house = House::with(pace, "").await;
    let first = keyed(house.chat(&hello_streamed()), "k").send().await.unwrap();
    drop(first);
    let again = keyed(house.chat(&hello_streamed()), "k").send().await.unwrap();
    assert_eq!(house.record(&again).await["cost"]["status"], "priced");
    assert!(again.text().await.unwrap().ends_with("data: [DONE]\n\n"));
    assert_eq!(house.close().await["attempts"], 1);
}

#[tokio::test]
async fn a_key_belongs_to_one_user_and_one_request() {
    let house = House::open().await;
    let of = |user| keyed(house.chat(&hello()), "k").header("x-farthing-user", user);
    let (ann, eve) = (of("ann").send().await.unwrap(), of("eve").send().await.unwrap());
    assert_ne!(id(&ann), id(&eve));
    let other = keyed(house.chat(&hello_streamed()), "k").header("x-farthing-user", "ann");
    let other = other.send().await.unwrap();
    assert_eq!(other.status(), 422);
    assert_eq!(other.headers()["x-farthing-error"], "idempotency_key_reused");
    assert!(other.text().await.unwrap().contains(&id(&ann)));
    for bad in ["", &"x".repeat(256)] {
        let refused = keyed(house.chat(&hello()), bad).send().await.unwrap();
        assert_eq!(refused.headers()["x-farthing-error"], "invalid_idempotency_key");
    }
    house.close().await;
}

#[tokio::test]
async fn what_was_charged_but_not_kept_is_not_called_again() {
    let house = House::with(Options::default(), "[store]\nmax_kept_answer_bytes = 100\n").await;
    let first = keyed(house.chat(&hello()), "long").send().await.unwrap();
    let again = keyed(house.chat(&hello()), "long").send().await.unwrap();
    assert_eq!(again.status(), 409);
    assert_eq!(again.headers()["x-should-retry"], "false");
    let error: Value = again.json().await.unwrap();
    assert!(error["error"]["message"].as_str().unwrap().contains(&id(&first)), "{error}");
    assert_eq!(house.close().await["attempts"], 1);
}

#[tokio::test]
async fn what_was_refused_and_not_charged_may_be_tried_again() {
    let house = House::with(Options::default(), "[upstream]\nattempts = 1\n").await;
    house.provider.answer_next_with(Fault::Status(400));
    let refused = keyed(house.chat(&hello()), "k").send().await.unwrap();
    assert_eq!(refused.status(), 400);
    let again = keyed(house.chat(&hello()), "k").send().await.unwrap();
    assert_eq!(again.status(), 200);
    assert!(!again.headers().contains_key("x-farthing-replayed"));
    house.close().await;
}
