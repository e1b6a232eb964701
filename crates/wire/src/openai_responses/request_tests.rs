use super::*;

fn read(body: &str) -> Result<Request, RequestError> {
    parse(Bytes::copy_from_slice(body.as_bytes()))
}

/// A request with these members beside its model.
fn with(members: &str) -> Request {
    read(&format!(r#"{{"model":"m",{members}}}"#)).unwrap()
}

#[test]
fn what_cannot_be_read_is_refused_with_its_path() {
    for (members, param, error) in [
        (r#""input":7"#, "input", "the number 7; send a string or an array of items"),
        (r#""input":[0]"#, "input[0]", "the number 0; send an object"),
        (
            r#""input":[{},{"content":7}]"#,
            "input[1].content",
            "the number 7; send a string, an array of parts or null",
        ),
        (
            r#""input":[{"type":"function_call_output","output":["x"]}]"#,
            "input[0].output[0]",
            "a string; send an object",
        ),
        (r#""tools":{}"#, "tools", "an object; send an array of tools or null"),
        (
            r#""input":[{"type":"tool_search_output","tools":7}]"#,
            "input[0].tools",
            "the number 7; send an array of tools or null",
        ),
        (r#""stream":1"#, "stream", "the number 1; send true, false or null"),
        (
            r#""max_output_tokens":0"#,
            "max_output_tokens",
            "the number 0; send a whole number of at least 1",
        ),
    ] {
        let found = read(&format!(r#"{{"model":"m",{members}}}"#)).unwrap_err();
        assert_eq!(found.to_string(), format!("`{param}` is {error}"));
        assert_eq!(found.param(), Some(param));
    }
    assert_eq!(read("{}").unwrap_err().param(), Some("model"));
}

#[test]
fn a_prompt_that_only_the_provider_has_is_said_to_be_unseen() {
    for (members, unseen) in [
        (r#""input":"x""#, false),
        (r#""input":"x","previous_response_id":null,"conversation":null"#, false),
        (r#""input":"x","previous_response_id":"resp_1""#, true),
        (r#""conversation":{"id":"conv_1"}"#, true),
        (r#""prompt":{"id":"pmpt_1"}"#, true),
        (r#""input":[{"type":"item_reference","id":"msg_1"}]"#, true),
    ] {
        assert_eq!(with(members).prompt.unseen, unseen, "{members}");
    }
}

#[test]
fn a_tool_may_be_demanded() {
    for (choice, demanded) in [
        ("null", false),
        (r#""auto""#, false),
        (r#""required""#, true),
        (r#"{"type":"function","name":"x"}"#, true),
        (r#"{"type":"allowed_tools","mode":"auto"}"#, false),
    ] {
        let request = with(&format!(r#""tool_choice":{choice}"#));
        assert_eq!(request.prompt.demands.tool_call, demanded, "{choice}");
    }
}

#[test]
fn breakpoints_are_found_where_they_stand() {
    let part = r#"{"type":"input_text","text":"x","prompt_cache_breakpoint":{"mode":"explicit"}}"#;
    let prompt = with(&format!(r#""input":[{{"content":[{part}]}},{{"content":"y"}}]"#)).prompt;
    let [marker] = prompt.cache_markers.as_slice() else { panic!("{prompt:?}") };
    assert_eq!(prompt.raw(&marker.span), r#"{"mode":"explicit"}"#);
    assert_eq!((marker.ttl, marker.automatic), (CacheTtl::FiveMinutes, false));
}

#[test]
fn nesting_costs_no_stack() {
    let (open, close) = (r#"{"content":["#.repeat(100_000), "]}".repeat(100_000));
    let request = with(&format!(r#""input":[{{"type":"x","x":[{open}{close}]}}]"#));
    assert_eq!(request.prompt.messages.len(), 1);
}

#[test]
fn a_request_is_sent_as_it_came() {
    let body = Bytes::from_static(br#"{"model":"m","input":"x","stream":true}"#);
    let outgoing = parse(body.clone()).unwrap().outgoing();
    assert_eq!((outgoing.body.as_ptr(), outgoing.usage_added), (body.as_ptr(), false));
}
