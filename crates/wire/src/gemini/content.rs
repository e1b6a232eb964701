//! Contents and tools of a request, and what the model wrote in an answer: parts, all.

use std::fmt::Arguments;

use farthing_core::prompt::{JsonStr, Message, Part, Role, Tool, ToolCall};

use super::pick;
use crate::fields::{self, Elements};
use crate::json::{Json, Kind};
use crate::request::RequestError;

/// Reads a request's arrays, and counts what they hold.
#[derive(Debug, Default)]
pub(super) struct Reader {
    elements: Elements,
}

/// Every piece of a candidate that the model wrote: strings, and the arguments of a call as JSON.
pub(super) fn each_text<'a>(candidate: Json<'a>, say: &mut impl FnMut(Json<'a>)) {
    let [content] = candidate.pick(["content"]);
    let parts = content.and_then(|content| content.pick(["parts"])[0]);
    for part in parts.into_iter().flat_map(Json::elements) {
        let [text, call, code] = part.pick(["text", "functionCall", "executableCode"]);
        text.filter(|text| text.kind() == Kind::String).map(&mut *say);
        let [name, args] = call.map_or([None; 2], |call| call.pick(["name", "args"]));
        name.filter(|name| name.kind() == Kind::String).map(&mut *say);
        args.filter(|args| args.kind() == Kind::Object).map(&mut *say);
        let code = code.and_then(|code| code.pick(["code"])[0]);
        code.filter(|code| code.kind() == Kind::String).map(&mut *say);
    }
}

// === impl Reader ===

impl Reader {
    /// The instructions and the contents.
    pub(super) fn messages(
        &mut self,
        instructions: Option<Json>,
        contents: Json,
    ) -> Result<Vec<Message>, RequestError> {
        let mut read = Vec::new();
        if let Some(system) = instructions.filter(|system| !system.is_null()) {
            self.content(format_args!("systemInstruction"), Role::System, system, &mut read)?;
        }
        // A single content stands for an array of one.
        if contents.kind() == Kind::Object {
            self.content(format_args!("contents"), role(contents), contents, &mut read)?;
            return Ok(read);
        }
        let path = format_args!("contents");
        for (index, content) in fields::array(path, contents, "an array of contents")?.enumerate() {
            self.elements.add(path)?;
            let path = format_args!("contents[{index}]");
            self.content(path, role(content), content, &mut read)?;
        }
        Ok(read)
    }

    /// A request's `tools`: of functions each, of the provider's own tools the entry that asks for
    /// them.
    pub(super) fn tools(&mut self, tools: Option<Json>) -> Result<Vec<Tool>, RequestError> {
        let Some(tools) = tools.filter(|tools| !tools.is_null()) else { return Ok(Vec::new()) };
        let path = format_args!("tools");
        let mut read = Vec::new();
        for tool in fields::array(path, tools, "an array of tools or null")? {
            self.elements.add(path)?;
            let [functions] = pick(tool, ["functionDeclarations"]);
            for function in functions.into_iter().flat_map(Json::elements) {
                self.elements.add(path)?;
                read.push(Tool { span: function.span() });
            }
            if tool.members().count() > usize::from(functions.is_some()) {
                read.push(Tool { span: tool.span() });
            }
        }
        Ok(read)
    }

    /// Adds a content. Where it has responses of functions it is read as several messages: each
    /// response is one of its own, with the part's span, and so is each run of parts between them.
    fn content(
        &mut self,
        path: Arguments,
        role: Role,
        value: Json,
        read: &mut Vec<Message>,
    ) -> Result<(), RequestError> {
        if let Some(text) = value.as_literal() {
            let parts = vec![Part::Text(text)];
            read.push(Message { parts, ..Message::new(role, value.span()) });
            return Ok(());
        }
        let [parts] = pick(fields::object(path, value)?, ["parts"]);
        let path = format_args!("{path}.parts");
        let mut runs: Vec<Message> = Vec::new();
        if let Some(part) = parts.filter(|parts| parts.kind() == Kind::Object) {
            self.part(path, role, part, &mut runs)?;
        } else if let Some(parts) = parts.filter(|parts| !parts.is_null()) {
            for (index, part) in fields::array(path, parts, "an array of parts")?.enumerate() {
                self.elements.add(path)?;
                self.part(format_args!("{path}[{index}]"), role, part, &mut runs)?;
            }
        }
        match runs.as_mut_slice() {
            [] => runs.push(Message::new(role, value.span())),
            [only] if only.role == role => only.span = value.span(),
            _ => {}
        }
        read.append(&mut runs);
        Ok(())
    }

    /// Adds a part to the run that it belongs to. What is unknown is one part as it was sent.
    fn part(
        &mut self,
        path: Arguments,
        role: Role,
        value: Json,
        runs: &mut Vec<Message>,
    ) -> Result<(), RequestError> {
        let value = fields::object(path, value)?;
        let [text, thought, signature, call, response, data, file] = pick(
            value,
            [
                "text",
                "thought",
                "thoughtSignature",
                "functionCall",
                "functionResponse",
                "inlineData",
                "fileData",
            ],
        );
        if let Some(response) = response {
            runs.push(self.result(path, value, response)?);
            return Ok(());
        }
        if runs.last().is_none_or(|run| run.role != role) {
            runs.push(Message::new(role, value.span()));
        }
        let Some(run) = runs.last_mut() else { return Ok(()) };
        run.span.end = value.end();
        let is_thought = thought.and_then(Json::as_bool).unwrap_or(false);
        let text = text.and_then(Json::as_literal);
        match (text, call, data.or(file)) {
            (Some(_), ..) if is_thought => run.parts.push(Part::Thought(value.span())),
            (Some(text), ..) => run.parts.push(Part::Text(text)),
            (None, Some(call), _) => match tool_call(call) {
                Some(call) => run.tool_calls.push(call),
                None => run.parts.push(Part::Other(value.span())),
            },
            (None, None, Some(media)) => run.parts.push(self::media(media, value)),
            (None, None, None) => run.parts.push(Part::Other(value.span())),
        }
        if let Some(signature) = signature.filter(|_| !is_thought) {
            run.parts.push(Part::Thought(signature.span()));
        }
        Ok(())
    }

    /// What a function gave back.
    fn result(
        &mut self,
        path: Arguments,
        value: Json,
        response: Json,
    ) -> Result<Message, RequestError> {
        let [id, name, said, parts] = pick(response, ["id", "name", "response", "parts"]);
        let mut message = Message::new(Role::Tool, value.span());
        // Without ids, a call is known by its function.
        message.answers = id.or(name).and_then(Json::as_literal);
        if let Some(said) = said {
            message.parts.push(Part::Text(JsonStr(said.span())));
            let [error] = said.pick(["error"]);
            message.is_error = error.is_some_and(|error| !error.is_null());
        }
        for part in parts.into_iter().flat_map(Json::elements) {
            self.elements.add(path)?;
            let [data, file] = pick(part, ["inlineData", "fileData"]);
            message.parts.push(match data.or(file) {
                Some(media) => self::media(media, part),
                None => Part::Other(part.span()),
            });
        }
        Ok(message)
    }
}

fn role(content: Json) -> Role {
    match content.pick(["role"])[0].and_then(Json::as_str).as_deref() {
        Some("model") => Role::Assistant,
        Some("system") => Role::System,
        Some("function") => Role::Tool,
        _ => Role::User,
    }
}

fn tool_call(call: Json) -> Option<ToolCall> {
    let [id, name, args] = pick(call, ["id", "name", "args"]);
    let name = name.and_then(Json::as_literal)?;
    // A function without parameters may be called without arguments.
    let arguments = args.map_or(JsonStr(name.0.end..name.0.end), |args| JsonStr(args.span()));
    Some(ToolCall { id: id.and_then(Json::as_literal), name, arguments })
}

/// A part with data, as its type says.
fn media(media: Json, part: Json) -> Part {
    let [kind] = pick(media, ["mimeType"]);
    match kind.and_then(Json::as_str) {
        Some(kind) if kind.starts_with("image/") => Part::Image(part.span()),
        _ => Part::Other(part.span()),
    }
}
