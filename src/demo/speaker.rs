//! What an agent and its model say to each other, and how each API writes it.

mod anthropic;
mod openai;

use std::fmt;

use anyhow::Result;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;

pub(super) use anthropic::Anthropic;
pub(super) use openai::OpenAi;

/// An API, as a client speaks it.
pub(super) trait Speaker: fmt::Debug + Send + Sync {
    /// A request to the gateway at `address`, as in `http://127.0.0.1:4141`, without its body.
    fn post(&self, http: &Client, address: &str) -> RequestBuilder;

    /// What is asked, as the API wants it.
    fn body(&self, ask: &Ask<'_>) -> Result<Value>;

    /// The model's answer, from all of a body that is not streamed.
    fn whole(&self, body: &str) -> Result<Answer>;

    /// The model's answer, from the data of all events of a stream.
    fn streamed(&self, events: &mut dyn Iterator<Item = &str>) -> Result<Answer>;
}

/// What is sent to the model.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    pub(super) model: &'a str,
    pub(super) system: &'a str,
    pub(super) tools: &'a [Value],
    pub(super) said: &'a [Said],
    /// The longest answer that is wanted, in tokens.
    pub(super) tokens_max: u32,
    pub(super) stream: bool,
}

/// One message of a conversation.
#[derive(Debug)]
pub(super) enum Said {
    User(&'static str),
    Model(Answer),
    Results(Vec<ToolResult>),
}

/// What the model says: text, or calls of tools, or both.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) text: Option<String>,
    pub(super) calls: Vec<ToolCall>,
}

/// A call that the model asks for.
#[derive(Debug)]
pub(super) struct ToolCall {
    pub(super) id: String,
    pub(super) name: String,
    /// An object, as JSON.
    pub(super) arguments: String,
}

/// What came of a call.
#[derive(Debug)]
pub(super) struct ToolResult {
    /// The call.
    pub(super) id: String,
    pub(super) text: String,
}

// === impl Answer ===

impl Answer {
    /// Reads a response's body.
    pub(super) fn read(speaker: &dyn Speaker, body: &str, is_stream: bool) -> Result<Answer> {
        if is_stream {
            speaker.streamed(&mut body.lines().filter_map(|line| line.strip_prefix("data: ")))
        } else {
            speaker.whole(body)
        }
    }

    /// What the turn did, in a few words: `read_file tax.py`; of several calls, the tools.
    pub(super) fn what(&self) -> String {
        match self.calls.as_slice() {
            [] => "answers".to_owned(),
            [only] => only.what(),
            several => {
                let names: Vec<_> = several.iter().map(|call| call.name.as_str()).collect();
                names.join(", ")
            }
        }
    }

    fn add_text(&mut self, text: &str) {
        self.text.get_or_insert_default().push_str(text);
    }

    fn add_call(&mut self, id: String, name: String, arguments: String) {
        self.calls.push(ToolCall { id, name, arguments });
    }

    /// Adds to the arguments of the last call; calls are streamed one after the other.
    fn add_arguments(&mut self, arguments: &str) {
        if let Some(call) = self.calls.last_mut() {
            call.arguments.push_str(arguments);
        }
    }
}

// === impl ToolCall ===

impl ToolCall {
    fn what(&self) -> String {
        let ToolCall { name, arguments, .. } = self;
        let arguments: Value = serde_json::from_str(arguments).unwrap_or_default();
        let argument = |key: &str| arguments.get(key).and_then(Value::as_str);
        match (argument("text"), argument("path")) {
            (Some(text), _) => format!("{name} \"{text}\""),
            (None, Some(path)) => format!("{name} {}", path.rsplit('/').next().unwrap_or(path)),
            (None, None) => name.clone(),
        }
    }
}
