//! Requests as prompts, each piece laid out in a body of its own.

use bytes::Bytes;
use farthing_core::prompt::{Demands, JsonStr, Message, Part, Prompt, Role, Span, Tool, ToolCall};
use serde_json::Value;

/// A prompt that grows.
#[derive(Default)]
struct Layout {
    body: String,
    messages: Vec<Message>,
    tools: Vec<Tool>,
    response_format: Option<Span>,
    demands: Demands,
}

/// The members of a JSON array; none where it is something else.
fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn message(role: Role) -> Message {
    Message::new(role, 0..0)
}

impl Layout {
    fn raw(&mut self, value: &Value) -> Span {
        let start = self.body.len();
        self.body.push_str(&value.to_string());
        start..self.body.len()
    }

    fn literal(&mut self, value: &Value) -> JsonStr {
        JsonStr(self.raw(value))
    }

    fn text(&mut self, value: &Value) -> Part {
        Part::Text(self.literal(value))
    }

    fn call(&mut self, name: &Value, arguments: &Value) -> ToolCall {
        ToolCall { id: None, name: self.literal(name), arguments: self.literal(arguments) }
    }

    fn offer(&mut self, tool: &Value) {
        let span = self.raw(tool);
        self.tools.push(Tool { span });
    }

    fn finish(self) -> Prompt {
        let Self { body, messages, tools, response_format, demands } = self;
        let body = Bytes::from(body);
        Prompt { body, messages, tools, response_format, demands, ..Prompt::default() }
    }
}

// === OpenAI chat ===

/// A chat request of OpenAI's.
pub(crate) fn openai(request: &Value) -> Prompt {
    let mut layout = Layout::default();
    for sent in list(&request["messages"]) {
        let mut message = message(match sent["role"].as_str() {
            Some("system" | "developer") => Role::System,
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            Some("tool") => Role::Tool,
            other => panic!("unexpected role {other:?}"),
        });
        message.name = sent.get("name").map(|name| layout.literal(name));
        message.parts = match &sent["content"] {
            Value::Null => Vec::new(),
            Value::Array(parts) => parts.iter().map(|part| layout.openai_part(part)).collect(),
            text => vec![layout.text(text)],
        };
        let calls = list(&sent["tool_calls"]).map(|call| &call["function"]);
        message.tool_calls =
            calls.map(|called| layout.call(&called["name"], &called["arguments"])).collect();
        layout.messages.push(message);
    }
    list(&request["tools"]).for_each(|tool| layout.offer(tool));
    let schema = request.get("response_format").filter(|format| format["type"] == "json_schema");
    layout.response_format = schema.map(|format| layout.raw(format));
    layout.finish()
}

impl Layout {
    fn openai_part(&mut self, part: &Value) -> Part {
        match part["type"].as_str() {
            Some("text") => self.text(&part["text"]),
            Some("image_url") => Part::Image(self.raw(part)),
            _ => Part::Other(self.raw(part)),
        }
    }
}

// === Anthropic messages ===

/// A request to Anthropic's messages.
pub(crate) fn anthropic(request: &Value) -> Prompt {
    let mut layout = Layout::default();
    if let Some(system) = request.get("system") {
        let mut message = message(Role::System);
        layout.blocks(system, &mut message);
        layout.messages.push(message);
    }
    for sent in list(&request["messages"]) {
        let mut message = message(match sent["role"].as_str() {
            Some("system") => Role::System,
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            other => panic!("unexpected role {other:?}"),
        });
        layout.blocks(&sent["content"], &mut message);
        if !message.parts.is_empty() || !message.tool_calls.is_empty() {
            layout.messages.push(message);
        }
    }
    let tools = list(&request["tools"]).chain(list(&request["mcp_servers"]));
    tools.for_each(|tool| layout.offer(tool));
    let schema = request.pointer("/output_config/format/schema");
    layout.response_format = schema.map(|schema| layout.raw(schema));
    layout.demands = Demands {
        thinking: request["thinking"]["type"] == "enabled",
        tool_call: matches!(request["tool_choice"]["type"].as_str(), Some("any" | "tool")),
    };
    layout.finish()
}

impl Layout {
    /// Adds the blocks of a message; results of tools become messages of their own before it.
    fn blocks(&mut self, content: &Value, message: &mut Message) {
        if content.is_string() {
            message.parts.push(self.text(content));
        }
        for block in list(content) {
            match block["type"].as_str() {
                Some("text") => message.parts.push(self.text(&block["text"])),
                Some("image") => message.parts.push(Part::Image(self.raw(block))),
                Some("thinking" | "redacted_thinking") => {
                    message.parts.push(Part::Thought(self.raw(block)));
                }
                Some("tool_use") => {
                    message.tool_calls.push(self.call(&block["name"], &block["input"]));
                }
                Some("tool_result") => {
                    let mut result = self::message(Role::Tool);
                    self.blocks(&block["content"], &mut result);
                    self.messages.push(result);
                }
                _ => message.parts.push(Part::Other(self.raw(block))),
            }
        }
    }
}

// === Gemini ===

/// A request to Gemini's `generateContent`.
pub(crate) fn gemini(request: &Value) -> Prompt {
    let request = request.get("generateContentRequest").unwrap_or(request);
    let mut layout = Layout::default();
    let either = |value: &Value, camel: &str, snake: &str| {
        value.get(camel).or_else(|| value.get(snake)).cloned().unwrap_or_default()
    };
    let system = either(request, "systemInstruction", "system_instruction");
    if !system.is_null() {
        layout.parts(&system, Role::System);
    }
    for content in list(&request["contents"]) {
        let model = content["role"] == "model";
        layout.parts(content, if model { Role::Assistant } else { Role::User });
    }
    for tool in list(&request["tools"]) {
        for (kind, value) in tool.as_object().into_iter().flatten() {
            if kind == "functionDeclarations" || kind == "function_declarations" {
                list(value).for_each(|function| layout.offer(function));
            } else {
                layout.offer(tool);
            }
        }
    }
    let config = &request["generationConfig"];
    let schema = config.get("responseJsonSchema").or_else(|| config.get("responseSchema"));
    layout.response_format = schema.map(|schema| layout.raw(schema));
    layout.demands = Demands {
        thinking: true,
        tool_call: request["toolConfig"]["functionCallingConfig"]["mode"] == "ANY",
    };
    layout.finish()
}

impl Layout {
    fn parts(&mut self, content: &Value, role: Role) {
        let mut message = message(role);
        for part in list(&content["parts"]) {
            for (kind, value) in part.as_object().into_iter().flatten() {
                match kind.as_str() {
                    "text" => message.parts.push(self.text(value)),
                    "functionCall" | "function_call" => {
                        message.tool_calls.push(self.call(&value["name"], &value["args"]));
                    }
                    "functionResponse" | "function_response" => {
                        let mut result = self::message(Role::Tool);
                        result.parts.push(self.text(&value["response"]));
                        self.messages.push(result);
                    }
                    "thoughtSignature" | "thought_signature" => {
                        message.parts.push(Part::Thought(self.raw(value)));
                    }
                    "inlineData" | "fileData" | "inline_data" | "file_data" => {
                        let span = self.raw(part);
                        let kind = value.get("mimeType").or_else(|| value.get("mime_type"));
                        let image = kind.and_then(Value::as_str).unwrap_or_default();
                        let image = image.starts_with("image/");
                        message.parts.push(if image {
                            Part::Image(span)
                        } else {
                            Part::Other(span)
                        });
                    }
                    "thought" | "videoMetadata" => {}
                    _ => message.parts.push(Part::Other(self.raw(part))),
                }
            }
        }
        if !message.parts.is_empty() || !message.tool_calls.is_empty() {
            self.messages.push(message);
        }
    }
}
