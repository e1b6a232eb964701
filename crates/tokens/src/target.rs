//! Whose tokens are counted.

use serde::Deserialize;

/// A model, and the API that it is asked through.
///
/// A name alone stands for the model at its maker's first API: OpenAI's chat completions,
/// Anthropic's messages, the Gemini API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The model, as the request names it.
    pub model: &'a str,
    /// The API, where it changes what the same model reads.
    pub api: Option<Api>,
}

/// An API that shows a model other things than its maker's first one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// OpenAI's responses.
    Responses,
    /// Amazon Bedrock's converse.
    Converse,
    /// Google's Vertex AI.
    Vertex,
}

// === impl Api ===

impl Api {
    /// The name in rules.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Responses => "responses",
            Self::Converse => "converse",
            Self::Vertex => "vertex",
        }
    }
}

// === impl Target ===

impl<'a> From<&'a str> for Target<'a> {
    fn from(model: &'a str) -> Target<'a> {
        Target { model, api: None }
    }
}

impl<'a> From<&'a String> for Target<'a> {
    fn from(model: &'a String) -> Target<'a> {
        Target::from(model.as_str())
    }
}

impl<'a> From<(&'a str, Option<Api>)> for Target<'a> {
    fn from((model, api): (&'a str, Option<Api>)) -> Target<'a> {
        Target { model, api }
    }
}
