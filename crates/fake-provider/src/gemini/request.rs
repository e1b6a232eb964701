//! A request for content, and the tokens of its prompt.
//!
//! Gemini's tokenizer is not the one here, so the count is a stand-in of the right size: the
//! o200k tokens of all texts, and of the compact JSON of tools, calls and results. Nothing else
//! is counted.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{VOCABULARY, error::ApiError};

/// A request by those of its members that the model reads, or that shape the answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContentRequest {
    #[serde(default)]
    contents: Vec<Content>,
    #[serde(alias = "system_instruction")]
    system_instruction: Option<Content>,
    #[serde(default)]
    tools: Vec<Map<String, Value>>,
    #[serde(alias = "generation_config")]
    generation_config: Option<Config>,
    /// Of `countTokens`, which may be asked of a whole request.
    #[serde(alias = "generate_content_request")]
    generate_content_request: Option<Box<ContentRequest>>,
}

#[derive(Debug, Deserialize)]
struct Content {
    role: Option<String>,
    #[serde(default)]
    parts: Vec<Map<String, Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    #[serde(alias = "max_output_tokens")]
    max_output_tokens: Option<u64>,
}

impl ContentRequest {
    /// Reads `body`, or says what Google would say of it.
    pub(super) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut request: Self = serde_json::from_slice(body)
            .map_err(|error| ApiError::invalid(format!("the body is no request: {error}")))?;
        if let Some(whole) = request.generate_content_request.take() {
            request = *whole;
        }
        if request.contents.is_empty() {
            return Err(ApiError::invalid("contents is missing: add it to the body".to_owned()));
        }
        Ok(request)
    }

    /// The tokens that an answer may have; `u64::MAX` when the request sets no limit.
    pub(super) fn output_tokens_max(&self) -> u64 {
        let config = self.generation_config.as_ref();
        config.and_then(|config| config.max_output_tokens).unwrap_or(u64::MAX)
    }

    /// How many turns the model has had in this conversation.
    pub(super) fn model_turns(&self) -> usize {
        self.contents.iter().filter(|content| content.role.as_deref() == Some("model")).count()
    }

    /// Whether the model is told of the function `name`.
    pub(super) fn offers(&self, name: &str) -> bool {
        let lists = self.tools.iter().filter_map(|tool| {
            let camel = tool.get("functionDeclarations");
            camel.or_else(|| tool.get("function_declarations"))?.as_array()
        });
        lists.flatten().any(|function| function["name"] == name)
    }

    /// The tokens of the whole prompt: tools, system instruction, contents.
    pub(super) fn prompt(&self) -> Vec<u32> {
        let mut tokens = Vec::new();
        for tool in &self.tools {
            tokens.extend(json(tool));
        }
        let contents = self.system_instruction.iter().chain(&self.contents);
        for part in contents.flat_map(|content| &content.parts) {
            tokens.extend(part_tokens(part));
        }
        tokens
    }
}

fn part_tokens(part: &Map<String, Value>) -> Vec<u32> {
    let called = ["functionCall", "function_call", "functionResponse", "function_response"];
    match (part.get("text").and_then(Value::as_str), called.iter().find_map(|it| part.get(*it))) {
        (Some(text), _) => VOCABULARY.encode(text),
        (None, Some(Value::Object(call))) => json(call),
        (None, _) => Vec::new(),
    }
}

fn json(object: &Map<String, Value>) -> Vec<u32> {
    VOCABULARY.encode(&serde_json::to_string(object).unwrap_or_default())
}
