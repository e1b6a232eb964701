//! Anthropic's dialect: a request's bytes in, a [`Reply`] out. No input and output, no time.

mod caching;
mod error;
mod events;
mod message;
mod models;
mod prompt;
mod request;
mod usage;

use std::sync::PoisonError;

use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use serde::Serialize;

use self::{error::ApiError, prompt::Prompt, request::MessagesRequest};
use crate::{
    answer::Answer,
    reply::{Reply, json, response},
    server::{Received, Server},
    tokenizer::Encoding,
};

/// The vocabulary that stands in for Claude's, which is not public. Answers are written, cut and
/// billed in its tokens, [prompts](prompt) in more.
const VOCABULARY: Encoding = Encoding::O200k;

/// Answers any request.
pub(crate) fn answer(server: &Server, received: &Received) -> Reply {
    route(server, received).unwrap_or_else(|error| error.reply(received.number))
}

/// An error of this status that request `number` is not the cause of.
pub(crate) fn failure(status: StatusCode, number: u64) -> Reply {
    ApiError::of(status).reply(number)
}

/// The event of a stream that fails on its way.
pub(crate) fn error_event() -> Bytes {
    ApiError::overloaded().event()
}

fn route(server: &Server, received: &Received) -> Result<Reply, ApiError> {
    let (method, path) = (received.head.method.as_str(), received.head.uri.path());
    if matches!((method, path), ("GET" | "HEAD", "/")) {
        return Ok(Reply::free(response(StatusCode::OK, "text/plain", Bytes::new())));
    }
    authenticate(&received.head.headers)?;
    match (method, path) {
        ("POST", "/v1/messages") => messages(server, received),
        ("POST", "/v1/messages/count_tokens") => count_tokens(received),
        ("GET", "/v1/models") => Ok(Reply::free(json(StatusCode::OK, &models::list()))),
        _ => Err(ApiError::unknown_route(method, path)),
    }
}

/// Any key will do, as long as there is one.
fn authenticate(headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text(header::AUTHORIZATION.as_str()).and_then(|v| v.strip_prefix("Bearer "));
    let keys = [text("x-api-key"), bearer];
    let has_key = keys.into_iter().flatten().any(|key| !key.trim().is_empty());
    if has_key { Ok(()) } else { Err(ApiError::no_key()) }
}

fn messages(server: &Server, received: &Received) -> Result<Reply, ApiError> {
    let request = MessagesRequest::parse(&received.body)?;
    let max_tokens = request.max_tokens.ok_or_else(|| ApiError::missing("max_tokens"))?;
    let prompt = Prompt::new(&request);
    let mut cache = server.cache.lock().unwrap_or_else(PoisonError::into_inner);
    let usage = caching::admit(&mut cache, &prompt);
    drop(cache);
    let turn = server.script.turn(&request.model, request.assistant_turns(), |name| {
        request.tools.iter().any(|tool| tool.name() == Some(name))
    });
    let answer = Answer::compose(turn, prompt.hash(), VOCABULARY, max_tokens.get());
    let head = message::Head::new(received.number, models::snapshot(&request.model));
    let fault = received.usage_fault();
    Ok(if request.streamed {
        events::stream(&head, &answer, usage, fault)
    } else {
        message::whole(&head, &answer, usage, fault)
    })
}

#[derive(Serialize)]
struct TokenCount {
    input_tokens: u64,
}

fn count_tokens(received: &Received) -> Result<Reply, ApiError> {
    let request = MessagesRequest::parse(&received.body)?;
    let count = TokenCount { input_tokens: Prompt::new(&request).tokens() };
    Ok(Reply::free(json(StatusCode::OK, &count)))
}
