#![allow(clippy::unwrap_used, reason = "a test, helpers included")]

use super::*;

fn thinking(input: u64, usd: &str) -> Event {
    let (source, status) = (Source::Provider, CostStatus::Priced);
    let usage = Consumed { input, cache_read: 0, cache_write: 0, output: 1, reasoning: 0, source };
    Event {
        kind: EventType::AgentThinking,
        id: "req_1/0".to_owned(),
        ts: Timestamp::UNIX_EPOCH,
        user_id: UserId::new("ann").unwrap(),
        thread_id: ThreadId::new("t").unwrap(),
        run_id: RunId::new("r").unwrap(),
        parent_run_id: None,
        agent: None,
        request_id: None,
        data: Data::default(),
        usage: Some(usage),
        cost: Some(Spent {
            usd: Some(usd.parse().unwrap()),
            status,
            saved_tokens: 0,
            saved_usd: Usd::ZERO,
        }),
        budget: None,
        run_total: Total::default().plus(&usage, Some(usd.parse().unwrap())),
    }
}

#[test]
fn a_frame_is_one_object_with_its_place_first() {
    let frame = thinking(10, "0.50").frame(412, "b7");
    assert!(
        frame.starts_with(r#"{"v":1,"seq":412,"epoch":"b7","type":"agent_thinking""#),
        "{frame}"
    );
    let value: serde_json::Value = serde_json::from_str(&frame).unwrap();
    assert_eq!(value["cost"]["usd"], "0.50");
    assert_eq!(value["run_total"], serde_json::json!({ "tokens": 11, "usd": "0.50" }));
}

#[test]
fn model_calls_of_one_run_merge_into_one_that_says_as_much() {
    let (first, second) = (thinking(10, "0.50"), thinking(20, "0.25"));
    let both = first.merged(&second).unwrap();
    assert_eq!(both.usage.unwrap().input, 30);
    assert_eq!(both.cost.unwrap().usd, Some("0.75".parse().unwrap()));
    assert_eq!(both.merged(&second).unwrap().data.calls, Some(3));
    let other_run = Event { run_id: RunId::new("s").unwrap(), ..second.clone() };
    assert_eq!(first.merged(&other_run), None);
    let tool = Event { kind: EventType::ToolExecuting, ..second };
    assert_eq!(first.merged(&tool), None);
}
