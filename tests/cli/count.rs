use serde_json::{Value, json};

use crate::support::{Folder, json_lines, shared};

const REQUEST: &str = r#"{
    "model": "gpt-4.1",
    "messages": [
        {"role": "system", "content": "Answer in one word."},
        {"role": "user", "content": "Which is the largest planet of the sun?"}
    ]
}"#;

#[test]
fn a_text_is_an_argument_a_file_or_standard_input() {
    let folder = Folder::new().with("notes.txt", "one two three");
    let count =
        |arguments: &[&str], input| folder.run_with(&[&["count"], arguments].concat(), input).ok();
    assert_eq!(
        count(&["one two three"], ""),
        "3 tokens for gpt-4.1 (exact), in a text of 13 bytes\n"
    );
    assert_eq!(
        count(&["notes.txt"], ""),
        "3 tokens for gpt-4.1 (exact), in notes.txt of 13 bytes\n"
    );
    let from_input = "3 tokens for gpt-4.1 (exact), in standard input of 13 bytes\n";
    assert_eq!(count(&["-"], "one two three"), from_input);
    assert_eq!(count(&[], "one two three"), from_input);
    assert_eq!(
        count(&["one", "--model", "gpt-4"], ""),
        "1 token for gpt-4 (exact), in a text of 3 bytes\n"
    );
    assert_eq!(count(&[""], ""), "0 tokens for gpt-4.1 (exact), in a text of 0 bytes\n");
}

#[test]
fn an_estimate_is_said_to_be_one() {
    let json = Folder::new().run(&["count", "hello", "--model", "nobodys", "--json"]).json();
    assert_eq!(json, json!({ "model": "nobodys", "tokens": 1, "method": "estimated" }));
}

#[test]
fn a_request_is_counted_by_kind() {
    let folder = Folder::new().with("body.json", REQUEST);
    let out = folder.run(&["count", "--request", "body.json"]).ok();
    assert_eq!(
        out,
        "A request for gpt-4.1, as of the API `openai`\n\n  \
         overhead                11    44 %\n  \
         user                     9    36 %\n  \
         system                   5    20 %\n  \
         in all                  25\n\n\
         Exact: as the provider counts.\n"
    );
    let json = folder.run_with(&["count", "--request", "-", "--json"], REQUEST).json();
    assert_eq!((&json["tokens"], &json["by_kind"]["user"]), (&json!(25), &json!(9)), "{json}");
}

#[test]
fn a_request_that_cannot_be_read_is_refused_by_name() {
    let folder = Folder::new().with("body.json", r#"{"model": "gpt-4.1"}"#).with("odd.bin", [0xff]);
    let refused = |arguments: &[&str]| folder.run(&[&["count"], arguments].concat()).fails(1);
    let err = refused(&["--request", "body.json"]);
    assert!(err.starts_with("farthing: body.json: `messages` is missing"), "{err}");
    let err = refused(&["--request", "gone.json"]);
    assert!(err.starts_with("farthing: gone.json cannot be read: No such file"), "{err}");
    let err = refused(&["odd.bin"]);
    assert!(err.starts_with("farthing: odd.bin is not UTF-8 text"), "{err}");
}

#[test]
fn every_line_is_answered_by_a_line() {
    let request: Value = serde_json::from_str(REQUEST).unwrap();
    let lines = [
        json!({ "id": "a", "model": "gpt-4.1", "request": request, "other": 1 }).to_string(),
        json!({ "id": 2, "uri": "https://api.openai.com/v1/chat/completions", "request": request })
            .to_string(),
        json!({ "id": "c", "uri": "https://api.example.com/v2/chat", "request": request })
            .to_string(),
        json!({ "id": "d", "request": [1] }).to_string(),
        json!({ "id": "e" }).to_string(),
        String::new(),
        "{".to_owned(),
        "\"a text\"".to_owned(),
        json!({ "request": request }).to_string(),
    ];
    let run = Folder::new().run_with(&["count", "--requests", "-"], &lines.join("\n"));
    assert_eq!((run.code, run.err.as_str()), (Some(1), ""));
    let answers = json_lines(&run.out);
    let tokens: Vec<_> = answers.iter().map(|answer| answer["tokens"].as_u64()).collect();
    let none = None;
    assert_eq!(tokens, [Some(25), Some(25), Some(25), none, none, none, none, none, Some(25)]);
    let ids: Vec<_> = answers.iter().map(|answer| answer["id"].clone()).collect();
    assert_eq!(json!(ids), json!(["a", 2, "c", "d", "e", null, null, null, null]));
    let numbers: Vec<_> = answers.iter().map(|answer| answer["line"].as_u64()).collect();
    assert_eq!(numbers[5..], [Some(6), Some(7), Some(8), None]);
    assert!(answers[..2].iter().all(|answer| answer["by_kind"]["system"] == 5));
    assert_eq!(answers[2]["method"], "estimated", "an API that nobody knows");
    assert!(answers[3]["error"].as_str().unwrap().contains("an array"), "{}", answers[3]);
}

#[test]
fn what_is_not_understood_does_not_make_the_run_fail() {
    let line = r#"{"id": 1, "uri": "https://api.cohere.com/v2/chat", "request": {}}"#;
    let out = Folder::new().run_with(&["count", "--requests", "-"], line).ok();
    assert!(json_lines(&out)[0]["error"].is_string());
}

#[test]
fn recorded_requests_are_answered_to_the_last() {
    let Some(path) = shared("token_ground_truth.jsonl") else { return };
    let rows = json_lines(&std::fs::read_to_string(&path).unwrap());
    let counts = json_lines(&Folder::new().run(&["count", "--requests", &path]).ok());
    assert_eq!(counts.len(), rows.len());
    let chats = rows.iter().zip(&counts).filter(|(row, _)| {
        row["uri"].as_str().unwrap().starts_with("https://api.openai.com/v1/chat/completions")
    });
    for (row, count) in chats {
        assert_eq!(count["id"], row["id"]);
        if count["method"] == "exact" {
            assert_eq!(count["tokens"], row["usage"]["prompt_tokens"], "{}", row["id"]);
        }
    }
}
