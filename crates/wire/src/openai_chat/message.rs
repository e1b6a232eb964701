//! Messages and tools: of a request, of an answer, and of a piece of a streamed answer.

use std::fmt::Arguments;

use farthing_core::prompt::{Message, Part, Role, Tool, ToolCall};

use crate::fields::{self, CacheMarkers, Elements};
use crate::json::{Json, Kind, pick};
use crate::request::RequestError;

/// Reads a request's arrays, and counts what they hold.
#[derive(Debug, Default)]
pub(super) struct Reader {
    elements: Elements,
    /// OpenAI's own, and what resellers pass on to other providers.
    pub(super) markers: CacheMarkers,
}

/// Every string of an answer's message, or of a piece of it, that the model wrote.
pub(super) fn each_text<'a>(message: Json<'a>, say: &mut impl FnMut(Json<'a>)) {
    pick!(message => content, reasoning_content, reasoning, refusal, tool_calls, function_call);
    let mut say = |text: Option<Json<'a>>| {
        text.filter(|text| text.kind() == Kind::String).map(&mut *say);
    };
    // Two names for the same; who sends both says it twice.
    say(reasoning_content.filter(|text| !text.is_null()).or(reasoning));
    say(content);
    for part in content.into_iter().flat_map(Json::elements) {
        pick!(part => text);
        say(text);
    }
    say(refusal);
    let calls = tool_calls.into_iter().flat_map(Json::elements).map(name_and_arguments);
    calls.chain(function_call.map(function)).flatten().for_each(say);
}

// === impl Reader ===

impl Reader {
    /// A request's messages.
    pub(super) fn messages(&mut self, value: Json) -> Result<Vec<Message>, RequestError> {
        let expected = "an array of messages";
        self.list(value, format_args!("messages"), expected, Reader::message)
    }

    /// A request's `tools`, or its older `functions`.
    pub(super) fn tools(
        &mut self,
        param: &str,
        value: Option<Json>,
    ) -> Result<Vec<Tool>, RequestError> {
        let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(Vec::new()) };
        let expected = "an array of tools or null";
        self.list(value, format_args!("{param}"), expected, |_, tool, _| {
            Ok(Tool { span: tool.span() })
        })
    }

    fn message(&mut self, value: Json, path: Arguments) -> Result<Message, RequestError> {
        let value = fields::object(path, value)?;
        pick!(value =>
            role, name, content, reasoning_content, refusal, tool_calls, function_call, tool_call_id,
        );
        let mut parts = match content {
            Some(content) => self.parts(content, format_args!("{path}.content"))?,
            None => Vec::new(),
        };
        parts.extend([reasoning_content, refusal].into_iter().flatten().filter_map(text));
        let calls = match tool_calls.filter(|calls| !calls.is_null()) {
            Some(calls) => {
                let expected = "an array of tool calls or null";
                let path = format_args!("{path}.tool_calls");
                self.list(calls, path, expected, |_, call, _| Ok((call, name_and_arguments(call))))?
            }
            None => Vec::new(),
        };
        let older = function_call.filter(|call| !call.is_null()).map(|call| (call, function(call)));
        let mut tool_calls = Vec::with_capacity(calls.len());
        for (call, name_and_arguments) in calls.into_iter().chain(older) {
            match name_and_arguments.map(|text| text.and_then(Json::as_literal)) {
                [Some(name), Some(arguments)] => {
                    let id = call.pick(["id"])[0].and_then(Json::as_literal);
                    tool_calls.push(ToolCall { id, name, arguments });
                }
                // The provider may know what to make of it, so it is counted as it is spelled.
                _ => parts.push(Part::Other(call.span())),
            }
        }
        let role = role.map_or(Role::User, self::role);
        Ok(Message {
            name: name.and_then(Json::as_literal),
            parts,
            answers: tool_call_id.and_then(Json::as_literal),
            tool_calls,
            ..Message::new(role, value.span())
        })
    }

    fn parts(&mut self, content: Json, path: Arguments) -> Result<Vec<Part>, RequestError> {
        match content.kind() {
            Kind::Null => Ok(Vec::new()),
            Kind::String => Ok(text(content).into_iter().collect()),
            _ => self.list(content, path, "a string, an array of parts or null", Reader::part),
        }
    }

    fn part(&mut self, value: Json, path: Arguments) -> Result<Part, RequestError> {
        if let Some(text) = text(value) {
            return Ok(text);
        }
        let value = fields::object(path, value)?;
        let [kind, said, refusal, cache_control, breakpoint] =
            value.pick(["type", "text", "refusal", "cache_control", "prompt_cache_breakpoint"]);
        self.markers.note(cache_control.or(breakpoint));
        let known = match kind.and_then(Json::as_str).as_deref() {
            Some("text") => said.and_then(text),
            Some("refusal") => refusal.and_then(text),
            Some("image_url") => Some(Part::Image(value.span())),
            _ => None,
        };
        Ok(known.unwrap_or(Part::Other(value.span())))
    }

    fn list<'a, T>(
        &mut self,
        value: Json<'a>,
        path: Arguments,
        expected: &'static str,
        read: impl Fn(&mut Reader, Json<'a>, Arguments) -> Result<T, RequestError>,
    ) -> Result<Vec<T>, RequestError> {
        let mut items = Vec::new();
        for (index, element) in fields::array(path, value, expected)?.enumerate() {
            self.elements.add(path)?;
            items.push(read(self, element, format_args!("{path}[{index}]"))?);
        }
        Ok(items)
    }
}

/// An unknown role counts as the user's: providers have more than OpenAI.
fn role(value: Json) -> Role {
    match value.as_str().as_deref() {
        Some("system" | "developer") => Role::System,
        Some("assistant") => Role::Assistant,
        Some("tool" | "function") => Role::Tool,
        _ => Role::User,
    }
}

fn text(value: Json) -> Option<Part> {
    value.as_literal().map(Part::Text)
}

/// The name and the arguments of a call: of a function, or of a custom tool that takes free text.
fn name_and_arguments(call: Json<'_>) -> [Option<Json<'_>>; 2] {
    match call.pick(["function", "custom"]) {
        [Some(call), _] => function(call),
        [None, Some(call)] => call.pick(["name", "input"]),
        [None, None] => [None, None],
    }
}

fn function(call: Json<'_>) -> [Option<Json<'_>>; 2] {
    call.pick(["name", "arguments"])
}
