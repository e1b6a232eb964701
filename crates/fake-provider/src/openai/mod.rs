//! OpenAI's dialect: a request's bytes in, a [`Reply`] out. No input and output, no time.

mod chunks;
mod completion;
mod embeddings;
mod error;
mod models;
mod prompt;
mod request;
mod responses;
mod schema;
mod tools;
mod usage;

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::PoisonError,
};

use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;

use self::{completion::Head, error::ApiError, request::ChatRequest};
use crate::{
    Usage,
    answer::Answer,
    prefix,
    reply::{Reply, json},
    server::{Received, Server},
};

/// Answers any request.
pub(crate) fn answer(server: &Server, received: &Received) -> Reply {
    let (method, path) = (received.head.method.as_str(), received.head.uri.path());
    let answered = authenticate(&received.head.headers).and_then(|()| match (method, path) {
        ("POST", "/v1/chat/completions") => chat(server, received),
        ("POST", "/v1/responses") => responses::answer(server, received),
        ("POST", "/v1/embeddings") => embeddings::answer(received),
        ("GET", "/v1/models") => Ok(Reply::free(json(StatusCode::OK, &models::list()))),
        _ => Err(ApiError::unknown_route(method, path)),
    });
    answered.unwrap_or_else(|error| error.reply())
}

/// An error of this status that no request is the cause of.
pub(crate) fn failure(status: StatusCode) -> Reply {
    ApiError::of(status).reply()
}

/// The event of a stream that fails on its way.
pub(crate) fn error_event() -> Bytes {
    ApiError::of(StatusCode::INTERNAL_SERVER_ERROR).event()
}

/// The same of a stream of the responses API.
pub(crate) use responses::error_event as responses_error_event;

/// Any key will do, as long as there is one.
fn authenticate(headers: &HeaderMap) -> Result<(), ApiError> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let key = value.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if key.trim().is_empty() { Err(ApiError::no_key()) } else { Ok(()) }
}

fn chat(server: &Server, received: &Received) -> Result<Reply, ApiError> {
    let request = ChatRequest::parse(&received.body)?;
    if server.refuses_stream_options && request.has_stream_options {
        let message = "unknown field stream_options".to_owned();
        return Err(ApiError::invalid(Some("stream_options"), message));
    }
    let model = models::snapshot(&request.model);
    let prompt = prompt::render(&request);
    let prompt_usage = read(server, model, &prompt);
    let answers = answers(server, &request, &prompt);
    let head = Head::new(received.number, model);
    let fault = received.usage_fault();
    Ok(if request.streamed {
        chunks::stream(&head, &answers, prompt_usage, request.include_usage, fault)
    } else {
        completion::whole(&head, &answers, prompt_usage, fault)
    })
}

/// What it costs that `model` reads `prompt`.
fn read(server: &Server, model: &str, prompt: &[u32]) -> Usage {
    let mut cache = server.cache.lock().unwrap_or_else(PoisonError::into_inner);
    let cached_tokens = prefix::admit(&mut cache, model, prompt);
    Usage { prompt_tokens: prompt.len() as u64, cached_tokens, ..Usage::default() }
}

fn answers(server: &Server, request: &ChatRequest, prompt: &[u32]) -> Vec<Answer> {
    let is_offered = |name: &str| request.functions.iter().any(|function| function.name == name);
    let turn = server.script.turn(&request.model, request.assistant_turns(), is_offered);
    let encoding = models::encoding(&request.model);
    let choices = (0..request.choices).map(|choice| {
        let mut seed = DefaultHasher::new();
        (prompt, choice).hash(&mut seed);
        Answer::compose(turn, seed.finish(), encoding, request.completion_tokens_max)
    });
    choices.collect()
}
