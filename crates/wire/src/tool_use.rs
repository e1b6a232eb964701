//! The tools that a model calls.

use std::borrow::Cow;

use crate::json::{Json, pick, type_of};

/// The most tool calls of an answer that are noted.
const NOTED_MAX: usize = 1_000;

/// A tool that the model calls in an answer, and that the client is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolUse {
    /// What the tool's result will answer.
    pub id: String,
    /// The tool's name.
    pub name: String,
}

/// Notes a call, where both of its names are there.
pub(crate) fn note(id: Option<Json>, name: Option<Json>, tools: &mut Vec<ToolUse>) {
    if let (Some(id), Some(name)) = (text(id), text(name))
        && tools.len() < NOTED_MAX
    {
        tools.push(ToolUse { id: id.into_owned(), name: name.into_owned() });
    }
}

/// The calls of a chat completion's message, or of the piece of it that begins them.
pub(crate) fn of_chat(message: Json, tools: &mut Vec<ToolUse>) {
    pick!(message => tool_calls);
    for call in tool_calls.into_iter().flat_map(Json::elements) {
        pick!(call => id, function, custom);
        let name = function.or(custom).and_then(|called| called.pick(["name"])[0]);
        note(id, name, tools);
    }
}

/// The call that an Anthropic block is, if it is one.
pub(crate) fn of_anthropic(block: Json, tools: &mut Vec<ToolUse>) {
    if type_of(block) == "tool_use" {
        pick!(block => id, name);
        note(id, name, tools);
    }
}

/// The call that an item of a response is, if it is one.
pub(crate) fn of_response(item: Json, tools: &mut Vec<ToolUse>) {
    if matches!(&*type_of(item), "function_call" | "custom_tool_call") {
        pick!(item => call_id, name);
        note(call_id, name, tools);
    }
}

/// The calls of a Gemini candidate. One without an id goes by its function's name, as its result will.
pub(crate) fn of_gemini(candidate: Json, tools: &mut Vec<ToolUse>) {
    let parts = candidate.pick(["content"])[0].and_then(|content| content.pick(["parts"])[0]);
    for part in parts.into_iter().flat_map(Json::elements) {
        if let [Some(call)] = part.pick(["functionCall"]) {
            pick!(call => id, name);
            note(text(id).and(id).or(name), name, tools);
        }
    }
}

fn text(value: Option<Json>) -> Option<Cow<str>> {
    value.and_then(Json::as_str).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test, helpers included")]

    use bytes::Bytes;

    use crate::{Dialect, ToolUse};

    #[test]
    fn tools_are_noted_whole_and_streamed_in_every_dialect() {
        let cases = [
            (
                Dialect::OpenAiChat,
                r#"{"choices":[{"message":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}}]}}]}"#,
                "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]}}]}\n\ndata: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{}\"}}]}}]}\n\n",
            ),
            (
                Dialect::Anthropic,
                r#"{"content":[{"type":"text","text":"x"},{"type":"tool_use","id":"a","name":"f","input":{}}]}"#,
                "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"f\",\"input\":{}}}\n\n",
            ),
            (
                Dialect::OpenAiResponses,
                r#"{"output":[{"type":"function_call","id":"fc","call_id":"a","name":"f","arguments":"{}"}]}"#,
                "data: {\"type\":\"response.output_item.added\",\"item\":{\"type\":\"function_call\",\"call_id\":\"a\",\"name\":\"f\",\"arguments\":\"\"}}\n\n",
            ),
            (
                Dialect::Gemini,
                r#"{"candidates":[{"content":{"parts":[{"functionCall":{"id":"a","name":"f","args":{}}}]}}]}"#,
                "data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"id\":\"a\",\"name\":\"f\",\"args\":{}}}]}}]}\n\n",
            ),
        ];
        let expected = [ToolUse { id: "a".to_owned(), name: "f".to_owned() }];
        for (dialect, whole, stream) in cases {
            let answer = dialect.read_answer(&Bytes::from_static(whole.as_bytes())).unwrap();
            assert_eq!(answer.tools, expected, "{dialect}");
            let mut reader = dialect.stream_reader(false);
            reader.push(Bytes::from_static(stream.as_bytes()), &mut |_| {});
            reader.finish(&mut |_| {});
            assert_eq!(reader.tools(), expected, "{dialect}");
        }
    }
}
