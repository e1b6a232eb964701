//! An answer in one piece, member by member as Anthropic sends it.

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};

use super::usage::Report;
use crate::{
    Usage, UsageFault,
    answer::{Answer, Call, Finish},
    reply::{Reply, json},
    tokenizer::text,
};

/// What tells one message from another.
#[derive(Debug)]
pub(super) struct Head<'a> {
    pub(super) id: String,
    pub(super) model: &'a str,
}

impl<'a> Head<'a> {
    /// The head of the answer to request `number`.
    pub(super) fn new(number: u64, model: &'a str) -> Self {
        Self { id: format!("msg_{number:024}"), model }
    }
}

/// A message, complete or as it begins a stream.
#[derive(Debug, Serialize)]
pub(super) struct Message<'a> {
    model: &'a str,
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    role: &'static str,
    content: Vec<Block<'a>>,
    stop_reason: Option<&'static str>,
    stop_sequence: (),
    stop_details: (),
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Report>,
}

/// A block of content, complete or as it begins.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Text { text: String },
    ToolUse { id: &'a str, name: &'a str, input: Map<String, Value> },
}

impl<'a> Message<'a> {
    /// A message of which nothing is written yet.
    pub(super) fn opening(head: &'a Head<'_>, usage: Option<Report>) -> Self {
        Self {
            model: head.model,
            id: &head.id,
            kind: "message",
            role: "assistant",
            content: Vec::new(),
            stop_reason: None,
            stop_sequence: (),
            stop_details: (),
            usage,
        }
    }
}

/// The reply that holds all of `answer`.
pub(super) fn whole(
    head: &Head<'_>,
    answer: &Answer,
    mut usage: Usage,
    fault: Option<UsageFault>,
) -> Reply {
    usage += answer.usage();
    let content = answer.content.iter().map(|pieces| Block::Text { text: text(pieces) });
    let message = Message {
        content: content.chain(answer.tool_calls.iter().map(tool_use)).collect(),
        stop_reason: Some(stop_reason(answer.finish)),
        ..Message::opening(head, Report::of(usage, fault))
    };
    Reply::Whole { response: json(StatusCode::OK, &message), usage: Some(usage) }
}

/// Arguments that are no object, as those that were cut, are no input.
fn tool_use(call: &Call) -> Block<'_> {
    let input = serde_json::from_str(&text(&call.arguments)).unwrap_or_default();
    Block::ToolUse { id: &call.id, name: &call.name, input }
}

/// Anthropic's word for why an answer ends.
pub(super) fn stop_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "end_turn",
        Finish::Length => "max_tokens",
        Finish::ToolCalls => "tool_use",
    }
}
