//! Which dialect something is written in, where only an address, a name or the thing itself says.

use std::path::Path;

use anyhow::{Result, anyhow};
use bytes::Bytes;
use farthing_wire::{Dialect, GeminiTarget, InvalidDialect, Request};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::input;

/// The dialect of an endpoint's address.
///
/// # Errors
/// Where none of ours is spoken there.
pub(super) fn of_uri(uri: &str) -> Result<Dialect, String> {
    let path = uri.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    if GeminiTarget::of(path).is_some() {
        return Ok(Dialect::Gemini);
    }
    // What is to be counted is written as what is to be answered.
    let path = path.strip_suffix("/count_tokens").unwrap_or(path);
    let spoken = Dialect::ALL.iter().find(|dialect| path.ends_with(dialect.path()));
    spoken.copied().ok_or_else(|| {
        let known: Vec<_> = Dialect::ALL.iter().map(|dialect| dialect.path()).collect();
        format!("the API of `{uri}` is none of ours, which are {}", known.join(", "))
    })
}

/// The dialect of what a provider answers, by how cases of prices call it: `default` is the
/// provider's own, and `sse` a stream of it.
///
/// # Errors
/// Where it is none of ours.
pub(super) fn of_flavor(provider: &str, flavor: &str) -> Result<Dialect, String> {
    let name = match (flavor, provider) {
        ("chat", _) => "openai",
        ("default" | "sse", "anthropic" | "aws" | "cohere") => provider,
        ("default" | "sse", "google") => "gemini",
        ("default" | "sse", "openrouter") => "responses",
        // Everyone else answers as OpenAI's chat completions do.
        ("default" | "sse", _) => "openai",
        (other, _) => other,
    };
    named(name).map_err(|error| format!("api_flavor `{flavor}` of {provider}: {error}"))
}

/// The dialect of this name or, as cases spell it, of this endpoint.
fn named(name: &str) -> Result<Dialect, InvalidDialect> {
    let path = |dialect: &&Dialect| dialect.path().strip_prefix('/') == Some(name);
    Dialect::ALL.iter().find(path).copied().map_or_else(|| name.parse(), Ok)
}

/// Reads a request, in the dialect that it is said to be in, was sent to or looks like.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(
    dialect: Option<Dialect>,
    uri: Option<&str>,
    body: Bytes,
) -> Result<Request, String> {
    let spoken = dialect.map(Ok).or_else(|| uri.map(of_uri));
    let dialect = spoken.unwrap_or_else(|| of_body(&body))?;
    let path = uri.unwrap_or(dialect.path());
    dialect.parse_at(path, body).map_err(|error| error.to_string())
}

/// Reads the request in a file.
pub(super) fn open(dialect: Option<Dialect>, file: &Path) -> Result<Request> {
    let request = parse(dialect, None, input::body(file)?.into());
    request.map_err(|reason| anyhow!("{}: {reason}", input::name(file)))
}

/// What tells requests of one dialect from those of another.
#[derive(Default, Deserialize)]
struct Shape {
    model: Option<String>,
    messages: Option<Vec<MessageShape>>,
    /// Responses.
    input: Option<IgnoredAny>,
    /// Gemini.
    contents: Option<IgnoredAny>,
    /// Anthropic keeps instructions apart from messages.
    system: Option<IgnoredAny>,
    #[serde(default)]
    tools: Vec<ToolShape>,
}

#[derive(Deserialize)]
struct MessageShape {
    role: Option<String>,
}

#[derive(Deserialize)]
struct ToolShape {
    /// Anthropic's name for what others call `parameters`.
    input_schema: Option<IgnoredAny>,
}

fn of_body(body: &[u8]) -> Result<Dialect, String> {
    // What has another shape altogether is OpenAI's to refuse, by the member that is to blame.
    let shape: Shape = serde_json::from_slice(body).unwrap_or_default();
    // Anthropic knows no other roles, and OpenAI no such model; who resells it may speak either.
    let roles = shape.messages.iter().flatten().filter_map(|message| message.role.as_deref());
    let is_claude = shape.model.is_some_and(|model| model.contains("claude"))
        && roles.into_iter().all(|role| matches!(role, "user" | "assistant"));
    let is_anthropic = is_claude
        || shape.system.is_some()
        || shape.tools.iter().any(|tool| tool.input_schema.is_some());
    let name = match (shape.messages, shape.contents, shape.input) {
        (Some(_), ..) if is_anthropic => "anthropic",
        (None, Some(_), _) => "gemini",
        (None, None, Some(_)) => "responses",
        _ => "openai",
    };
    named(name).map_err(|error| format!("the request looks like one for `{name}`: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_tells_its_dialect_by_its_end() {
        for uri in [
            "https://api.openai.com/v1/chat/completions",
            "https://api.z.ai/api/paas/v4/chat/completions?a=b",
            "/v1/chat/completions/",
        ] {
            assert_eq!(of_uri(uri), Ok(Dialect::OpenAiChat), "{uri}");
        }
        let counted = "https://api.anthropic.com/v1/messages/count_tokens?beta=true";
        assert_eq!(of_uri(counted), Ok(Dialect::Anthropic));
        let gemini = "https://g.example/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse";
        assert_eq!(of_uri(gemini), Ok(Dialect::Gemini));
        assert_eq!(of_uri("https://api.openai.com/v1/responses"), Ok(Dialect::OpenAiResponses));
        let error = of_uri("https://api.openai.com/v1/responses/compact").unwrap_err();
        assert!(
            error.contains("responses/compact") && error.contains("/chat/completions"),
            "{error}"
        );
    }

    #[test]
    fn a_body_tells_its_dialect_by_its_shape() {
        let openai = |body: &str| of_body(body.as_bytes()) == Ok(Dialect::OpenAiChat);
        assert!(openai(r#"{"model":"gpt-4.1","messages":[],"tools":[{"type":"function"}]}"#));
        assert!(openai("[]") && openai("{"));
        assert!(!openai(r#"{"model":"x","messages":[],"system":"y"}"#));
        assert!(!openai(r#"{"model":"x","messages":[],"tools":[{"input_schema":{}}]}"#));
        assert!(!openai(r#"{"model":"claude-x","messages":[{"role":"user"}]}"#));
        assert!(openai(r#"{"model":"claude-x","messages":[{"role":"system"}]}"#));
        assert_eq!(of_body(br#"{"contents":[]}"#), Ok(Dialect::Gemini));
        assert_eq!(of_body(br#"{"input":"x"}"#), Ok(Dialect::OpenAiResponses));
    }

    #[test]
    fn a_flavor_is_its_providers() {
        assert_eq!(of_flavor("groq", "default"), Ok(Dialect::OpenAiChat));
        assert_eq!(of_flavor("azure", "chat"), Ok(Dialect::OpenAiChat));
        assert_ne!(of_flavor("google", "default"), Ok(Dialect::OpenAiChat));
        let error = of_flavor("openai", "smoke").unwrap_err();
        assert!(
            error.contains("`smoke` of openai") && error.contains("the dialects are"),
            "{error}"
        );
    }
}
