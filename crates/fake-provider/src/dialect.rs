//! The APIs that are spoken, and how they are told apart.

use axum::http::{StatusCode, request::Parts};
use bytes::Bytes;

use crate::{
    anthropic, gemini, openai,
    reply::Reply,
    server::{Received, Server},
};

/// Whose API a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Anthropic,
    /// Of a stream, whether it is an array in place of server-sent events.
    Gemini {
        in_array: bool,
    },
    OpenAi,
    OpenAiResponses,
}

impl Dialect {
    /// By the path; where both serve it, as the models, by the header that Anthropic asks for.
    pub(crate) fn of(request: &Parts) -> Self {
        match request.uri.path() {
            "/v1/chat/completions" => Self::OpenAi,
            "/v1/responses" => Self::OpenAiResponses,
            path if path.starts_with("/v1beta/") => {
                Self::Gemini { in_array: !gemini::asks_for_events(&request.uri) }
            }
            "/" => Self::Anthropic,
            path if path.starts_with("/v1/messages") => Self::Anthropic,
            _ if request.headers.contains_key("anthropic-version") => Self::Anthropic,
            _ => Self::OpenAi,
        }
    }

    /// Answers any request.
    pub(crate) fn answer(self, server: &Server, received: &Received) -> Reply {
        match self {
            Self::Anthropic => anthropic::answer(server, received),
            Self::Gemini { .. } => gemini::answer(server, received),
            Self::OpenAi | Self::OpenAiResponses => openai::answer(server, received),
        }
    }

    /// An error of this status that request `number` is not the cause of.
    pub(crate) fn failure(self, status: StatusCode, number: u64) -> Reply {
        match self {
            Self::Anthropic => anthropic::failure(status, number),
            Self::Gemini { .. } => gemini::failure(status),
            Self::OpenAi | Self::OpenAiResponses => openai::failure(status),
        }
    }

    /// The event of a stream that fails on its way.
    pub(crate) fn error_event(self) -> Bytes {
        match self {
            Self::Anthropic => anthropic::error_event(),
            Self::Gemini { in_array } => gemini::error_event(in_array),
            Self::OpenAi => openai::error_event(),
            Self::OpenAiResponses => openai::responses_error_event(),
        }
    }

    /// An answer that ends in the middle.
    pub(crate) fn half_answer(self) -> &'static str {
        match self {
            Self::Anthropic => r#"{"model":"claude-0","id":"msg_0","type":"mess"#,
            Self::Gemini { .. } => r#"{"candidates":[{"content":{"parts":[{"te"#,
            Self::OpenAi => r#"{"id":"chatcmpl-0","object":"chat.compl"#,
            Self::OpenAiResponses => r#"{"id":"resp_0","object":"respo"#,
        }
    }
}
