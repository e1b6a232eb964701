use serde_json::json;

use super::*;

fn prompt(body: &Value) -> Prompt {
    let request = MessagesRequest::parse(body.to_string().as_bytes());
    Prompt::new(&request.unwrap())
}

fn of_messages(messages: &Value) -> Prompt {
    prompt(&json!({"model": "claude-sonnet-4-5", "messages": messages}))
}

fn words(text: &str) -> u64 {
    VOCABULARY.encode(text).len() as u64
}

#[test]
fn a_message_has_its_overhead_and_23_tokens_for_20_of_the_vocabulary() {
    let text = "alpha beta gamma delta ".repeat(25);
    let question = json!({"role": "user", "content": text});
    let answer = json!({"role": "assistant", "content": text});
    assert_eq!(of_messages(&json!([question])).tokens(), words(&text) * 23 / 20 + 4 + 3);
    let both = of_messages(&json!([question, answer]));
    assert_eq!(both.tokens(), 2 * words(&text) * 23 / 20 + 2 * 4 + 3);
}

#[test]
fn tools_are_counted_as_json_and_announced_once() {
    let tool = json!({"name": "look", "description": "Looks around.", "input_schema": {}});
    let messages = json!([{"role": "user", "content": ""}]);
    for tools in [1, 3] {
        let tools_json = vec![tool.clone(); tools];
        let body = json!({"model": "claude-opus-4-5", "messages": messages, "tools": tools_json});
        let definitions = tools as u64 * words(&tool.to_string());
        assert_eq!(prompt(&body).tokens(), 346 + definitions * 23 / 20 + 4 + 3);
    }
}

#[test]
fn tool_calls_and_their_results_are_counted_and_images_are_not() {
    let input = json!({"path": "src/main.rs"});
    let image = json!({"type": "image", "source": {"type": "base64", "data": "iVBORw0KGgo="}});
    let result = json!([{"type": "text", "text": "fn main() {}"}, image]);
    let call = json!({"type": "tool_use", "id": "toolu_1", "name": "read", "input": input});
    let outcome = |content| json!({"type": "tool_result", "tool_use_id": "1", "content": content});
    let text = words("read") + words(&input.to_string()) + words("fn main() {}");
    for content in [result, json!("fn main() {}")] {
        let prompt = of_messages(&json!([
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [outcome(content), image]},
        ]));
        assert_eq!(prompt.tokens(), text * 23 / 20 + 2 * 4 + 3);
    }
}

#[test]
fn neither_the_mark_of_a_breakpoint_nor_the_form_of_text_changes_a_prompt() {
    let control = json!({"type": "ephemeral"});
    let block = json!({"type": "text", "text": "Hello"});
    let marked = json!({"type": "text", "text": "Hello", "cache_control": control});
    let plain = of_messages(&json!([{"role": "user", "content": "Hello"}]));
    for content in [json!([block]), json!([marked])] {
        let same = of_messages(&json!([{"role": "user", "content": content}]));
        assert_eq!((same.hash(), same.tokens()), (plain.hash(), plain.tokens()));
    }
}

#[test]
fn a_prefix_depends_on_all_before_it_and_on_nothing_after() {
    let body = |system: &str, question: &str| {
        json!({
            "model": "claude-sonnet-4-5", "system": system,
            "messages": [{"role": "user", "content": question}, {"role": "user", "content": "Go"}],
        })
    };
    let prefixes = |system, question| {
        let ends = prompt(&body(system, question)).ends;
        ends.into_iter().map(|end| end.prefix).collect::<Vec<_>>()
    };
    let base = prefixes("Be brief.", "Why?");
    let question = prefixes("Be brief.", "How?");
    assert!(base[0] == question[0] && base[1] != question[1] && base[2] != question[2]);
    let system = prefixes("Be clear.", "Why?");
    assert!(base.iter().zip(&system).all(|(one, other)| one != other));
}
