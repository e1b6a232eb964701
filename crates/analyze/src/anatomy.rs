//! What prompts were made of, and what each part cost.

use farthing_core::Usd;
use farthing_core::usage::{Bucket, Usage};
use serde::Serialize;

use crate::priced::{Request, sum};
use crate::threads::Conversation;

/// Tokens and dollars of all requests, by kind. The sums are the provider's counts; how they are
/// split is estimated by the lengths of what was logged.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Anatomy {
    /// Definitions of tools, where the log has them; else they are in `system`.
    pub tools: Part,
    /// Instructions, and whatever else stood in the prompt before anything was logged.
    pub system: Part,
    /// What was said earlier.
    pub history: Part,
    /// Results of tools.
    pub tool_results: Part,
    /// What people typed.
    pub user: Part,
    /// Answers, thinking included.
    pub output: Part,
}

/// A part of what was sent and received.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Part {
    /// How many tokens, in all requests together.
    pub tokens: u64,
    /// What they cost.
    pub cost_usd: Usd,
}

/// What stands in a prompt, in tokens or in bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Shares {
    tools: u64,
    system: u64,
    history: u64,
    results: u64,
    user: u64,
}

// === impl Anatomy ===

impl Anatomy {
    pub(crate) fn new(conversations: &[Conversation<'_>], tokens: impl Fn(u64) -> u64) -> Anatomy {
        let mut anatomy = Anatomy::default();
        for conversation in conversations {
            let mut shares: Option<Shares> = None;
            let (mut prompt, mut said) = (0, 0);
            for request in &conversation.requests {
                let now = request.call.usage.prompt();
                let (user, results) = (tokens(request.added.user), tokens(request.added.results));
                let mut grown = match shares {
                    // What was there before anything was logged.
                    None => {
                        Shares { system: now.saturating_sub(user + results), ..Shares::default() }
                    }
                    // The conversation was compacted: what is left of it is a summary.
                    Some(Shares { system, tools, .. }) if now < prompt => Shares {
                        system,
                        tools,
                        history: now.saturating_sub(system + tools + user + results),
                        ..Shares::default()
                    },
                    Some(shares) => Shares { history: shares.history + said, ..shares },
                };
                (grown.user, grown.results) = (grown.user + user, grown.results + results);
                shares = Some(grown);
                (prompt, said) = (now, request.call.usage.completion());
                anatomy.add(request, Shares::logged(request).unwrap_or(grown));
            }
        }
        anatomy
    }

    fn add(&mut self, request: &Request, shares: Shares) {
        let usage = &request.call.usage;
        let sent = usage.iter().filter(|(bucket, _)| bucket.is_prompt());
        let sent = sent.fold(Usage::NONE, |sum, (bucket, count)| sum.with(bucket, count));
        let card = request.call.card.as_deref();
        let paid = card.and_then(|card| card.cost(&sent).ok()?.usd).unwrap_or(Usd::ZERO);
        let all = request.call.cost.usd.unwrap_or(Usd::ZERO);
        let (mut tokens_left, mut usd_left) = (usage.prompt(), paid);
        let whole = shares.total().max(1);
        for (part, share) in [
            (&mut self.tools, shares.tools),
            (&mut self.history, shares.history),
            (&mut self.tool_results, shares.results),
            (&mut self.user, shares.user),
        ] {
            let tokens = u128::from(usage.prompt()) * u128::from(share) / u128::from(whole);
            let tokens = u64::try_from(tokens).unwrap_or(u64::MAX).min(tokens_left);
            let usd = Usd::from_pico(paid.pico().saturating_mul(share.into()) / i128::from(whole));
            part.add(tokens, usd);
            tokens_left -= tokens;
            usd_left = usd_left.minus(usd).unwrap_or(usd_left);
        }
        // What is left is as much as its share, and no token and no pico-dollar is lost.
        self.system.add(tokens_left, usd_left);
        self.output.add(usage.completion(), all.minus(paid).unwrap_or(Usd::ZERO));
    }
}

// === impl Shares ===

impl Shares {
    /// The parts of a prompt that was logged whole.
    fn logged(request: &Request) -> Option<Shares> {
        let prompt = request.prompt.as_ref()?;
        let (tools, system, history) = (prompt.tools, prompt.system, prompt.history);
        Some(Shares { tools, system, history, results: prompt.results, user: prompt.user })
    }

    fn total(&self) -> u64 {
        let Shares { tools, system, history, results, user } = *self;
        [tools, system, history, results, user].into_iter().fold(0, u64::saturating_add)
    }
}

// === impl Part ===

impl Part {
    fn add(&mut self, tokens: u64, usd: Usd) {
        self.tokens = self.tokens.saturating_add(tokens);
        self.cost_usd = sum(self.cost_usd, usd);
    }
}

/// All tokens of a prompt as plain input: nothing cached, nothing written.
pub(crate) fn uncached(usage: &Usage) -> Usage {
    let cached = [Bucket::CacheRead, Bucket::CacheWrite5m, Bucket::CacheWrite1h];
    let moved = cached.iter().map(|bucket| usage.get(*bucket)).fold(0, u64::saturating_add);
    let rest = cached.iter().fold(*usage, |usage, bucket| usage.with(*bucket, 0));
    rest.with(Bucket::Input, rest.get(Bucket::Input).saturating_add(moved))
}
