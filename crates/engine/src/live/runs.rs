//! What a run has done so far, and the events that follow from a call.
//!
//! A run begins with a request whose last message is a person's, or in a new conversation. Each call of
//! a model belongs to it, with the tools that the model calls, until an answer without tool calls.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use farthing_core::entry::{Bill, Who};
use farthing_core::event::{Consumed, Data, Event, EventType, Spent, Total};
use farthing_core::id::{ModelId, ProviderId, RequestId, RunId, TenantId, ThreadId, UserId};
use farthing_core::prompt::{Prompt, Role};
use farthing_upstream::Deployment;
use farthing_wire::ToolUse;
use jiff::{SignedDuration, Timestamp};

use super::recent::Recent;
use super::threads::Trail;
use crate::call::Ask;
use crate::savings::Saved;

/// Runs that are remembered at least.
const REMEMBERED: usize = 50_000;

/// Tool calls of a run that may wait for their results.
const WAITING_MAX: usize = 1_000;

/// A run in which nothing happens for so long has ended.
const SILENT_MAX: SignedDuration = SignedDuration::from_mins(30);

/// The runs under way.
#[derive(Debug)]
pub(crate) struct Runs(Mutex<Recent<Key, Run>>);

type Key = (TenantId, UserId, ThreadId);

/// One run, and what has happened in it.
#[derive(Clone, Debug)]
struct Run {
    who: Who,
    run: RunId,
    thread: ThreadId,
    request: RequestId,
    began: Timestamp,
    last: Timestamp,
    total: Total,
    calls: u64,
    /// Events so far: it numbers them.
    told: u64,
    /// Tools that were called and have not answered, by the call's id.
    waiting: BTreeMap<String, (String, Timestamp)>,
}

/// A request's turn in its run.
#[derive(Clone, Debug)]
pub struct Turn {
    /// On whose account it is; its thread and its run have names.
    pub who: Who,
    /// What follows from its coming, to be recorded with it.
    pub(crate) events: Vec<Event>,
    key: Key,
    trail: Trail,
}

/// How a call ended, as far as its run is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With an answer.
    Answered,
    /// Without one.
    Failed,
    /// A limit said no.
    Refused,
    /// Its client went away.
    Stopped,
}

/// How a call went, as far as its run is concerned.
#[derive(Debug)]
pub(crate) struct Outcome<'a> {
    /// What it was billed; `None` where nothing was.
    pub bill: Option<&'a Bill>,
    /// Whom it asked.
    pub provider: &'a ProviderId,
    /// For what.
    pub model: &'a ModelId,
    /// The tools that the model calls.
    pub tools: &'a [ToolUse],
    /// How it ended.
    pub ended: Ended,
    /// How long it took.
    pub took: SignedDuration,
    /// What optimizing it saved.
    pub saved: Saved,
}

// === impl Outcome ===

impl<'a> Outcome<'a> {
    pub(crate) fn of(
        ask: &'a Ask,
        deployment: &'a Deployment,
        tools: &'a [ToolUse],
        ended: Ended,
    ) -> Outcome<'a> {
        let (provider, model) = (&deployment.provider, &ask.request.model);
        Outcome {
            bill: None,
            provider,
            model,
            tools,
            ended,
            took: SignedDuration::ZERO,
            saved: Saved::default(),
        }
    }

    /// Of a call that did not come about.
    pub(crate) fn without_answer(ask: &'a Ask, ended: Ended) -> Outcome<'a> {
        Outcome::of(ask, ask.route.at(0), &[], ended)
    }
}

// === impl Turn ===

impl Turn {
    /// Names the conversation among all that go on.
    pub(crate) fn conversation(&self) -> String {
        let (tenant, user, thread) = &self.key;
        format!("{tenant}\n{user}\n{thread}")
    }

    /// Where it stands in its conversation.
    pub(crate) fn trail(&self) -> &Trail {
        &self.trail
    }
}

// === impl Runs ===

impl Runs {
    pub(crate) fn new() -> Runs {
        Runs(Mutex::new(Recent::new(REMEMBERED)))
    }

    /// Takes a request up into the run of its conversation.
    pub(crate) fn begin(
        &self,
        who: Who,
        (conversation, trail): (ThreadId, Trail),
        prompt: &Prompt,
        request: RequestId,
        now: Timestamp,
    ) -> Turn {
        let key = (who.tenant.clone(), who.user.clone(), conversation.clone());
        let thread = who.thread.clone().unwrap_or(conversation);
        let mut runs = self.lock();
        let mut events = Vec::new();
        let is_asked = prompt.messages.last().is_none_or(|last| last.role != Role::Tool);
        let mut run = runs.remove(&key);
        let goes_on = |run: &Run| match &who.run {
            Some(named) => run.run == *named,
            None => !is_asked,
        };
        if let Some(mut before) = run.take_if(|run| !goes_on(run)) {
            events.push(before.complete("stopped", now));
        }
        let mut run = run.unwrap_or_else(|| {
            let mut run = Run::new(who, thread, request, now);
            events.push(run.event(EventType::AgentStarted, now));
            run
        });
        run.request = request;
        events.extend(run.results(prompt, now));
        let turn = Turn { who: run.who.clone(), key: key.clone(), events, trail };
        runs.insert(key, run);
        turn
    }

    /// The events that follow from how a call went.
    pub(crate) fn end(&self, turn: &Turn, outcome: &Outcome<'_>, now: Timestamp) -> Vec<Event> {
        let mut runs = self.lock();
        let Some(run) = runs.get_mut(&turn.key).filter(|run| run.who.run == turn.who.run) else {
            return Vec::new();
        };
        let mut events = Vec::new();
        if outcome.ended != Ended::Refused {
            events.push(run.thinking(outcome, now));
        }
        events.extend(outcome.tools.iter().map(|tool| run.executing(tool, now)));
        // What failed may be tried again by the client, and goes on then.
        if outcome.tools.is_empty() && outcome.ended != Ended::Failed {
            events.push(run.complete(outcome.ended.name(), now));
            runs.remove(&turn.key);
        }
        events
    }

    /// The events of runs in which nothing has happened for long, by their tenants.
    pub(crate) fn sweep(&self, now: Timestamp) -> BTreeMap<TenantId, Vec<Event>> {
        let mut ended = BTreeMap::<TenantId, Vec<Event>>::new();
        for mut run in self.lock().extract(|run| now.duration_since(run.last) > SILENT_MAX) {
            let tenant = run.who.tenant.clone();
            ended.entry(tenant).or_default().push(run.complete("expired", now));
        }
        ended
    }

    fn lock(&self) -> MutexGuard<'_, Recent<Key, Run>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Ended ===

impl Ended {
    const fn name(self) -> &'static str {
        match self {
            Ended::Answered => "ok",
            Ended::Failed => "error",
            Ended::Refused => "refused",
            Ended::Stopped => "stopped",
        }
    }
}

// === impl Run ===

impl Run {
    fn new(who: Who, thread: ThreadId, request: RequestId, now: Timestamp) -> Run {
        let run = who.run.clone().unwrap_or_else(|| RunId::of(request));
        let who = Who { run: Some(run.clone()), thread: Some(thread.clone()), ..who };
        let (total, waiting) = (Total::default(), BTreeMap::new());
        Run { who, run, thread, request, began: now, last: now, total, calls: 0, told: 0, waiting }
    }

    fn event(&mut self, kind: EventType, now: Timestamp) -> Event {
        let number = self.told;
        self.told = self.told.saturating_add(1);
        self.last = now;
        Event {
            kind,
            id: format!("{}/{number}", self.run),
            ts: now,
            user_id: self.who.user.clone(),
            thread_id: self.thread.clone(),
            run_id: self.run.clone(),
            parent_run_id: None,
            agent: self.who.agent.clone(),
            request_id: Some(self.request),
            data: Data::default(),
            usage: None,
            cost: None,
            budget: None,
            run_total: self.total,
        }
    }

    /// What came back from tools, by the messages behind the model's last.
    fn results(&mut self, prompt: &Prompt, now: Timestamp) -> Vec<Event> {
        let mut events = Vec::new();
        let newest = prompt.messages.iter().rev().take_while(|it| it.role != Role::Assistant);
        let newest: Vec<_> = newest.filter(|message| message.role == Role::Tool).collect();
        for message in newest.into_iter().rev() {
            let Some(id) = message.answers.as_ref().map(|id| prompt.text(id)) else { continue };
            let Some((tool, since)) = self.waiting.remove(id.as_ref()) else { continue };
            let mut event = self.event(EventType::ToolCompleted, now);
            event.data = Data {
                tool: Some(tool),
                tool_call_id: Some(id.into_owned()),
                status: Some(if message.is_error { "error" } else { "ok" }.to_owned()),
                duration_ms: Some(ms(now.duration_since(since))),
                ..Data::default()
            };
            events.push(event);
        }
        events
    }

    fn thinking(&mut self, outcome: &Outcome<'_>, now: Timestamp) -> Event {
        let usage = outcome.bill.map(Consumed::of);
        if let (Some(usage), Some(bill)) = (&usage, outcome.bill) {
            self.total = self.total.plus(usage, bill.cost.usd);
        }
        self.calls = self.calls.saturating_add(1);
        let mut event = self.event(EventType::AgentThinking, now);
        event.usage = usage;
        event.cost = outcome.bill.map(|bill| Spent {
            saved_tokens: outcome.saved.tokens,
            saved_usd: outcome.saved.usd.unwrap_or_default(),
            ..Spent::of(bill)
        });
        event.data = Data {
            status: Some(outcome.ended.name().to_owned()),
            duration_ms: Some(ms(outcome.took)),
            provider: Some(outcome.provider.clone()),
            model: Some(
                outcome.bill.map_or_else(|| outcome.model.clone(), |bill| bill.model.clone()),
            ),
            ..Data::default()
        };
        event
    }

    fn executing(&mut self, tool: &ToolUse, now: Timestamp) -> Event {
        if self.waiting.len() < WAITING_MAX {
            self.waiting.insert(tool.id.clone(), (tool.name.clone(), now));
        }
        let mut event = self.event(EventType::ToolExecuting, now);
        event.data = Data {
            tool: Some(tool.name.clone()),
            tool_call_id: Some(tool.id.clone()),
            ..Data::default()
        };
        event
    }

    fn complete(&mut self, status: &str, now: Timestamp) -> Event {
        let took = self.last.max(self.began).duration_since(self.began);
        let calls = self.calls;
        let mut event = self.event(EventType::AgentCompleted, now);
        event.data = Data {
            status: Some(status.to_owned()),
            duration_ms: Some(ms(took)),
            calls: Some(calls),
            ..Data::default()
        };
        event
    }
}

fn ms(duration: SignedDuration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or_default()
}
