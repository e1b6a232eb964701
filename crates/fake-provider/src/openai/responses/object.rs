//! A response as an object: the whole of an answer, and what a stream begins and ends with.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::super::{completion::SERVICE_TIER, models::CREATED};
use crate::{
    Usage, UsageFault,
    answer::{Answer, Call, Finish},
    reply::{Reply, json as response},
    tokenizer::text,
    usage::Count,
};

/// What all parts of a response share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    /// Which request of this server it answers.
    pub(super) number: u64,
    pub(super) model: &'a str,
    /// The tools that take free text in place of JSON.
    pub(super) custom: &'a [String],
}

/// The reply in one piece.
pub(super) fn whole(
    head: &Head<'_>,
    answer: &Answer,
    mut usage: Usage,
    fault: Option<UsageFault>,
) -> Reply {
    usage += answer.usage();
    let object = head.ended(answer, report(usage, fault));
    Reply::Whole { response: response(StatusCode::OK, &object), usage: Some(usage) }
}

/// What is said of `usage`; null if a fault keeps it back.
pub(super) fn report(usage: Usage, fault: Option<UsageFault>) -> Value {
    let count = |tokens| Count::of(tokens, fault);
    let mut report = json!({
        "input_tokens": count(usage.prompt_tokens),
        "input_tokens_details": { "cached_tokens": count(usage.cached_tokens) },
        "output_tokens": count(usage.completion_tokens),
        "output_tokens_details": { "reasoning_tokens": count(usage.reasoning_tokens) },
        "total_tokens": count(usage.total_tokens()),
    });
    match fault {
        None | Some(UsageFault::Text | UsageFault::Zero | UsageFault::Null) => {}
        Some(UsageFault::Missing) => return Value::Null,
        Some(UsageFault::Negative) => report["output_tokens"] = json!(-1),
        Some(UsageFault::CachedAbovePrompt) => {
            report["input_tokens_details"]["cached_tokens"] = json!(usage.prompt_tokens + 1);
        }
        Some(UsageFault::WrongTotal) => {
            report["total_tokens"] = json!(usage.total_tokens() + 1);
        }
    }
    report
}

impl Head<'_> {
    /// The response before anything is said.
    pub(super) fn begun(&self) -> Value {
        self.object("in_progress", Vec::new(), Value::Null)
    }

    /// The response with all that is said.
    pub(super) fn ended(&self, answer: &Answer, usage: Value) -> Value {
        let is_cut = answer.finish == Finish::Length;
        let status = if is_cut { "incomplete" } else { "completed" };
        let mut object = self.object(status, self.items(answer), usage);
        if is_cut {
            object["incomplete_details"] = json!({ "reason": "max_output_tokens" });
        }
        object
    }

    fn object(&self, status: &str, output: Vec<Value>, usage: Value) -> Value {
        json!({
            "id": format!("resp_{:048}", self.number),
            "object": "response",
            "created_at": CREATED,
            "status": status,
            "background": false,
            "error": null,
            "incomplete_details": null,
            "instructions": null,
            "max_output_tokens": null,
            "metadata": {},
            "model": self.model,
            "output": output,
            "parallel_tool_calls": true,
            "previous_response_id": null,
            "reasoning": { "effort": null, "summary": null },
            "service_tier": SERVICE_TIER,
            "store": false,
            "temperature": 1.0,
            "text": { "format": { "type": "text" } },
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": usage,
            "user": null,
        })
    }

    /// All items of an answer.
    fn items(&self, answer: &Answer) -> Vec<Value> {
        let reasoning = (answer.reasoning_tokens > 0).then(|| self.reasoning());
        let message = answer.content.as_deref().map(|pieces| {
            let parts = vec![text_part(&text(pieces))];
            self.message("completed", parts)
        });
        let calls = answer.tool_calls.iter().enumerate();
        let calls =
            calls.map(|(index, call)| self.call(index, call, "completed", &text(&call.arguments)));
        reasoning.into_iter().chain(message).chain(calls).collect()
    }

    /// What was thought, of which no client sees a word.
    pub(super) fn reasoning(&self) -> Value {
        json!({ "id": format!("rs_{:048}", self.number), "type": "reasoning", "summary": [] })
    }

    /// A message of these parts.
    pub(super) fn message(&self, status: &str, content: Vec<Value>) -> Value {
        json!({
            "id": format!("msg_{:048}", self.number),
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": content,
        })
    }

    /// The call at this place among the calls, with as much of its arguments.
    pub(super) fn call(&self, index: usize, call: &Call, status: &str, arguments: &str) -> Value {
        let (kind, argument) = self.kind_of(call);
        json!({
            "id": format!("fc_{:044}_{index:03}", self.number),
            "type": kind,
            "status": status,
            "call_id": call.id,
            "name": call.name,
            argument: arguments,
        })
    }

    /// What kind of item a call is, and what its arguments are called.
    pub(super) fn kind_of(&self, call: &Call) -> (&'static str, &'static str) {
        if self.custom.contains(&call.name) {
            ("custom_tool_call", "input")
        } else {
            ("function_call", "arguments")
        }
    }
}

/// A part of a message.
pub(super) fn text_part(text: &str) -> Value {
    json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] })
}
