//! Messages and tools of a request, and what the model wrote in an answer: content blocks, all.

use std::borrow::Cow;
use std::fmt::Arguments;

use farthing_core::prompt::{JsonStr, Message, Part, Role, Tool, ToolCall};

use crate::fields::{self, CacheMarkers, Elements};
use crate::json::{Json, Kind, pick, type_of};
use crate::request::RequestError;

/// How deep content is looked into: a tool's result, and a document in it.
const LEVELS: u8 = 2;

/// Reads a request's arrays, counts what they hold, and notes what is to be cached.
#[derive(Debug, Default)]
pub(super) struct Reader {
    elements: Elements,
    pub(super) markers: CacheMarkers,
}

/// A content block of a request, as far as it is looked at.
struct Block<'a> {
    whole: Json<'a>,
    kind: Cow<'a, str>,
    text: Option<Json<'a>>,
    /// Its own, or of a result, that of the call.
    id: Option<Json<'a>>,
    is_error: bool,
    name: Option<Json<'a>>,
    input: Option<Json<'a>>,
    content: Option<Json<'a>>,
    cache_control: Option<Json<'a>>,
}

/// Every piece of a block of an answer, or of an event's part of one, that the model wrote: strings,
/// and the input of a tool as JSON.
pub(super) fn each_text<'a>(block: Json<'a>, say: &mut impl FnMut(Json<'a>)) {
    pick!(block => thinking, text, name, partial_json, input, content);
    let strings = [thinking, text, name, partial_json].into_iter().flatten();
    strings.filter(|text| text.kind() == Kind::String).for_each(&mut *say);
    // A stream begins each call with an empty input.
    input.filter(|input| input.members().next().is_some()).map(&mut *say);
    if matches!(&*type_of(block), "compaction" | "compaction_delta") {
        content.filter(|summary| summary.kind() == Kind::String).map(say);
    }
}

// === impl Reader ===

impl Reader {
    /// The system prompt and the messages.
    pub(super) fn messages(
        &mut self,
        system: Option<Json>,
        messages: Json,
    ) -> Result<Vec<Message>, RequestError> {
        let mut read = Vec::new();
        if let Some(system) = system.filter(|system| !system.is_null()) {
            let mut message = Message::new(Role::System, system.span());
            self.content(format_args!("system"), system, LEVELS, &mut message)?;
            read.push(message);
        }
        let path = format_args!("messages");
        for (index, value) in fields::array(path, messages, "an array of messages")?.enumerate() {
            self.elements.add(path)?;
            self.message(format_args!("messages[{index}]"), value, &mut read)?;
        }
        Ok(read)
    }

    /// A request's `tools`, or its `mcp_servers`, whose tools the provider finds out.
    pub(super) fn tools(
        &mut self,
        param: &str,
        tools: Option<Json>,
    ) -> Result<Vec<Tool>, RequestError> {
        let Some(tools) = tools.filter(|tools| !tools.is_null()) else { return Ok(Vec::new()) };
        let path = format_args!("{param}");
        let mut read = Vec::new();
        for tool in fields::array(path, tools, "an array or null")? {
            self.elements.add(path)?;
            pick!(tool => cache_control);
            self.markers.note(cache_control);
            read.push(Tool { span: tool.span() });
        }
        Ok(read)
    }

    /// A message. Where it has results of tools it is read as several: each result is one of its
    /// own, with the block's span, and so is each run of blocks between them.
    fn message(
        &mut self,
        path: Arguments,
        value: Json,
        read: &mut Vec<Message>,
    ) -> Result<(), RequestError> {
        pick!(fields::object(path, value)? => role, content);
        let role = role.map_or(Role::User, self::role);
        let path = format_args!("{path}.content");
        let Some(blocks) = content.filter(|content| content.kind() == Kind::Array) else {
            let mut message = Message::new(role, value.span());
            if let Some(content) = content.filter(|content| !content.is_null()) {
                self.content(path, content, LEVELS, &mut message)?;
            }
            read.push(message);
            return Ok(());
        };
        let mut runs: Vec<Message> = Vec::new();
        for (index, block) in blocks.elements().enumerate() {
            self.elements.add(path)?;
            let path = format_args!("{path}[{index}]");
            let block = Block::read(path, block)?;
            let speaker = if block.is_result() { Role::Tool } else { role };
            match runs.last_mut() {
                Some(run) if run.role == speaker && speaker != Role::Tool => {
                    run.span.end = block.whole.end();
                }
                _ => runs.push(block.opens(speaker)),
            }
            if let Some(run) = runs.last_mut() {
                self.block(path, &block, LEVELS, run)?;
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

    /// Adds what a `content` says: a string, or blocks.
    fn content(
        &mut self,
        path: Arguments,
        content: Json,
        levels: u8,
        message: &mut Message,
    ) -> Result<(), RequestError> {
        if let Some(text) = content.as_literal() {
            message.parts.push(Part::Text(text));
            return Ok(());
        }
        let expected = "a string or an array of content blocks";
        for (index, block) in fields::array(path, content, expected)?.enumerate() {
            self.elements.add(path)?;
            let path = format_args!("{path}[{index}]");
            self.block(path, &Block::read(path, block)?, levels, message)?;
        }
        Ok(())
    }

    /// Adds a block. What is unknown, or nested too deeply, is one part as it was sent.
    fn block(
        &mut self,
        path: Arguments,
        block: &Block,
        levels: u8,
        message: &mut Message,
    ) -> Result<(), RequestError> {
        self.markers.note(block.cache_control);
        let span = block.whole.span();
        let known = match &*block.kind {
            "text" => block.text.and_then(Json::as_literal).map(Part::Text),
            "thinking" | "redacted_thinking" => Some(Part::Thought(span.clone())),
            "image" => Some(Part::Image(span.clone())),
            "tool_use" | "server_tool_use" | "mcp_tool_use" => {
                match (block.name.and_then(Json::as_literal), block.input) {
                    (Some(name), Some(input)) => {
                        let id = block.id.and_then(Json::as_literal);
                        let arguments = JsonStr(input.span());
                        message.tool_calls.push(ToolCall { id, name, arguments });
                        return Ok(());
                    }
                    _ => None,
                }
            }
            "tool_result" | "mcp_tool_result" if levels > 0 => {
                let Some(content) = block.content.filter(|content| !content.is_null()) else {
                    return Ok(());
                };
                let path = format_args!("{path}.content");
                return self.content(path, content, levels - 1, message);
            }
            "document" | "search_result" if levels > 0 => {
                return self.document(path, block.whole, levels - 1, message);
            }
            _ => None,
        };
        message.parts.push(known.unwrap_or(Part::Other(span)));
        Ok(())
    }

    /// Adds a document or a search result: its texts where it has any, else all of it as it was sent.
    fn document(
        &mut self,
        path: Arguments,
        block: Json,
        levels: u8,
        message: &mut Message,
    ) -> Result<(), RequestError> {
        pick!(block => title, context, source, content);
        let said = match source.filter(|source| source.kind() == Kind::Object) {
            Some(source) if type_of(source) == "text" => source.pick(["data"])[0],
            Some(source) => source.pick(["content"])[0],
            None => content,
        };
        let readable = |said: &Json| matches!(said.kind(), Kind::String | Kind::Array);
        let Some(said) = said.filter(readable) else {
            message.parts.push(Part::Other(block.span()));
            return Ok(());
        };
        let labels = [title, context, source].into_iter().flatten().filter_map(Json::as_literal);
        message.parts.extend(labels.map(Part::Text));
        message.documents.push(block.span());
        self.content(format_args!("{path}.content"), said, levels, message)
    }
}

// === impl Block ===

impl<'a> Block<'a> {
    fn read(path: Arguments, value: Json<'a>) -> Result<Block<'a>, RequestError> {
        let whole = fields::object(path, value)?;
        let kind = type_of(whole);
        pick!(whole => text, id, tool_use_id, is_error, name, input, content, cache_control);
        Ok(Block {
            whole,
            kind,
            text,
            id: tool_use_id.or(id),
            is_error: is_error.and_then(Json::as_bool).unwrap_or(false),
            name,
            input,
            content,
            cache_control,
        })
    }

    /// An empty message of this speaker that begins with it.
    fn opens(&self, speaker: Role) -> Message {
        let mut message = Message::new(speaker, self.whole.span());
        if speaker == Role::Tool {
            message.answers = self.id.and_then(Json::as_literal);
            message.is_error = self.is_error;
        }
        message
    }

    /// Whether it is what a tool gave back that the provider did not run itself.
    fn is_result(&self) -> bool {
        matches!(&*self.kind, "tool_result" | "mcp_tool_result")
    }
}

fn role(value: Json) -> Role {
    match value.as_str().as_deref() {
        Some("system") => Role::System,
        Some("assistant") => Role::Assistant,
        _ => Role::User,
    }
}
