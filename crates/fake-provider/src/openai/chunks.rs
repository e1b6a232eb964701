//! An answer as a stream of events.

use serde::Serialize;

use super::{
    completion::{Head, SERVICE_TIER, SYSTEM_FINGERPRINT, finish_reason},
    usage::Report,
};
use crate::{
    Usage, UsageFault,
    answer::Answer,
    reply::{Frame, Reply, to_json},
    tokenizer::Piece,
};

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    service_tier: &'static str,
    system_fingerprint: &'static str,
    choices: &'a [Choice<'a>],
    /// `null` in all chunks but the last where usage was asked for, absent where it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<Report>>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: usize,
    delta: Delta<'a>,
    logprobs: (),
    finish_reason: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Delta<'a> {
    Opening { role: &'static str, content: Option<&'static str>, refusal: () },
    Content { content: &'a str },
    ToolCalls { tool_calls: [ToolCall<'a>; 1] },
    Finish {},
}

#[derive(Serialize)]
#[serde(untagged)]
enum ToolCall<'a> {
    Opening {
        index: usize,
        id: &'a str,
        #[serde(rename = "type")]
        kind: &'static str,
        function: Function<'a>,
    },
    More {
        index: usize,
        function: Arguments<'a>,
    },
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: &'static str,
}

#[derive(Serialize)]
struct Arguments<'a> {
    arguments: &'a str,
}

/// The stream of all of `answers`, one choice after the other.
pub(super) fn stream(
    head: &Head<'_>,
    answers: &[Answer],
    prompt: Usage,
    include_usage: bool,
    fault: Option<UsageFault>,
) -> Reply {
    let mut writer = Writer { head, include_usage, frames: Vec::new(), owed: prompt };
    let mut total = prompt;
    for (index, answer) in answers.iter().enumerate() {
        writer.answer(index, answer);
        total += answer.usage();
    }
    if include_usage && let Some(report) = Report::of(total, fault) {
        writer.chunk(&[], Some(Some(report)));
    }
    writer.event(b"[DONE]");
    Reply::events(writer.frames)
}

struct Writer<'a> {
    head: &'a Head<'a>,
    include_usage: bool,
    frames: Vec<Frame>,
    /// What the next event is billed.
    owed: Usage,
}

impl Writer<'_> {
    fn answer(&mut self, index: usize, answer: &Answer) {
        self.owed.completion_tokens += answer.reasoning_tokens;
        self.owed.reasoning_tokens += answer.reasoning_tokens;
        let content = answer.content.as_ref().map(|_| "");
        self.delta(index, Delta::Opening { role: "assistant", content, refusal: () });
        for Piece { text, tokens } in answer.content.iter().flatten() {
            self.owed.completion_tokens += tokens;
            self.delta(index, Delta::Content { content: text });
        }
        for (position, call) in answer.tool_calls.iter().enumerate() {
            self.owed.completion_tokens += call.name_tokens;
            let function = Function { name: &call.name, arguments: "" };
            let opening =
                ToolCall::Opening { index: position, id: &call.id, kind: "function", function };
            self.delta(index, Delta::ToolCalls { tool_calls: [opening] });
            for Piece { text, tokens } in &call.arguments {
                self.owed.completion_tokens += tokens;
                let function = Arguments { arguments: text };
                let more = ToolCall::More { index: position, function };
                self.delta(index, Delta::ToolCalls { tool_calls: [more] });
            }
        }
        let finish_reason = Some(finish_reason(answer.finish));
        self.choice(Choice { index, delta: Delta::Finish {}, logprobs: (), finish_reason });
    }

    fn delta(&mut self, index: usize, delta: Delta<'_>) {
        self.choice(Choice { index, delta, logprobs: (), finish_reason: None });
    }

    fn choice(&mut self, choice: Choice<'_>) {
        self.chunk(&[choice], self.include_usage.then_some(None));
    }

    fn chunk(&mut self, choices: &[Choice<'_>], usage: Option<Option<Report>>) {
        let chunk = Chunk {
            id: &self.head.id,
            object: "chat.completion.chunk",
            created: self.head.created,
            model: self.head.model,
            service_tier: SERVICE_TIER,
            system_fingerprint: SYSTEM_FINGERPRINT,
            choices,
            usage,
        };
        self.event(&to_json(&chunk));
    }

    fn event(&mut self, data: &[u8]) {
        let data = [b"data: ", data, b"\n\n"].concat().into();
        self.frames.push(Frame { data, usage: std::mem::take(&mut self.owed) });
    }
}
