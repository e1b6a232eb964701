//! A daily limit per user.

use farthing_fake_provider::Options;
use serde_json::{Value, json};

use crate::support::{House, hello};

const TEN_CENTS: &str = "[[budgets.limit]]\nscope = \"user\"\nwindow = \"day\"\nusd = \"0.10\"\n";

/// A call that may cost about eight cents.
fn dear() -> Value {
    let mut body = hello();
    body["max_completion_tokens"] = json!(10_000);
    body
}

#[tokio::test]
async fn b15_a_refusal_has_the_shape_that_stops_clients_and_says_why() {
    let house = House::with(Options::default(), TEN_CENTS).await;
    let mut body = dear();
    body["max_completion_tokens"] = json!(30_000);
    let refused = house.chat(&body).header("x-farthing-user", "ada").send().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["x-should-retry"], "false");
    assert_eq!(refused.headers()["x-farthing-error"], "budget_exceeded");
    assert!(!refused.headers().contains_key("retry-after"));
    let error: Value = refused.json().await.unwrap();
    assert_eq!(error["error"]["code"], "insufficient_quota");
    assert_eq!(error["error"]["type"], "insufficient_quota");
    let message = error["error"]["message"].as_str().unwrap();
    for part in ["user `ada`", "0.10", "0.00 spent", "Z"] {
        assert!(message.contains(part), "{message}");
    }
    assert!(house.provider.log().is_empty());
    house.close().await;
}

#[tokio::test]
async fn b1_calls_at_once_never_hold_more_than_the_room() {
    let pace = Options { first_token: std::time::Duration::from_millis(300), ..Options::default() };
    let house = House::with(pace, TEN_CENTS).await;
    let calls: Vec<_> = (0..50).map(|_| tokio::spawn(house.chat(&dear()).send())).collect();
    let mut admitted = 0;
    for call in calls {
        admitted += u32::from(call.await.unwrap().unwrap().status() == 200);
    }
    // All fifty are under way before the first ends, and the room holds one of them.
    assert_eq!(admitted, 1);
    house.close().await;
}

#[tokio::test]
async fn a_hold_is_released_to_the_real_cost_so_that_the_next_call_fits() {
    let house = House::with(Options::default(), TEN_CENTS).await;
    for _ in 0..5 {
        let answer = house.chat(&dear()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.headers().contains_key("x-farthing-budget-remaining-usd"));
    }
    house.close().await;
}

#[tokio::test]
async fn each_user_has_a_budget_of_their_own() {
    let house = House::with(
        Options::default(),
        "[[budgets.limit]]\nscope = \"user\"\nwindow = \"day\"\nusd = \"0.0001\"\n",
    )
    .await;
    let call = |user: &'static str| house.chat(&hello()).header("x-farthing-user", user).send();
    let mut spent_by_ada = 0;
    while call("ada").await.unwrap().status() == 200 {
        spent_by_ada += 1;
        assert!(spent_by_ada < 100, "the limit is never reached");
    }
    assert!(spent_by_ada == 0 || call("ada").await.unwrap().status() == 429);
    assert_eq!(call("bob").await.unwrap().status(), if spent_by_ada == 0 { 429 } else { 200 });
    house.close().await;
}

#[tokio::test]
async fn an_unknown_model_is_unpriced_and_still_charged_to_the_budget() {
    let house = House::open().await;
    let mut body = hello();
    body["model"] = json!("gpt-99-turbo");
    let answer = house.chat(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-farthing-cost-status"], "unpriced");
    assert!(!answer.headers().contains_key("x-farthing-cost-usd"));
    let record = house.record(&answer).await;
    assert_eq!(record["cost"]["usd"], Value::Null);
    assert_ne!(record["charged"], "0.00");
    house.close().await;
}

#[tokio::test]
async fn an_unknown_model_is_refused_where_the_policy_says_so() {
    let house = House::with(Options::default(), "[budgets]\nunpriced = \"block\"\n").await;
    let mut body = hello();
    body["model"] = json!("gpt-4.1-maxi");
    let refused = house.chat(&body).send().await.unwrap();
    assert_eq!(refused.status(), 400);
    assert_eq!(refused.headers()["x-farthing-error"], "unpriced_model");
    let error: Value = refused.json().await.unwrap();
    assert!(error["error"]["message"].as_str().unwrap().contains("similar: gpt-4.1"));
    assert!(house.provider.log().is_empty());
}
