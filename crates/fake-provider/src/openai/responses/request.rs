//! A responses request, read as the chat completions request that says the same: the model reads
//! one prompt, whichever way it came.

use serde::Deserialize;
use serde_json::error::Category;

use super::super::{
    error::ApiError,
    models,
    request::{ChatRequest, Content, Function, FunctionCall, Message, Part, Role, ToolCall},
    schema::Schema,
};

/// A request that can be answered.
#[derive(Debug)]
pub(super) struct ResponsesRequest {
    pub(super) chat: ChatRequest,
    /// The names of those tools that take free text in place of JSON.
    pub(super) custom: Vec<String>,
}

/// The body as it came. What the prompt does not hold is ignored.
#[derive(Debug, Deserialize)]
struct Body {
    model: Option<String>,
    instructions: Option<String>,
    input: Option<Input>,
    #[serde(default)]
    tools: Vec<Tool>,
    stream: Option<bool>,
    max_output_tokens: Option<u64>,
    previous_response_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Input {
    Text(String),
    Items(Vec<Item>),
}

/// An item by its members; which ones there are depends on its `type`.
#[derive(Debug, Deserialize)]
struct Item {
    #[serde(rename = "type")]
    kind: Option<String>,
    role: Option<Role>,
    content: Option<Texts>,
    call_id: Option<String>,
    name: Option<String>,
    arguments: Option<String>,
    input: Option<String>,
    output: Option<Texts>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Parts(Vec<TextPart>),
}

/// A part of a message; only text has tokens here.
#[derive(Debug, Deserialize)]
struct TextPart {
    text: Option<String>,
    refusal: Option<String>,
}

/// A tool; those that the provider runs itself have no name, and no tokens here.
#[derive(Debug, Deserialize)]
struct Tool {
    #[serde(rename = "type")]
    kind: String,
    name: Option<String>,
    description: Option<String>,
    parameters: Option<Schema>,
}

impl ResponsesRequest {
    /// Reads `body`, or says what OpenAI would say of it.
    pub(super) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let body: Body = serde_json::from_slice(body).map_err(|error| {
            let what = match error.classify() {
                Category::Data => "a responses request",
                Category::Eof | Category::Io | Category::Syntax => "valid JSON",
            };
            ApiError::invalid(None, format!("the body is not {what}: {error}"))
        })?;
        if let Some(id) = &body.previous_response_id {
            let message = format!("there is no response `{id}`: none is stored here");
            return Err(ApiError::invalid("previous_response_id", message));
        }
        let model = body.model.ok_or_else(|| ApiError::missing("model"))?;
        if !models::is_known(&model) {
            return Err(ApiError::unknown_model(&model));
        }
        let input = body.input.ok_or_else(|| ApiError::missing("input"))?;
        let instructions = body.instructions.filter(|text| !text.is_empty());
        let mut messages = Vec::new();
        messages.extend(instructions.map(|text| said(Role::Developer, Content::Text(text))));
        match input {
            Input::Text(text) => messages.push(said(Role::User, Content::Text(text))),
            Input::Items(items) => items.into_iter().for_each(|item| item.join(&mut messages)),
        }
        let is_custom = |tool: &&Tool| tool.kind == "custom";
        let custom = body.tools.iter().filter(is_custom).filter_map(|tool| tool.name.clone());
        Ok(Self {
            custom: custom.collect(),
            chat: ChatRequest {
                model,
                messages,
                functions: body.tools.into_iter().filter_map(Tool::function).collect(),
                streamed: body.stream == Some(true),
                has_stream_options: false,
                include_usage: true,
                completion_tokens_max: body.max_output_tokens.unwrap_or(u64::MAX),
                choices: 1,
            },
        })
    }
}

impl Item {
    /// Adds the item. What the assistant said and called in one turn is one message.
    fn join(self, messages: &mut Vec<Message>) {
        let texts = |texts: Option<Texts>| texts.map(Texts::content);
        match self.kind.as_deref() {
            None | Some("message") => messages.push(Message {
                content: texts(self.content),
                ..empty(self.role.unwrap_or(Role::User))
            }),
            Some("function_call" | "custom_tool_call") => {
                let turn = messages.pop_if(|last| last.role == Role::Assistant);
                let mut turn = turn.unwrap_or_else(|| empty(Role::Assistant));
                turn.tool_calls.get_or_insert_default().push(self.call());
                messages.push(turn);
            }
            Some("function_call_output" | "custom_tool_call_output") => messages.push(Message {
                content: texts(self.output),
                tool_call_id: self.call_id,
                ..empty(Role::Tool)
            }),
            Some(_) => {}
        }
    }

    fn call(self) -> ToolCall {
        let arguments = self.arguments.or(self.input).unwrap_or_default();
        let function = FunctionCall { name: self.name.unwrap_or_default(), arguments };
        ToolCall { id: self.call_id.unwrap_or_default(), function }
    }
}

impl Texts {
    fn content(self) -> Content {
        match self {
            Self::One(text) => Content::Text(text),
            Self::Parts(parts) => {
                let texts = parts.into_iter().filter_map(|part| part.text.or(part.refusal));
                Content::Parts(texts.map(|text| Part::Text { text }).collect())
            }
        }
    }
}

impl Tool {
    fn function(self) -> Option<Function> {
        let parameters = self.parameters.unwrap_or_default();
        Some(Function { name: self.name?, description: self.description, parameters })
    }
}

fn said(role: Role, content: Content) -> Message {
    Message { content: Some(content), ..empty(role) }
}

fn empty(role: Role) -> Message {
    Message { role, content: None, name: None, tool_call_id: None, tool_calls: None }
}
