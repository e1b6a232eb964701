use serde_json::{Value, json};

use super::*;

fn rendered(body: &Value) -> Vec<u32> {
    render(&ChatRequest::parse(body.to_string().as_bytes()).unwrap())
}

fn tokens(model: &str, messages: &Value) -> usize {
    rendered(&json!({"model": model, "messages": messages})).len()
}

fn text(text: &str) -> usize {
    Encoding::O200k.encode(text).len()
}

#[test]
fn a_message_has_its_overhead_its_role_and_its_text() {
    let messages = json!([{"role": "user", "content": "Hello"}]);
    for (model, overhead) in [("gpt-4", 3), ("gpt-4o", 3), ("o1", 3), ("gpt-5", 2), ("o3", 2)] {
        let [role, content, reply] = [1, 1, 3];
        assert_eq!(tokens(model, &messages), overhead + role + content + reply, "{model}");
    }
}

#[test]
fn every_role_is_one_token() {
    for role in ["assistant", "developer", "function", "system", "tool", "user"] {
        assert_eq!(tokens("gpt-4o", &json!([{"role": role, "content": "Hello"}])), 8, "{role}");
    }
}

#[test]
fn a_name_adds_one_token_and_itself() {
    let messages = json!([{"role": "user", "name": "Ada", "content": "Hello"}]);
    assert_eq!(tokens("gpt-4o", &messages), 8 + 1 + text("Ada"));
}

#[test]
fn only_the_text_of_parts_is_counted() {
    let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}});
    let parts =
        json!([{"type": "text", "text": "Hello"}, image, {"type": "text", "text": "Hello"}]);
    assert_eq!(tokens("gpt-4o", &json!([{"role": "user", "content": parts}])), 9);
}

fn call(id: &str, name: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": name, "arguments": "{\"a\":1}"}})
}

#[test]
fn a_round_of_one_call_names_its_function_twice() {
    let messages = json!([
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": null, "tool_calls": [call("1", "multiply")]},
        {"role": "tool", "tool_call_id": "1", "content": "Hello"},
    ]);
    let round = |message: usize, call: usize| {
        let assistant = message + 1 + call + text("multiply") + text("{\"a\":1}");
        assistant + message + 1 + text("multiply") + text("Hello")
    };
    assert_eq!(tokens("gpt-4o", &messages), 8 + round(3, 5));
    assert_eq!(tokens("gpt-5", &messages), 7 + round(2, 13));
}

#[test]
fn parallel_calls_are_wrapped_in_one_more() {
    let one = json!([{"role": "assistant", "tool_calls": [call("1", "add")]}]);
    let two = json!([{"role": "assistant", "tool_calls": [call("1", "add"), call("2", "add")]}]);
    let call = 5 + text("add") + text("{\"a\":1}");
    assert_eq!(tokens("gpt-4o", &two) - tokens("gpt-4o", &one), call + 18);
}

#[test]
fn tools_cost_less_before_a_system_message() {
    let function = json!({"type": "function", "function": {"name": "add"}});
    let namespace =
        text("namespace functions {\n\ntype add = () => any;\n\n} // namespace functions");
    for (role, overhead) in [("user", 9), ("system", 5), ("developer", 5)] {
        let messages = json!([{"role": role, "content": "Hello"}]);
        let body = json!({"model": "gpt-4o", "messages": messages, "tools": [function]});
        assert_eq!(rendered(&body).len(), 8 + overhead + namespace, "{role}");
    }
}

#[test]
fn a_conversation_that_goes_on_begins_as_before() {
    let messages = [
        json!({"role": "system", "content": "Be brief."}),
        json!({"role": "user", "content": "Hello"}),
        json!({"role": "assistant", "content": null, "tool_calls": [call("1", "add")]}),
        json!({"role": "tool", "tool_call_id": "1", "content": "2"}),
        json!({"role": "assistant", "content": "It is 2."}),
    ];
    let prompts = (1..=messages.len())
        .map(|count| rendered(&json!({"model": "gpt-4o", "messages": messages[..count]})));
    let prompts: Vec<_> = prompts.collect();
    for pair in prompts.windows(2) {
        let [shorter, longer] = pair else { unreachable!() };
        assert!(longer.starts_with(&shorter[..shorter.len() - REPLY]));
    }
}
