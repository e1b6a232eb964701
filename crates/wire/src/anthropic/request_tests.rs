use farthing_core::usage::CacheTtl;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::request::MAX_ELEMENTS;

fn read(body: &str) -> Result<Request, RequestError> {
    parse(Bytes::copy_from_slice(body.as_bytes()))
}

/// A request with these members beside its model and messages.
fn with(members: &str) -> Request {
    read(&format!(r#"{{"model":"m","messages":[],{members}}}"#)).unwrap()
}

#[test]
fn what_cannot_be_read_is_refused_with_its_path() {
    for (members, param, error) in [
        (r#""messages":null"#, "messages", "null; send an array of messages"),
        (r#""messages":[0]"#, "messages[0]", "the number 0; send an object"),
        (
            r#""messages":[{},{"content":7}]"#,
            "messages[1].content",
            "the number 7; send a string or an array of content blocks",
        ),
        (
            r#""messages":[{"content":[{"type":"text"},"x"]}]"#,
            "messages[0].content[1]",
            "a string; send an object",
        ),
        (
            r#""messages":[{"content":[{"type":"tool_result","content":{}}]}]"#,
            "messages[0].content[0].content",
            "an object; send a string or an array of content blocks",
        ),
        (
            r#""messages":[],"system":7"#,
            "system",
            "the number 7; send a string or an array of content blocks",
        ),
        (r#""messages":[],"tools":{}"#, "tools", "an object; send an array or null"),
        (r#""messages":[],"stream":1"#, "stream", "the number 1; send true, false or null"),
        (r#""messages":[],"max_tokens":-1"#, "max_tokens", "the number -1; send a whole number"),
    ] {
        let found = read(&format!(r#"{{"model":"m",{members}}}"#)).unwrap_err();
        assert_eq!(found.to_string(), format!("`{param}` is {error}"));
        assert_eq!(found.param(), Some(param));
    }
    assert_eq!(read("{}").unwrap_err().param(), Some("model"));
    assert_eq!(read(r#"{"model":"m"}"#).unwrap_err().param(), Some("messages"));
}

#[test]
fn more_elements_than_memory_is_meant_for_are_refused_wherever_they_are() {
    let blocks = r#"{"type":"text","text":""},"#.repeat(MAX_ELEMENTS - 3);
    let body = |within: &str| {
        format!(
            r#"{{"model":"m","tools":[{{}}],
                "messages":[{{"content":[{{"type":"tool_result","content":[{blocks}{within}]}}]}}]}}"#
        )
    };
    assert!(read(&body("{}")).is_err());
    let body = body("").replace(",]", "]");
    assert!(read(&body).is_ok());
}

#[test]
fn nesting_costs_no_stack() {
    let open = r#"{"type":"tool_result","content":["#.repeat(100_000);
    let close = "]}".repeat(100_000);
    let body = format!(r#"{{"model":"m","messages":[{{"content":[{open}{close}]}}]}}"#);
    let request = read(&body).unwrap();
    assert!(matches!(
        request.prompt.messages[0].parts[..],
        [farthing_core::prompt::Part::Other(_)]
    ));
}

#[test]
fn a_request_is_sent_as_it_came() {
    let body = Bytes::from_static(br#"{"model":"m","messages":[],"stream":true}"#);
    let outgoing = parse(body.clone()).unwrap().outgoing();
    assert_eq!((outgoing.body.as_ptr(), outgoing.usage_added), (body.as_ptr(), false));
}

#[test]
fn the_longest_lived_breakpoint_counts_wherever_it_is() {
    let (five, hour) = (Some(CacheTtl::FiveMinutes), Some(CacheTtl::OneHour));
    for (members, asked) in [
        (r#""cache_control":null"#, None),
        (r#""metadata":{"cache_control":{"ttl":"1h"}}"#, None),
        (r#""cache_control":{"type":"ephemeral"}"#, five),
        (r#""system":[{"type":"text","text":"","cache_control":{"ttl":"1h"}}]"#, hour),
        (r#""tools":[{"cache_control":{"ttl":"5m"}}]"#, five),
        (
            r#""messages":[{"content":[{"type":"tool_result",
                "content":[{"type":"image","cache_control":{"ttl":"1h"}}],"cache_control":{}}]}]"#,
            hour,
        ),
        (r#""messages":[{"content":[{"type":"unheard_of","cache_control":{"ttl":"24h"}}]}]"#, hour),
    ] {
        let members = format!(r#"{{"model":"m","messages":[],{members}}}"#);
        assert_eq!(read(&members).unwrap().cache_asked, asked, "{members}");
    }
}

#[test]
fn a_users_id_that_holds_a_session_is_no_user() {
    let labels = |id: Value| with(&format!(r#""metadata":{{"user_id":{id}}}"#)).labels;
    let user = |user: &str| Labels { user: Some(user.into()), ..Labels::default() };
    let session = |session: &str| Labels { session: Some(session.into()), ..Labels::default() };
    for (id, expected) in [
        ("u-17", user("u-17")),
        ("17", user("17")),
        ("user_17", user("user_17")),
        (r#"{"device_id":"d","account_uuid":"a","session_id":"s"}"#, session("s")),
        ("user_0a1b_account__session_s-1", session("s-1")),
        (r#"{"device_id":"d"}"#, Labels::default()),
    ] {
        assert_eq!(labels(id.into()), expected, "{id}");
    }
    assert_eq!(labels(Value::Null), Labels::default());
    assert_eq!(with(r#""metadata":7"#).labels, Labels::default());
}

#[test]
fn servers_of_tools_are_offered_like_tools() {
    let prompt = with(r#""tools":[{"name":"f"}],"mcp_servers":[{"type":"url"}]"#).prompt;
    let offered: Vec<_> = prompt.tools.iter().map(|tool| prompt.raw(&tool.span)).collect();
    assert_eq!(offered, [r#"{"name":"f"}"#, r#"{"type":"url"}"#]);
}

#[test]
fn the_standard_way_of_being_served_has_many_names() {
    let standard = r#""service_tier":"standard_only","speed":"standard","inference_geo":"global""#;
    assert!(with(standard).served_asked.is_empty());
    assert!(
        with(r#""service_tier":"auto","speed":null,"inference_geo":7"#).served_asked.is_empty()
    );
}

#[test]
fn thinking_at_the_models_discretion_is_not_demanded() {
    let thinking = |how: &str| with(&format!(r#""thinking":{how}"#)).prompt.demands.thinking;
    assert!(thinking(r#"{"type":"enabled","budget_tokens":1024}"#));
    assert!(!thinking(r#"{"type":"adaptive"}"#) && !thinking(r#"{"type":"disabled"}"#));
    assert!(!thinking("null"));
}

#[test]
fn recorded_requests_are_read() {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/token_ground_truth.jsonl");
    let Ok(recorded) = std::fs::read_to_string(path) else {
        println!("skipped: ../shared not present");
        return;
    };
    let mut counted = 0;
    for line in recorded.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let uri = line["uri"].as_str().unwrap();
        if uri.starts_with("https://api.anthropic.com/v1/messages") {
            let request = read(&line["request"].to_string()).unwrap();
            assert_eq!(request.max_output.is_none(), uri.ends_with("/count_tokens"));
            assert!(!request.prompt.messages.is_empty());
            counted += 1;
        }
    }
    assert!(counted > 100, "only {counted} requests were found");
}

/// What bodies are made of, to be put together in any order.
fn bodies() -> impl Strategy<Value = Value> {
    let block = proptest::sample::select(vec![
        json!({"type": "text", "text": "t"}),
        json!({"type": "text"}),
        json!({"type": "thinking", "thinking": "t"}),
        json!({"type": "tool_use", "name": "n", "input": {}}),
        json!({"type": "tool_use", "name": 7}),
        json!({"type": "tool_result", "content": [{"type": "document"}]}),
        json!({"type": "tool_result", "content": null}),
        json!({"type": "document", "source": {"type": "text", "data": 7}}),
        json!({"type": "web_search_tool_result", "content": {}}),
        json!({}),
    ]);
    let role = proptest::sample::select(vec!["user", "assistant", "system", "x"]);
    let message = (role, proptest::collection::vec(block, 0..6))
        .prop_map(|(role, content)| json!({"role": role, "content": content}));
    proptest::collection::vec(message, 0..4)
        .prop_map(|messages| json!({"model": "m", "messages": messages}))
}

proptest! {
    #[test]
    fn no_block_is_lost_when_a_message_is_split(body in bodies(), pretty in any::<bool>()) {
        let text = if pretty { format!("{body:#}") } else { body.to_string() };
        let prompt = read(&text).unwrap().prompt;
        let mut end = 0;
        for message in &prompt.messages {
            prop_assert!(end <= message.span.start && message.span.end <= text.len());
            end = message.span.end;
        }
        let blocks = |of: &str| text.matches(of).count();
        let with_role = |role| prompt.messages.iter().filter(|m| m.role == role).count();
        prop_assert_eq!(with_role(farthing_core::prompt::Role::Tool), blocks("\"tool_result\""));
        let calls: usize = prompt.messages.iter().map(|message| message.tool_calls.len()).sum();
        prop_assert_eq!(calls, blocks("\"n\""));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
        let _ = parse(bytes.into());
    }
}
