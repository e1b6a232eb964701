//! A conversation sent again: as it was, with a rolling breakpoint, and under a policy.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use farthing_core::Usd;
use farthing_core::pricing::RateCard;
use farthing_core::prompt::{Message, Prompt, Role};
use farthing_core::usage::{Bucket, CacheTtl, Usage};
use farthing_optimize::breakpoints::{Place, Plan};
use farthing_optimize::cache::{Block, Cache};
use farthing_optimize::keep_warm::next_ping;
use farthing_optimize::{Caching, Habits, Optimized, Optimizer, Situation, Syntax, Thread};
use farthing_tokens::Counter;
use jiff::{SignedDuration, Timestamp};

use super::kept::Kept;
use super::policy::{Breakpoints, Policy};
use super::report::{Bill, Outcome};
use super::trace::{Conversation, Sent};

/// What all conversations of a replay have in common.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) counter: Counter,
    pub(super) model: String,
    pub(super) card: RateCard,
    pub(super) caching: Caching,
    pub(super) policy: Policy,
    pub(super) optimizer: Optimizer,
}

/// One conversation on its way.
struct Replay<'a> {
    setting: &'a Setting,
    conversation: &'a Conversation,
    tokens: HashMap<u64, u64>,
    as_sent: Cache,
    rolling: Cache,
    policy: Cache,
    thread: Thread,
    outcome: Outcome,
    kept: Kept,
    /// The tools and messages of the latest request under the policy, as bytes.
    latest: Option<Vec<u8>>,
    /// When the latest request came, and the tokens that it had.
    before: Option<(Timestamp, u64)>,
}

/// Sends a conversation again.
pub(super) fn replay(
    setting: &Setting,
    conversation: &Conversation,
    habits: Habits,
) -> Result<Outcome> {
    let cache = || Cache::new(setting.caching.clone());
    let mut replay = Replay {
        setting,
        conversation,
        tokens: HashMap::new(),
        as_sent: cache(),
        rolling: cache(),
        policy: cache(),
        thread: Thread::default(),
        outcome: Outcome::new(conversation.id.clone()),
        kept: Kept::default(),
        latest: None,
        before: None,
    };
    for request in &conversation.requests {
        replay.send(request, habits)?;
    }
    replay.outcome.one_shot = conversation.requests.len() == 1;
    (replay.outcome.needles, replay.outcome.edits) = replay.kept.counts();
    replay.ping_after_the_end()?;
    Ok(replay.outcome)
}

// === impl Replay ===

impl Replay<'_> {
    fn send(&mut self, request: &Sent, habits: Habits) -> Result<()> {
        let body = self.conversation.body(request);
        let prompt = self.conversation.read(body)?;
        let blocks = self.blocks(&prompt);
        let total = blocks.iter().map(|block| block.tokens).sum();
        self.ping_until(request.at)?;
        let (optimized, spent) = self.optimize(&prompt, total, request, habits);
        let sent = self.conversation.read(optimized.apply(&prompt.body))?;
        let sent_blocks = self.blocks(&sent);
        let sent_total = sent_blocks.iter().map(|block| block.tokens).sum();

        let rolling = rolling(&prompt);
        let shortest = self.setting.caching.shortest().map(|shortest| shortest.ttl);
        let own = self.own(&prompt, &rolling);
        let plan = match self.setting.policy.breakpoints {
            Breakpoints::Rolling => Plan { places: rolling.clone(), ttl: shortest },
            Breakpoints::Planned if optimized.plan.ttl.is_some() => optimized.plan.clone(),
            Breakpoints::Planned => Plan { places: Place::own(&sent), ..own.clone() },
            Breakpoints::AsSent => own.clone(),
        };
        let at = request.at;
        let rolling = marks(&prompt, &rolling);
        let no_cache = Usage::NONE.with(Bucket::Input, total);
        let as_sent = self.as_sent.send(&blocks, &marks(&prompt, &own.places), own.ttl, at);
        let rolling = self.rolling.send(&blocks, &rolling, shortest, at);
        let policy = self.policy.send(&sent_blocks, &marks(&sent, &plan.places), plan.ttl, at);
        self.note_ttl(&plan);
        let output = self.output(request);
        let card = &self.setting.card;
        let bill = Bill {
            no_cache: cost(card, &no_cache)?,
            as_sent: cost(card, &as_sent)?,
            rolling: cost(card, &rolling)?,
            policy: cost(card, &policy)?,
            output: cost(card, &Usage::NONE.with(Bucket::Output, output))?,
            ..Bill::default()
        };
        self.outcome.add(&bill, (total, sent_total), spent)?;
        let answer = self.conversation.answer(request);
        self.kept.note(&prompt, &sent, &optimized.originals, answer);
        let rewritten = optimized.thread.masked != self.thread.masked
            || optimized.thread.mode != self.thread.mode;
        self.compare(&sent, rewritten);
        self.before = at.map(|at| (at, sent_total));
        self.thread = optimized.thread;
        Ok(())
    }

    fn optimize(
        &self,
        prompt: &Prompt,
        tokens: u64,
        request: &Sent,
        habits: Habits,
    ) -> (Optimized, Duration) {
        let Setting { policy, caching, card, model, optimizer, .. } = self.setting;
        let situation = Situation {
            mode: policy.mode,
            owner: &self.conversation.id,
            model,
            tokens,
            caching,
            card: Some(card),
            // Breakpoints are simulated; writing them out would only hide what is equal.
            syntax: Syntax::None,
            observations: policy.observations,
            thread: &self.thread,
            habits,
            kept_warm: policy.keep_warm,
            now: request.at,
        };
        #[expect(clippy::disallowed_methods, reason = "how long it takes is what is asked")]
        let begun = Instant::now();
        let optimized = optimizer.optimize(prompt, &situation);
        (optimized, begun.elapsed())
    }

    /// Reads the cache as often as it pays until `now`, or until the client is given up.
    fn ping_until(&mut self, now: Option<Timestamp>) -> Result<()> {
        let (Some(now), Some((before, tokens))) = (now, self.before) else { return Ok(()) };
        for due in self.pings(tokens) {
            let Ok(at) = before.checked_add(due) else { break };
            if at >= now {
                break;
            }
            self.policy.touch(at);
            self.thread.warmed = Some(at);
            self.outcome.ping(cost(&self.setting.card, &read(tokens))?)?;
        }
        Ok(())
    }

    /// What would have been spent on a client that never came back is told apart: the recording
    /// ends there, the conversation may not.
    fn ping_after_the_end(&mut self) -> Result<()> {
        let Some((_, tokens)) = self.before else { return Ok(()) };
        for _ in self.pings(tokens) {
            self.outcome.ping_after_end(cost(&self.setting.card, &read(tokens))?)?;
        }
        Ok(())
    }

    /// When an idle client's prompt is read, counted from its latest request.
    fn pings(&self, tokens: u64) -> Vec<SignedDuration> {
        if !self.setting.policy.keep_warm {
            return Vec::new();
        }
        let next =
            |idle: &SignedDuration| next_ping(&self.setting.caching, &self.thread, tokens, *idle);
        std::iter::successors(next(&SignedDuration::ZERO), next).collect()
    }

    fn note_ttl(&mut self, plan: &Plan) {
        if plan.ttl == Some(CacheTtl::OneHour) {
            self.outcome.one_hour += 1;
        }
    }

    /// Whether what was sent before still stands at the beginning of what is sent now, unless it
    /// was rewritten on purpose.
    fn compare(&mut self, sent: &Prompt, rewritten: bool) {
        let end = sent.messages.last().map_or(0, |last| last.span.end);
        let bytes = sent.body.get(..end).unwrap_or_default();
        if let Some(latest) = self.latest.as_ref().filter(|_| !rewritten) {
            self.outcome.turns += 1;
            self.outcome.prefix_stable_turns += u64::from(bytes.starts_with(latest));
        }
        self.latest = Some(bytes.to_vec());
    }

    /// The tools as one block, if there are any, and each message.
    fn blocks(&mut self, prompt: &Prompt) -> Vec<Block> {
        let mut blocks = Vec::with_capacity(prompt.messages.len() + 1);
        let tools: Vec<&str> = prompt.tools.iter().map(|tool| prompt.raw(&tool.span)).collect();
        if !tools.is_empty() {
            let only_tools = part(prompt, Vec::new(), true);
            blocks.push(self.block(&tools, &only_tools));
        }
        for message in &prompt.messages {
            let only = part(prompt, vec![message.clone()], false);
            blocks.push(self.block(&[prompt.raw(&message.span)], &only));
        }
        blocks
    }

    fn block(&mut self, raw: &[&str], part_of: &Prompt) -> Block {
        let mut hasher = DefaultHasher::new();
        raw.hash(&mut hasher);
        let hash = hasher.finish();
        let Setting { counter, model, .. } = self.setting;
        let tokens = *self.tokens.entry(hash).or_insert_with(|| {
            let empty = counter.count(model, &part(part_of, Vec::new(), false)).by_kind.total();
            counter.count(model, part_of).by_kind.total().saturating_sub(empty)
        });
        Block { hash, tokens }
    }

    fn output(&self, request: &Sent) -> u64 {
        let answer = self.conversation.answer(request);
        request
            .output
            .unwrap_or_else(|| self.setting.counter.count_text(&self.setting.model, answer).0)
    }

    /// The breakpoints that the client set: in the request, or known from the recorded usage.
    fn own(&self, prompt: &Prompt, rolling: &[Place]) -> Plan {
        match self.conversation.own_ttl {
            Some(ttl) => Plan { places: rolling.to_vec(), ttl: Some(ttl) },
            None => Plan {
                places: Place::own(prompt),
                ttl: prompt.cache_markers.iter().map(|marker| marker.ttl).max(),
            },
        }
    }
}

/// A piece of a prompt by itself.
fn part(prompt: &Prompt, messages: Vec<Message>, tools: bool) -> Prompt {
    let tools = if tools { prompt.tools.clone() } else { Vec::new() };
    Prompt { body: prompt.body.clone(), messages, tools, ..Prompt::default() }
}

/// After tools and instructions, and behind the newest message.
fn rolling(prompt: &Prompt) -> Vec<Place> {
    let system = prompt.messages.iter().take_while(|message| message.role == Role::System).count();
    let instructions = system.checked_sub(1).map_or(Place::Tools, Place::Message);
    let newest = prompt.messages.len().checked_sub(1).map(Place::Message);
    std::iter::once(instructions).chain(newest).collect()
}

/// The blocks after which these places are.
fn marks(prompt: &Prompt, places: &[Place]) -> Vec<usize> {
    let tools = usize::from(!prompt.tools.is_empty());
    let block = |place: &Place| match place {
        Place::Tools => tools.checked_sub(1),
        Place::Message(index) => Some(index + tools),
    };
    places.iter().filter_map(block).collect()
}

fn read(tokens: u64) -> Usage {
    Usage::NONE.with(Bucket::CacheRead, tokens)
}

fn cost(card: &RateCard, usage: &Usage) -> Result<Usd> {
    card.cost(usage)?.usd.with_context(|| format!("{} has no price for input", card.model()))
}
