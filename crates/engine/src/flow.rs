//! The story of one call:
//!
//! ```text
//! count -> optimize -> price -> hold -> call -> meter -> settle -> emit
//! ```
//!
//! Each step is one function that takes the context and gives a new one. Nothing here knows HTTP
//! beyond the provider's status and headers, which pass through.

use std::sync::Arc;
use std::time::Duration;

use farthing_core::Usd;
use farthing_core::context::Context;
use farthing_core::entry::{Asked, AttemptId, Hold, Origin};
use farthing_core::event::{Event, EventType};
use farthing_core::pricing::WorstCase;
use farthing_core::usage::{Bucket, Usage};
use farthing_ledger::{Held, HoldError};
use farthing_upstream::Route;
use farthing_wire::Request;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use memchr::memmem;

use crate::attempts::Attempt;
use crate::client::{Client, Head, Receipt};
use crate::engine::{Engine, Parts};
use crate::failure::Failure;
use crate::meter::{Called, Consumed, MAX_REFUSAL_BYTES, Metered, Reply};
use crate::tariff::{Consumption, Priced};

/// Counting a body that is longer than this takes over a millisecond, and leaves the async threads.
const LONG_BODY_BYTES: usize = 16 << 10;

/// What is asked, of whom.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The request, as parsed.
    pub request: Arc<Request>,
    /// What it is for.
    pub purpose: Purpose,
    /// The endpoint, relative to a provider's base URL, with the client's query.
    pub endpoint: String,
    /// The client's headers.
    pub headers: HeaderMap,
    /// Whom to call, and whom instead.
    pub route: Route,
    /// The body as it goes to the provider.
    pub body: bytes::Bytes,
    /// Whether usage was asked for on the client's behalf, and must be taken out of the stream.
    pub usage_added: bool,
}

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An answer by the model.
    Answer,
    /// The provider's count of the prompt. It costs nothing, and is recorded all the same.
    CountTokens,
}

/// Carries out a call from the parsed request to its entry in the ledger, and answers the client.
///
/// It is to run in a task of its own: a client that goes away ends the call in order, it does not
/// cut it off.
pub async fn run(engine: &Engine, ctx: Context, ask: Ask, mut client: Client) {
    let came_at = ctx.created_at();
    let told = story(engine, ctx, ask, &mut client).await;
    let code = match &told {
        Ok((_, Reply::Failed(failure))) | Err(failure) => failure.code(),
        Ok((_, Reply::Given | Reply::Whole(..))) => "ok",
    };
    engine.metrics.ended(code, engine.now().duration_since(came_at));
    match told {
        Ok((_, Reply::Given)) => {}
        Ok((receipt, Reply::Whole(status, headers, body))) => {
            client.head(Head { status, headers, body: Some(body), receipt: Some(receipt) });
        }
        Ok((_, Reply::Failed(failure))) | Err(failure) => {
            tracing::info!(code, "call failed: {failure}");
            client.fail(failure).await;
        }
    }
}

async fn story(
    engine: &Engine,
    ctx: Context,
    ask: Ask,
    client: &mut Client,
) -> Result<(Receipt, Reply), Failure> {
    let _place = engine.place()?;
    let ctx = count(engine, ctx, &ask).await?;
    let (ctx, ask) = optimize(ctx, ask);
    let mut attempts = engine.attempts(&ask.route, ctx.request());
    loop {
        let attempt = attempts.begin(engine.now())?;
        let (ctx, amount) = price(engine, ctx.clone(), &ask, attempt)?;
        let (ctx, held) = hold(engine, ctx, &ask, attempt, amount).await?;
        let (ctx, called) = call(engine, ctx, &ask, attempt, &held, client).await?;
        if let Some(pause) = attempts.again(&called) {
            held.void(&called.to_string());
            engine.metrics.retried(&attempt.deployment.provider);
            wait(pause, client).await?;
            continue;
        }
        let (ctx, metered) = meter(engine, ctx, &ask, attempt, called, client).await;
        let (ctx, reply) = settle(engine, ctx, &ask, attempt, held, metered);
        return Ok((emit(engine, &ctx), reply));
    }
}

/// Counts the prompt, by kind.
async fn count(engine: &Engine, ctx: Context, ask: &Ask) -> Result<Context, Failure> {
    let (counter, request) = (engine.parts.counter.clone(), Arc::clone(&ask.request));
    let count = move || counter.count(request.model.as_str(), &request.prompt);
    let anatomy = if ask.body.len() < LONG_BODY_BYTES {
        count()
    } else {
        tokio::task::spawn_blocking(count).await.map_err(|_| Failure::Uncountable)?
    };
    Ok(ctx.counted(anatomy))
}

/// Changes nothing yet: the passes come with the optimizer. What they leave untouched will go to
/// the provider as it came.
fn optimize(ctx: Context, ask: Ask) -> (Context, Ask) {
    (ctx, ask)
}

/// The most that the call can cost.
fn price(
    engine: &Engine,
    ctx: Context,
    ask: &Ask,
    attempt: Attempt,
) -> Result<(Context, Usd), Failure> {
    if ask.purpose == Purpose::CountTokens {
        return Ok((ctx, Usd::ZERO));
    }
    let Parts { tariff, limits, rules, .. } = &engine.parts;
    let what = asked(&ctx, ask, attempt);
    let longest = [ask.request.max_output, tariff.longest_answer(&what)];
    let longest = longest.into_iter().flatten().min().unwrap_or(limits.assumed_answer_tokens);
    let most = WorstCase {
        prompt_tokens: ctx.anatomy().map_or(0, |anatomy| anatomy.upper_bound),
        cache_write: ask.request.cache_asked,
        completion_tokens: longest.saturating_mul(ask.request.answers),
        media: ctx.anatomy().is_some_and(|anatomy| anatomy.by_kind.media > 0),
    };
    match tariff.worst_case(&what, &most) {
        // Without a budget nothing needs to be held, so the price need not be known either.
        Err(Failure::Unpriced { .. }) if rules.is_empty() => Ok((ctx, Usd::ZERO)),
        amount => amount.map(|amount| (ctx, amount)),
    }
}

/// Sets that much aside in every budget of the caller, or in none.
async fn hold(
    engine: &Engine,
    ctx: Context,
    ask: &Ask,
    attempt: Attempt<'_>,
    amount: Usd,
) -> Result<(Context, Held), Failure> {
    let now = engine.now();
    let anatomy = *ctx.anatomy().ok_or(Failure::Uncountable)?;
    let hold = Hold {
        amount,
        deadline: now.saturating_add(engine.parts.limits.call).unwrap_or(Timestamp::MAX),
        claims: engine.claims(ctx.who(), now),
        asked: Asked {
            provider: attempt.deployment.provider.clone(),
            model: ask.request.model.clone(),
            streamed: ask.request.stream,
            anatomy,
        },
    };
    let id = AttemptId { request: ctx.request(), attempt: attempt.number };
    let held = engine.parts.ledger.hold(id, Arc::clone(ctx.who()), Arc::new(hold)).await?;
    Ok((ctx, held))
}

/// Calls the provider. The hold's commit runs meanwhile; no byte of the answer passes before it.
async fn call(
    engine: &Engine,
    ctx: Context,
    ask: &Ask,
    attempt: Attempt<'_>,
    held: &Held,
    client: &Client,
) -> Result<(Context, Called), Failure> {
    let ctx = ctx.forwarded(engine.now());
    let body = if attempt.may_ask_usage { &ask.body } else { &ask.request.prompt.body };
    let post =
        engine.parts.upstream.post(attempt.deployment, &ask.endpoint, &ask.headers, body.clone());
    let mut called = tokio::select! {
        answer = post => answer.map_or_else(Called::Failed, Called::Answering),
        () = client.left() => Called::Abandoned,
    };
    if attempt.may_ask_usage && ask.usage_added && refuses_usage(&mut called).await {
        attempt.deployment.refused_usage();
        called = Called::UsageRefused;
    }
    called.tell(&attempt.deployment.breaker, engine.now());
    held.committed().await.map_err(HoldError::from)?;
    Ok((ctx, called))
}

/// Reads the answer's usage, passing a stream on as it comes.
async fn meter(
    engine: &Engine,
    ctx: Context,
    ask: &Ask,
    attempt: Attempt<'_>,
    called: Called,
    client: &mut Client,
) -> (Context, Metered) {
    let metered = Metered::read(engine, ask, attempt, called, client).await;
    (ctx, metered)
}

/// Replaces the hold by what the call came to.
fn settle(
    engine: &Engine,
    ctx: Context,
    ask: &Ask,
    attempt: Attempt,
    held: Held,
    metered: Metered,
) -> (Context, Reply) {
    let Metered { consumed, served, model, reply } = metered;
    let consumption = match consumed {
        Consumed::Nothing(reason) => {
            held.void(&reason);
            return (ctx, reply);
        }
        Consumed::Reported { own, others } => {
            Consumption { usage: own, others, origin: Origin::Measured, model, cut_short: false }
        }
        Consumed::Seen { prompt, text, cut_short } => {
            let usage = own_count(engine, &ctx, ask, prompt, &text);
            let (others, origin) = (Vec::new(), Origin::Estimated);
            Consumption { usage, others, origin, model, cut_short }
        }
    };
    let what = Priced { served: &served, ..asked(&ctx, ask, attempt) };
    let bill = Arc::new(engine.parts.tariff.bill(&what, consumption, held.entry().what.hold()));
    held.settle(Arc::clone(&bill));
    engine.metrics.billed(&attempt.deployment.provider, &bill);
    (ctx.billed(bill), reply)
}

/// Tells whoever listens, and whoever asked, what the call came to.
fn emit(engine: &Engine, ctx: &Context) -> Receipt {
    let bill = ctx.bill().cloned();
    let room = engine.parts.ledger.room(&engine.claims(ctx.who(), ctx.created_at()));
    engine.bus.emit(Event {
        kind: EventType::AgentThinking,
        at: engine.now(),
        who: Arc::clone(ctx.who()),
        request: ctx.request(),
        bill: bill.clone(),
        room,
    });
    let forwarded_at = ctx.forwarded_at().unwrap_or(ctx.created_at());
    let overhead = forwarded_at.duration_since(ctx.created_at());
    engine.metrics.forwarded(overhead);
    Receipt { anatomy: ctx.anatomy().copied(), bill, room, overhead }
}

/// Whether the provider takes offence at being asked for a stream's usage.
async fn refuses_usage(called: &mut Called) -> bool {
    let Called::Answering(answer) = called else { return false };
    if answer.status != StatusCode::BAD_REQUEST {
        return false;
    }
    let refusal = answer.body.peek(MAX_REFUSAL_BYTES).await.unwrap_or_default();
    memmem::find(refusal, b"stream_options").is_some()
}

/// Waits before the next attempt, unless nobody waits for its answer any more.
async fn wait(pause: Duration, client: &Client) -> Result<(), Failure> {
    tokio::select! {
        () = tokio::time::sleep(pause) => Ok(()),
        () = client.left() => Err(Failure::Abandoned),
    }
}

/// What was asked for, as the tariff wants it.
fn asked<'a>(ctx: &Context, ask: &'a Ask, attempt: Attempt<'a>) -> Priced<'a> {
    Priced {
        provider: &attempt.deployment.prices,
        model: &ask.request.model,
        served: &ask.request.served_asked,
        at: ctx.created_at(),
    }
}

/// The usage by our own count, for want of the provider's; what it said of the prompt is taken.
fn own_count(
    engine: &Engine,
    ctx: &Context,
    ask: &Ask,
    prompt: Option<Usage>,
    answer: &str,
) -> Usage {
    let counted = || ctx.anatomy().map_or(0, |anatomy| anatomy.by_kind.total());
    let prompt = prompt.unwrap_or_else(|| Usage::NONE.with(Bucket::Input, counted()));
    let (answer, _) = engine.parts.counter.count_text(ask.request.model.as_str(), answer);
    prompt.with(Bucket::Output, answer)
}
