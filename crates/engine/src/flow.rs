//! The story of one call:
//!
//! ```text
//! count -> optimize -> price -> hold -> call -> meter -> settle -> emit
//! ```
//!
//! Each step is one function. A step that learns something gives a new context; none changes one.
//! Nothing here knows HTTP beyond the provider's status and headers, which pass through.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use farthing_core::Usd;
use farthing_core::budget::Amount;
use farthing_core::context::Context;
use farthing_core::entry::{Asked, AttemptId, Bill, Hold, Origin};
use farthing_core::event::Event;
use farthing_core::pricing::{CostStatus, WorstCase};
use farthing_core::usage::{Bucket, Usage};
use farthing_ledger::{Held, HoldError};
use farthing_upstream::Deployment;
use jiff::Timestamp;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use crate::attempts::{Attempt, Attempts};
use crate::call::{Ask, Called, Purpose};
use crate::client::{Client, Head, Receipt};
use crate::engine::{Engine, Parts};
use crate::failure::Failure;
use crate::live::{Ended, Outcome};
use crate::meter::{self, Consumed, Metered, Reply};
use crate::outgoing::{Outgoing, refuses_body, send};
use crate::rates::Pace;
use crate::residuals;
use crate::savings::{self, Saved, Sent};
use crate::tariff::{Consumption, Priced};
use crate::terms::{self, Terms};

/// Counting a text that is longer than this takes over a millisecond, and leaves the async threads.
pub(crate) const LONG_TEXT_BYTES: usize = 16 << 10;

/// Carries out a call from the parsed request to its entry in the ledger, and answers the client.
/// `place` is the call's among those under way.
///
/// It is to run in a task of its own: a client that goes away ends the call in order, it does not
/// cut it off.
pub async fn run(
    engine: &Engine,
    place: OwnedSemaphorePermit,
    ctx: Context,
    ask: Ask,
    mut client: Client,
) {
    let (came_at, request) = (ctx.created_at(), ctx.request());
    let (receipt, reply) = match story(engine, ctx, &ask, &mut client).await {
        Ok((receipt, reply)) => (Some(receipt), reply),
        Err(failure) => (None, Reply::Failed(failure)),
    };
    engine.metrics.ended(outcome(&reply), engine.now().duration_since(came_at));
    match reply {
        Reply::Given => {}
        Reply::Ending(ending) => {
            let cost = receipt.and_then(|receipt| receipt.bill).map(|bill| comment(&bill));
            let patience = engine.parts.limits.reader_patience;
            for piece in cost.into_iter().chain([ending]) {
                // Who has gone needs to be told nothing.
                let _ = client.chunk(piece, patience).await;
            }
            client.whole();
        }
        Reply::Left => tracing::debug!(%request, "client went away before the end of its answer"),
        Reply::Whole(status, headers, body) => {
            client.head(Head { status, headers, body: Some(body), receipt, terms: None });
        }
        Reply::Failed(failure) => {
            tracing::info!(%request, code = failure.code(), "call failed: {failure}");
            client.fail(failure);
        }
    }
    drop(place);
}

async fn story(
    engine: &Engine,
    ctx: Context,
    ask: &Ask,
    client: &mut Client,
) -> Result<(Receipt, Reply), Failure> {
    let mut ctx = count(engine, ctx, ask).await?;
    let mut pace = pace(engine, &ctx, ask)?;
    let mut attempts = engine.attempts(&ask.route, ctx.request());
    let mut declined = None;
    loop {
        let begun = begin(engine, &ctx, ask, &mut attempts, client).await;
        let Begun { attempt, mut sent, terms, held } = match (begun, declined) {
            (Ok(begun), _) => begun,
            (Err(failure), None) => {
                refuse(engine, &ctx, ask).await;
                return Err(failure);
            }
            // There is no other attempt after all: the provider's own no is the better answer.
            (Err(_), Some((deployment, called))) => {
                let metered = meter(engine, ask, deployment, called, false, client).await;
                return Ok((emit(engine, &ctx, ask), metered.reply));
            }
        };
        let now = engine.now();
        (ctx, sent.ctx) = (ctx.forwarded(now), sent.ctx.forwarded(now));
        client.changed(terms.changed(ask));
        let (called, strip) = call(engine, ask, &mut sent, &terms, &attempt, &held, client).await?;
        let Some(pause) = attempts.again(&called) else {
            let metered = meter(engine, ask, attempt.deployment, called, strip, client).await;
            let settled = settle(engine, &sent, ask, attempt, &terms, held, metered).await;
            let (ctx, saved, reply) = settled;
            pace.came_to(ctx.bill().map_or(0, |bill| bill.usage.tokens()), engine.now());
            return Ok((Receipt { saved, ..emit(engine, &ctx, ask) }, reply));
        };
        held.void(&called.to_string());
        engine.metrics.retried(&attempt.deployment.provider);
        declined = Some((attempt.deployment, called));
        attempt.tell(Some(false), engine.now());
        wait(pause, client).await?;
    }
}

/// Counts the prompt, by kind.
async fn count(engine: &Engine, ctx: Context, ask: &Ask) -> Result<Context, Failure> {
    let (counter, request) = (engine.parts.counter.clone(), Arc::clone(&ask.request));
    let api = residuals::api(ask);
    let count = move || counter.count((request.model.as_str(), api), &request.prompt);
    let anatomy = if ask.request.prompt.body.len() < LONG_TEXT_BYTES {
        count()
    } else {
        spawn_blocking(count).await.map_err(|_| Failure::Uncountable)?
    };
    Ok(ctx.counted(anatomy))
}

/// Takes what the call needs of the rates that hold for its caller.
fn pace(engine: &Engine, ctx: &Context, ask: &Ask) -> Result<Pace, Failure> {
    let tokens = ctx.anatomy().map_or(0, |anatomy| anatomy.by_kind.total());
    let begun = engine.parts.rates.begin(ctx.who(), &ask.request.model, tokens, engine.now());
    begun.map_err(|limited| Failure::Limited(Box::new(limited)))
}

/// What is sent in place of what came, by the model and the cache of whom is asked.
async fn optimize(engine: &Engine, ctx: &Context, ask: &Ask, deployment: &Deployment) -> Sent {
    savings::optimized(engine, ctx, ask, deployment).await
}

/// An attempt that is about to be made.
struct Begun<'a> {
    attempt: Attempt<'a>,
    sent: Sent,
    terms: Terms,
    held: Held,
}

/// Begins an attempt: finds whom to ask, optimizes the request for them, agrees on terms, and holds
/// what they may cost.
async fn begin<'a>(
    engine: &Engine,
    ctx: &Context,
    ask: &Ask,
    attempts: &mut Attempts<'a>,
    client: &Client,
) -> Result<Begun<'a>, Failure> {
    let attempt = attempts.begin(engine.now())?;
    let mut sent = optimize(engine, ctx, ask, attempt.deployment).await;
    let (terms, held) = terms::agree(engine, &sent.ctx, sent.ask(ask), &attempt).await?;
    if client.has_left() {
        held.void("client went away before the call was sent");
        return Err(Failure::Abandoned);
    }
    sent.remember(engine).await;
    Ok(Begun { attempt, sent, terms, held })
}

/// The most that the call can take.
pub(crate) fn price(
    engine: &Engine,
    ctx: &Context,
    ask: &Ask,
    deployment: &Deployment,
    terms: &Terms,
) -> Result<Amount, Failure> {
    if ask.purpose == Purpose::CountTokens {
        return Ok(Amount::NONE);
    }
    let Parts { tariff, limits, budgets, .. } = &engine.parts;
    let what = asked(ctx, ask, deployment, terms);
    let longest = [terms.limit, ask.request.max_output, tariff.longest_answer(&what)];
    let longest = longest.into_iter().flatten().min().unwrap_or(limits.assumed_answer_tokens);
    let seen = ctx.anatomy().map_or(0, |anatomy| anatomy.upper_bound);
    let unseen = ask.request.prompt.unseen.then(|| tariff.context(&what)).flatten();
    let most = WorstCase {
        prompt_tokens: unseen.map_or(seen, |context| context.max(seen)),
        cache_write: ask.request.cache_asked,
        completion_tokens: longest.saturating_mul(ask.request.answers),
        media: ctx.anatomy().is_some_and(|anatomy| anatomy.by_kind.media > 0),
    };
    let usd = match tariff.worst_case(&what, &most) {
        // Without a budget nothing needs to be held, so the price need not be known either.
        Err(Failure::Unpriced { .. }) if budgets.is_empty() => Usd::ZERO,
        amount => amount?,
    };
    let tokens = most.prompt_tokens.saturating_add(most.completion_tokens);
    Ok(Amount::of_call(usd, tokens))
}

/// Tells whoever listens that the call did not come about.
async fn refuse(engine: &Engine, ctx: &Context, ask: &Ask) {
    let Some(turn) = &ask.turn else { return };
    let outcome = Outcome::without_answer(ask, Ended::Refused);
    let events = turn.events.iter().cloned().chain(engine.runs.end(turn, &outcome, engine.now()));
    let tenant = ctx.who().tenant.clone();
    // A ledger that takes no events takes no calls either, which the client is told.
    let _ = engine.parts.ledger.post(tenant, events.collect()).await;
}

/// Sets that much aside in every budget of the caller, or in none.
pub(crate) async fn hold(
    engine: &Engine,
    ctx: &Context,
    ask: &Ask,
    attempt: &Attempt<'_>,
    terms: &Terms,
    most: Amount,
) -> Result<Held, Failure> {
    let now = engine.now();
    let hold = Hold {
        amount: most.usd,
        tokens: most.tokens,
        deadline: now.saturating_add(engine.parts.limits.call).unwrap_or(Timestamp::MAX),
        claims: engine.claims(ctx.who(), &terms.model, now),
        asked: Asked {
            provider: attempt.deployment.provider.clone(),
            model: terms.model.clone(),
            streamed: ask.request.stream,
            anatomy: *ctx.anatomy().ok_or(Failure::Uncountable)?,
        },
    };
    let id = AttemptId { request: ctx.request(), attempt: attempt.number };
    let came = ask.turn.as_ref().filter(|_| attempt.number == 1);
    let events = came.map(|turn| turn.events.clone()).unwrap_or_default();
    Ok(engine.parts.ledger.hold(id, Arc::clone(ctx.who()), Arc::new(hold), events).await?)
}

/// Calls the provider. The hold's commit runs meanwhile; no byte of the answer passes before it.
/// Says also whether the stream's usage was asked for on the client's behalf.
async fn call(
    engine: &Engine,
    ask: &Ask,
    sent: &mut Sent,
    terms: &Terms,
    attempt: &Attempt<'_>,
    held: &Held,
    client: &Client,
) -> Result<(Called, bool), Failure> {
    let deployment = attempt.deployment;
    let outgoing = Outgoing::of(sent.ask(ask), deployment, terms);
    let (mut called, mut strip) = send(engine, ask, &outgoing, deployment, client).await;
    if sent.changed.is_some() && refuses_body(&called) {
        // What would have been refused as it came is refused once more.
        let outgoing = Outgoing::of(ask, deployment, terms);
        (called, strip) = send(engine, ask, &outgoing, deployment, client).await;
        let takes = matches!(&called, Called::Answering(answer) if answer.status.is_success());
        sent.take_back(engine, takes);
    }
    let committed = timeout(engine.parts.limits.call, held.committed());
    committed.await.map_err(|_| Failure::Overdue)?.map_err(HoldError::from)?;
    Ok((called, strip))
}

/// Reads the answer's usage, passing a stream on as it comes.
async fn meter(
    engine: &Engine,
    ask: &Ask,
    deployment: &Deployment,
    called: Called,
    strip: bool,
    client: &mut Client,
) -> Metered {
    meter::read(ask, &deployment.provider, called, strip, client, &engine.parts.limits).await
}

/// Replaces the hold by what the call came to.
async fn settle(
    engine: &Engine,
    sent: &Sent,
    ask: &Ask,
    attempt: Attempt<'_>,
    terms: &Terms,
    mut held: Held,
    metered: Metered,
) -> (Context, Option<Saved>, Reply) {
    let ctx = &sent.ctx;
    let Metered { consumed, cut_short, charged, served, model, tools, provider_is_well, reply } =
        metered;
    let deployment = attempt.deployment;
    attempt.tell(provider_is_well, engine.now());
    let mut outcome = Outcome::of(ask, deployment, &tools, ended(&reply));
    outcome.took = engine.now().duration_since(ctx.forwarded_at().unwrap_or(ctx.created_at()));
    let (usage, others, origin) = match consumed {
        _ if ask.purpose == Purpose::CountTokens => {
            held.void("counting tokens is free");
            return (ctx.clone(), None, reply);
        }
        Consumed::Nothing(reason) => {
            held.tell(tell(engine, ask, &held, &outcome));
            held.void(&reason);
            return (ctx.clone(), None, reply);
        }
        Consumed::Reported { own, others } => (own, others, Origin::Measured),
        Consumed::Seen { prompt, text } => {
            (own_count(engine, ctx, ask, prompt, text).await, Vec::new(), Origin::Estimated)
        }
    };
    let consumption = Consumption { usage, others, origin, charged, model, cut_short };
    let what = asked(ctx, ask, deployment, terms);
    let what = Priced { served: served.as_ref().unwrap_or(what.served), ..what };
    let bill = Arc::new(engine.parts.tariff.bill(&what, consumption, held.entry().what.hold()));
    let saving = sent.account.as_ref().map(|it| it.settled(ctx, &bill, engine.now()));
    let saved = saving.as_ref().map(Saved::from);
    outcome.bill = Some(&bill);
    outcome.saved = saved.unwrap_or_default();
    held.tell(tell(engine, ask, &held, &outcome));
    held.settle(Arc::clone(&bill));
    engine.metrics.billed(&deployment.provider, &bill);
    if bill.cost.status == CostStatus::Unpriced {
        let (provider, model) = (&deployment.prices, &bill.model);
        tracing::warn!(
            %provider, %model,
            "no price is known; add the model to a file of `catalog.directory`, or say which one it \
             is: [catalog.override.{provider}] \"{model}\" = \"MODEL\"; then `farthing reprice`"
        );
    }
    if let Some(counted) = ctx.anatomy().filter(|_| bill.origin == Origin::Measured) {
        residuals::learn(engine, ask, counted, &bill);
    }
    if let Some(saving) = saving {
        engine.metrics.saved(&saving);
        // A ledger that was closed keeps no more receipts; the money is settled above.
        let _ = engine.parts.ledger.save(saving).await;
    }
    (ctx.billed(bill), saved, reply)
}

/// The events that follow from how a call went. They are recorded with its end, and reach those who
/// listen once they are.
fn tell(engine: &Engine, ask: &Ask, held: &Held, outcome: &Outcome<'_>) -> Vec<Event> {
    let Some(turn) = &ask.turn else { return Vec::new() };
    let mut events = engine.runs.end(turn, outcome, engine.now());
    let alerts = engine.alerts(held, outcome.bill);
    if let Some(event) = events.first_mut() {
        event.data.alerts = alerts;
    }
    let charged = outcome.bill.map_or(Usd::ZERO, |bill| bill.charged);
    let budget = engine.budget_state(&held.entry().what.hold().claims, charged);
    events.iter_mut().for_each(|event| event.budget.clone_from(&budget));
    events
}

/// Tells whoever asked what the call came to.
fn emit(engine: &Engine, ctx: &Context, ask: &Ask) -> Receipt {
    let claims = engine.claims(ctx.who(), &ask.request.model, ctx.created_at());
    let room = engine.parts.ledger.room(&claims);
    let forwarded_at = ctx.forwarded_at().unwrap_or(ctx.created_at());
    let overhead = forwarded_at.duration_since(ctx.created_at());
    engine.metrics.forwarded(overhead);
    let (anatomy, bill) = (ctx.anatomy().copied(), ctx.bill().cloned());
    Receipt { anatomy, bill, saved: None, room, overhead }
}

/// Waits before the next attempt, unless nobody waits for its answer any more.
async fn wait(pause: Duration, client: &Client) -> Result<(), Failure> {
    tokio::select! {
        () = sleep(pause) => Ok(()),
        () = client.left() => Err(Failure::Abandoned),
    }
}

/// What was asked for, as the tariff wants it.
pub(crate) fn asked<'a>(
    ctx: &Context,
    ask: &'a Ask,
    deployment: &'a Deployment,
    terms: &'a Terms,
) -> Priced<'a> {
    Priced {
        provider: &deployment.prices,
        model: &terms.model,
        served: &ask.request.served_asked,
        at: ctx.created_at(),
    }
}

/// The usage by our own count, for want of the provider's; what it said of the prompt is taken.
async fn own_count(
    engine: &Engine,
    ctx: &Context,
    ask: &Ask,
    prompt: Option<Usage>,
    answer: String,
) -> Usage {
    let counted = || ctx.anatomy().map_or(0, |anatomy| anatomy.by_kind.total());
    let prompt = prompt.unwrap_or_else(|| Usage::NONE.with(Bucket::Input, counted()));
    // More than a token a byte there never is, should counting itself fail.
    let most = u64::try_from(answer.len()).unwrap_or(u64::MAX);
    let (counter, request) = (engine.parts.counter.clone(), Arc::clone(&ask.request));
    let count = move || counter.count_text(request.model.as_str(), &answer).0;
    let tokens = if most < LONG_TEXT_BYTES as u64 {
        count()
    } else {
        spawn_blocking(count).await.unwrap_or(most)
    };
    prompt.with(Bucket::Output, tokens)
}

/// How a call ended, as far as its run is concerned.
fn ended(reply: &Reply) -> Ended {
    match reply {
        Reply::Given | Reply::Ending(_) => Ended::Answered,
        Reply::Whole(status, ..) if status.is_success() => Ended::Answered,
        Reply::Whole(..) | Reply::Failed(_) => Ended::Failed,
        Reply::Left => Ended::Stopped,
    }
}

/// How a call ended, as the metrics name it.
fn outcome(reply: &Reply) -> &'static str {
    match reply {
        Reply::Given | Reply::Ending(_) => "ok",
        Reply::Whole(status, ..) if status.is_success() => "ok",
        Reply::Whole(..) => "declined",
        Reply::Left => "abandoned",
        Reply::Failed(failure) => failure.code(),
    }
}

/// What a call cost, as a comment in a stream of events.
fn comment(bill: &Bill) -> Bytes {
    let (usd, status) = (bill.cost.usd, bill.cost.status.name());
    let usd = usd.map_or_else(|| "unknown".to_owned(), |usd| usd.to_string());
    let (input, output) = (bill.usage.prompt(), bill.usage.completion());
    let cached = bill.usage.cached();
    Bytes::from(format!(
        ": farthing cost_usd={usd} status={status} input={input} cached={cached} output={output}\n\n"
    ))
}
