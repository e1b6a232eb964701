//! The dialects. A new one is a variant here; the matches then show what it has to answer.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::answer::{Answer, AnswerError};
use crate::anthropic;
use crate::error::ErrorBody;
use crate::gemini;
use crate::openai;
use crate::openai_chat;
use crate::openai_embeddings;
use crate::openai_responses;
use crate::request::{Request, RequestError};
use crate::stream::StreamReader;
use crate::terms;

/// A wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Dialect {
    /// OpenAI's chat completions, which most providers speak.
    OpenAiChat,
    /// OpenAI's responses.
    OpenAiResponses,
    /// OpenAI's embeddings.
    OpenAiEmbeddings,
    /// Anthropic's messages, and the counting of their tokens.
    Anthropic,
    /// Google's Gemini API, and the counting of its tokens.
    Gemini,
}

/// A name is no dialect's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a dialect; the dialects are {known}", known = Dialect::names())]
pub struct InvalidDialect(String);

// === impl Dialect ===

impl Dialect {
    /// Every dialect.
    pub const ALL: &[Dialect] = &[
        Dialect::OpenAiChat,
        Dialect::OpenAiResponses,
        Dialect::OpenAiEmbeddings,
        Dialect::Anthropic,
        Dialect::Gemini,
    ];

    /// The name in configuration, ledgers and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Dialect::OpenAiChat => "openai",
            Dialect::OpenAiResponses => "openai_responses",
            Dialect::OpenAiEmbeddings => "openai_embeddings",
            Dialect::Anthropic => "anthropic",
            Dialect::Gemini => "gemini",
        }
    }

    /// The dialect by which the whole API is known that this one is a part of: who speaks OpenAI's
    /// chat completions speaks its responses too, or says so itself.
    pub const fn api(self) -> Dialect {
        match self {
            Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::OpenAiEmbeddings => {
                Dialect::OpenAiChat
            }
            Dialect::Anthropic => Dialect::Anthropic,
            Dialect::Gemini => Dialect::Gemini,
        }
    }

    /// The endpoint, relative to a provider's base URL, which ends in the API's version. In Gemini's
    /// a [`GeminiTarget`](crate::GeminiTarget) follows.
    pub const fn path(self) -> &'static str {
        match self {
            Dialect::OpenAiChat => openai_chat::PATH,
            Dialect::OpenAiResponses => openai_responses::PATH,
            Dialect::OpenAiEmbeddings => openai_embeddings::PATH,
            Dialect::Anthropic => anthropic::PATH,
            Dialect::Gemini => gemini::PATH,
        }
    }

    /// Reads a request that was sent to the dialect's [path](Dialect::path), or anywhere, as long as
    /// all is in its body.
    ///
    /// # Errors
    /// As of [`parse_at`](Dialect::parse_at).
    pub fn parse(self, body: Bytes) -> Result<Request, RequestError> {
        self.parse_at(self.path(), body)
    }

    /// Reads a request that was sent to this path, in which Gemini's have their model. The body is
    /// kept, not copied.
    ///
    /// # Errors
    /// [`RequestError`] where what we need to know is missing or malformed. What only the provider
    /// needs is not looked at.
    pub fn parse_at(self, path: &str, body: Bytes) -> Result<Request, RequestError> {
        match self {
            Dialect::OpenAiChat => openai_chat::request::parse(body),
            Dialect::OpenAiResponses => openai_responses::request::parse(body),
            Dialect::OpenAiEmbeddings => openai_embeddings::parse(body),
            Dialect::Anthropic => anthropic::request::parse(body),
            Dialect::Gemini => gemini::request::parse(body, gemini::Target::of(path)),
        }
    }

    /// Reads an answer that came in one piece, or no more of one than its model and usage. The body
    /// is kept, not copied.
    ///
    /// # Errors
    /// [`AnswerError`] where it is not what the dialect's API answers, such as a proxy's web page.
    pub fn read_answer(self, body: &Bytes) -> Result<Answer, AnswerError> {
        match self {
            Dialect::OpenAiChat => openai_chat::answer::read(body),
            Dialect::OpenAiResponses => openai_responses::answer::read(body),
            Dialect::OpenAiEmbeddings => openai_embeddings::read(body),
            Dialect::Anthropic => anthropic::answer::read(body),
            Dialect::Gemini => gemini::answer::read(body),
        }
    }

    /// Reads an answer that comes as a stream. `strip_usage` takes out again what came only of
    /// [asking for usage](crate::Outgoing::usage_added) on the client's behalf, if anything did.
    pub fn stream_reader(self, strip_usage: bool) -> StreamReader {
        StreamReader::new(self, strip_usage)
    }

    /// A request's body with a limit on the tokens of each answer, in place of the client's where it
    /// has one; all else stays as it is. `older` says that the provider knows OpenAI's limit by its
    /// older name alone. `None` where the dialect has no such limit.
    pub fn limited(self, body: &Bytes, tokens: u64, older: bool) -> Option<Bytes> {
        terms::limited(self, body, tokens, older)
    }

    /// A request's body asking for another model; all else stays as it is. `None` where the model
    /// stands in the address.
    pub fn of_model(self, body: &Bytes, model: &str) -> Option<Bytes> {
        terms::of_model(self, body, model)
    }

    /// An error as this dialect's clients understand it: a JSON body.
    pub fn error_body(self, error: &ErrorBody) -> Bytes {
        match self {
            Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::OpenAiEmbeddings => {
                openai::error::body(error)
            }
            Dialect::Anthropic => anthropic::error::body(error),
            Dialect::Gemini => gemini::error::body(error),
        }
    }

    fn names() -> String {
        let names: Vec<_> = Dialect::ALL.iter().map(|dialect| dialect.name()).collect();
        names.join(", ")
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Dialect {
    type Err = InvalidDialect;

    fn from_str(name: &str) -> Result<Dialect, InvalidDialect> {
        let found = Dialect::ALL.iter().find(|dialect| dialect.name() == name);
        found.copied().ok_or_else(|| InvalidDialect(name.to_owned()))
    }
}

impl TryFrom<String> for Dialect {
    type Error = InvalidDialect;

    fn try_from(name: String) -> Result<Dialect, InvalidDialect> {
        name.parse()
    }
}

impl From<Dialect> for &'static str {
    fn from(dialect: Dialect) -> &'static str {
        dialect.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dialects_are_named_in_configuration() {
        for dialect in Dialect::ALL {
            let json = serde_json::to_string(dialect).unwrap();
            assert_eq!(serde_json::from_str::<Dialect>(&json).unwrap(), *dialect);
            assert_eq!(dialect.to_string().parse(), Ok(*dialect));
        }
        assert_eq!(
            "OpenAI".parse::<Dialect>().unwrap_err().to_string(),
            "`OpenAI` is not a dialect; the dialects are openai, openai_responses, openai_embeddings, anthropic, gemini"
        );
    }
}
