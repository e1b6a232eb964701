//! Items: of a request's `input`, and of an answer's `output`. Each is a message of its own.

use std::fmt::Arguments;

use farthing_core::prompt::{JsonStr, Message, Part, Role, Tool, ToolCall};

use crate::fields::{self, CacheMarkers, Elements};
use crate::json::{Json, Kind, pick, type_of};
use crate::request::RequestError;

/// Reads a request's arrays, and counts what they hold.
#[derive(Debug, Default)]
pub(super) struct Reader {
    elements: Elements,
    pub(super) markers: CacheMarkers,
    pub(super) messages: Vec<Message>,
    pub(super) tools: Vec<Tool>,
    /// Whether an item only names what the provider has.
    pub(super) refers: bool,
}

/// Every string of an item of an answer that the model wrote.
pub(super) fn each_text<'a>(item: Json<'a>, say: &mut impl FnMut(Json<'a>)) {
    pick!(item => content, summary, name, arguments, input, code);
    let parts = [summary, content].into_iter().flatten().flat_map(Json::elements);
    let parts = parts.flat_map(|part| part.pick(["text", "refusal"]));
    let own = [name, arguments, input, code];
    let strings = parts.chain(own).flatten().filter(|text| text.kind() == Kind::String);
    strings.for_each(say);
}

/// The name of the tool that an item calls.
pub(super) fn name(item: Json<'_>) -> Option<Json<'_>> {
    item.pick(["name"])[0]
}

// === impl Reader ===

impl Reader {
    /// A request's `instructions`: a string, or in answers that are sent back, items.
    pub(super) fn instructions(&mut self, value: Option<Json>) -> Result<(), RequestError> {
        let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(()) };
        self.said("instructions", Role::System, value)
    }

    /// A request's `input`.
    pub(super) fn input(&mut self, value: Option<Json>) -> Result<(), RequestError> {
        let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(()) };
        self.said("input", Role::User, value)
    }

    /// A request's `tools`, or those that an item brings.
    pub(super) fn tools(
        &mut self,
        path: Arguments,
        value: Option<Json>,
    ) -> Result<(), RequestError> {
        let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(()) };
        for tool in fields::array(path, value, "an array of tools or null")? {
            self.elements.add(path)?;
            self.tools.push(Tool { span: tool.span() });
        }
        Ok(())
    }

    fn said(&mut self, param: &str, role: Role, value: Json) -> Result<(), RequestError> {
        if let Some(text) = value.as_literal() {
            let parts = vec![Part::Text(text)];
            self.messages.push(Message { parts, ..Message::new(role, value.span()) });
            return Ok(());
        }
        let path = format_args!("{param}");
        for (index, item) in
            fields::array(path, value, "a string or an array of items")?.enumerate()
        {
            self.elements.add(path)?;
            self.item(format_args!("{param}[{index}]"), item)?;
        }
        Ok(())
    }

    /// Adds an item. What is unknown is one part as it was sent.
    fn item(&mut self, path: Arguments, value: Json) -> Result<(), RequestError> {
        let value = fields::object(path, value)?;
        let message = match &*type_of(value) {
            "" | "message" => self.message(path, value)?,
            "function_call" | "custom_tool_call" => call(value),
            "reasoning" | "compaction" => {
                let parts = vec![Part::Thought(value.span())];
                Message { parts, ..Message::new(Role::Assistant, value.span()) }
            }
            "additional_tools" | "tool_search_output" | "mcp_list_tools" => {
                pick!(value => tools);
                return self.tools(format_args!("{path}.tools"), tools);
            }
            "item_reference" => {
                self.refers = true;
                return Ok(());
            }
            kind if kind.ends_with("_output") => self.result(path, value)?,
            kind => other(kind, value),
        };
        self.messages.push(message);
        Ok(())
    }

    fn message(&mut self, path: Arguments, value: Json) -> Result<Message, RequestError> {
        pick!(value => role, content);
        let role = match role.and_then(Json::as_str).as_deref() {
            Some("system" | "developer") => Role::System,
            Some("assistant") => Role::Assistant,
            Some("tool") => Role::Tool,
            _ => Role::User,
        };
        let parts = self.parts(format_args!("{path}.content"), content)?;
        Ok(Message { parts, ..Message::new(role, value.span()) })
    }

    /// What a tool gave back: a string, parts, or something of that tool's own.
    fn result(&mut self, path: Arguments, value: Json) -> Result<Message, RequestError> {
        pick!(value => call_id, output);
        let parts = match output.map(Json::kind) {
            Some(Kind::String | Kind::Array) => {
                self.parts(format_args!("{path}.output"), output)?
            }
            _ => vec![Part::Other(value.span())],
        };
        let answers = call_id.and_then(Json::as_literal);
        Ok(Message { parts, answers, ..Message::new(Role::Tool, value.span()) })
    }

    fn parts(&mut self, path: Arguments, content: Option<Json>) -> Result<Vec<Part>, RequestError> {
        let Some(content) = content.filter(|content| !content.is_null()) else {
            return Ok(Vec::new());
        };
        if let Some(text) = content.as_literal() {
            return Ok(vec![Part::Text(text)]);
        }
        let mut parts = Vec::new();
        let expected = "a string, an array of parts or null";
        for (index, part) in fields::array(path, content, expected)?.enumerate() {
            self.elements.add(path)?;
            parts.push(self.part(format_args!("{path}[{index}]"), part)?);
        }
        Ok(parts)
    }

    fn part(&mut self, path: Arguments, value: Json) -> Result<Part, RequestError> {
        let value = fields::object(path, value)?;
        pick!(value => text, refusal, cache_control, prompt_cache_breakpoint);
        self.markers.note(cache_control.or(prompt_cache_breakpoint));
        let literal = |text: Option<Json>| text.and_then(Json::as_literal).map(Part::Text);
        let known = match &*type_of(value) {
            "input_text" | "output_text" | "text" | "summary_text" => literal(text),
            "refusal" => literal(refusal),
            "input_image" | "computer_screenshot" => Some(Part::Image(value.span())),
            _ => None,
        };
        Ok(known.unwrap_or(Part::Other(value.span())))
    }
}

/// Another item. What the provider's own tools were asked is read as it is spelled, unless there is
/// an image in it.
fn other(kind: &str, value: Json) -> Message {
    let span = value.span();
    let (role, part) = match kind {
        "image_generation_call" => (Role::Assistant, Part::Other(span)),
        kind if kind.ends_with("_call") => (Role::Assistant, Part::Text(JsonStr(span))),
        _ => (Role::User, Part::Other(span)),
    };
    Message { parts: vec![part], ..Message::new(role, value.span()) }
}

/// A call of a function, or of a custom tool that takes free text.
fn call(value: Json) -> Message {
    pick!(value => call_id, name, arguments, input);
    let mut message = Message::new(Role::Assistant, value.span());
    let said = arguments.or(input);
    match [name, said].map(|text| text.and_then(Json::as_literal)) {
        [Some(name), Some(arguments)] => {
            let id = call_id.and_then(Json::as_literal);
            message.tool_calls.push(ToolCall { id, name, arguments });
        }
        _ => message.parts.push(Part::Other(value.span())),
    }
    message
}
