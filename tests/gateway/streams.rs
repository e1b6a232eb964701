//! Streamed answers.

use std::time::Duration;

use farthing_fake_provider::{Fault, Options, Script};
use serde_json::{Value, json};

use crate::support::{House, PATIENCE, hello_streamed};

#[tokio::test]
async fn s6_a_stream_is_what_it_would_have_been_although_we_asked_for_usage() {
    let house = House::open().await;
    let through = house.chat(&hello_streamed()).send().await.unwrap();
    let record = house.record(&through).await;
    let through = through.text().await.unwrap();

    let url = format!("{}/chat/completions", house.provider.base_url());
    let direct = house.http.post(url).bearer_auth("sk").json(&hello_streamed());
    let direct = direct.send().await.unwrap().text().await.unwrap();

    assert_eq!(without_ids(&through), without_ids(&direct));
    assert_eq!(record["status"], "settled");
    assert_eq!(record["origin"], "measured");
    assert_eq!(record["asked"]["streamed"], true);
}

#[tokio::test]
async fn a_client_that_asks_for_usage_gets_it() {
    let house = House::open().await;
    let mut body = hello_streamed();
    body["stream_options"] = json!({ "include_usage": true });
    let answer = house.chat(&body).send().await.unwrap();
    let record = house.record(&answer).await;
    let text = answer.text().await.unwrap();
    let last = text.lines().rfind(|line| line.contains("\"choices\":[]")).unwrap();
    let last: Value = serde_json::from_str(last.trim_start_matches("data: ")).unwrap();
    assert_eq!(last["usage"]["completion_tokens"], record["usage"]["output"]);
    assert_eq!(house.provider.log()[0].body.as_ref(), body.to_string().as_bytes());
}

#[tokio::test]
async fn s3_a_provider_that_refuses_to_be_asked_for_usage_gets_the_clients_own_body() {
    let stubborn = Options { refuses_stream_options: true, ..Options::default() };
    let house = House::with(stubborn, "").await;
    for posts in [2, 3] {
        let answer = house.chat(&hello_streamed()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let id = answer.headers()["x-farthing-request-id"].to_str().unwrap().to_owned();
        answer.bytes().await.unwrap();
        assert_eq!(house.record_of(&id).await["cost"]["status"], "estimated");
        assert_eq!(house.provider.log().len(), posts);
    }
    let last = house.provider.log().last().unwrap().body.clone();
    assert_eq!(last.as_ref(), hello_streamed().to_string().as_bytes());
    house.close().await;
}

#[tokio::test]
async fn s3_a_mistake_of_one_client_is_not_held_against_the_provider() {
    let house = House::open().await;
    let mut wrong = hello_streamed();
    wrong["stream_options"] = json!("please");
    let refused = house.chat(&wrong).send().await.unwrap();
    assert_eq!(refused.status(), 400);
    let answer = house.chat(&hello_streamed()).send().await.unwrap();
    assert_eq!(house.record(&answer).await["origin"], "measured");
    house.close().await;
}

#[tokio::test]
async fn a_stream_with_an_error_in_it_passes_and_is_billed_for_what_was_seen() {
    let house = House::open().await;
    house.provider.answer_next_with(Fault::ErrorInStream { chunks: 3 });
    let answer = house.chat(&hello_streamed()).send().await.unwrap();
    let record = house.record(&answer).await;
    assert!(answer.text().await.unwrap().contains("error"));
    assert_eq!(record["cost"]["status"], "partial");
    house.close().await;
}

#[tokio::test]
async fn pieces_of_a_stream_are_not_held_back() {
    let pace = Options { between_chunks: Duration::from_millis(300), ..Options::default() };
    let house = House::with(pace, "").await;
    let mut answer = house.chat(&hello_streamed()).send().await.unwrap();
    let first = tokio::time::timeout(Duration::from_secs(2), answer.chunk()).await;
    assert!(first.unwrap().unwrap().is_some());
    assert!(house.provider.log()[0].chunks_sent < 5);
}

#[tokio::test]
async fn s1_a_client_that_hangs_up_is_billed_for_what_was_seen() {
    let pace = Options { between_chunks: Duration::from_millis(20), ..Options::default() };
    let house = House::with(pace, "").await;
    let mut answer = house.chat(&hello_streamed()).send().await.unwrap();
    let id = answer.headers()["x-farthing-request-id"].to_str().unwrap().to_owned();
    answer.chunk().await.unwrap();
    drop(answer);
    let record = house.record_of(&id).await;
    assert_eq!(record["status"], "settled");
    assert_eq!(record["cost"]["status"], "partial");
    assert_eq!(record["origin"], "estimated");
    assert!(record["usage"]["input"].as_u64().unwrap() > 0);
    house.close().await;
}

#[tokio::test]
async fn s1_a_client_that_hangs_up_before_the_first_byte_is_billed_for_the_prompt() {
    let house = House::open().await;
    house.provider.answer_next_with(Fault::Hang);
    let call = house.chat(&hello_streamed()).timeout(Duration::from_millis(300));
    assert!(call.send().await.is_err());
    let listed = |page: &Value| page["data"][0]["request"].is_string();
    let page = house.until("/api/v1/requests", listed).await;
    let record = house.record_of(page["data"][0]["request"].as_str().unwrap()).await;
    assert_eq!(
        (&record["status"], &record["cost"]["status"]),
        (&"settled".into(), &"partial".into())
    );
    house.close().await;
}

#[tokio::test]
async fn s2_what_a_client_left_behind_is_read_to_the_end_where_the_policy_says_so() {
    let pace = Options { between_chunks: Duration::from_millis(20), ..Options::default() };
    let house = House::with(pace, "[server]\non_disconnect = \"drain\"\n").await;
    let mut answer = house.chat(&hello_streamed()).send().await.unwrap();
    let id = answer.headers()["x-farthing-request-id"].to_str().unwrap().to_owned();
    answer.chunk().await.unwrap();
    drop(answer);
    let record = house.record_of(&id).await;
    assert_eq!(
        (&record["cost"]["status"], &record["origin"]),
        (&"priced".into(), &"measured".into())
    );
    let billed = house.provider.billed();
    assert_eq!(record["usage"]["output"], billed.completion_tokens);
    assert!(!house.provider.log()[0].client_left);
    house.close().await;
}

#[tokio::test]
async fn s2_draining_has_an_end() {
    let pace = Options { between_chunks: Duration::from_millis(50), ..Options::default() };
    let settings = "[server]\non_disconnect = \"drain\"\n[upstream]\ndrain_timeout_ms = 100\n";
    let house = House::with(pace, settings).await;
    let mut answer = house.chat(&hello_streamed()).send().await.unwrap();
    let id = answer.headers()["x-farthing-request-id"].to_str().unwrap().to_owned();
    answer.chunk().await.unwrap();
    drop(answer);
    assert_eq!(house.record_of(&id).await["cost"]["status"], "partial");
    house.close().await;
}

#[tokio::test]
async fn a_stream_that_the_provider_cuts_breaks_off_and_is_billed_for_what_was_seen() {
    let house = House::open().await;
    house.provider.answer_next_with(Fault::CutMidStream { chunks: 4 });
    let answer = house.chat(&hello_streamed()).send().await.unwrap();
    let record = house.record(&answer).await;
    assert!(answer.text().await.is_err());
    assert_eq!(record["cost"]["status"], "partial");
    assert!(record["usage"]["output"].as_u64().unwrap() > 0);
    house.close().await;
}

#[tokio::test]
async fn s5_tokens_that_were_thought_are_billed_and_shown_apart() {
    let script = r#"[{ "content": "Forty-two.", "reasoning_tokens": 500 }]"#;
    let script = Script::from_json(script).unwrap();
    let house = House::with(Options { script, ..Options::default() }, "").await;
    let mut body = hello_streamed();
    body["model"] = json!("gpt-5");
    body["max_completion_tokens"] = json!(2_000);
    let answer = house.chat(&body).send().await.unwrap();
    let record = house.record(&answer).await;
    assert_eq!(record["usage"]["output_reasoning"], 500);
    let billed = house.provider.billed();
    assert_eq!(record["usage"]["output"], billed.completion_tokens - 500);
    house.close().await;
}

#[tokio::test]
async fn s8_a_reader_that_does_not_read_makes_the_provider_wait() {
    // Far more than the buffers of all sockets on the way can hold.
    let words = "word ".repeat(250_000);
    let script = json!([{ "content": words }]).to_string();
    let script = Script::from_json(&script).unwrap();
    let house = House::with(Options { script, ..Options::default() }, "").await;
    let mut body = hello_streamed();
    body["max_completion_tokens"] = json!(250_000);
    let mut answer = house.chat(&body).send().await.unwrap();
    let mut sent = 0;
    let stalled = async {
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let now = house.provider.log()[0].chunks_sent;
            if now == sent && now > 0 {
                return now;
            }
            sent = now;
        }
    };
    let at_rest = tokio::time::timeout(PATIENCE, stalled).await.unwrap();
    assert!(at_rest < 200_000, "all of it was taken in");
    assert!(answer.chunk().await.unwrap().is_some());
    drop(answer);
    house.close().await;
}

#[tokio::test]
async fn s9_two_hundred_clients_that_hang_up_at_once_leave_nothing_held() {
    let pace = Options { between_chunks: Duration::from_millis(20), ..Options::default() };
    let house = House::with(pace, "").await;
    let calls: Vec<_> =
        (0..200).map(|_| tokio::spawn(house.chat(&hello_streamed()).send())).collect();
    for call in calls {
        drop(call.await.unwrap());
    }
    house.until("/api/v1/usage", |usage| usage["data"][0]["requests"] == 200).await;
    let report = house.close().await;
    assert_eq!((&report["attempts"], &report["open"]), (&json!(200), &json!(0)));
}

/// Ids and times differ from call to call.
fn without_ids(stream: &str) -> Vec<String> {
    let frame = |line: &str| {
        let Some(json) = line.strip_prefix("data: {") else { return line.to_owned() };
        let members = json.split(",\"").filter(|member| {
            !["\"id\"", "id\"", "created\""].iter().any(|name| member.starts_with(name))
        });
        members.collect::<Vec<_>>().join(",\"")
    };
    stream.split('\n').map(frame).collect()
}

#[tokio::test]
async fn who_asks_for_it_is_told_the_cost_before_the_streams_last_event() {
    let house = House::open().await;
    for (call, last) in [
        (house.chat(&hello_streamed()), "data: [DONE]\n\n"),
        (house.message(&crate::anthropic::hello_streamed()), "event: message_stop\n"),
    ] {
        let plain = call.try_clone().unwrap().send().await.unwrap().text().await.unwrap();
        let answer = call.header("x-farthing-stream-cost", "comment").send().await.unwrap();
        let told = answer.headers()["x-farthing-request-id"].to_str().unwrap().to_owned();
        let text = answer.text().await.unwrap();
        let record = house.record_of(&told).await;
        let comment = text.lines().find(|line| line.starts_with(": farthing")).unwrap();
        let usd = record["cost"]["usd"].as_str().unwrap();
        assert!(comment.contains(&format!("cost_usd={usd} status=priced")), "{comment}");
        assert!(text.find(comment).unwrap() < text.rfind(last).unwrap());
        assert!(!plain.contains("farthing"));
        let without = text.replace(&format!("{comment}\n\n"), "");
        assert_eq!(without.matches("data: ").count(), plain.matches("data: ").count());
    }
    house.close().await;
}
