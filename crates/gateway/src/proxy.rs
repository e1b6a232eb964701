//! The drop-in routes: HTTP to a call and back.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request as HttpRequest, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, Uri, request};
use axum::response::IntoResponse;
use farthing_core::context::Context;
use farthing_core::id::RequestId;
use farthing_engine::access::NoAccess;
use farthing_engine::client::channel;
use farthing_engine::{Ask, Chunks, Head, Purpose, Receipt, Route, flow};
use farthing_wire::{Dialect, GeminiMethod, GeminiTarget, Request};
use futures_util::stream::poll_fn;
use jiff::SignedDuration;
use tokio::time::timeout;

use crate::caller::PREFIX;
use crate::rejection::{Reason, Rejection};
use crate::repeats::{self, Turn};
use crate::state::Gateway;
use crate::{attribute, caller, savings};

/// How long a client may take to send its body.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Reading a body that is longer than this may take over a millisecond.
const LONG_BODY_BYTES: usize = 512 << 10;

/// Carries out a call that came in a provider's own dialect.
pub async fn call(
    State(gateway): State<Gateway>,
    dialect: Dialect,
    purpose: Purpose,
    request: HttpRequest,
) -> axum::response::Response {
    let id = gateway.new_request_id();
    let answer = answer(&gateway, dialect, purpose, id, request).await;
    let mut response =
        answer.unwrap_or_else(|reason| Rejection { dialect, id, reason }.into_response());
    // A request id is always a header value. A kept answer has that of the request that it was for.
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().entry("x-farthing-request-id").or_insert(value);
    }
    response
}

async fn answer(
    gateway: &Gateway,
    dialect: Dialect,
    purpose: Purpose,
    id: RequestId,
    http: HttpRequest,
) -> Result<axum::response::Response, Reason> {
    let engine = Arc::clone(gateway.engine());
    let place = engine.place()?;
    let (mut head, body) = http.into_parts();
    let (purpose, endpoint) = asked(dialect, purpose, &mut head)?;
    let caller = caller::of_call(gateway, &head.headers)?;
    let route = route(gateway, dialect, &head.headers)?;
    let reading = read(body, gateway.settings().max_body_bytes);
    let body = timeout(READ_TIMEOUT, reading).await.map_err(|_| Reason::BodyLate)??;
    let came_at = engine.now();
    let request = Arc::new(parse(dialect, head.uri.path().to_owned(), body).await?);
    caller.may_call(&route.at(0).provider, &request.model).map_err(NoAccess::from)?;
    let who = attribute::who(&caller, &head.headers, &request)?;
    let turn =
        (purpose == Purpose::Answer).then(|| engine.join(who.clone(), &request, id, came_at));
    let who = turn.as_ref().map_or(who, |turn| turn.who.clone());
    let mode = savings::mode(engine.savings(), &head.headers)?;
    let ask = Ask { request, purpose, mode, endpoint, headers: head.headers, route, turn };
    let first = match repeats::key(&ask.headers) {
        None => None,
        Some(key) => match gateway.repeats().turn(&engine, &who, key, &ask, id).await? {
            Turn::Kept(answer) => return Ok(answer),
            Turn::First(first) => Some(first),
        },
    };
    let (client, answering) = channel();
    let ctx = Context::new(who, id, came_at);
    tokio::spawn(async move { flow::run(&engine, place, ctx, ask, client).await });
    let mut answering = match first {
        None => answering,
        Some(first) => first.record(answering),
    };
    let head = (&mut answering.head).await.map_err(|_| Reason::Vanished)??;
    Ok(respond(head, answering.chunks))
}

/// Whom to call: the provider that the request names, else the first that speaks the dialect.
fn route(gateway: &Gateway, dialect: Dialect, headers: &HeaderMap) -> Result<Route, Reason> {
    let named = headers.get("x-farthing-provider");
    let named = named.map(|name| String::from_utf8_lossy(name.as_bytes()));
    let routes = &gateway.settings().routes;
    let mut speaking = routes.iter().filter(|route| route.at(0).dialect.api() == dialect.api());
    let found = match &named {
        None => speaking.next(),
        Some(name) => speaking.find(|route| route.at(0).provider.as_str() == name),
    };
    found.cloned().ok_or_else(|| Reason::UnknownProvider {
        named: named.map(|name| name.chars().take(64).collect()),
        known: routes.iter().map(|route| route.at(0).provider.clone()).collect(),
    })
}

/// The whole body, up to the limit.
async fn read(body: Body, limit: usize) -> Result<Bytes, Reason> {
    to_bytes(body, limit).await.map_err(|error| {
        let source = std::error::Error::source(&error);
        let too_long = source.is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
        if too_long { Reason::BodyTooLong { limit } } else { Reason::BodyBroken(error.to_string()) }
    })
}

/// Reads the request; a long one away from the async threads.
async fn parse(dialect: Dialect, path: String, body: Bytes) -> Result<Request, Reason> {
    if body.len() < LONG_BODY_BYTES {
        return Ok(dialect.parse_at(&path, body)?);
    }
    let parsed = tokio::task::spawn_blocking(move || dialect.parse_at(&path, body)).await;
    Ok(parsed.map_err(|_| Reason::Vanished)??)
}

/// What is asked for, and at which of the provider's endpoints, with the client's query.
fn asked(
    dialect: Dialect,
    purpose: Purpose,
    head: &mut request::Parts,
) -> Result<(Purpose, String), Reason> {
    let query = head.uri.query().map_or_else(String::new, |query| format!("?{query}"));
    match dialect {
        Dialect::OpenAiChat
        | Dialect::OpenAiResponses
        | Dialect::OpenAiEmbeddings
        | Dialect::Anthropic => {
            let counting = if purpose == Purpose::CountTokens { "/count_tokens" } else { "" };
            let query = without_our_keys(&query);
            Ok((purpose, format!("{}{counting}{query}", dialect.path())))
        }
        Dialect::Gemini => {
            let target = GeminiTarget::of(head.uri.path()).ok_or(Reason::NotOfGemini)?;
            let purpose = match target.method {
                GeminiMethod::CountTokens => Purpose::CountTokens,
                GeminiMethod::Generate | GeminiMethod::Stream => Purpose::Answer,
            };
            let last = head.uri.path().rsplit('/').next().unwrap_or_default().to_owned();
            let query = key_into_header(&query, &mut head.headers);
            Ok((purpose, format!("{}/{last}{query}", dialect.path())))
        }
    }
}

/// The query without a `key`, which is a secret: it goes into the header that is for it.
fn key_into_header(query: &str, headers: &mut HeaderMap) -> String {
    let (keys, kept): (Vec<_>, Vec<_>) = pairs(query).partition(|pair| pair.starts_with("key="));
    for key in keys.iter().filter_map(|pair| pair.strip_prefix("key=")) {
        if let Ok(mut key) = HeaderValue::from_str(key) {
            key.set_sensitive(true);
            headers.entry("x-goog-api-key").or_insert(key);
        }
    }
    without_our_keys(&kept.join("&"))
}

/// The query without any key of ours, which is no provider's business.
fn without_our_keys(query: &str) -> String {
    let is_ours = |pair: &&str| pair.split('=').skip(1).any(|value| value.starts_with(PREFIX));
    let kept: Vec<_> = pairs(query).filter(|pair| !is_ours(pair)).collect();
    if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) }
}

fn pairs(query: &str) -> impl Iterator<Item = &str> {
    query.trim_start_matches('?').split('&').filter(|pair| !pair.is_empty())
}

/// `GET /v1/models`: the provider's own list, in the dialect that the client speaks.
pub async fn models(
    state: State<Gateway>,
    uri: Uri,
    headers: HeaderMap,
) -> axum::response::Response {
    let speaks_anthropic = headers.contains_key("anthropic-version");
    let dialect = if speaks_anthropic { Dialect::Anthropic } else { Dialect::OpenAiChat };
    list_models(state, dialect, uri, headers).await
}

/// `GET /v1beta/models`: the same of Gemini's API.
pub async fn gemini_models(
    state: State<Gateway>,
    uri: Uri,
    headers: HeaderMap,
) -> axum::response::Response {
    list_models(state, Dialect::Gemini, uri, headers).await
}

async fn list_models(
    State(gateway): State<Gateway>,
    dialect: Dialect,
    uri: Uri,
    mut headers: HeaderMap,
) -> axum::response::Response {
    let query = key_into_header(uri.query().unwrap_or_default(), &mut headers);
    let endpoint = format!("/models{query}");
    let listed = async {
        caller::of_call(&gateway, &headers)?;
        let route = route(&gateway, dialect, &headers)?;
        Ok(gateway.engine().look_up(route.at(0), &endpoint, &headers).await?)
    };
    match listed.await {
        Ok((status, headers, body)) => (status, headers, body).into_response(),
        Err(reason) => Rejection { dialect, id: gateway.new_request_id(), reason }.into_response(),
    }
}

/// The provider's answer as the client shall see it, with what it came to beside it.
fn respond(head: Head, mut chunks: Chunks) -> axum::response::Response {
    let body = match head.body {
        Some(whole) => Body::from(whole),
        None => Body::from_stream(poll_fn(move |cx| chunks.poll_next(cx))),
    };
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    let headers = response.headers_mut();
    if let Some(changed) = &head.terms {
        set(headers, "x-farthing-max-tokens", changed.limit.map(|limit| limit.to_string()));
        set(headers, "x-farthing-downgraded-to", changed.model.as_ref().map(ToString::to_string));
    }
    if let Some(receipt) = &head.receipt {
        describe(receipt, headers);
    }
    response
}

/// The receipt as headers. What is unknown has no header; it is never zero.
fn describe(receipt: &Receipt, headers: &mut HeaderMap) {
    let mut set = |name: &'static str, value: Option<String>| set(headers, name, value);
    set("x-farthing-budget-remaining-usd", receipt.room.map(|room| room.to_string()));
    set("x-farthing-overhead-ms", Some(in_ms(receipt.overhead)));
    for (name, value) in savings::headers(receipt.saved) {
        set(name, value);
    }
    let Some(bill) = &receipt.bill else { return };
    set("x-farthing-cost-usd", bill.cost.usd.map(|usd| usd.to_string()));
    set("x-farthing-cost-status", Some(bill.cost.status.name().to_owned()));
    set("x-farthing-tokens-input", Some(bill.usage.prompt().to_string()));
    set("x-farthing-tokens-cached", Some(bill.usage.cached().to_string()));
    set("x-farthing-tokens-output", Some(bill.usage.completion().to_string()));
}

fn set(headers: &mut HeaderMap, name: &'static str, value: Option<String>) {
    if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// Milliseconds, with microseconds behind the point.
fn in_ms(duration: SignedDuration) -> String {
    let micros = duration.as_micros().max(0);
    format!("{}.{:03}", micros / 1_000, micros % 1_000)
}
