//! A response as a stream of events. Their order:
//! <https://platform.openai.com/docs/api-reference/responses-streaming>.

use bytes::Bytes;
use serde_json::{Value, json};

use super::object::{Head, report, text_part};
use crate::{
    Usage, UsageFault,
    answer::{Answer, Call, Finish},
    reply::{Frame, Reply, to_json},
    tokenizer::{Piece, text},
};

/// The event of a stream that fails on its way.
pub(crate) fn error_event() -> Bytes {
    let error = json!({
        "type": "error",
        "code": "server_error",
        "message": "the request failed with status 500",
        "param": null,
        "sequence_number": 0,
    });
    event("error", &error)
}

/// The stream of all of `answer`.
pub(super) fn stream(
    head: &Head<'_>,
    answer: &Answer,
    prompt: Usage,
    fault: Option<UsageFault>,
) -> Reply {
    let mut writer = Writer { head, frames: Vec::new(), items: 0, owed: prompt };
    let mut total = prompt;
    total += answer.usage();
    writer.owed.completion_tokens += answer.reasoning_tokens;
    writer.owed.reasoning_tokens += answer.reasoning_tokens;
    writer.event("response.created", json!({ "response": head.begun() }));
    writer.event("response.in_progress", json!({ "response": head.begun() }));
    if answer.reasoning_tokens > 0 {
        let index = writer.begin(head.reasoning());
        writer.end(index, head.reasoning());
    }
    if let Some(pieces) = &answer.content {
        writer.message(pieces);
    }
    for (position, call) in answer.tool_calls.iter().enumerate() {
        writer.call(position, call);
    }
    let is_cut = answer.finish == Finish::Length;
    let last = if is_cut { "response.incomplete" } else { "response.completed" };
    writer.event(last, json!({ "response": head.ended(answer, report(total, fault)) }));
    Reply::events(writer.frames)
}

struct Writer<'a> {
    head: &'a Head<'a>,
    frames: Vec<Frame>,
    /// Items that were begun.
    items: usize,
    /// What the next event is billed.
    owed: Usage,
}

impl Writer<'_> {
    fn message(&mut self, pieces: &[Piece]) {
        let opening = self.head.message("in_progress", Vec::new());
        let (id, index) = (opening["id"].clone(), self.begin(opening));
        let at = json!({ "item_id": id, "output_index": index, "content_index": 0 });
        let with = |more| merged(&at, more);
        self.event("response.content_part.added", with(json!({ "part": text_part("") })));
        for Piece { text, tokens } in pieces {
            self.owed.completion_tokens += tokens;
            let delta = json!({ "delta": text, "logprobs": [] });
            self.event("response.output_text.delta", with(delta));
        }
        let said = text(pieces);
        let done = json!({ "text": said, "logprobs": [] });
        self.event("response.output_text.done", with(done));
        self.event("response.content_part.done", with(json!({ "part": text_part(&said) })));
        self.end(index, self.head.message("completed", vec![text_part(&said)]));
    }

    fn call(&mut self, position: usize, call: &Call) {
        self.owed.completion_tokens += call.name_tokens;
        let opening = self.head.call(position, call, "in_progress", "");
        let (id, index) = (opening["id"].clone(), self.begin(opening));
        let at = json!({ "item_id": id, "output_index": index });
        let (kind, argument) = self.head.kind_of(call);
        let events = if kind == "function_call" {
            ["response.function_call_arguments.delta", "response.function_call_arguments.done"]
        } else {
            ["response.custom_tool_call_input.delta", "response.custom_tool_call_input.done"]
        };
        for Piece { text, tokens } in &call.arguments {
            self.owed.completion_tokens += tokens;
            self.event(events[0], merged(&at, json!({ "delta": text })));
        }
        let arguments = text(&call.arguments);
        self.event(events[1], merged(&at, json!({ argument: arguments, "name": call.name })));
        self.end(index, self.head.call(position, call, "completed", &arguments));
    }

    /// Begins an item, and says where it stands.
    fn begin(&mut self, item: Value) -> usize {
        let index = self.items;
        self.items += 1;
        let item = json!({ "output_index": index, "item": item });
        self.event("response.output_item.added", item);
        index
    }

    fn end(&mut self, index: usize, item: Value) {
        let item = json!({ "output_index": index, "item": item });
        self.event("response.output_item.done", item);
    }

    fn event(&mut self, name: &'static str, data: Value) {
        let head = json!({ "type": name, "sequence_number": self.frames.len() });
        let data = event(name, &merged(&head, data));
        self.frames.push(Frame { data, usage: std::mem::take(&mut self.owed) });
    }
}

fn event(name: &str, data: &Value) -> Bytes {
    [b"event: ", name.as_bytes(), b"\ndata: ", to_json(data).as_ref(), b"\n\n"].concat().into()
}

/// The members of both objects.
fn merged(one: &Value, mut other: Value) -> Value {
    if let (Value::Object(one), Value::Object(other)) = (one, &mut other) {
        other.extend(one.clone());
    }
    other
}
