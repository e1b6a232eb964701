//! From a request to the edits that lower its expected bill.

use bytes::Bytes;
use farthing_core::pricing::RateCard;
use farthing_core::prompt::Prompt;
use farthing_tokens::Counter;
use jiff::Timestamp;

use crate::breakpoints::{Ground, Plan};
use crate::caching::{BASE, Caching};
use crate::edit::{Change, Class, Edit, apply};
use crate::gate::{Gate, Verdict};
use crate::handles::Original;
use crate::hints::{Syntax, hinted};
use crate::mode::Mode;
use crate::outlook::Outlook;
use crate::receipt::{Entry, Receipt, dollars, spelled};
use crate::regions::Observations;
use crate::texts::{Task, Texts};
use crate::thread::{Habits, Thread};
use crate::tool_order;

/// Everything that the optimizer works with; shared by all requests.
#[derive(Debug)]
pub struct Optimizer {
    counter: Counter,
    texts: Texts,
}

/// What is known of a request beside its body.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// How far to go.
    pub mode: Mode,
    /// Whose request it is (tenant and user): nothing worked out for one owner serves another.
    pub owner: &'a str,
    /// The model that will read it.
    pub model: &'a str,
    /// The tokens of the prompt, as counted.
    pub tokens: u64,
    /// The provider's cache.
    pub caching: &'a Caching,
    /// The model's rates, to say what edits are worth; `None` where it has no price.
    pub card: Option<&'a RateCard>,
    /// How hints to the cache are written in the request's dialect.
    pub syntax: Syntax,
    /// How the scaffold sends observations.
    pub observations: Observations,
    /// The thread as its latest request left it.
    pub thread: &'a Thread,
    /// What the agent's earlier threads did.
    pub habits: Habits,
    /// Whether somebody keeps the cache warm while the client is idle.
    pub kept_warm: bool,
    /// When the request came; `None` where time is not known.
    pub now: Option<Timestamp>,
}

/// A request as it should be sent.
#[derive(Clone, Debug, Default)]
pub struct Optimized {
    /// What to change in the body, in order and apart from each other.
    pub edits: Vec<Edit>,
    /// Up to where the provider is asked to keep the prompt.
    pub plan: Plan,
    /// The account of it.
    pub receipt: Receipt,
    /// What was left out of texts, to be kept for the owner under its handle. All of the request's
    /// are here, also those of messages that were sent before.
    pub originals: Vec<Original>,
    /// The thread to hand in with its next request.
    pub thread: Thread,
}

// === impl Optimizer ===

impl Optimizer {
    /// An optimizer that remembers at most so many bytes of what it worked out.
    pub fn new(counter: Counter, memory_bytes_max: usize) -> Optimizer {
        Optimizer { counter, texts: Texts::new(memory_bytes_max) }
    }

    /// The edits that lower the expected bill of a request.
    ///
    /// The same request in the same situation gets the same edits, whatever was asked before. It
    /// never gets more tokens.
    pub fn optimize(&self, prompt: &Prompt, situation: &Situation) -> Optimized {
        let Situation { caching, now, tokens, .. } = *situation;
        let outlook = Outlook::of(prompt, situation.thread, situation.habits);
        let mut thread = situation.thread.clone().arrived(now);
        thread.messages = prompt.messages.len();
        let own = prompt.cache_markers.iter().map(|marker| marker.ttl).max();
        thread.kept = own.or_else(|| caching.unasked());
        if situation.mode == Mode::Off {
            return untouched(prompt, thread, Receipt::of_untouched(tokens));
        }
        let plan = Plan::of(&Ground {
            prompt,
            tokens,
            caching,
            thread: situation.thread,
            outlook,
            now,
            kept_warm: situation.kept_warm,
        });
        let tools = tool_order::order(prompt);
        let (mode, masked) = decided(prompt, situation);
        let (mut changes, originals) = self.texts(prompt, situation, mode, masked);
        // A client's breakpoint in a tool would move with it.
        if !thread.tools.is_empty() && prompt.cache_markers.is_empty() {
            changes.extend(tool_order::restored(prompt, &thread.tools, &tools));
        }
        if thread.tools.len() != tools.len() {
            thread.tools = tools;
        }
        let weighed = weigh(prompt, situation, outlook, &plan, changes);
        let receipt = receipt(situation, &plan, &weighed);
        if situation.mode == Mode::Shadow {
            return untouched(prompt, thread, receipt);
        }
        thread.plain = weighed.plain;
        (thread.mode, thread.masked) = (Some(mode), masked);
        thread.kept = plan.ttl.or(thread.kept);
        let edits = weighed.admitted.into_iter().map(|(change, _)| change.edit).collect();
        let edits = hinted(prompt, &plan, situation, edits);
        Optimized { edits, plan, receipt, originals, thread }
    }

    fn texts(
        &self,
        prompt: &Prompt,
        situation: &Situation,
        mode: Mode,
        masked: usize,
    ) -> (Vec<Change>, Vec<Original>) {
        let Situation { owner, model, observations, .. } = *situation;
        let count = |text: &str| self.counter.count_text(model, text).0;
        let task = Task { prompt, owner, model, observations, mode, masked, count: &count };
        let (changes, originals): (Vec<_>, Vec<_>) = self.texts.changes(&task).into_iter().unzip();
        (changes, originals.into_iter().flatten().collect())
    }
}

// === impl Optimized ===

impl Optimized {
    /// The body as it should be sent.
    pub fn apply(&self, body: &Bytes) -> Bytes {
        apply(body, &self.edits)
    }
}

/// How far to go with a thread, and in how many messages at its start observations are masked.
///
/// Both would change what the cache has, so they stay as they are until it has lapsed; then the
/// write is due anyway. The newest observations are never masked.
fn decided(prompt: &Prompt, situation: &Situation) -> (Mode, usize) {
    /// So many messages at the end keep their observations.
    const FRESH: usize = 20;
    let Situation { mode, thread, caching, now, .. } = *situation;
    let lifetime = thread.kept.and_then(|ttl| caching.lifetime(ttl));
    let cold = lifetime.is_none_or(|lifetime| thread.is_cold(now, lifetime.lasts));
    match thread.mode.filter(|_| !cold) {
        Some(standing) => (standing, thread.masked),
        None if mode.allows(Class::L3) => (mode, prompt.messages.len().saturating_sub(FRESH)),
        None => (mode, 0),
    }
}

/// Changes with what the gate thinks of each.
struct Weighed {
    admitted: Vec<(Change, Verdict)>,
    refused: Vec<(Change, Verdict)>,
    /// How many messages at the start stay as they came.
    plain: usize,
}

/// Admits all changes of messages that the cache does not have as they came, and those of messages
/// that it does only together, where they pay for writing them again.
fn weigh(
    prompt: &Prompt,
    situation: &Situation,
    outlook: Outlook,
    plan: &Plan,
    changes: Vec<Change>,
) -> Weighed {
    let Situation { caching, thread, now, .. } = *situation;
    let lifetime = plan.ttl.and_then(|ttl| caching.lifetime(ttl)).or(caching.shortest());
    let (write, lasts) = lifetime.map_or((BASE, None), |life| (life.write, Some(life.lasts)));
    let gate = Gate { write, read: caching.read, outlook };
    let cold = lasts.is_none_or(|lasts| thread.is_cold(now, lasts));
    let plain = if cold { 0 } else { thread.plain.min(prompt.messages.len()) };
    let (warm, fresh): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|change| change.message.is_some_and(|at| at < plain));
    let removed = warm.iter().map(|change| change.removed).sum();
    let behind = warm.first().map_or(0, |first| behind(prompt, situation, first, plain));
    let together = gate.weigh(removed, behind);
    let rewrite = warm.is_empty() || together.admits();
    let each = |change: Change| {
        let verdict = gate.weigh(change.removed, 0);
        (change, verdict)
    };
    let warm = warm.into_iter().map(|change| (change, together));
    let (mut admitted, refused): (Vec<_>, Vec<_>) = warm.partition(|_| rewrite);
    admitted.extend(fresh.into_iter().map(each));
    let plain = if rewrite && !admitted.is_empty() { 0 } else { plain };
    Weighed { admitted, refused, plain }
}

/// S: about how many tokens stand between a change and the end of what the cache has, by their
/// share of the body.
fn behind(prompt: &Prompt, situation: &Situation, first: &Change, plain: usize) -> u64 {
    let end = plain.checked_sub(1).and_then(|last| prompt.messages.get(last));
    let bytes = end.map_or(0, |last| last.span.end.saturating_sub(first.edit.at.start)) as u64;
    let body = prompt.body.len().max(1) as u64;
    let tokens = u128::from(situation.tokens) * u128::from(bytes) / u128::from(body);
    u64::try_from(tokens).unwrap_or(u64::MAX)
}

fn receipt(situation: &Situation, plan: &Plan, weighed: &Weighed) -> Receipt {
    let entry = |(change, verdict): &(Change, Verdict)| Entry {
        pass: change.pass,
        class: change.class,
        message: change.message,
        verdict: *verdict,
        expected_usd: dollars(situation.card, verdict.gain_milli),
    };
    let removed: u64 = weighed.admitted.iter().map(|(change, _)| change.removed).sum();
    let gain = weighed.admitted.iter().map(|(_, verdict)| verdict.gain_milli).sum();
    Receipt {
        tokens_before: situation.tokens,
        tokens_after: situation.tokens.saturating_sub(removed),
        expected_usd: dollars(situation.card, gain),
        kept: plan.ttl.map(spelled),
        edits: weighed.admitted.iter().map(entry).collect(),
        refused: weighed.refused.iter().map(entry).collect(),
    }
}

/// A request that is sent as it came.
fn untouched(prompt: &Prompt, mut thread: Thread, receipt: Receipt) -> Optimized {
    thread.plain = prompt.messages.len();
    Optimized { thread, receipt, ..Optimized::default() }
}
