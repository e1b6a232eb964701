use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::request::MAX_ELEMENTS;

fn read(body: &str) -> Result<Request, RequestError> {
    parse(Bytes::copy_from_slice(body.as_bytes()))
}

/// What is sent for a body with these members after its model and messages.
fn sent(members: &str) -> String {
    let head = r#"{"model":"m","messages":[]"#;
    let outgoing = read(&format!("{head}{members}")).unwrap().outgoing();
    let sent = String::from_utf8(outgoing.body.to_vec()).unwrap();
    assert_eq!(outgoing.usage_added, sent != format!("{head}{members}"), "{members}");
    sent.strip_prefix(head).unwrap().to_owned()
}

fn assert_refused(body: &str, param: &str, error: &str) {
    let found = read(body).unwrap_err();
    assert_eq!((found.to_string().as_str(), found.param().unwrap_or_default()), (error, param));
}

#[test]
fn what_is_no_request_is_refused_with_place_and_remedy() {
    for (body, param, error) in [
        (
            "{\"model\":\n",
            "",
            "the body is not valid JSON: EOF while parsing a value at line 2 column 0; \
             send a JSON object",
        ),
        ("[]", "", "the body is an array; send a JSON object"),
        ("{}", "model", "`model` is missing; add it to the body"),
        (r#"{"model":"m"}"#, "messages", "`messages` is missing; add it to the body"),
        (r#"{"model":7,"messages":[]}"#, "model", "`model` is the number 7; send a string"),
        (
            r#"{"model":" ","messages":[]}"#,
            "model",
            "model is empty; send a name of 1 to 256 printable characters",
        ),
    ] {
        assert_refused(body, param, error);
    }
}

#[test]
fn messages_of_the_wrong_type_are_refused_with_their_path() {
    for (messages, param, error) in [
        ("null", "messages", "null; send an array of messages"),
        ("[{},0]", "messages[1]", "the number 0; send an object"),
        (
            r#"[{},{"content":false}]"#,
            "messages[1].content",
            "false; send a string, an array of parts or null",
        ),
        (
            r#"[{"content":[{"type":"text"},7]}]"#,
            "messages[0].content[1]",
            "the number 7; send an object",
        ),
        (
            r#"[{"tool_calls":{}}]"#,
            "messages[0].tool_calls",
            "an object; send an array of tool calls or null",
        ),
    ] {
        let body = format!(r#"{{"model":"m","messages":{messages}}}"#);
        assert_refused(&body, param, &format!("`{param}` is {error}"));
    }
}

#[test]
fn members_of_the_wrong_type_are_refused_by_name() {
    for (members, param, error) in [
        (r#""tools":"x""#, "tools", "a string; send an array of tools or null"),
        (r#""stream":1"#, "stream", "the number 1; send true, false or null"),
        (
            r#""stream":true,"stream_options":[]"#,
            "stream_options",
            "an array; send an object or null",
        ),
        (
            r#""stream":true,"stream_options":{"include_usage":"yes"}"#,
            "stream_options.include_usage",
            "a string; send true, false or null",
        ),
        (r#""n":0"#, "n", "the number 0; send a whole number of at least 1"),
        (r#""max_tokens":-1"#, "max_tokens", "the number -1; send a whole number of at least 1"),
    ] {
        let body = format!(r#"{{"model":"m","messages":[],{members}}}"#);
        assert_refused(&body, param, &format!("`{param}` is {error}"));
    }
}

#[test]
fn more_elements_than_memory_is_meant_for_are_refused() {
    let body = |parts: usize| {
        let parts = r#""","#.repeat(parts);
        format!(r#"{{"model":"m","messages":[{{"content":[{parts}""]}},{{}}]}}"#)
    };
    assert!(read(&body(MAX_ELEMENTS - 3)).is_ok());
    let error = read(&body(MAX_ELEMENTS - 2)).unwrap_err();
    let expected = "`messages` goes beyond 100000 messages, parts and tools; send fewer";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_million_open_brackets_are_refused() {
    let body = format!(r#"{{"model":"m","messages":{}"#, "[".repeat(1_000_000));
    assert!(matches!(read(&body), Err(RequestError::NotJson { .. })));
}

#[test]
fn a_stream_is_made_to_report_usage_and_nothing_else_changes() {
    let added = r#","stream_options":{"include_usage":true}"#;
    for (members, expected) in [
        (r#","stream":true}"#, format!(r#","stream":true{added}}}"#)),
        (" ,\n\"stream\" : true\r\n} ", format!(" ,\n\"stream\" : true{added}\r\n}} ")),
        (
            r#","stream_options": null ,"stream":true}"#,
            r#","stream_options": {"include_usage":true} ,"stream":true}"#.into(),
        ),
        (
            r#","stream":true,"stream_options":{ }}"#,
            r#","stream":true,"stream_options":{"include_usage":true }}"#.into(),
        ),
        (
            r#","stream":true,"stream_options":{ "x" : 1.0 }}"#,
            r#","stream":true,"stream_options":{ "x" : 1.0,"include_usage":true }}"#.into(),
        ),
        (
            r#","stream":true,"stream_options":{"include_usage": false, "x":1}}"#,
            r#","stream":true,"stream_options":{"include_usage": true, "x":1}}"#.into(),
        ),
        (
            r#","stream":true,"stream_options":{"include_usage":null}}"#,
            r#","stream":true,"stream_options":{"include_usage":true}}"#.into(),
        ),
        (
            r#","stream_options":{"include_usage":true},"stream":true,"stream_options":{"\u0069nclude_usage":true,"include_usage":false}}"#,
            r#","stream_options":{"include_usage":true},"stream":true,"stream_options":{"\u0069nclude_usage":true,"include_usage":true}}"#
                .into(),
        ),
    ] {
        assert_eq!(sent(members), expected);
    }
}

#[test]
fn a_request_that_needs_no_change_is_sent_as_it_is() {
    for members in [
        "}",
        r#","stream":false,"stream_options":7}"#,
        r#","stream":true,"stream":null}"#,
        r#","stream":true,"stream_options":{"include_usage":true}}"#,
        r#","stream":true,"stream_options":null,"stream_options":{"include_usage":true}}"#,
    ] {
        assert_eq!(sent(members), members);
    }
}

#[test]
fn a_body_is_kept_and_not_copied() {
    let body = Bytes::from_static(br#"{"model":"m","messages":[{"content":"hi"}]}"#);
    let request = parse(body.clone()).unwrap();
    assert_eq!(request.prompt.body.as_ptr(), body.as_ptr());
    assert_eq!(request.outgoing().body.as_ptr(), body.as_ptr());
}

#[test]
fn of_two_limits_the_larger_counts() {
    let max_output = |members: &str| {
        read(&format!(r#"{{"model":"m","messages":[],{members}}}"#)).unwrap().max_output
    };
    assert_eq!(max_output(r#""max_tokens":9,"max_completion_tokens":null"#), Some(9));
    assert_eq!(max_output(r#""max_tokens":9,"max_completion_tokens":8.0"#), Some(9));
    assert_eq!(max_output(r#""max_tokens":null"#), None);
}

const NAMES: &[&str] = &[
    "model",
    "messages",
    "stream",
    "stream_options",
    "n",
    "max_tokens",
    "tools",
    "user",
    "service_tier",
    "response_format",
    "content",
    "role",
    "tool_calls",
    "function_call",
    "x",
];

/// JSON as clients may send it: known members with values of any kind.
fn bodies() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        Just(json!({"include_usage": false, "function": {"name": "f", "arguments": "{}"}})),
        Just(json!([{"type": "text", "text": "t"}, {"type": "image_url"}, {"function": {}}])),
    ];
    let object = proptest::collection::btree_map(
        proptest::sample::select(NAMES).prop_map(str::to_owned),
        value,
        0..8,
    );
    let object = object.prop_map(|members| Value::Object(members.into_iter().collect()));
    (object.clone(), proptest::collection::vec(object, 0..3), any::<[bool; 2]>()).prop_map(
        |(mut body, messages, [readable, stream])| {
            if readable {
                body["model"] = "m".into();
                body["messages"] = messages.into();
                body["stream"] = stream.into();
            }
            body
        },
    )
}

proptest! {
    #[test]
    fn what_is_sent_differs_in_nothing_but_the_usage(value in bodies(), pretty in any::<bool>()) {
        let body = if pretty { format!("{value:#}") } else { value.to_string() };
        let Ok(request) = read(&body) else { return Ok(()) };
        let outgoing = request.outgoing();
        let mut sent: Value = serde_json::from_slice(&outgoing.body).unwrap();
        if outgoing.usage_added {
            prop_assert_eq!(&sent["stream_options"]["include_usage"], true);
            prop_assert!(!parse(outgoing.body).unwrap().outgoing().usage_added);
        }
        let mut value = value;
        for side in [&mut sent, &mut value] {
            side.as_object_mut().unwrap().remove("stream_options");
        }
        prop_assert_eq!(sent, value);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
        let _ = parse(bytes.into());
    }
}
