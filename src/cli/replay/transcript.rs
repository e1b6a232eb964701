//! Transcripts of Claude Code, as the requests that they were made of.

use farthing_core::usage::CacheTtl;
use farthing_wire::Dialect;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::trace::{Conversation, Sent};

/// A line of a transcript, as far as it is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    is_sidechain: bool,
    #[serde(default)]
    is_meta: bool,
    #[serde(default)]
    session_id: Option<String>,
    #[serde(default)]
    timestamp: Option<Timestamp>,
    #[serde(default)]
    message: Option<Message>,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    content: Value,
    #[serde(default)]
    usage: Option<Value>,
}

/// The messages so far: blocks of one speaker are one message.
#[derive(Default)]
struct Told {
    messages: Vec<(String, Vec<Value>)>,
    requests: Vec<Sent>,
    own_ttl: Option<CacheTtl>,
}

/// Whether a file that begins with this line is a transcript.
pub(super) fn is_line(line: &str) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Shape {
        #[serde(rename = "type")]
        _kind: String,
        session_id: Option<String>,
        message_id: Option<String>,
        uuid: Option<String>,
    }
    let shape: Result<Shape, _> = serde_json::from_str(line);
    shape.is_ok_and(|line| {
        line.session_id.is_some() || line.message_id.is_some() || line.uuid.is_some()
    })
}

/// The main thread of a transcript; `None` where nothing was asked in it. What its client sent
/// beside the messages (its instructions and tools) is not in it.
pub(super) fn conversation(lines: &[String]) -> Option<Conversation> {
    let mut told = Told::default();
    let mut id = None;
    for line in lines {
        let Ok(line) = serde_json::from_str::<Line>(line) else { continue };
        id = id.or(line.session_id);
        let spoken = matches!(line.kind.as_str(), "user" | "assistant");
        let Some(message) = line.message.filter(|_| spoken && !line.is_sidechain && !line.is_meta)
        else {
            continue;
        };
        told.add(message, line.timestamp);
    }
    let message = |(role, said)| json!({ "role": role, "content": said }).to_string();
    (!told.requests.is_empty()).then(|| Conversation {
        id: id.unwrap_or_default(),
        kind: "claude-code".to_owned(),
        dialect: Dialect::Anthropic,
        uri: None,
        own_ttl: told.own_ttl.or(Some(CacheTtl::FiveMinutes)),
        around: (r#"{"model":"replayed","messages":["#.to_owned(), "]}"),
        messages: told.messages.into_iter().map(message).collect(),
        requests: told.requests,
    })
}

// === impl Told ===

impl Told {
    fn add(&mut self, message: Message, at: Option<Timestamp>) {
        let Message { role, content, usage } = message;
        let is_answer = role == "assistant";
        let goes_on = self.messages.last().is_some_and(|(speaker, _)| *speaker == role);
        if is_answer && !goes_on && !self.messages.is_empty() {
            self.requests.push(Sent { messages: self.messages.len(), at, output: None });
        }
        if let (true, Some(usage)) = (is_answer, &usage) {
            self.note(usage);
        }
        let blocks = match content {
            Value::Array(blocks) => blocks,
            Value::String(text) => vec![json!({ "type": "text", "text": text })],
            _ => return,
        };
        match self.messages.last_mut().filter(|_| goes_on) {
            Some((_, said)) => said.extend(blocks),
            None => self.messages.push((role, blocks)),
        }
    }

    /// Usage comes with each block of an answer; the last has all of it.
    fn note(&mut self, usage: &Value) {
        if let Some(sent) = self.requests.last_mut() {
            sent.output = usage.get("output_tokens").and_then(Value::as_u64).max(sent.output);
        }
        let hour = usage.pointer("/cache_creation/ephemeral_1h_input_tokens");
        if hour.and_then(Value::as_u64).is_some_and(|tokens| tokens > 0) {
            self.own_ttl = Some(CacheTtl::OneHour);
        }
    }
}
