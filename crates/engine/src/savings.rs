//! The optimizer, live: what is sent in place of what came, and what that came to.
//!
//! No error may come of it: whatever goes wrong here, the request is sent as it came.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use farthing_core::anatomy::Anatomy;
use farthing_core::context::Context;
use farthing_core::pricing::Resolved;
use farthing_optimize::caching::Placement;
use farthing_optimize::{Caching, Habits, Optimized, Optimizer, Situation, Syntax, Thread};
use farthing_tokens::Counter;
use farthing_upstream::Deployment;
use farthing_wire::{Dialect, Request};
use jiff::Timestamp;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::call::{Ask, Purpose};
use crate::engine::Engine;
use crate::flow::LONG_TEXT_BYTES;

mod account;
mod memory;

pub(crate) use account::Account;
pub use account::Saved;
pub use farthing_optimize::mode::UnknownMode;
pub use farthing_optimize::{Mode, Observations};
use memory::{Key, Memory, Place};

/// A conversation that was optimized before is waited for so much longer: to send it otherwise
/// would cost more than the time.
const PATIENCE: u32 = 20;

/// How far the optimizer goes.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The furthest mode that a request may ask for, and that of those which ask for none.
    pub mode: Mode,
    /// How long it may take; over it, a request is sent as it came.
    pub time_budget: Duration,
    /// How many conversations of a hundred are sent as they came, to compare the others with.
    pub holdout_percent: u8,
    /// How scaffolds send observations.
    pub observations: Observations,
    /// The most memory for what was worked out before, in bytes.
    pub memory_bytes: usize,
}

/// The optimizer and what it remembers.
#[derive(Debug)]
pub(crate) struct Savings {
    settings: Settings,
    optimizer: Arc<Optimizer>,
    memory: Memory,
}

/// A call as it is sent.
#[derive(Debug)]
pub(crate) struct Sent {
    /// With the prompt counted as it is sent.
    pub ctx: Context,
    /// What is asked in place of what was; `None` where nothing was changed.
    pub changed: Option<Ask>,
    /// What was done; `None` where nothing was looked at.
    pub account: Option<Account>,
    /// What is to be remembered once it is sure to be sent.
    next: Option<Next>,
    /// What is remembered of it by.
    key: Option<[Key; 2]>,
}

/// What a conversation is gone on with.
#[derive(Debug)]
struct Next {
    place: Place,
    thread: Thread,
    /// Whether it must be durable before anything is sent: nobody could work it out again.
    is_decision: bool,
}

// === impl Settings ===

impl Settings {
    /// The mode of a request that asks for one, or for none: it may go less far than the settings,
    /// and never further.
    pub fn mode(&self, wished: Option<Mode>) -> Mode {
        // Handles need a way back to what was left out, which is not offered yet.
        let most = if self.mode as u8 > Mode::Safe as u8 { Mode::Safe } else { self.mode };
        wished.filter(|wished| (*wished as u8) < most as u8).unwrap_or(most)
    }
}

// === impl Savings ===

impl Savings {
    pub(crate) fn new(settings: Settings, counter: Counter) -> Savings {
        let optimizer = Arc::new(Optimizer::new(counter, settings.memory_bytes));
        Savings { settings, optimizer, memory: Memory::new() }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }
}

// === impl Sent ===

impl Sent {
    fn as_it_came(ctx: &Context) -> Sent {
        Sent { ctx: ctx.clone(), changed: None, account: None, next: None, key: None }
    }

    /// What is asked.
    pub(crate) fn ask<'a>(&'a self, came: &'a Ask) -> &'a Ask {
        self.changed.as_ref().unwrap_or(came)
    }

    /// Notes that the provider would not have it so and gets it as it came; where it `takes` it that
    /// way, nothing is changed any more for this model of this provider.
    pub(crate) fn take_back(&mut self, engine: &Engine, takes: bool) {
        if let Some([conversation, deployed]) = &self.key {
            engine.savings.memory.came_unchanged(conversation);
            if takes {
                tracing::warn!("a provider refuses what was optimized; it gets all as it comes");
                engine.savings.memory.leave_alone(*deployed);
            }
        }
        self.changed = None;
        self.account = self.account.take().map(Account::taken_back);
    }

    /// Remembers what was decided, now that it is sure to be sent.
    pub(crate) async fn remember(&mut self, engine: &Engine) {
        let Some(Next { place, thread, is_decision }) = self.next.take() else { return };
        engine.savings.memory.put(&place, thread.clone());
        let decided = place.decided(Arc::clone(self.ctx.who()), &thread);
        // While the ledger cannot be written, no call is let through.
        let _ = engine.parts.ledger.decide(decided, is_decision).await;
    }
}

/// What the optimizer needs to know of a call.
struct Task<'a> {
    engine: &'a Engine,
    ctx: &'a Context,
    ask: &'a Ask,
    deployment: &'a Deployment,
    place: Place,
    held_out: bool,
    found: Option<Resolved>,
}

/// The call as it should be sent to this deployment.
pub(crate) async fn optimized(
    engine: &Engine,
    ctx: &Context,
    ask: &Ask,
    deployment: &Deployment,
) -> Sent {
    match Task::of(engine, ctx, ask, deployment) {
        Some(task) => task.run().await.unwrap_or_else(|| Sent::as_it_came(ctx)),
        None => Sent::as_it_came(ctx),
    }
}

// === impl Task ===

impl<'a> Task<'a> {
    /// `None` where nothing is to be done.
    fn of(
        engine: &'a Engine,
        ctx: &'a Context,
        ask: &'a Ask,
        deployment: &'a Deployment,
    ) -> Option<Task<'a>> {
        let readable = matches!(
            ask.request.dialect,
            Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::Anthropic
        );
        // Where the model reads what only the provider has, nothing is known of its cache.
        let seen = readable && !ask.request.prompt.unseen;
        if !seen || ask.purpose != Purpose::Answer || ask.mode == Mode::Off {
            return None;
        }
        let turn = ask.turn.as_ref()?;
        let place = Place::of(turn, &deployment.provider, &ask.request.model)?;
        if engine.savings.memory.is_left_alone(&place) {
            return None;
        }
        let held_out = place.lot() < engine.savings.settings.holdout_percent;
        let (prices, model) = (deployment.prices.as_str(), ask.request.model.as_str());
        let (at, served) = (ctx.created_at(), &ask.request.served_asked);
        let found = engine.parts.tariff.prices.current().resolve(prices, model, at, served);
        Some(Task { engine, ctx, ask, deployment, place, held_out, found: found.ok() })
    }

    async fn run(self) -> Option<Sent> {
        let Task { engine, ctx, ask, .. } = self;
        let savings = &engine.savings;
        let tokens = ctx.anatomy()?.by_kind.total();
        let thread = savings.memory.find(&self.place, engine, ctx.who()).await;
        let mode = if self.held_out { Mode::Shadow } else { ask.mode };
        let work = Work {
            optimizer: Arc::clone(&savings.optimizer),
            counter: engine.parts.counter.clone(),
            request: Arc::clone(&ask.request),
            owner: self.place.owner(),
            tokens,
            caching: self.caching(),
            found: self.found.clone(),
            syntax: self.syntax(tokens),
            observations: savings.settings.observations,
            habits: savings.memory.habits(&self.place, &ask.request.prompt, ctx.who(), &thread),
            now: ctx.created_at(),
            thread,
        };
        let (work, done) = match work.run(mode, &savings.settings).await {
            Ok(done) => done,
            Err(work) => {
                engine.metrics.not_optimized();
                let untouched = work.optimized(Mode::Off);
                (work, Done { optimized: untouched, request: None, anatomy: None })
            }
        };
        let Done { mut optimized, request, anatomy } = done;
        // What was sent is counted as a whole; passes count the texts that they change. The bound
        // stays that of what came, which the provider may get after all.
        let came = *ctx.anatomy()?;
        let anatomy = anatomy.map(|sent| Anatomy { upper_bound: came.upper_bound, ..sent });
        if let Some(sent) = &anatomy {
            optimized.receipt.tokens_after = sent.by_kind.total();
        }
        let is_decision = work.thread.requests > 0 && work.thread.mode != optimized.thread.mode;
        let account = Account::new(mode, self.held_out, &self.place, &work.thread, &optimized);
        let changed = request.map(|request| Ask { request, ..ask.clone() });
        let key = Some(self.place.keys());
        let next = Next { place: self.place, thread: optimized.thread, is_decision };
        Some(Sent {
            ctx: anatomy.map_or_else(|| ctx.clone(), |anatomy| ctx.counted(anatomy)),
            changed,
            account: Some(account),
            next: Some(next),
            key,
        })
    }

    /// The cache of the model, as far as requests in this dialect can use it.
    fn caching(&self) -> Caching {
        let Some(found) = &self.found else { return Caching::NONE };
        let caching = found.model.caching.as_ref().map(|terms| Caching::of(terms, &found.card));
        let caching = caching.unwrap_or(Caching::NONE);
        let asks = self.ask.request.dialect == Dialect::Anthropic
            || !self.ask.request.prompt.cache_markers.is_empty();
        let reachable = asks || caching.placement == Placement::Automatic;
        if reachable { caching } else { Caching::NONE }
    }

    /// How hints are written. Only OpenAI itself is sure to know its own, and below the length that
    /// it caches they do nothing.
    fn syntax(&self, tokens: u64) -> Syntax {
        let caching = self.caching();
        match self.ask.request.dialect {
            Dialect::Anthropic => Syntax::CacheControl,
            Dialect::OpenAiChat | Dialect::OpenAiResponses
                if self.deployment.prices.as_str() == "openai"
                    && caching != Caching::NONE
                    && tokens >= caching.min_tokens =>
            {
                Syntax::CacheKey
            }
            _ => Syntax::None,
        }
    }
}

/// What is done away from the async threads where it is much.
struct Work {
    optimizer: Arc<Optimizer>,
    counter: Counter,
    request: Arc<Request>,
    owner: String,
    tokens: u64,
    caching: Caching,
    found: Option<Resolved>,
    syntax: Syntax,
    observations: Observations,
    thread: Thread,
    habits: Habits,
    now: Timestamp,
}

/// What came of it.
struct Done {
    optimized: Optimized,
    /// The request as it should be sent; `None` for as it came.
    request: Option<Arc<Request>>,
    /// Its tokens, where there are fewer.
    anatomy: Option<Anatomy>,
}

// === impl Work ===

impl Work {
    /// Gives the work back where it takes too long.
    async fn run(self, mode: Mode, settings: &Settings) -> Result<(Arc<Work>, Done), Arc<Work>> {
        let work = Arc::new(self);
        if work.request.prompt.body.len() < LONG_TEXT_BYTES {
            let done = work.done(mode);
            return Ok((work, done));
        }
        let optimized_before = work.thread.requests > 0 && work.thread.plain == 0;
        let patience = if optimized_before { PATIENCE } else { 1 };
        let theirs = Arc::clone(&work);
        let done = spawn_blocking(move || theirs.done(mode));
        match timeout(settings.time_budget.saturating_mul(patience), done).await {
            Ok(Ok(done)) => Ok((work, done)),
            // What goes on working when its time is over is there for the next request.
            Ok(Err(_)) | Err(_) => Err(work),
        }
    }

    fn done(&self, mode: Mode) -> Done {
        let optimized = self.optimized(mode);
        let Request { dialect, prompt, model, .. } = &*self.request;
        let body = optimized.apply(&prompt.body);
        if body.as_ptr() == prompt.body.as_ptr() {
            return Done { optimized, request: None, anatomy: None };
        }
        match dialect.parse(body) {
            Ok(request) => {
                let shorter = !optimized.receipt.edits.is_empty();
                let count = || self.counter.count(model.as_str(), &request.prompt);
                let anatomy = shorter.then(count);
                Done { optimized, request: Some(Arc::new(request)), anatomy }
            }
            Err(error) => {
                tracing::error!("an optimized request cannot be read and is not sent: {error}");
                Done { optimized: self.optimized(Mode::Off), request: None, anatomy: None }
            }
        }
    }

    fn optimized(&self, mode: Mode) -> Optimized {
        let situation = Situation {
            mode,
            owner: &self.owner,
            model: self.request.model.as_str(),
            tokens: self.tokens,
            caching: &self.caching,
            card: self.found.as_ref().map(|found| found.card.as_ref()),
            syntax: self.syntax,
            observations: self.observations,
            thread: &self.thread,
            habits: self.habits,
            kept_warm: false,
            now: Some(self.now),
        };
        self.optimizer.optimize(&self.request.prompt, &situation)
    }
}

/// No panic leaves what is remembered half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
