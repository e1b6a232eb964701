//! Reading an answer while it passes.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use farthing_core::id::{ModelId, ProviderId};
use farthing_core::pricing::Served;
use farthing_core::usage::Usage;
use farthing_upstream::{Answer, Body, Breaker, CallError};
use farthing_wire::{ModelUsage, Reported, StreamReader};
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;

use crate::attempts::{Attempt, declined};
use crate::client::{Client, Head};
use crate::engine::Engine;
use crate::failure::Failure;
use crate::flow::{Ask, Purpose};

/// A refusal by a provider is a short text; what is longer is not passed on.
pub(crate) const MAX_REFUSAL_BYTES: usize = 1 << 20;

/// How long to go on reading for the usage when the answer is done and its reader has gone.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// How a call went, up to the end of its answer.
#[derive(Debug)]
pub struct Metered {
    /// What it consumed.
    pub consumed: Consumed,
    /// How it was served.
    pub served: Served,
    /// The model that the provider says has answered.
    pub model: Option<ModelId>,
    /// What the client is still to be given.
    pub reply: Reply,
}

/// What a call consumed, as far as is known.
#[derive(Debug)]
pub enum Consumed {
    /// Certainly nothing, for this reason.
    Nothing(String),
    /// What the provider reported.
    Reported {
        /// What the model consumed that answered.
        own: Usage,
        /// What other models consumed that took part.
        others: Vec<ModelUsage>,
    },
    /// No usable report: the prompt was sent, and this much of an answer was seen.
    Seen {
        /// What the provider reported of the prompt, before it broke off.
        prompt: Option<Usage>,
        /// All text of the answer.
        text: String,
        /// Whether there may have been more.
        cut_short: bool,
    },
}

/// What the client is still to be given.
#[derive(Debug)]
pub enum Reply {
    /// Nothing: it has it all, or has gone.
    Given,
    /// A whole answer, or the provider's own refusal.
    Whole(StatusCode, HeaderMap, Bytes),
    /// Why there is no answer.
    Failed(Failure),
}

/// How a call began, as the step before the meter hands it over.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it is handed over once and never kept")]
pub enum Called {
    /// The provider answers.
    Answering(Answer),
    /// It did not.
    Failed(CallError),
    /// It refuses to be asked for a stream's usage, which the client had not asked for.
    UsageRefused,
    /// The client went away before it did.
    Abandoned,
}

// === impl Metered ===

impl Metered {
    fn new(consumed: Consumed, reply: Reply) -> Metered {
        Metered { consumed, served: Served::new(), model: None, reply }
    }

    /// Reads a call to its end, passing a streamed answer on as it comes.
    pub(crate) async fn read(
        engine: &Engine,
        ask: &Ask,
        attempt: Attempt<'_>,
        called: Called,
        client: &mut Client,
    ) -> Metered {
        let provider = &attempt.deployment.provider;
        let answer = match called {
            Called::Answering(answer) => answer,
            Called::Abandoned | Called::UsageRefused => {
                return Metered::new(Consumed::nothing_seen(), Reply::Given);
            }
            Called::Failed(error) if error.stage.nothing_billed() => {
                let reason = Consumed::Nothing(error.to_string());
                return Metered::new(reason, Reply::Failed(error.into()));
            }
            Called::Failed(error) => {
                return Metered::new(Consumed::nothing_seen(), Reply::Failed(error.into()));
            }
        };
        if !answer.status.is_success() {
            refused(provider, answer).await
        } else if is_event_stream(&answer.headers) {
            streamed(ask, attempt, answer, client).await
        } else {
            whole(ask, provider, answer, engine.parts.limits.answer_bytes).await
        }
    }
}

// === impl Called ===

impl Called {
    /// Tells a deployment's breaker what this says about the provider.
    pub(crate) fn tell(&self, breaker: &Breaker, at: Timestamp) {
        match self {
            Called::Answering(answer) if answer.status.is_server_error() => breaker.failed(at),
            Called::Answering(_) | Called::UsageRefused => breaker.succeeded(),
            Called::Failed(_) => breaker.failed(at),
            // It says nothing: the provider was not given the time.
            Called::Abandoned => {}
        }
    }
}

impl fmt::Display for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Called::Answering(answer) => write!(f, "provider answered {}", answer.status),
            Called::Failed(error) => error.fmt(f),
            Called::UsageRefused => f.write_str("provider refuses to be asked for usage"),
            Called::Abandoned => f.write_str("client went away"),
        }
    }
}

// === impl Consumed ===

impl Consumed {
    /// What a report says, or for want of a usable one what was `seen`: the answer's text, and
    /// whether it was cut short.
    fn of(
        provider: &ProviderId,
        reported: &Reported,
        seen: impl FnOnce() -> (String, bool),
    ) -> Consumed {
        let (prompt, reason) = match reported {
            Reported::Valid(usage) => {
                return Consumed::Reported { own: *usage, others: Vec::new() };
            }
            Reported::Joint { own, others } => {
                return Consumed::Reported { own: *own, others: others.clone() };
            }
            Reported::PromptOnly(usage) => (Some(*usage), None),
            Reported::Absent => (None, None),
            Reported::NoPrompt(_) => (None, Some("it reports a prompt without tokens")),
            Reported::Invalid(reason) => (None, Some(reason.as_str())),
        };
        if let Some(reason) = reason {
            tracing::warn!(%provider, %reason, "usage cannot be used; billed by our own count");
        }
        let (text, cut_short) = seen();
        Consumed::Seen { prompt, text, cut_short }
    }

    fn nothing_seen() -> Consumed {
        Consumed::Seen { prompt: None, text: String::new(), cut_short: true }
    }
}

/// A provider's refusal, passed on as it is. A 4xx bills nothing, nor does a provider that says that
/// it has no time; after any other 5xx nobody can tell.
async fn refused(provider: &ProviderId, mut answer: Answer) -> Metered {
    let status = answer.status;
    let nothing_done = status.is_client_error() || status.is_redirection() || declined(&answer);
    let consumed = if nothing_done {
        Consumed::Nothing(format!("provider answered {status}"))
    } else {
        Consumed::nothing_seen()
    };
    let reply = match answer.body.collect(MAX_REFUSAL_BYTES).await {
        Err(error) => Reply::Failed(error.into()),
        Ok(body) if serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok() => {
            Reply::Whole(status, answer.headers, body)
        }
        Ok(_) => Reply::Failed(not_the_api(provider, status, content_type(&answer.headers))),
    };
    Metered::new(consumed, reply)
}

/// An answer in one piece.
async fn whole(ask: &Ask, provider: &ProviderId, mut answer: Answer, limit: usize) -> Metered {
    let body = match answer.body.collect(limit).await {
        Ok(body) => body,
        Err(error) => return Metered::new(Consumed::nothing_seen(), Reply::Failed(error.into())),
    };
    let read = match ask.request.dialect.read_answer(&body) {
        Ok(read) => read,
        Err(error) => {
            let failure = not_the_api(provider, answer.status, error.to_string());
            return Metered::new(Consumed::nothing_seen(), Reply::Failed(failure));
        }
    };
    let consumed = if ask.purpose == Purpose::CountTokens {
        Consumed::Nothing("counting tokens is free".to_owned())
    } else {
        Consumed::of(provider, &read.usage, || (read.text(), false))
    };
    let model = read.model.as_deref().and_then(|model| ModelId::new(model).ok());
    let reply = Reply::Whole(answer.status, answer.headers, body);
    Metered { consumed, served: read.served, model, reply }
}

/// An answer that is passed on as it comes.
async fn streamed(ask: &Ask, attempt: Attempt<'_>, answer: Answer, client: &mut Client) -> Metered {
    let mut reader = ask.request.dialect.stream_reader(attempt.may_ask_usage && ask.usage_added);
    let Answer { status, headers, mut body } = answer;
    client.head(Head { status, headers, body: None, receipt: None });
    let end = pass_on(&mut reader, &mut body, client).await;
    if matches!(end, End::Left) && reader.finished() {
        // Only the usage is still to come, and it is worth waiting for: it makes the bill exact.
        let rest = read_on(&mut reader, &mut body);
        let _ = tokio::time::timeout(LAST_WORDS, rest).await;
    }
    let consumed = Consumed::of(&attempt.deployment.provider, reader.usage(), || {
        (reader.text().to_owned(), !matches!(end, End::Whole) && !reader.finished())
    });
    let model = reader.model().and_then(|model| ModelId::new(model).ok());
    let reply = match end {
        End::Broken(error) => Reply::Failed(error.into()),
        End::Whole | End::Left => Reply::Given,
    };
    Metered { consumed, served: reader.served().clone(), model, reply }
}

/// How a stream ended.
enum End {
    Whole,
    Broken(CallError),
    Left,
}

async fn pass_on(reader: &mut StreamReader, body: &mut Body, client: &Client) -> End {
    let mut ready: Vec<Bytes> = Vec::with_capacity(8);
    loop {
        let chunk = tokio::select! {
            chunk = body.chunk() => chunk,
            () = client.left() => return End::Left,
        };
        let more = match chunk {
            Err(error) => return End::Broken(error),
            Ok(Some(chunk)) => {
                reader.push(chunk, &mut |bytes| ready.push(bytes));
                true
            }
            Ok(None) => {
                reader.finish(&mut |bytes| ready.push(bytes));
                false
            }
        };
        for bytes in ready.drain(..) {
            if client.chunk(bytes).await.is_err() {
                return End::Left;
            }
        }
        if !more {
            return End::Whole;
        }
    }
}

async fn read_on(reader: &mut StreamReader, body: &mut Body) {
    while let Ok(Some(chunk)) = body.chunk().await {
        reader.push(chunk, &mut |_| {});
    }
    reader.finish(&mut |_| {});
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    content_type(headers).starts_with("text/event-stream")
}

fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.unwrap_or("no content type").to_ascii_lowercase()
}

fn not_the_api(provider: &ProviderId, status: StatusCode, reason: String) -> Failure {
    Failure::NotTheApi { provider: provider.to_string(), status, reason }
}
