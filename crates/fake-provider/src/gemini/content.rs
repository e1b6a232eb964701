//! An answer, whole or as a stream of pieces that each look like one.

use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    Usage, UsageFault,
    answer::{Answer, Call, Finish},
    reply::{Frame, Reply, json as response, to_json},
    tokenizer::{Piece, text},
    usage::Count,
};

/// What all pieces of an answer share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    /// Which request of this server it answers.
    pub(super) number: u64,
    pub(super) model: &'a str,
    /// What reading the prompt costs.
    pub(super) prompt: Usage,
}

/// The answer in one piece.
pub(super) fn whole(head: &Head<'_>, answer: &Answer, fault: Option<UsageFault>) -> Reply {
    let mut usage = head.prompt;
    usage += answer.usage();
    let said = answer.content.as_deref().map(|pieces| json!({ "text": text(pieces) }));
    let parts = said.into_iter().chain(answer.tool_calls.iter().map(call)).collect();
    let piece = head.piece(parts, Some(finish_reason(answer.finish)), usage, fault);
    Reply::Whole { response: response(StatusCode::OK, &piece), usage: Some(usage) }
}

/// The answer as a stream: server-sent events, or the elements of one JSON array. Every piece
/// reports what was used so far.
pub(super) fn stream(
    head: &Head<'_>,
    answer: &Answer,
    fault: Option<UsageFault>,
    in_array: bool,
) -> Reply {
    let thought = answer.reasoning_tokens;
    let used = Usage { completion_tokens: thought, reasoning_tokens: thought, ..head.prompt };
    let mut writer = Writer { head, fault, in_array, frames: Vec::new(), used, owed: used };
    for Piece { text, tokens } in answer.content.iter().flatten() {
        writer.piece(vec![json!({ "text": text })], *tokens, None);
    }
    for it in &answer.tool_calls {
        let arguments: u64 = it.arguments.iter().map(|piece| piece.tokens).sum();
        writer.piece(vec![call(it)], it.name_tokens + arguments, None);
    }
    let end = vec![json!({ "text": "" })];
    writer.piece(end, 0, Some(finish_reason(answer.finish)));
    let frames = writer.frames;
    if in_array {
        Reply::Events { frames, content_type: "application/json; charset=UTF-8", is_cut: false }
    } else {
        Reply::events(frames)
    }
}

struct Writer<'a> {
    head: &'a Head<'a>,
    fault: Option<UsageFault>,
    in_array: bool,
    frames: Vec<Frame>,
    /// What all pieces so far are billed.
    used: Usage,
    /// What the next piece is billed beside its own tokens.
    owed: Usage,
}

impl Writer<'_> {
    fn piece(&mut self, parts: Vec<Value>, tokens: u64, reason: Option<&str>) {
        let own = Usage { completion_tokens: tokens, ..Usage::default() };
        self.used += own;
        self.owed += own;
        let piece = to_json(&self.head.piece(parts, reason, self.used, self.fault));
        let data = self.framed(&piece, reason.is_some());
        self.frames.push(Frame { data, usage: std::mem::take(&mut self.owed) });
    }

    fn framed(&self, piece: &[u8], is_last: bool) -> Bytes {
        let (before, after): (&[u8], &[u8]) = match (self.in_array, self.frames.is_empty()) {
            (false, _) => (b"data: ", b"\r\n\r\n"),
            (true, true) => (b"[", b"\n"),
            (true, false) => (b",\r\n", b"\n"),
        };
        let end: &[u8] = if self.in_array && is_last { b"]\n" } else { b"" };
        [before, piece, after, end].concat().into()
    }
}

impl Head<'_> {
    fn piece(
        &self,
        parts: Vec<Value>,
        reason: Option<&str>,
        usage: Usage,
        fault: Option<UsageFault>,
    ) -> Value {
        let mut candidate = json!({
            "content": { "parts": parts, "role": "model" },
            "index": 0,
        });
        if let Some(reason) = reason {
            candidate["finishReason"] = json!(reason);
        }
        let mut piece = json!({
            "candidates": [candidate],
            "modelVersion": self.model,
            "responseId": format!("resp{:018}", self.number),
        });
        if let Some(report) = report(usage, fault) {
            piece["usageMetadata"] = report;
        }
        piece
    }
}

/// What is said of `usage`, counts of nothing left out; `None` if a fault keeps it back.
fn report(usage: Usage, fault: Option<UsageFault>) -> Option<Value> {
    let count = |tokens| Count::of(tokens, fault);
    let said = usage.completion_tokens - usage.reasoning_tokens;
    let mut report = json!({
        "promptTokenCount": count(usage.prompt_tokens),
        "candidatesTokenCount": count(said),
        "totalTokenCount": count(usage.total_tokens()),
        "promptTokensDetails": [
            { "modality": "TEXT", "tokenCount": count(usage.prompt_tokens) },
        ],
    });
    for (name, tokens) in [
        ("cachedContentTokenCount", usage.cached_tokens),
        ("thoughtsTokenCount", usage.reasoning_tokens),
    ] {
        if tokens > 0 {
            report[name] = json!(count(tokens));
        }
    }
    match fault {
        None | Some(UsageFault::Text | UsageFault::Zero | UsageFault::Null) => {}
        Some(UsageFault::Missing) => return None,
        Some(UsageFault::Negative) => report["candidatesTokenCount"] = json!(-1),
        Some(UsageFault::CachedAbovePrompt) => {
            report["cachedContentTokenCount"] = json!(usage.prompt_tokens + 1);
        }
        Some(UsageFault::WrongTotal) => {
            report["totalTokenCount"] = json!(usage.total_tokens() + 1);
        }
    }
    Some(report)
}

/// A call as a part. Arguments that were cut off are none.
fn call(call: &Call) -> Value {
    let arguments = serde_json::from_str(&text(&call.arguments)).unwrap_or_else(|_| json!({}));
    json!({ "functionCall": { "id": call.id, "name": call.name, "args": arguments } })
}

/// Google's word for why an answer ends.
fn finish_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::ToolCalls => "STOP",
        Finish::Length => "MAX_TOKENS",
    }
}
