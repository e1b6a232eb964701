//! Reading an answer while it passes.

use std::time::Duration;

use bytes::Bytes;
use farthing_core::Usd;
use farthing_core::id::{ModelId, ProviderId};
use farthing_core::pricing::Served;
use farthing_core::usage::Usage;
use farthing_upstream::{Answer, Body, CallError};
use farthing_wire::{Dialect, ModelUsage, Reported, StreamReader, ToolUse};
use http::{HeaderMap, StatusCode, header};

use crate::call::{Ask, Called, declined};
use crate::client::{Client, Head};
use crate::engine::{Limits, OnDisconnect};
use crate::failure::Failure;

/// A refusal by a provider is a short text; what is longer is not passed on.
pub(crate) const MAX_REFUSAL_BYTES: usize = 1 << 20;

/// How long to go on reading for the usage when the answer is done and its reader has gone.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// How a call went, up to the end of its answer.
#[derive(Debug)]
pub struct Metered {
    /// What it consumed.
    pub consumed: Consumed,
    /// Whether the answer was cut short, so that more may have been billed than was seen.
    pub cut_short: bool,
    /// What the provider says that it charged, where it says so.
    pub charged: Option<Usd>,
    /// How it was served, where the provider said.
    pub served: Option<Served>,
    /// The model that the provider says has answered.
    pub model: Option<ModelId>,
    /// The tools that the model calls.
    pub tools: Vec<ToolUse>,
    /// Whether the provider did its work, if only to say no; `None` where nobody can tell.
    pub provider_is_well: Option<bool>,
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
    },
}

/// What the client is still to be given.
#[derive(Debug)]
pub enum Reply {
    /// Nothing: it has had all of it.
    Given,
    /// The events with which its stream ends, behind what the call cost.
    Ending(Bytes),
    /// Nothing: it has gone.
    Left,
    /// A whole answer, or the provider's own refusal.
    Whole(StatusCode, HeaderMap, Bytes),
    /// Why there is no answer, or no whole one.
    Failed(Failure),
}

/// Reads a call to its end, passing a streamed answer on as it comes. `strip` takes out of a stream
/// what came only of asking for its usage.
pub(crate) async fn read(
    ask: &Ask,
    provider: &ProviderId,
    called: Called,
    strip: bool,
    client: &mut Client,
    limits: &Limits,
) -> Metered {
    match called {
        Called::Answering(answer) if !answer.status.is_success() => refused(provider, answer).await,
        Called::Answering(answer) if is_stream(ask, &answer.headers) => {
            let mut reader = ask.request.dialect.stream_reader(strip);
            if ask.tells_cost() {
                reader.hold_ending();
            }
            streamed(provider, answer, reader, client, limits).await
        }
        Called::Answering(answer) => whole(ask, provider, answer, limits.answer_bytes).await,
        Called::Failed(error) => Metered::failed(error),
        Called::Abandoned => Metered::unseen(None, Reply::Left),
    }
}

/// A provider's refusal, passed on as it is. A 4xx bills nothing, nor does a provider that says that
/// it has no time; after any other 5xx nobody can tell.
async fn refused(provider: &ProviderId, mut answer: Answer) -> Metered {
    let status = answer.status;
    let is_well = Some(!status.is_server_error());
    if status.is_redirection() || status.is_informational() {
        // Passed on, it would send the client past us.
        let failure = not_the_api(provider, status, "it sends the call elsewhere".to_owned());
        return Metered::nothing(
            format!("provider answered {}", status.as_u16()),
            is_well,
            failure.into(),
        );
    }
    let nothing_done = status.is_client_error() || declined(&answer);
    let reply = match answer.body.collect(MAX_REFUSAL_BYTES).await {
        Ok(body) => Reply::Whole(status, answer.headers, body),
        Err(error) => Failure::from(error).into(),
    };
    if nothing_done {
        Metered::nothing(format!("provider answered {}", status.as_u16()), is_well, reply)
    } else {
        Metered::unseen(is_well, reply)
    }
}

/// An answer in one piece.
async fn whole(ask: &Ask, provider: &ProviderId, mut answer: Answer, limit: usize) -> Metered {
    let body = match answer.body.collect(limit).await {
        Ok(body) => body,
        Err(error) => return Metered::failed(error),
    };
    let read = match ask.request.dialect.read_answer(&body) {
        Ok(read) => read,
        Err(error) => {
            let failure = not_the_api(provider, answer.status, error.to_string());
            return Metered::unseen(Some(false), failure.into());
        }
    };
    Metered {
        consumed: Consumed::of(provider, &read.usage, || read.text()),
        cut_short: false,
        charged: read.charged,
        model: read.model.as_deref().and_then(|model| ModelId::new(model).ok()),
        served: Some(read.served),
        tools: read.tools,
        provider_is_well: Some(true),
        reply: Reply::Whole(answer.status, answer.headers, body),
    }
}

/// An answer that is passed on as it comes.
async fn streamed(
    provider: &ProviderId,
    answer: Answer,
    mut reader: StreamReader,
    client: &mut Client,
    limits: &Limits,
) -> Metered {
    let Answer { status, headers, mut body } = answer;
    client.head(Head { status, headers, body: None, receipt: None, terms: None });
    let end = pass_on(&mut reader, &mut body, client, limits.reader_patience).await;
    if matches!(end, End::Left) {
        let rest = match limits.on_disconnect {
            OnDisconnect::Drain(longest) => longest,
            // Only the usage is still to come, and it makes the bill exact.
            OnDisconnect::Cancel if reader.finished() => LAST_WORDS,
            OnDisconnect::Cancel => Duration::ZERO,
        };
        let _ = tokio::time::timeout(rest, read_on(&mut reader, &mut body)).await;
    }
    let erred = reader.error().is_some();
    let (provider_is_well, reply) = match end {
        End::Whole => match reader.take_ending() {
            Some(ending) => (Some(!erred), Reply::Ending(ending)),
            None => {
                client.whole();
                (Some(!erred), Reply::Given)
            }
        },
        End::Left => (Some(true), Reply::Left),
        End::Broken(error) => (Some(false), Failure::from(error).into()),
    };
    Metered {
        consumed: Consumed::of(provider, reader.usage(), || reader.text().to_owned()),
        // A running count that stands in every chunk is no last word.
        cut_short: erred || !reader.finished(),
        charged: reader.charged(),
        served: Some(reader.served().clone()),
        model: reader.model().and_then(|model| ModelId::new(model).ok()),
        tools: reader.tools().to_vec(),
        provider_is_well,
        reply,
    }
}

/// How a stream ended.
enum End {
    Whole,
    Broken(CallError),
    Left,
}

async fn pass_on(
    reader: &mut StreamReader,
    body: &mut Body,
    client: &Client,
    patience: Duration,
) -> End {
    let mut ready: Vec<Bytes> = Vec::with_capacity(8);
    loop {
        let chunk = tokio::select! {
            chunk = body.chunk() => chunk,
            () = client.left() => return End::Left,
        };
        let is_last = match chunk {
            Err(error) => return End::Broken(error),
            Ok(Some(chunk)) => {
                reader.push(chunk, &mut |bytes| ready.push(bytes));
                false
            }
            Ok(None) => {
                reader.finish(&mut |bytes| ready.push(bytes));
                true
            }
        };
        for bytes in ready.drain(..) {
            if client.chunk(bytes, patience).await.is_err() {
                return End::Left;
            }
        }
        if is_last {
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

/// Whether an answer comes in pieces. Gemini's may come as the elements of a JSON array.
fn is_stream(ask: &Ask, headers: &HeaderMap) -> bool {
    let in_array = ask.request.dialect == Dialect::Gemini && ask.request.stream;
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    in_array
        || value.is_some_and(|value| value.to_ascii_lowercase().starts_with("text/event-stream"))
}

fn not_the_api(provider: &ProviderId, status: StatusCode, reason: String) -> Failure {
    Failure::NotTheApi { provider: provider.to_string(), status, reason }
}

// === impl Metered ===

impl Metered {
    /// No answer came. What is certain not to have reached the provider costs nothing.
    fn failed(error: CallError) -> Metered {
        if error.stage.nothing_billed() {
            let reason = error.to_string();
            return Metered::nothing(reason, Some(false), Failure::from(error).into());
        }
        Metered::unseen(Some(false), Failure::from(error).into())
    }

    /// Certainly nothing was consumed.
    fn nothing(reason: String, provider_is_well: Option<bool>, reply: Reply) -> Metered {
        let unseen = Metered::unseen(provider_is_well, reply);
        Metered { consumed: Consumed::Nothing(reason), cut_short: false, ..unseen }
    }

    /// The prompt was sent, and nothing was seen of an answer.
    fn unseen(provider_is_well: Option<bool>, reply: Reply) -> Metered {
        Metered {
            consumed: Consumed::Seen { prompt: None, text: String::new() },
            cut_short: true,
            charged: None,
            served: None,
            model: None,
            tools: Vec::new(),
            provider_is_well,
            reply,
        }
    }
}

// === impl Consumed ===

impl Consumed {
    /// What a report says, or for want of a usable one the answer's text.
    fn of(provider: &ProviderId, reported: &Reported, text: impl FnOnce() -> String) -> Consumed {
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
        Consumed::Seen { prompt, text: text() }
    }
}

// === impl Reply ===

impl From<Failure> for Reply {
    fn from(failure: Failure) -> Reply {
        Reply::Failed(failure)
    }
}
