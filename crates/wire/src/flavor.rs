//! Answers of every API whose usage can be read: those of the dialects, and of others that nobody
//! speaks through us.

use bytes::Bytes;
use farthing_core::usage::Bucket;
use thiserror::Error;

use crate::answer::{Answer, AnswerError};
use crate::dialect::Dialect;
use crate::stream::{EventReader, StreamReader};
use crate::{bedrock, cohere, openai};

/// What an answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavor {
    /// As in a dialect.
    Spoken(Dialect),
    /// Amazon Bedrock's Converse.
    BedrockConverse,
    /// Cohere's.
    Cohere,
    /// OpenAI's images.
    OpenAiImages,
    /// The end of a turn of OpenAI's realtime API.
    OpenAiRealtime,
    /// Mistral's reading of documents.
    MistralOcr,
    /// Mistral's reading of documents, with notes on each page.
    MistralOcrAnnotated,
}

/// A flavour is none of a provider's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{flavor}` is no API of {provider} whose usage can be read; use {KNOWN}")]
pub struct UnknownFlavor {
    /// The flavour.
    pub flavor: String,
    /// The provider.
    pub provider: String,
}

const KNOWN: &str = "default, sse, chat, completions, responses, embeddings, anthropic, converse, \
                     invoke, images, realtime or ocr";

// === impl Flavor ===

impl Flavor {
    /// The flavour of a provider's API by the name that catalogs give it: `default` is the
    /// provider's own, and `sse` a stream of it. Who is not named answers as OpenAI's chat
    /// completions do.
    ///
    /// # Errors
    /// [`UnknownFlavor`] where no API is called so.
    pub fn of(provider: &str, flavor: &str) -> Result<Flavor, UnknownFlavor> {
        Ok(match (flavor, provider) {
            ("default" | "sse", "anthropic" | "minimax") => Flavor::Spoken(Dialect::Anthropic),
            ("default" | "sse", "google") => Flavor::Spoken(Dialect::Gemini),
            ("default" | "sse", "openrouter") => Flavor::Spoken(Dialect::OpenAiResponses),
            ("default" | "sse", "voyageai") => Flavor::Spoken(Dialect::OpenAiEmbeddings),
            ("default" | "sse", "aws") | ("converse", _) => Flavor::BedrockConverse,
            ("default" | "sse" | "tokens" | "embeddings" | "rerank", "cohere") => Flavor::Cohere,
            ("default" | "sse" | "chat" | "completions", _) => Flavor::Spoken(Dialect::OpenAiChat),
            ("anthropic" | "messages" | "invoke", _) => Flavor::Spoken(Dialect::Anthropic),
            ("gemini" | "generateContent", _) => Flavor::Spoken(Dialect::Gemini),
            ("responses", _) => Flavor::Spoken(Dialect::OpenAiResponses),
            ("embeddings", _) => Flavor::Spoken(Dialect::OpenAiEmbeddings),
            ("images", _) => Flavor::OpenAiImages,
            ("realtime", _) => Flavor::OpenAiRealtime,
            ("ocr", _) => Flavor::MistralOcr,
            ("ocr_annotated", _) => Flavor::MistralOcrAnnotated,
            _ => {
                let (flavor, provider) = (flavor.to_owned(), provider.to_owned());
                return Err(UnknownFlavor { flavor, provider });
            }
        })
    }

    /// Reads an answer that came in one piece, or no more of one than its model and usage.
    ///
    /// # Errors
    /// [`AnswerError`] where it is no answer of an API at all.
    pub fn read_answer(self, body: &Bytes) -> Result<Answer, AnswerError> {
        match self {
            Flavor::Spoken(dialect) => dialect.read_answer(body),
            Flavor::BedrockConverse => bedrock::read(body),
            Flavor::Cohere => cohere::read(body),
            Flavor::OpenAiImages => openai::other::read_images(body),
            Flavor::OpenAiRealtime => openai::other::read_realtime(body),
            Flavor::MistralOcr => openai::other::read_ocr(body, Bucket::Pages),
            Flavor::MistralOcrAnnotated => openai::other::read_ocr(body, Bucket::AnnotatedPages),
        }
    }

    /// Reads an answer that comes as a stream, where this flavour has any.
    pub fn stream_reader(self) -> Option<StreamReader> {
        let read: EventReader = match self {
            Flavor::Spoken(dialect) => return Some(dialect.stream_reader(false)),
            Flavor::BedrockConverse => bedrock::read_event,
            Flavor::Cohere => cohere::read_event,
            Flavor::OpenAiRealtime => openai::other::read_realtime_event,
            Flavor::OpenAiImages => openai::other::read_images_event,
            Flavor::MistralOcr | Flavor::MistralOcrAnnotated => return None,
        };
        Some(StreamReader::of_events(read))
    }

    /// The member of an answer that tells of usage.
    pub const fn usage_member(self) -> &'static str {
        match self {
            Flavor::Spoken(Dialect::Gemini) => "usageMetadata",
            Flavor::MistralOcr | Flavor::MistralOcrAnnotated => "usage_info",
            _ => "usage",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flavor_is_its_providers() {
        let chat = Ok(Flavor::Spoken(Dialect::OpenAiChat));
        assert_eq!(Flavor::of("groq", "default"), chat);
        assert_eq!(Flavor::of("azure", "chat"), chat);
        assert_eq!(Flavor::of("aws", "sse"), Ok(Flavor::BedrockConverse));
        assert_eq!(Flavor::of("aws", "anthropic"), Ok(Flavor::Spoken(Dialect::Anthropic)));
        let unknown = Flavor::of("openai", "smoke").unwrap_err();
        assert!(unknown.to_string().starts_with("`smoke` is no API of openai"), "{unknown}");
    }
}
