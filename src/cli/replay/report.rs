//! What came of a replay, for people and programs.

use std::io::{self, Write};
use std::time::Duration;

use anyhow::Result;
use farthing_core::Usd;
use serde::{Serialize, Serializer};

use super::kept::Count;
use crate::print::figures::{grouped, plural};

/// What requests cost, under each of the ways to send them. Input only, but for `output`.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Bill {
    pub(super) no_cache: Usd,
    pub(super) as_sent: Usd,
    pub(super) rolling: Usd,
    pub(super) policy: Usd,
    /// What the answers cost, whatever is done with the input.
    pub(super) output: Usd,
    /// Of `policy`: requests of our own that kept the cache warm.
    pub(super) keep_warm: Usd,
    /// Not of `policy`: what keeping the cache warm after the last request would have cost, if
    /// nobody came back. The recording ends there, so nobody knows.
    pub(super) keep_warm_after_end: Usd,
}

/// Tokens of all requests together.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Tokens {
    pub(super) as_sent: u64,
    pub(super) policy: u64,
}

/// What came of one conversation, or of all.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub(super) id: String,
    pub(super) conversations: u64,
    pub(super) requests: u64,
    pub(super) tokens: Tokens,
    pub(super) bill: Bill,
    pub(super) one_shot: bool,
    pub(super) losing: Vec<String>,
    pub(super) turns: u64,
    pub(super) prefix_stable_turns: u64,
    pub(super) needles: Count,
    pub(super) edits: Count,
    /// Requests of our own.
    pub(super) pings: u64,
    /// Requests after which the prompt was to be kept for an hour.
    pub(super) one_hour: u64,
    times: Vec<Duration>,
}

/// An [`Outcome`] as JSON.
#[derive(Serialize)]
struct Figures<'o> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'o str>,
    conversations: u64,
    requests: u64,
    tokens_sent: Tokens,
    bill_usd: &'o Bill,
    ratio_to_rolling: Ratio,
    losing: &'o [String],
    turns: u64,
    prefix_stable_turns: u64,
    needles: Count,
    edits: Count,
    keep_warm_requests: u64,
    one_hour_requests: u64,
    time_ms: Times,
}

#[derive(Clone, Copy, Serialize)]
struct Times {
    p50: Millis,
    p99: Millis,
}

/// In ten-thousandths.
#[derive(Clone, Copy)]
struct Ratio(Option<i128>);

/// In microseconds.
#[derive(Clone, Copy)]
struct Millis(u128);

/// What the whole replay is printed as.
#[derive(Serialize)]
struct Report<'o> {
    policy: &'o str,
    provider: &'o str,
    model: &'o str,
    #[serde(flatten)]
    total: Figures<'o>,
    skipped: u64,
    per_conversation: Vec<Figures<'o>>,
}

/// A replay and what came of it.
pub(super) struct Replayed<'o> {
    pub(super) policy: &'o str,
    pub(super) provider: &'o str,
    pub(super) model: &'o str,
    /// Lines with requests in a dialect that is not ours.
    pub(super) skipped: u64,
    pub(super) outcomes: &'o [Outcome],
}

// === impl Outcome ===

impl Outcome {
    pub(super) fn new(id: String) -> Outcome {
        Outcome { id, conversations: 1, ..Outcome::default() }
    }

    /// Adds a request: what it cost, its tokens before and after, and the time spent on it.
    pub(super) fn add(
        &mut self,
        bill: &Bill,
        (before, after): (u64, u64),
        time: Duration,
    ) -> Result<()> {
        self.requests += 1;
        self.tokens.as_sent += before;
        self.tokens.policy += after;
        self.bill = self.bill.plus(bill)?;
        self.times.push(time);
        Ok(())
    }

    /// Adds a request that kept the cache warm.
    pub(super) fn ping(&mut self, cost: Usd) -> Result<()> {
        self.pings += 1;
        let bill = Bill { policy: cost, keep_warm: cost, ..Bill::default() };
        self.bill = self.bill.plus(&bill)?;
        Ok(())
    }

    /// Adds one for which it is not known whether it was in vain.
    pub(super) fn ping_after_end(&mut self, cost: Usd) -> Result<()> {
        let bill = Bill { keep_warm_after_end: cost, ..Bill::default() };
        self.bill = self.bill.plus(&bill)?;
        Ok(())
    }

    /// Whether the conversation costs more than with a rolling breakpoint or, where it has but one
    /// request, than without a cache. A single request whose client pays for breakpoints of its own
    /// costs more than that whatever is done: they are never moved, so it is held against what was sent.
    fn loses(&self) -> bool {
        let Bill { no_cache, as_sent, rolling, .. } = self.bill;
        let limit = if self.one_shot { no_cache.max(as_sent) } else { rolling };
        self.bill.policy > limit
    }

    /// All of these together.
    fn total(outcomes: &[Outcome]) -> Result<Outcome> {
        let mut total = Outcome::default();
        for outcome in outcomes {
            total.conversations += outcome.conversations;
            total.requests += outcome.requests;
            total.tokens.as_sent += outcome.tokens.as_sent;
            total.tokens.policy += outcome.tokens.policy;
            total.bill = total.bill.plus(&outcome.bill)?;
            total.turns += outcome.turns;
            total.prefix_stable_turns += outcome.prefix_stable_turns;
            total.needles.add(outcome.needles);
            total.edits.add(outcome.edits);
            total.pings += outcome.pings;
            total.one_hour += outcome.one_hour;
            total.times.extend(&outcome.times);
            total.losing.extend(outcome.loses().then(|| outcome.id.clone()));
        }
        Ok(total)
    }

    fn figures(&self) -> Figures<'_> {
        Figures {
            id: Some(self.id.as_str()).filter(|id| !id.is_empty()),
            conversations: self.conversations,
            requests: self.requests,
            tokens_sent: self.tokens,
            bill_usd: &self.bill,
            ratio_to_rolling: Ratio::of(self.bill.policy, self.bill.rolling),
            losing: &self.losing,
            turns: self.turns,
            prefix_stable_turns: self.prefix_stable_turns,
            needles: self.needles,
            edits: self.edits,
            keep_warm_requests: self.pings,
            one_hour_requests: self.one_hour,
            time_ms: Times { p50: self.time(50), p99: self.time(99) },
        }
    }

    /// The time that so many of a hundred requests stayed within.
    fn time(&self, percent: usize) -> Millis {
        let mut times = self.times.clone();
        times.sort_unstable();
        let rank = (times.len() * percent).div_ceil(100).saturating_sub(1);
        Millis(times.get(rank).map_or(0, Duration::as_micros))
    }
}

impl Bill {
    fn plus(&self, other: &Bill) -> Result<Bill> {
        Ok(Bill {
            no_cache: self.no_cache.plus(other.no_cache)?,
            as_sent: self.as_sent.plus(other.as_sent)?,
            rolling: self.rolling.plus(other.rolling)?,
            policy: self.policy.plus(other.policy)?,
            output: self.output.plus(other.output)?,
            keep_warm: self.keep_warm.plus(other.keep_warm)?,
            keep_warm_after_end: self.keep_warm_after_end.plus(other.keep_warm_after_end)?,
        })
    }
}

impl Replayed<'_> {
    /// As JSON for programs.
    pub(super) fn json(&self, out: &mut crate::print::Output) -> Result<()> {
        let total = Outcome::total(self.outcomes)?;
        let mut per_conversation = self.outcomes.to_vec();
        for outcome in &mut per_conversation {
            outcome.losing.extend(outcome.loses().then(|| outcome.id.clone()));
        }
        out.json(&Report {
            policy: self.policy,
            provider: self.provider,
            model: self.model,
            total: total.figures(),
            skipped: self.skipped,
            per_conversation: per_conversation.iter().map(Outcome::figures).collect(),
        })?;
        Ok(())
    }

    /// For people.
    pub(super) fn print(&self, out: &mut impl Write) -> Result<()> {
        let total = Outcome::total(self.outcomes)?;
        self.print_total(out, &total)?;
        Ok(())
    }

    fn print_total(&self, out: &mut impl Write, total: &Outcome) -> io::Result<()> {
        let Figures { ratio_to_rolling, time_ms, .. } = total.figures();
        let (conversations, requests) =
            (plural(total.conversations, "conversation"), plural(total.requests, "request"));
        let Self { policy, model, .. } = self;
        writeln!(out, "{conversations} of {requests} under the policy `{policy}`, for {model}\n")?;
        let Tokens { as_sent, policy } = total.tokens;
        writeln!(out, "  tokens sent      {:>14}", grouped(as_sent))?;
        let saved = as_sent.saturating_sub(policy);
        let share = Ratio::of_counts(saved, as_sent).percent();
        writeln!(out, "    under it       {:>14}   {share} less\n", grouped(policy))?;
        let Bill { no_cache, as_sent, rolling, policy, output, keep_warm, keep_warm_after_end } =
            &total.bill;
        writeln!(out, "  input without a cache    ${no_cache:.6}")?;
        writeln!(out, "    as it was sent         ${as_sent:.6}")?;
        writeln!(out, "    rolling breakpoint     ${rolling:.6}")?;
        writeln!(out, "    under the policy       ${policy:.6}   {ratio_to_rolling} of rolling")?;
        if total.pings > 0 {
            writeln!(out, "      of it keep-warm      ${keep_warm:.6}   {} requests", total.pings)?;
            writeln!(out, "      after the last, if nobody came back ${keep_warm_after_end:.6}")?;
        }
        writeln!(out, "  output, not changed      ${output:.6}\n")?;
        writeln!(out, "  losing conversations     {}", total.losing.len())?;
        for id in total.losing.iter().take(10) {
            writeln!(out, "    {id}")?;
        }
        let of = |Count { kept, total }| format!("{} of {}", grouped(kept), grouped(total));
        let stable = Count { kept: total.prefix_stable_turns, total: total.turns };
        writeln!(out, "  turns with stable prefix {}", of(stable))?;
        writeln!(out, "  needles kept             {}", of(total.needles))?;
        writeln!(out, "  edits kept               {}", of(total.edits))?;
        writeln!(out, "  time added               {} ms p50, {} ms p99", time_ms.p50, time_ms.p99)?;
        if self.skipped > 0 {
            writeln!(out, "  skipped                  {}", plural(self.skipped, "line"))?;
        }
        Ok(())
    }
}

// === impl Ratio ===

impl Ratio {
    fn of(part: Usd, whole: Usd) -> Ratio {
        Ratio::of_amounts(part.pico(), whole.pico())
    }

    fn of_counts(part: u64, whole: u64) -> Ratio {
        Ratio::of_amounts(part.into(), whole.into())
    }

    fn of_amounts(part: i128, whole: i128) -> Ratio {
        let rounded = part.checked_mul(10_000).map(|part| part + whole / 2);
        Ratio(rounded.and_then(|part| part.checked_div(whole)))
    }

    fn percent(self) -> String {
        let Ratio(ratio) = self;
        ratio.map_or("–".to_owned(), |ratio| format!("{}.{} %", ratio / 100, ratio % 100 / 10))
    }
}

impl std::fmt::Display for Ratio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(ratio) => write!(f, "{}.{:04}", ratio / 10_000, ratio % 10_000),
            None => f.write_str("–"),
        }
    }
}

impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = self.to_string().parse::<f64>().ok();
        number.serialize(serializer)
    }
}

impl std::fmt::Display for Millis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1_000, self.0 % 1_000)
    }
}

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_string().parse::<f64>().unwrap_or_default().serialize(serializer)
    }
}
