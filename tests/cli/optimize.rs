use serde_json::{Value, json};

use crate::support::Folder;

fn request() -> String {
    let rows: Vec<_> = (0..30).map(|n| json!({"name": format!("row {n}"), "number": n})).collect();
    let function = json!({"name": "rows", "arguments": "{ \"n\": 1.0 }"});
    let call = json!({"id": "call_1", "type": "function", "function": function});
    let messages = json!([
        {"role": "user", "content": "Show  the rows.\n"},
        {"role": "assistant", "content": null, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": format!("{:#}", json!(rows))},
    ]);
    json!({"model": "gpt-4.1", "messages": messages}).to_string()
}

#[test]
fn a_request_comes_out_shorter_and_its_receipt_gives_it_back() {
    let body = request();
    let folder = Folder::new().with("body.json", &body);
    let out = folder.run(&["optimize", "body.json", "--receipt", "receipt.json"]).ok();
    assert!(out.len() < body.len() * 2 / 3, "{out}");
    let (sent, came): (Value, Value) =
        (serde_json::from_str(&out).unwrap(), serde_json::from_str(&body).unwrap());
    for message in 0..2 {
        assert_eq!(sent["messages"][message], came["messages"][message]);
    }
    let folder = folder.with("sent.json", &out);
    let back = folder.run(&["optimize", "sent.json", "--receipt", "receipt.json", "--decode"]).ok();
    assert_eq!(back, body);
    let receipt: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path("receipt.json")).unwrap())
            .unwrap();
    let receipt = &receipt["receipt"];
    assert!(receipt["tokens_after"].as_u64() < receipt["tokens_before"].as_u64());
    assert_eq!(receipt["edits"][0]["class"], "L1");
}

#[test]
fn a_receipt_of_another_request_is_refused() {
    let folder = Folder::new().with("body.json", request()).with("other.json", "{\"model\":\"m\"}");
    folder.run(&["optimize", "body.json", "--receipt", "receipt.json"]).ok();
    let run = folder.run(&["optimize", "other.json", "--receipt", "receipt.json", "--decode"]);
    assert_ne!(run.code, Some(0));
    assert!(run.err.contains("receipt.json is not the receipt of other.json"), "{}", run.err);
}

#[test]
fn every_edit_is_explained_with_what_it_is_worth() {
    let folder = Folder::new().with("body.json", request());
    let out = folder.run(&["optimize", "body.json", "--explain"]).ok();
    for told in ["(L1) in message 2: −", "expected", "- ", "+ ", "tokens become", "worth $"] {
        assert!(out.contains(told), "no `{told}` in {out}");
    }
}

#[test]
fn prose_is_shortened_towards_its_target() {
    let asked = "Please could you kindly help me to understand what the current weather conditions \
        are like in order to make appropriate clothing decisions for today's activities and events \
        that I have planned.";
    let json =
        Folder::new().run(&["optimize", "--prose", asked, "--target", "20", "--json"]).json();
    assert_eq!(json["target_reached"], true, "{json}");
    assert!(json["percent"].as_u64() >= Some(20), "{json}");
}
