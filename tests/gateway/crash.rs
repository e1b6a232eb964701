//! The end of the process, expected and not.

use std::time::Duration;

use farthing_fake_provider::Options;

use crate::anthropic;
use crate::support::{House, hello, hello_streamed};

#[tokio::test]
async fn l1_after_ten_kills_every_answered_call_is_there_once_and_nothing_is_held() {
    let pace = Options { between_chunks: Duration::from_millis(5), ..Options::default() };
    let mut house = House::with(pace, "").await;
    let mut answered = Vec::new();
    for kill in 1..=10 {
        let mixed = [
            house.chat(&hello()),
            house.chat(&hello_streamed()),
            house.message(&anthropic::hello()),
            house.message(&anthropic::hello_streamed()),
        ];
        let calls = (0..6).flat_map(|_| mixed.each_ref().map(|call| call.try_clone().unwrap()));
        let calls: Vec<_> = calls.map(|call| tokio::spawn(call.send())).collect();
        // In the middle of it: all are under way, some are done.
        while house.provider.log().len() < kill * 24 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        house.kill_and_restart().await;
        for call in calls {
            if let Ok(answer) = call.await.unwrap() {
                let id = answer.headers()["x-farthing-request-id"].to_str().unwrap();
                answered.push(id.to_owned());
            }
        }
    }
    assert!(!answered.is_empty());
    for id in &answered {
        let record = house.record_of(id).await;
        assert!(["settled", "expired"].contains(&record["status"].as_str().unwrap()), "{record}");
    }
    let report = house.close().await;
    assert_eq!(report["open"], 0);
}

#[tokio::test]
async fn a_gateway_that_is_told_to_stop_lets_its_calls_end() {
    let pace = Options { between_chunks: Duration::from_millis(20), ..Options::default() };
    let house = House::with(pace, "").await;
    let answer = house.chat(&hello_streamed()).send().await.unwrap();
    let reading = tokio::spawn(answer.text());
    let report = house.close().await;
    assert!(reading.await.unwrap().unwrap().ends_with("data: [DONE]\n\n"));
    assert_eq!((&report["open"], &report["attempts"]), (&0.into(), &1.into()));
}
