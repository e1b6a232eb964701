//! A chat completions request, read and checked as OpenAI checks it.

use serde::Deserialize;
use serde_json::error::Category;

use super::{error::ApiError, models, schema::Schema};

/// The most choices that one request may ask for.
const CHOICES_MAX: u64 = 128;

/// A request that can be answered.
#[derive(Debug)]
pub(super) struct ChatRequest {
    pub(super) model: String,
    pub(super) messages: Vec<Message>,
    pub(super) functions: Vec<Function>,
    pub(super) streamed: bool,
    /// Whether it has `stream_options`, whatever they say.
    pub(super) has_stream_options: bool,
    pub(super) include_usage: bool,
    /// Tokens that one choice may have; `u64::MAX` when the request sets no limit.
    pub(super) completion_tokens_max: u64,
    pub(super) choices: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Message {
    pub(super) role: Role,
    pub(super) content: Option<Content>,
    pub(super) name: Option<String>,
    pub(super) tool_call_id: Option<String>,
    pub(super) tool_calls: Option<Vec<ToolCall>>,
}

impl Message {
    /// The tool calls of an assistant's message.
    pub(super) fn calls(&self) -> &[ToolCall] {
        self.tool_calls.as_deref().unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    Assistant,
    Developer,
    Function,
    System,
    Tool,
    User,
}

impl Role {
    /// The role as it is written in a request.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Assistant => "assistant",
            Self::Developer => "developer",
            Self::Function => "function",
            Self::System => "system",
            Self::Tool => "tool",
            Self::User => "user",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Content {
    Text(String),
    Parts(Vec<Part>),
}

/// A part of a message; only parts of text have tokens here.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Part {
    Text {
        text: String,
    },
    Refusal {
        refusal: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
pub(super) struct ToolCall {
    pub(super) id: String,
    pub(super) function: FunctionCall,
}

#[derive(Debug, Deserialize)]
pub(super) struct FunctionCall {
    pub(super) name: String,
    pub(super) arguments: String,
}

/// A tool; only functions reach the prompt here.
#[derive(Debug, Deserialize)]
struct Tool {
    function: Option<Function>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) parameters: Schema,
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

/// The body as it came, before what must hold between its members was checked.
#[derive(Debug, Deserialize)]
struct Body {
    model: Option<String>,
    messages: Option<Vec<Message>>,
    tools: Option<Vec<Tool>>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
    n: Option<u64>,
}

impl ChatRequest {
    /// Reads `body`, or says what OpenAI would say of it.
    pub(super) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let body: Body = serde_json::from_slice(body).map_err(|error| {
            let what = match error.classify() {
                Category::Data => "a chat completions request",
                Category::Eof | Category::Io | Category::Syntax => "valid JSON",
            };
            ApiError::invalid(None, format!("the body is not {what}: {error}"))
        })?;
        let completion_tokens_max = body.completion_tokens_max()?;
        let streamed = body.stream == Some(true);
        if body.stream_options.is_some() && !streamed {
            let message = "stream_options needs stream to be true".to_owned();
            return Err(ApiError::invalid(Some("stream_options"), message));
        }
        let choices = body.n.unwrap_or(1);
        if !(1..=CHOICES_MAX).contains(&choices) {
            let message = format!("n is {choices}: ask for 1 to {CHOICES_MAX} choices");
            return Err(ApiError::invalid(Some("n"), message));
        }
        let model = body.model.ok_or_else(|| ApiError::missing("model"))?;
        let messages = body.messages.filter(|messages| !messages.is_empty());
        let messages = messages.ok_or_else(|| ApiError::missing("messages"))?;
        if !models::is_known(&model) {
            return Err(ApiError::unknown_model(&model));
        }
        let tools = body.tools.unwrap_or_default();
        Ok(Self {
            model,
            messages,
            functions: tools.into_iter().filter_map(|tool| tool.function).collect(),
            streamed,
            has_stream_options: body.stream_options.is_some(),
            include_usage: body.stream_options.is_some_and(|o| o.include_usage == Some(true)),
            completion_tokens_max,
            choices,
        })
    }

    /// How many turns the assistant has had in this conversation.
    pub(super) fn assistant_turns(&self) -> usize {
        let roles = self.messages.iter().map(|message| message.role);
        roles.filter(|role| *role == Role::Assistant).count()
    }
}

impl Body {
    fn completion_tokens_max(&self) -> Result<u64, ApiError> {
        let (param, tokens) = match (self.max_tokens, self.max_completion_tokens) {
            (None, None) => return Ok(u64::MAX),
            (Some(tokens), None) => ("max_tokens", tokens),
            (None, Some(tokens)) => ("max_completion_tokens", tokens),
            (Some(_), Some(_)) => {
                let message = "set max_tokens or max_completion_tokens, not both".to_owned();
                return Err(ApiError::invalid(Some("max_tokens"), message));
            }
        };
        if tokens == 0 {
            let message = format!("{param} is 0: it must be at least 1");
            return Err(ApiError::invalid(Some(param), message));
        }
        Ok(tokens)
    }
}
