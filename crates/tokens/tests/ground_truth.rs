//! Counts against the tokens that the provider reported for recorded requests.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test may fail")]

use std::path::Path;

use bytes::Bytes;
use farthing_core::anatomy::Method;
use farthing_core::prompt::{JsonStr, Message, Part, Prompt, Role, Span, Tool, ToolCall};
use farthing_tokens::Counter;
use serde_json::Value;

/// Models whose framing no rule explains yet.
const UNEXPLAINED: [&str; 3] = ["moonshotai/", "muse-", "o1-mini"];

/// Lays the pieces of a chat request out in a body of its own.
#[derive(Default)]
struct Layout {
    body: String,
}

impl Layout {
    fn raw(&mut self, value: &Value) -> Span {
        let start = self.body.len();
        self.body.push_str(&value.to_string());
        start..self.body.len()
    }

    fn string(&mut self, value: &Value) -> JsonStr {
        assert!(value.is_string(), "{value}");
        JsonStr(self.raw(value))
    }

    fn part(&mut self, part: &Value) -> Part {
        match part["type"].as_str() {
            Some("text") => Part::Text(self.string(&part["text"])),
            Some("image_url") => Part::Image(self.raw(part)),
            _ => Part::Other(self.raw(part)),
        }
    }

    fn message(&mut self, message: &Value) -> Message {
        let role = match message["role"].as_str() {
            Some("system" | "developer") => Role::System,
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            Some("tool") => Role::Tool,
            other => panic!("unexpected role {other:?}"),
        };
        let parts = match &message["content"] {
            Value::Null => Vec::new(),
            Value::Array(parts) => parts.iter().map(|part| self.part(part)).collect(),
            text => vec![Part::Text(self.string(text))],
        };
        let calls = message["tool_calls"].as_array().into_iter().flatten().map(|call| ToolCall {
            name: self.string(&call["function"]["name"]),
            arguments: self.string(&call["function"]["arguments"]),
        });
        let tool_calls = calls.collect();
        let name = message.get("name").map(|name| self.string(name));
        Message { role, span: 0..0, name, parts, tool_calls }
    }

    fn prompt(mut self, request: &Value) -> Prompt {
        let list = |key: &str| request[key].as_array().cloned().unwrap_or_default();
        let messages = list("messages").iter().map(|message| self.message(message)).collect();
        let tools = list("tools").iter().map(|tool| Tool { span: self.raw(tool) }).collect();
        let schema =
            request.get("response_format").filter(|format| format["type"] == "json_schema");
        let response_format = schema.map(|format| self.raw(format));
        Prompt { body: Bytes::from(self.body), messages, tools, response_format }
    }
}

/// The recorded chat requests of the provider itself.
fn chat_requests() -> Option<Vec<Value>> {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/token_ground_truth.jsonl");
    let Ok(text) = std::fs::read_to_string(Path::new(path)) else {
        println!("skipped: ../shared not present");
        return None;
    };
    let rows = text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON"));
    let chat = |row: &Value| row["uri"] == "https://api.openai.com/v1/chat/completions";
    let rows: Vec<Value> = rows.filter(chat).collect();
    assert!(!rows.is_empty());
    Some(rows)
}

#[test]
fn recorded_requests_count_as_reported() {
    let Some(rows) = chat_requests() else { return };
    let counter = Counter::embedded().expect("the rules are sound");
    let (mut exact, mut hits) = (0, 0);
    for row in &rows {
        let model = row["model"].as_str().expect("a model answered");
        let reported = row["usage"]["prompt_tokens"].as_u64().expect("tokens were reported");
        let anatomy = counter.count(model, &Layout::default().prompt(&row["request"]));
        let total = anatomy.by_kind.total();
        let case = format!("{} {model}: counted {total}, reported {reported}", row["id"]);

        exact += usize::from(anatomy.method == Method::Exact);
        hits += usize::from(total == reported);
        match anatomy.method {
            Method::Exact => assert_eq!(total, reported, "{case}"),
            Method::Estimated => assert!(reported <= anatomy.upper_bound, "{case}"),
        }
        let guessed = anatomy.by_kind.media > 0 || UNEXPLAINED.iter().any(|m| model.starts_with(m));
        assert!(guessed || total.abs_diff(reported) * 20 <= reported, "{case}, over 5 % off");
    }
    println!("{} requests: {exact} called exact, {hits} counted exactly", rows.len());
    assert!(exact >= 14 && hits >= 45, "{exact} {hits}");
}
