//! An answer in one piece, member by member as OpenAI sends it.

use axum::http::StatusCode;
use serde::Serialize;

use super::{models::CREATED, usage::Report};
use crate::{
    Usage, UsageFault,
    answer::{Answer, Call, Finish},
    reply::{Reply, json},
    tokenizer::text,
};

pub(super) const SERVICE_TIER: &str = "default";
pub(super) const SYSTEM_FINGERPRINT: &str = "fp_fake000000";

/// What an answer and each of its chunks begin with.
#[derive(Debug)]
pub(super) struct Head<'a> {
    pub(super) id: String,
    pub(super) created: u64,
    pub(super) model: &'a str,
}

impl<'a> Head<'a> {
    /// The head of the answer to request `number`.
    pub(super) fn new(number: u64, model: &'a str) -> Self {
        Self { id: format!("chatcmpl-{number:029}"), created: CREATED, model }
    }
}

#[derive(Serialize)]
struct Completion<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: Vec<Choice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Report>,
    service_tier: &'static str,
    system_fingerprint: &'static str,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: usize,
    message: Message<'a>,
    logprobs: (),
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
    refusal: (),
    annotations: [(); 0],
}

#[derive(Serialize)]
struct ToolCall<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: String,
}

/// The reply that holds all of `answers`.
pub(super) fn whole(
    head: &Head<'_>,
    answers: &[Answer],
    mut usage: Usage,
    fault: Option<UsageFault>,
) -> Reply {
    for answer in answers {
        usage += answer.usage();
    }
    let completion = Completion {
        id: &head.id,
        object: "chat.completion",
        created: head.created,
        model: head.model,
        choices: answers.iter().enumerate().map(choice).collect(),
        usage: Report::of(usage, fault),
        service_tier: SERVICE_TIER,
        system_fingerprint: SYSTEM_FINGERPRINT,
    };
    Reply::Whole { response: json(StatusCode::OK, &completion), usage: Some(usage) }
}

fn choice((index, answer): (usize, &Answer)) -> Choice<'_> {
    let message = Message {
        role: "assistant",
        content: answer.content.as_deref().map(text),
        tool_calls: answer.tool_calls.iter().map(tool_call).collect(),
        refusal: (),
        annotations: [],
    };
    Choice { index, message, logprobs: (), finish_reason: finish_reason(answer.finish) }
}

fn tool_call(call: &Call) -> ToolCall<'_> {
    let function = Function { name: &call.name, arguments: text(&call.arguments) };
    ToolCall { id: &call.id, kind: "function", function }
}

/// OpenAI's word for why an answer ends.
pub(super) fn finish_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::ToolCalls => "tool_calls",
    }
}
