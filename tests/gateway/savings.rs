//! The optimizer, live: what the provider receives, and what that comes to.

use farthing_fake_provider::Options;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::House;

/// Instructions that are long enough for a cache.
fn instructions() -> String {
    "You help in a bookshop. Answer in one sentence and name the file that you mean. ".repeat(120)
}

/// What a tool gave back: as large as `rows`, and spelled as programs spell it.
fn listing(rows: usize) -> String {
    let row = |number| json!({ "order": number, "customer": "ada", "cents": 1_295, "paid": true });
    serde_json::to_string_pretty(&(0..rows).map(row).collect::<Vec<_>>()).unwrap()
}

/// A conversation after so many turns with a tool.
fn conversation(model: &str, turns: usize) -> Value {
    let mut messages = vec![json!({ "role": "user", "content": "Which orders are paid?" })];
    for turn in 0..turns {
        let id = format!("call_{turn}");
        if model.starts_with("claude") {
            let call =
                json!({ "type": "tool_use", "id": id, "name": "list", "input": { "page": turn } });
            messages.push(json!({ "role": "assistant", "content": [call] }));
            let result =
                json!({ "type": "tool_result", "tool_use_id": id, "content": listing(40 + turn) });
            messages.push(json!({ "role": "user", "content": [result] }));
        } else {
            let call = json!({ "id": id, "type": "function",
                "function": { "name": "list", "arguments": format!("{{\"page\":{turn}}}") } });
            messages.push(json!({ "role": "assistant", "content": null, "tool_calls": [call] }));
            messages
                .push(json!({ "role": "tool", "tool_call_id": id, "content": listing(40 + turn) }));
        }
    }
    let mut body = json!({ "model": model, "max_tokens": 50, "messages": messages });
    if model.starts_with("claude") {
        body["system"] = json!(instructions());
    }
    body
}

impl House {
    fn ask(&self, body: &Value) -> RequestBuilder {
        if body["model"].as_str().unwrap().starts_with("claude") {
            self.message(body)
        } else {
            self.chat(body)
        }
    }

    /// What the provider received last.
    fn received(&self) -> Vec<u8> {
        self.provider.log().last().unwrap().body.to_vec()
    }
}

fn messages(body: &[u8]) -> Vec<Value> {
    let mut body: Value = serde_json::from_slice(body).unwrap();
    without_markers(&mut body);
    body["messages"].as_array().unwrap().clone()
}

fn without_markers(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("cache_control");
            members.values_mut().for_each(without_markers);
            // A text that is marked becomes a block.
            if let Some([block]) =
                members.get("content").and_then(|it| it.as_array().map(Vec::as_slice))
            {
                let block = block.clone();
                if block["type"] == "text" {
                    members["content"] = block["text"].clone();
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(without_markers),
        _ => {}
    }
}

fn money(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn what_tools_gave_back_is_sent_shorter_and_the_receipt_says_what_that_saved() {
    let house = House::open().await;
    for model in ["gpt-4.1", "claude-sonnet-4-5"] {
        let body = conversation(model, 1);
        let answer = house.ask(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let (sent, came) = (house.received(), body.to_string());
        assert!(sent.len() < came.len(), "{model}: {} of {}", sent.len(), came.len());
        let saved: u64 =
            answer.headers()["x-farthing-tokens-saved"].to_str().unwrap().parse().unwrap();
        assert!(saved > 200, "{model}: {saved}");
        let id = answer.headers()["x-farthing-request-id"].to_str().unwrap().to_owned();
        let ended =
            |it: &Value| it["savings"].is_object() && it["attempts"][0]["cost"]["usd"].is_string();
        let record = house.until(&format!("/api/v1/requests/{id}"), ended).await;
        let savings = &record["savings"];
        assert_eq!(savings["mode"], "safe");
        assert_eq!(
            savings["tokens_before"].as_u64().unwrap() - savings["tokens_after"].as_u64().unwrap(),
            saved
        );
        assert!(!savings["receipt"]["edits"].as_array().unwrap().is_empty());
        let net = money(&savings["would_have_paid"]) - money(&savings["paid"]);
        let of_passes: f64 =
            savings["passes"].as_object().unwrap().values().map(|it| money(&it["saved_usd"])).sum();
        assert!((net - of_passes).abs() < 1e-10, "{savings}");
        let attempt = &record["attempts"][0];
        assert_eq!(attempt["cost"]["usd"], savings["paid"]);
        // The ledger has what was sent.
        let counted = attempt["asked"]["anatomy"]["by_kind"].as_object().unwrap();
        let counted: u64 = counted.values().map(|it| it.as_u64().unwrap()).sum();
        assert_eq!(counted, savings["tokens_after"].as_u64().unwrap());
    }
    house.close().await;
}

#[tokio::test]
async fn off_and_shadow_change_no_byte_and_shadow_says_what_could_be_saved() {
    let house = House::open().await;
    for (mode, model) in
        [("off", "gpt-4.1"), ("shadow", "gpt-4.1"), ("shadow", "claude-sonnet-4-5")]
    {
        let body = conversation(model, 2);
        let answer = house.ask(&body).header("x-farthing-optimize", mode).send().await.unwrap();
        assert_eq!(house.received(), body.to_string().as_bytes(), "{mode}");
        let id = answer.headers()["x-farthing-request-id"].to_str().unwrap().to_owned();
        let path = format!("/api/v1/requests/{id}");
        if mode == "off" {
            assert!(!answer.headers().contains_key("x-farthing-tokens-saved"));
            continue;
        }
        assert_eq!(answer.headers()["x-farthing-tokens-saved"], "0");
        let record = house.until(&path, |it| it["savings"].is_object()).await;
        let receipt = &record["savings"]["receipt"];
        assert!(receipt["tokens_after"].as_u64() < receipt["tokens_before"].as_u64(), "{receipt}");
        assert_eq!(record["savings"]["paid"], record["savings"]["would_have_paid"]);
    }
    let answer = house.ask(&conversation("gpt-4.1", 1)).header("x-farthing-optimize", "fast");
    let answer = answer.send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["x-farthing-error"]),
        (400, &"invalid_mode".parse().unwrap())
    );
    house.close().await;
}

#[tokio::test]
async fn a_conversation_costs_less_than_as_it_came_by_the_ledger() {
    for model in ["gpt-4.1", "claude-sonnet-4-5"] {
        let mut bills = Vec::new();
        for mode in ["safe", "off"] {
            let house =
                House::with(Options::default(), &format!("[optimizer]\nmode = \"{mode}\"")).await;
            let mut before = Vec::new();
            for turns in 0..5 {
                let answer = house.ask(&conversation(model, turns)).send().await.unwrap();
                assert_eq!(answer.status(), 200);
                house.record(&answer).await;
                let sent = messages(&house.received());
                assert!(
                    sent.starts_with(&before),
                    "{model}, turn {turns}: what was sent before has changed"
                );
                before = sent;
            }
            let usage = house.until("/api/v1/usage", |it| it["data"][0]["requests"] == 5).await;
            bills.push(money(&usage["data"][0]["cost"]["usd"]));
            if mode == "safe" {
                let all = |it: &Value| it["total"]["count"] == 5;
                let savings = house.until("/api/v1/savings", all).await;
                let total = &savings["total"];
                assert_eq!(money(&total["paid_usd"]), bills[0]);
                assert!(money(&total["net_usd"]) > 0.0, "{savings}");
                for by in ["user", "agent", "thread", "pass"] {
                    let path = format!("/api/v1/savings?group_by={by}");
                    let groups = house.get(&path).await.json::<Value>().await.unwrap();
                    let groups = groups["data"].as_array().unwrap().clone();
                    let sum: f64 = groups.iter().map(|it| money(&it["net_usd"])).sum();
                    assert!((sum - money(&total["net_usd"])).abs() < 1e-10, "{by}: {groups:?}");
                }
            }
            house.close().await;
        }
        assert!(bills[0] < bills[1], "{model}: {bills:?}");
    }
}

#[tokio::test]
async fn after_a_crash_the_conversation_goes_on_with_the_same_bytes() {
    let mut house = House::open().await;
    let model = "claude-sonnet-4-5";
    // What was sent as it came stays so while the cache has it.
    let first = conversation(model, 1);
    house.ask(&first).header("x-farthing-optimize", "shadow").send().await.unwrap();
    let answer = house.ask(&conversation(model, 2)).send().await.unwrap();
    house.record(&answer).await;
    let before = messages(&house.received());
    house.kill_and_restart().await;
    let answer = house.ask(&conversation(model, 3)).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let after = messages(&house.received());
    assert!(after.starts_with(&before), "what was sent before has changed");
    house.close().await;
}

#[tokio::test]
async fn what_a_provider_does_not_take_optimized_it_gets_as_it_came() {
    use farthing_fake_provider::Fault;
    let house = House::open().await;
    let body = conversation("gpt-4.1", 1);
    house.provider.answer_next_with(Fault::Status(400));
    let answer = house.ask(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-farthing-tokens-saved"], "0");
    assert_eq!(house.received(), body.to_string().as_bytes());
    house.close().await;
}

#[tokio::test]
async fn held_out_conversations_are_sent_as_they_came() {
    let house = House::with(Options::default(), "[optimizer]\nholdout_percent = 100").await;
    let body = conversation("gpt-4.1", 2);
    let answer = house.ask(&body).send().await.unwrap();
    assert_eq!(house.received(), body.to_string().as_bytes());
    let id = answer.headers()["x-farthing-request-id"].to_str().unwrap().to_owned();
    let path = format!("/api/v1/requests/{id}");
    let record = house.until(&path, |it| it["savings"].is_object()).await;
    assert_eq!(record["savings"]["held_out"], true);
    house.close().await;
}
