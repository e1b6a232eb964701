use farthing_core::prompt::{Part, Role};
use serde_json::Value;

use super::*;

fn at(path: &str, body: &str) -> Result<Request, RequestError> {
    parse(Bytes::copy_from_slice(body.as_bytes()), Target::of(path))
}

/// A request with these members beside its contents.
fn with(members: &str) -> Request {
    at("m:generateContent", &format!(r#"{{"contents":[],{members}}}"#)).unwrap()
}

#[test]
fn the_address_says_what_the_body_does_not() {
    let body = r#"{"contents":[],"model":"models/other"}"#;
    for (path, model, stream) in [
        ("/v1beta/models/g:generateContent", "g", false),
        ("/v1beta/models/g:streamGenerateContent", "g", true),
        ("/v1beta/models/g:countTokens", "g", false),
        ("/models", "models/other", false),
    ] {
        let request = at(path, body).unwrap();
        assert_eq!((request.model.as_str(), request.stream), (model, stream), "{path}");
    }
    assert_eq!(at("/models", r#"{"contents":[]}"#).unwrap_err().param(), Some("model"));
}

#[test]
fn what_is_to_be_counted_may_be_a_whole_request() {
    let body =
        r#"{"generateContentRequest":{"model":"models/g","contents":[{"parts":[{"text":"x"}]}]}}"#;
    let request = at("", body).unwrap();
    assert_eq!((request.model.as_str(), request.prompt.messages.len()), ("models/g", 1));
}

#[test]
fn what_cannot_be_read_is_refused_with_its_path() {
    for (body, param, error) in [
        (r#"{"contents":7}"#, "contents", "the number 7; send an array of contents"),
        (r#"{"contents":[7]}"#, "contents[0]", "the number 7; send an object"),
        (
            r#"{"contents":[{"parts":7}]}"#,
            "contents[0].parts",
            "the number 7; send an array of parts",
        ),
        (
            r#"{"contents":[{"parts":[{},7]}]}"#,
            "contents[0].parts[1]",
            "the number 7; send an object",
        ),
        (r#"{"contents":[],"tools":{}}"#, "tools", "an object; send an array of tools or null"),
        (
            r#"{"contents":[],"generationConfig":{"maxOutputTokens":0}}"#,
            "generationConfig.maxOutputTokens",
            "the number 0; send a whole number of at least 1",
        ),
    ] {
        let found = at("m:generateContent", body).unwrap_err();
        assert_eq!(found.to_string(), format!("`{param}` is {error}"));
    }
}

#[test]
fn both_spellings_of_members_are_read() {
    for config in [
        r#""generationConfig":{"maxOutputTokens":7,"candidateCount":2,"responseSchema":{}}"#,
        r#""generation_config":{"max_output_tokens":7,"candidate_count":2,"response_schema":{}}"#,
    ] {
        let request = with(config);
        assert_eq!((request.max_output, request.answers), (Some(7), 2));
        assert!(request.prompt.response_format.is_some());
    }
}

#[test]
fn cached_content_is_said_to_be_unseen() {
    assert!(with(r#""cachedContent":"cachedContents/x""#).prompt.unseen);
    assert!(!with(r#""cachedContent":null"#).prompt.unseen);
}

#[test]
fn a_response_of_a_function_is_a_message_that_answers_its_call() {
    let body = r#"{"contents":[{"role":"user","parts":[
        {"functionResponse":{"id":"c1","name":"f","response":{"error":"no"}}},
        {"function_response":{"name":"g","response":{"result":[1]}}},
        {"text":"and?"}]}]}"#;
    let prompt = at("m:generateContent", body).unwrap().prompt;
    let [first, second, third] = prompt.messages.as_slice() else { panic!("{prompt:?}") };
    assert_eq!(prompt.text(first.answers.as_ref().unwrap()), "c1");
    assert_eq!(prompt.text(second.answers.as_ref().unwrap()), "g");
    assert_eq!((first.is_error, second.is_error), (true, false));
    assert_eq!((first.role, second.role, third.role), (Role::Tool, Role::Tool, Role::User));
    let [Part::Text(said)] = second.parts.as_slice() else { panic!("{second:?}") };
    assert_eq!(prompt.text(said), r#"{"result":[1]}"#);
}

#[test]
fn nesting_costs_no_stack() {
    let (open, close) = (r#"{"parts":["#.repeat(100_000), "]}".repeat(100_000));
    let request = with(&format!(r#""x":{open}{close}"#));
    assert!(request.prompt.messages.is_empty());
}

#[test]
fn recorded_requests_are_read() {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/token_ground_truth.jsonl");
    let Ok(recorded) = std::fs::read_to_string(path) else {
        println!("skipped: ../shared not present");
        return;
    };
    let mut read = 0;
    for line in recorded.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let uri = line["uri"].as_str().unwrap();
        if let Some(target) = Target::of(uri) {
            let request = at(uri, &line["request"].to_string()).unwrap();
            assert_eq!(request.stream, target.method == Method::Stream);
            assert!(!request.prompt.messages.is_empty());
            read += 1;
        }
    }
    assert!(read > 100, "only {read} requests were found");
}
