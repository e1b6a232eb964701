//! The request as it goes to a provider, and sending it.

use bytes::Bytes;
use farthing_upstream::Deployment;
use http::StatusCode;
use memchr::memmem;

use crate::call::{Ask, Called};
use crate::client::Client;
use crate::engine::{Engine, OnDisconnect, Parts};
use crate::meter::MAX_REFUSAL_BYTES;
use crate::terms::Terms;

/// The request as it goes to a provider.
pub(crate) struct Outgoing {
    /// With all that was optimized, and nothing else.
    plain: Bytes,
    /// The same, asking for a stream's usage on the client's behalf, where it does not ask itself.
    asking: Option<Bytes>,
}

// === impl Outgoing ===

impl Outgoing {
    /// A request on terms that may be other than the client's.
    pub(crate) fn of(ask: &Ask, deployment: &Deployment, terms: &Terms) -> Outgoing {
        let dialect = ask.request.dialect;
        // OpenAI's own models want the newer name of the limit, others may know only the older.
        let older = !matches!(deployment.prices.as_str(), "openai" | "azure");
        let changed = |body: Bytes| {
            let is_other = terms.model != ask.request.model;
            let renamed = is_other.then(|| dialect.of_model(&body, terms.model.as_str())).flatten();
            let body = renamed.unwrap_or(body);
            let limited = terms.limit.and_then(|limit| dialect.limited(&body, limit, older));
            limited.unwrap_or(body)
        };
        let outgoing = ask.request.outgoing();
        let asking = outgoing.usage_added.then_some(outgoing.body);
        Outgoing { plain: changed(ask.request.prompt.body.clone()), asking: asking.map(changed) }
    }
}

/// Sends a body, asking for a stream's usage unless the provider takes offence at that.
pub(crate) async fn send(
    engine: &Engine,
    ask: &Ask,
    outgoing: &Outgoing,
    deployment: &Deployment,
    client: &Client,
) -> (Called, bool) {
    let asking = outgoing.asking.as_ref().filter(|_| deployment.may_ask_usage());
    let mut called = post(engine, ask, deployment, asking.unwrap_or(&outgoing.plain), client).await;
    let mut strip = asking.is_some();
    if strip && refuses_usage(&mut called).await {
        // A 400 bills nothing, so the same hold serves for the client's own words.
        called = post(engine, ask, deployment, &outgoing.plain, client).await;
        strip = false;
        if matches!(&called, Called::Answering(answer) if answer.status.is_success()) {
            deployment.refused_usage();
        }
    }
    (called, strip)
}

/// Whether the provider cannot read a request, or does not take one of its size. That bills nothing.
pub(crate) fn refuses_body(called: &Called) -> bool {
    let refusals =
        [StatusCode::BAD_REQUEST, StatusCode::PAYLOAD_TOO_LARGE, StatusCode::UNPROCESSABLE_ENTITY];
    matches!(called, Called::Answering(answer) if refusals.contains(&answer.status))
}

async fn post(
    engine: &Engine,
    ask: &Ask,
    deployment: &Deployment,
    body: &Bytes,
    client: &Client,
) -> Called {
    let Parts { upstream, limits, .. } = &engine.parts;
    tokio::select! {
        biased;
        () = client.left(), if limits.on_disconnect == OnDisconnect::Cancel => Called::Abandoned,
        answer = upstream.post(deployment, &ask.endpoint, &ask.headers, body.clone()) => {
            answer.map_or_else(Called::Failed, Called::Answering)
        }
    }
}

/// Whether the provider takes offence at being asked for a stream's usage.
async fn refuses_usage(called: &mut Called) -> bool {
    let Called::Answering(answer) = called else { return false };
    if answer.status != StatusCode::BAD_REQUEST {
        return false;
    }
    match answer.body.peek(MAX_REFUSAL_BYTES).await {
        Ok(refusal) => memmem::find(refusal, b"stream_options").is_some(),
        Err(error) => {
            *called = Called::Failed(error);
            false
        }
    }
}
