//! Anthropic's messages, with the breakpoints of the prompt cache that coding agents set: behind
//! the system prompt, which stays, and behind the last message, where the next call goes on.

use anyhow::Result;
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, Ask, Said, Speaker, ToolCall, ToolResult};

/// Speaks Anthropic's dialect.
#[derive(Debug)]
pub(in crate::demo) struct Anthropic;

impl Speaker for Anthropic {
    fn post(&self, http: &Client, address: &str) -> RequestBuilder {
        http.post(format!("{address}/v1/messages")).header("anthropic-version", "2023-06-01")
    }

    fn body(&self, ask: &Ask<'_>) -> Result<Value> {
        let mut messages = ask.said.iter().map(Message::new).collect::<Result<Vec<_>>>()?;
        if let Some(last) = messages.last_mut().and_then(|message| message.content.last_mut()) {
            mark(last);
        }
        let mut system = json!({ "type": "text", "text": ask.system });
        mark(&mut system);
        let messages: Vec<_> = messages.into_iter().map(Message::into_json).collect();
        Ok(json!({
            "model": ask.model,
            "system": [system],
            "messages": messages,
            "tools": ask.tools.iter().map(tool).collect::<Vec<_>>(),
            "max_tokens": ask.tokens_max,
            "stream": ask.stream,
        }))
    }

    fn whole(&self, body: &str) -> Result<Answer> {
        #[derive(Deserialize)]
        struct Whole {
            content: Vec<Block>,
        }
        let whole: Whole = serde_json::from_str(body)?;
        let mut answer = Answer::default();
        for block in whole.content {
            match block {
                Block::Text { text } => answer.add_text(&text),
                Block::ToolUse { id, name, input } => {
                    answer.add_call(id, name, Value::from(input).to_string());
                }
            }
        }
        Ok(answer)
    }

    fn streamed(&self, events: &mut dyn Iterator<Item = &str>) -> Result<Answer> {
        let mut answer = Answer::default();
        for event in events {
            match serde_json::from_str(event)? {
                Event::ContentBlockStart { content_block: Block::ToolUse { id, name, .. } } => {
                    answer.add_call(id, name, String::new());
                }
                Event::ContentBlockStart { content_block: Block::Text { text } }
                | Event::ContentBlockDelta { delta: Delta::TextDelta { text } } => {
                    answer.add_text(&text);
                }
                Event::ContentBlockDelta { delta: Delta::InputJsonDelta { partial_json } } => {
                    answer.add_arguments(&partial_json);
                }
                Event::Other => {}
            }
        }
        Ok(answer)
    }
}

/// A message on its way to JSON.
struct Message {
    role: &'static str,
    content: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text { text: String },
    ToolUse { id: String, name: String, input: Map<String, Value> },
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    ContentBlockStart {
        content_block: Block,
    },
    ContentBlockDelta {
        delta: Delta,
    },
    /// What an answer is not made of: usage, pings, ends.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Delta {
    TextDelta { text: String },
    InputJsonDelta { partial_json: String },
}

// === impl Message ===

impl Message {
    fn new(said: &Said) -> Result<Message> {
        Ok(match said {
            Said::User(question) => Message { role: "user", content: vec![text(question)] },
            Said::Results(results) => {
                Message { role: "user", content: results.iter().map(result).collect() }
            }
            Said::Model(answer) => {
                let text = answer.text.as_deref().map(|said| Ok(text(said)));
                let blocks = text.into_iter().chain(answer.calls.iter().map(call));
                Message { role: "assistant", content: blocks.collect::<Result<_>>()? }
            }
        })
    }

    fn into_json(self) -> Value {
        let Message { role, content } = self;
        json!({ "role": role, "content": content })
    }
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

fn result(ToolResult { id, text }: &ToolResult) -> Value {
    json!({ "type": "tool_result", "tool_use_id": id, "content": text })
}

fn call(call: &ToolCall) -> Result<Value> {
    let input: Value = serde_json::from_str(&call.arguments)?;
    Ok(json!({ "type": "tool_use", "id": call.id, "name": call.name, "input": input }))
}

/// A tool that is described as OpenAI wants it.
fn tool(tool: &Value) -> Value {
    let function = &tool["function"];
    json!({
        "name": function["name"],
        "description": function["description"],
        "input_schema": function["parameters"],
    })
}

/// Asks for the prompt up to this block to be kept in the cache.
fn mark(block: &mut Value) {
    block["cache_control"] = json!({ "type": "ephemeral" });
}
