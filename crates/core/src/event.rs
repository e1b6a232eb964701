//! The five live events.
//!
//! There are exactly five types, and no sixth will join them: whatever else is worth saying (cost,
//! alerts, savings, recommendations) rides inside them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::entry::{Bill, Origin};
use crate::id::{AgentId, ModelId, ProviderId, RequestId, RunId, ThreadId, UserId};
use crate::money::Usd;
use crate::pricing::CostStatus;
use crate::usage::{Bucket, Usage};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventType {
    /// A run began.
    AgentStarted,
    /// A model was called.
    AgentThinking,
    /// The model called a tool.
    ToolExecuting,
    /// The tool's result came back.
    ToolCompleted,
    /// The run ended.
    AgentCompleted,
}

/// Something that happened, with what it cost, as its user is shown it. Its place in the user's sequence
/// it gets when it is committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// Its own name, the same however often it is sent.
    pub id: String,
    /// When.
    pub ts: Timestamp,
    /// The only user who is ever shown it.
    pub user_id: UserId,
    /// The conversation.
    pub thread_id: ThreadId,
    /// The task.
    pub run_id: RunId,
    /// The task that gave this one out.
    pub parent_run_id: Option<RunId>,
    /// The program that acts.
    pub agent: Option<AgentId>,
    /// The request that it belongs to.
    pub request_id: Option<RequestId>,
    /// What there is to say about it.
    pub data: Data,
    /// What it consumed.
    pub usage: Option<Consumed>,
    /// What it cost.
    pub cost: Option<Spent>,
    /// How the caller's tightest budget stands; `None` without a budget.
    pub budget: Option<BudgetState>,
    /// All of the run so far, this included: who missed an event is still right.
    pub run_total: Total,
}

/// What there is to say about an event; what does not apply is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Data {
    /// The tool that is called, or was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The call's name in the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
    /// `ok` or `error`, of a tool; `ok`, `error`, `refused`, `stopped` or `expired`, of a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// How long it took, as far as it can be seen from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// Tokens that a tool's result brought into the prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_tokens: Option<u64>,
    /// The provider that was called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderId>,
    /// The model that answered, or was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelId>,
    /// Model calls that this event stands for; more than one where events were merged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<u64>,
    /// Thresholds that were passed by this.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<String>,
    /// What would make the next run cheaper, the most valuable first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recommendations: Vec<String>,
}

/// Tokens of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consumed {
    /// Prompt tokens at the full price, of every medium.
    pub input: u64,
    /// Prompt tokens from the provider's cache.
    pub cache_read: u64,
    /// Prompt tokens written to it.
    pub cache_write: u64,
    /// Tokens of the answer, thinking included.
    pub output: u64,
    /// Those of them that the model thought and did not say.
    pub reasoning: u64,
    /// Who counted.
    pub source: Source,
}

/// Who counted a usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The provider.
    Provider,
    /// We did.
    Estimate,
}

/// What a call cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// The cost; `None` where it is unknown, which is never zero.
    pub usd: Option<Usd>,
    /// How sure that is.
    pub status: CostStatus,
    /// Tokens that were not sent.
    pub saved_tokens: u64,
    /// What that saved, net; negative where it cost more than it brought.
    pub saved_usd: Usd,
}

/// How a budget stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetState {
    /// Whose spending it limits, such as `user`.
    pub scope: String,
    /// What is spent in its window.
    pub spent_usd: Usd,
    /// The most that may be.
    pub limit_usd: Usd,
    /// How much of it is left.
    pub state: Level,
}

/// How much of a budget is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// More than a fifth.
    Ok,
    /// A fifth or less.
    Warn,
    /// Nothing.
    Exhausted,
}

/// All of a run so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// Tokens, of prompts and answers.
    pub tokens: u64,
    /// The known costs.
    pub usd: Usd,
}

// === impl EventType ===

impl EventType {
    /// The name in frames and filters.
    pub const fn name(self) -> &'static str {
        match self {
            EventType::AgentStarted => "agent_started",
            EventType::AgentThinking => "agent_thinking",
            EventType::ToolExecuting => "tool_executing",
            EventType::ToolCompleted => "tool_completed",
            EventType::AgentCompleted => "agent_completed",
        }
    }
}

// === impl Event ===

impl Event {
    /// The event as a frame says it, at its place in its user's sequence of a store's epoch.
    pub fn frame(&self, seq: u64, epoch: &str) -> String {
        #[derive(Serialize)]
        struct Place<'a> {
            v: u32,
            seq: u64,
            epoch: &'a str,
        }
        let place = serde_json::to_string(&Place { v: 1, seq, epoch });
        let (place, event) = (place.unwrap_or_default(), self.to_json());
        // Two objects in one: the places of their braces are known.
        format!("{},{}", place.trim_end_matches('}'), event.trim_start_matches('{'))
    }

    /// The event without its place.
    pub fn to_json(&self) -> String {
        // Texts, numbers and lists of them always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Both in one, where both tell of model calls of the same run; `None` otherwise. Counts and
    /// costs are added; all else is as the later one says.
    pub fn merged(&self, later: &Event) -> Option<Event> {
        let mergeable = |event: &Event| event.kind == EventType::AgentThinking;
        if !(mergeable(self) && mergeable(later) && self.run_id == later.run_id) {
            return None;
        }
        let mut both = later.clone();
        both.usage = add(self.usage, later.usage, Consumed::plus);
        both.cost = add(self.cost, later.cost, Spent::plus);
        let calls = |event: &Event| event.data.calls.unwrap_or(1);
        both.data.calls = Some(calls(self).saturating_add(calls(later)));
        both.data.alerts = [self.data.alerts.clone(), later.data.alerts.clone()].concat();
        Some(both)
    }
}

fn add<T>(one: Option<T>, other: Option<T>, plus: fn(T, T) -> T) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(plus(one, other)),
        (one, other) => one.or(other),
    }
}

// === impl Consumed ===

impl Consumed {
    /// What a bill says.
    pub fn of(bill: &Bill) -> Consumed {
        use Bucket::*;
        let usage: &Usage = &bill.usage;
        let sum = |buckets: &[Bucket]| {
            buckets.iter().map(|bucket| usage.get(*bucket)).fold(0, u64::saturating_add)
        };
        Consumed {
            input: sum(&[Input, InputAudio, InputImage, InputVideo]),
            cache_read: sum(&[CacheRead, CacheReadAudio, CacheReadImage]),
            cache_write: sum(&[CacheWrite5m, CacheWrite1h]),
            output: usage.completion(),
            reasoning: sum(&[OutputReasoning]),
            source: match bill.origin {
                Origin::Measured => Source::Provider,
                Origin::Estimated => Source::Estimate,
            },
        }
    }

    /// All tokens together.
    pub fn tokens(&self) -> u64 {
        let parts = [self.input, self.cache_read, self.cache_write, self.output];
        parts.into_iter().fold(0, u64::saturating_add)
    }

    fn plus(self, other: Consumed) -> Consumed {
        let is_provider = self.source == Source::Provider && other.source == Source::Provider;
        Consumed {
            input: self.input.saturating_add(other.input),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write: self.cache_write.saturating_add(other.cache_write),
            output: self.output.saturating_add(other.output),
            reasoning: self.reasoning.saturating_add(other.reasoning),
            source: if is_provider { Source::Provider } else { Source::Estimate },
        }
    }
}

// === impl Spent ===

impl Spent {
    /// What a bill says.
    pub fn of(bill: &Bill) -> Spent {
        let (usd, status) = (bill.cost.usd, bill.cost.status);
        Spent { usd, status, saved_tokens: 0, saved_usd: Usd::ZERO }
    }

    fn plus(self, other: Spent) -> Spent {
        let both = |one: Option<Usd>, other: Option<Usd>| one?.plus(other?).ok();
        let is_same = self.status == other.status;
        Spent {
            usd: both(self.usd, other.usd).or(self.usd).or(other.usd),
            status: if is_same { self.status } else { CostStatus::Partial },
            saved_tokens: self.saved_tokens.saturating_add(other.saved_tokens),
            saved_usd: self.saved_usd.plus(other.saved_usd).unwrap_or(self.saved_usd),
        }
    }
}

// === impl Total ===

impl Total {
    /// With one more call.
    #[must_use]
    pub fn plus(self, usage: &Consumed, usd: Option<Usd>) -> Total {
        Total {
            tokens: self.tokens.saturating_add(usage.tokens()),
            usd: usd.and_then(|usd| self.usd.plus(usd).ok()).unwrap_or(self.usd),
        }
    }
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
