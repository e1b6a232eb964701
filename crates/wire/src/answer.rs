//! An answer, as far as metering needs.

use bytes::Bytes;
use farthing_core::Usd;
use farthing_core::pricing::Served;
use farthing_core::prompt::Span;
use farthing_core::usage::Usage;
use thiserror::Error;

use crate::json::{self, Json, Kind, pick};
use crate::tool_use::ToolUse;

/// The most of an unreadable answer, or of a provider's error, that is repeated.
const MAX_QUOTED_CHARS: usize = 200;

/// What a provider says that a call consumed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reported {
    /// Nothing was said.
    #[default]
    Absent,
    /// A count that agrees with itself.
    Valid(Usage),
    /// A count that agrees with itself, of a call in which other models took part, each at its own
    /// price.
    Joint {
        /// What the model consumed that answered, and all that has no model.
        own: Usage,
        /// What the others consumed.
        others: Vec<ModelUsage>,
    },
    /// A count of the prompt alone, from the beginning of a stream that has not told yet what the
    /// answer took.
    PromptOnly(Usage),
    /// A count that agrees with itself, of a prompt without a single token. Priced on its own it is
    /// what it says; as the bill of a request that had messages it cannot be true.
    NoPrompt(Usage),
    /// A count that is no count or contradicts itself, for this reason.
    Invalid(String),
}

/// What another model consumed in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelUsage {
    /// The model, as the provider names it.
    pub model: String,
    /// What it consumed.
    pub usage: Usage,
}

/// An answer that came in one piece. Its text stays where it is, in the body.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The model that answered, as the provider names it.
    pub model: Option<String>,
    /// How the request was served; empty for the standard way.
    pub served: Served,
    /// What it consumed.
    pub usage: Reported,
    /// What the provider says that it charged, where it says so.
    pub charged: Option<Usd>,
    /// Why the (last) answer ended.
    pub finish_reason: Option<String>,
    /// The provider's error, where the answer is one.
    pub error: Option<String>,
    /// The tools that the model calls.
    pub tools: Vec<ToolUse>,
    /// What the model wrote, in the body that came.
    pub(crate) texts: Vec<Span>,
    pub(crate) body: Bytes,
}

/// A body is not what an API of the dialect answers. It is no answer that can be passed on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the answer is not a JSON object: {problem}; it begins with `{beginning}`")]
pub struct AnswerError {
    /// What is wrong, and where.
    pub problem: String,
    /// Its first characters.
    pub beginning: String,
}

// === impl Answer ===

impl Answer {
    /// An answer that says nothing.
    pub(crate) fn empty(body: &Bytes) -> Answer {
        Answer {
            model: None,
            served: Served::new(),
            usage: Reported::Absent,
            charged: None,
            finish_reason: None,
            error: None,
            tools: Vec::new(),
            texts: Vec::new(),
            body: body.clone(),
        }
    }

    /// What the model wrote, tool calls included, for a count of our own.
    pub fn text(&self) -> String {
        let literals =
            self.texts.iter().map(|span| self.body.get(span.clone()).unwrap_or_default());
        literals.map(|literal| json::decode(str::from_utf8(literal).unwrap_or_default())).collect()
    }
}

// === impl AnswerError ===

impl AnswerError {
    pub(crate) fn new(body: &[u8], problem: String) -> AnswerError {
        let beginning = body.get(..MAX_QUOTED_CHARS).unwrap_or(body);
        AnswerError { problem, beginning: quoted(&String::from_utf8_lossy(beginning)) }
    }
}

/// An answer's body as a document.
pub(crate) fn document(body: &[u8]) -> Result<Json<'_>, AnswerError> {
    let document = Json::parse(body).map_err(|error| AnswerError::new(body, error.to_string()))?;
    match document.kind() {
        Kind::Object => Ok(document),
        _ => Err(AnswerError::new(body, format!("it is {document}"))),
    }
}

/// What the `error` member of an answer or of an event says.
pub(crate) fn error_message(error: Json) -> Option<String> {
    pick!(error => message);
    let said = message.and_then(Json::as_str).or_else(|| error.as_str());
    (!error.is_null()).then(|| quoted(&said.unwrap_or(error.text().into())))
}

/// The beginning of a text that is not ours, fit for one line of a log.
fn quoted(text: &str) -> String {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(MAX_QUOTED_CHARS).map(printable).collect()
}
