//! The [Gemini API](https://ai.google.dev/api/generate-content): a request's bytes in, a [`Reply`]
//! out. No input and output, no time.

mod content;
mod error;
mod request;

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::PoisonError,
};

use axum::http::{HeaderMap, StatusCode, Uri, header};
use bytes::Bytes;
use serde_json::json;

use self::{content::Head, error::ApiError, request::ContentRequest};
use crate::{
    Usage,
    answer::Answer,
    prefix,
    reply::{Reply, json as response},
    server::{Received, Server},
    tokenizer::Encoding,
};

/// The vocabulary that stands in for Gemini's.
const VOCABULARY: Encoding = Encoding::O200k;
const ROOT: &str = "/v1beta/models";
/// The models that are listed; any whose name begins with `gemini-` answers.
const MODELS: [&str; 5] = [
    "gemini-2.5-flash",
    "gemini-2.5-flash-lite",
    "gemini-2.5-pro",
    "gemini-3-flash-preview",
    "gemini-3-pro-preview",
];

/// Answers any request.
pub(crate) fn answer(server: &Server, received: &Received) -> Reply {
    route(server, received).unwrap_or_else(|error| error.reply())
}

/// An error of this status that no request is the cause of.
pub(crate) fn failure(status: StatusCode) -> Reply {
    ApiError::of(status).reply()
}

/// What ends a stream that fails on its way.
pub(crate) fn error_event(in_array: bool) -> Bytes {
    ApiError::of(StatusCode::INTERNAL_SERVER_ERROR).event(in_array)
}

/// Whether a stream is wanted as server-sent events; without that it is a JSON array.
pub(crate) fn asks_for_events(uri: &Uri) -> bool {
    query(uri).any(|pair| pair == ("alt", "sse"))
}

fn route(server: &Server, received: &Received) -> Result<Reply, ApiError> {
    let (method, uri) = (received.head.method.as_str(), &received.head.uri);
    authenticate(&received.head.headers, uri)?;
    let target = uri.path().strip_prefix(ROOT).unwrap_or_default();
    let (model, action) = target.trim_start_matches('/').rsplit_once(':').unwrap_or_default();
    if !model.is_empty() && !model.starts_with("gemini-") {
        return Err(ApiError::not_found(format!("there is no model `{model}`")));
    }
    match (method, action) {
        ("GET", "") if target.is_empty() => Ok(Reply::free(response(StatusCode::OK, &models()))),
        ("POST", "generateContent") => generate(server, received, model, false),
        ("POST", "streamGenerateContent") => generate(server, received, model, true),
        ("POST", "countTokens") => count(received),
        _ => Err(ApiError::not_found(format!("nothing is served at {method} {}", uri.path()))),
    }
}

/// Any key will do, as long as there is one.
fn authenticate(headers: &HeaderMap, uri: &Uri) -> Result<(), ApiError> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text(header::AUTHORIZATION.as_str()).and_then(|v| v.strip_prefix("Bearer "));
    let in_query = query(uri).find_map(|(name, value)| (name == "key").then_some(value));
    let keys = [text("x-goog-api-key"), bearer, in_query];
    let has_key = keys.into_iter().flatten().any(|key| !key.trim().is_empty());
    if has_key { Ok(()) } else { Err(ApiError::no_key()) }
}

fn query(uri: &Uri) -> impl Iterator<Item = (&str, &str)> {
    uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='))
}

fn generate(
    server: &Server,
    received: &Received,
    model: &str,
    streamed: bool,
) -> Result<Reply, ApiError> {
    let request = ContentRequest::parse(&received.body)?;
    let prompt = request.prompt();
    let mut cache = server.cache.lock().unwrap_or_else(PoisonError::into_inner);
    let cached_tokens = prefix::admit(&mut cache, model, &prompt);
    drop(cache);
    let usage = Usage { prompt_tokens: prompt.len() as u64, cached_tokens, ..Usage::default() };
    let mut seed = DefaultHasher::new();
    (model, &prompt).hash(&mut seed);
    let turn = server.script.turn(model, request.model_turns(), |name| request.offers(name));
    let answer = Answer::compose(turn, seed.finish(), VOCABULARY, request.output_tokens_max());
    let head = Head { number: received.number, model, prompt: usage };
    let fault = received.usage_fault();
    Ok(if streamed {
        content::stream(&head, &answer, fault, !asks_for_events(&received.head.uri))
    } else {
        content::whole(&head, &answer, fault)
    })
}

fn count(received: &Received) -> Result<Reply, ApiError> {
    let tokens = ContentRequest::parse(&received.body)?.prompt().len();
    let details = [json!({ "modality": "TEXT", "tokenCount": tokens })];
    let count = json!({ "totalTokens": tokens, "promptTokensDetails": details });
    Ok(Reply::free(response(StatusCode::OK, &count)))
}

fn models() -> serde_json::Value {
    let model = |name: &&str| {
        json!({
            "name": format!("models/{name}"),
            "displayName": name,
            "supportedGenerationMethods": ["generateContent", "countTokens"],
        })
    };
    json!({ "models": MODELS.iter().map(model).collect::<Vec<_>>() })
}
