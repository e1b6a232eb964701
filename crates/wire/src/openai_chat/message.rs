//! Messages and tools: of a request, of an answer, and of a piece of a streamed answer.

use std::fmt::Arguments;

use farthing_core::prompt::{JsonStr, Message, Part, Role, Tool, ToolCall};

use crate::json::{Json, Kind, pick};
use crate::request::{MAX_ELEMENTS, RequestError};

/// A request's messages.
pub(super) fn messages(value: Json) -> Result<Vec<Message>, RequestError> {
    list(value, format_args!("messages"), "an array of messages", message)
}

/// A request's tools: `tools`, or the older `functions`.
pub(super) fn tools(lists: [(&str, Option<Json>); 2]) -> Result<Vec<Tool>, RequestError> {
    let mut tools = Vec::new();
    for (param, value) in lists {
        let Some(value) = value.filter(|value| !value.is_null()) else { continue };
        let expected = "an array of tools or null";
        let tool = |tool: Json, _: Arguments| Ok(Tool { span: tool.span() });
        tools.extend(list(value, format_args!("{param}"), expected, tool)?);
    }
    Ok(tools)
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
    let older = function_call.map(|call| call.pick(["name", "arguments"]));
    calls.chain(older).flatten().for_each(say);
}

fn message(value: Json, path: Arguments) -> Result<Message, RequestError> {
    if value.kind() != Kind::Object {
        return Err(RequestError::wrong(path.to_string(), value, "an object"));
    }
    pick!(value => role, name, content, reasoning_content, refusal, tool_calls, function_call);
    let mut parts = match content {
        Some(content) => parts(content, format_args!("{path}.content"))?,
        None => Vec::new(),
    };
    let said = [reasoning_content, refusal].into_iter().flatten().filter_map(Json::as_literal);
    parts.extend(said.map(Part::Text));
    let mut tool_calls = match tool_calls.filter(|calls| !calls.is_null()) {
        Some(calls) => {
            let expected = "an array of tool calls or null";
            let tool_call = |call, _: Arguments| Ok((call, name_and_arguments(call)));
            list(calls, format_args!("{path}.tool_calls"), expected, tool_call)?
        }
        None => Vec::new(),
    };
    let older = function_call.filter(|call| !call.is_null());
    tool_calls.extend(older.map(|call| (call, call.pick(["name", "arguments"]))));
    let mut message = Message {
        role: role.map_or(Role::User, self::role),
        span: value.span(),
        name: name.and_then(Json::as_literal),
        parts,
        tool_calls: Vec::with_capacity(tool_calls.len()),
    };
    for (call, name_and_arguments) in tool_calls {
        match name_and_arguments.map(|text| text.and_then(Json::as_literal)) {
            [Some(name), Some(arguments)] => message.tool_calls.push(ToolCall { name, arguments }),
            // The provider may know what to make of it, so it is counted as it is spelled.
            _ => message.parts.push(Part::Other(call.span())),
        }
    }
    Ok(message)
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

fn parts(content: Json, path: Arguments) -> Result<Vec<Part>, RequestError> {
    match content.kind() {
        Kind::Null => Ok(Vec::new()),
        Kind::String => Ok(vec![Part::Text(JsonStr(content.span()))]),
        _ => list(content, path, "a string, an array of parts or null", part),
    }
}

fn part(value: Json, path: Arguments) -> Result<Part, RequestError> {
    match value.kind() {
        Kind::Object => {}
        Kind::String => return Ok(Part::Text(JsonStr(value.span()))),
        _ => return Err(RequestError::wrong(path.to_string(), value, "an object")),
    }
    let [kind, text, refusal] = value.pick(["type", "text", "refusal"]);
    let literal = |text: Option<Json>| text.and_then(Json::as_literal).map(Part::Text);
    let known = match kind.and_then(Json::as_str).as_deref() {
        Some("text") => literal(text),
        Some("refusal") => literal(refusal),
        Some("image_url") => Some(Part::Image(value.span())),
        _ => None,
    };
    Ok(known.unwrap_or(Part::Other(value.span())))
}

/// The name and the arguments of a call: of a function, or of a custom tool that takes free text.
fn name_and_arguments(call: Json<'_>) -> [Option<Json<'_>>; 2] {
    match call.pick(["function", "custom"]) {
        [Some(function), _] => function.pick(["name", "arguments"]),
        [None, Some(custom)] => custom.pick(["name", "input"]),
        [None, None] => [None, None],
    }
}

fn list<'a, T>(
    value: Json<'a>,
    path: Arguments,
    expected: &'static str,
    read: impl Fn(Json<'a>, Arguments) -> Result<T, RequestError>,
) -> Result<Vec<T>, RequestError> {
    if value.kind() != Kind::Array {
        return Err(RequestError::wrong(path.to_string(), value, expected));
    }
    let mut items = Vec::new();
    for (index, element) in value.elements().enumerate() {
        if index == MAX_ELEMENTS {
            return Err(RequestError::TooMany { param: path.to_string() });
        }
        items.push(read(element, format_args!("{path}[{index}]"))?);
    }
    Ok(items)
}
