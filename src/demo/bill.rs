//! The bill: what the ledger has of each call, added up and checked.

use std::iter;

use anyhow::{Context, Result, bail, ensure};
use farthing_core::Usd;
use farthing_core::anatomy::ByKind;
use farthing_core::entry::Asked;
use farthing_core::pricing::Cost;
use farthing_core::usage::{Bucket, Usage};
use farthing_ledger::saving::Saving;
use farthing_ledger::{Difference, Report};
use serde::{Deserialize, Serialize};

use super::agent::{Job, Refusal, Turn};
use super::saved::Saved;

/// What the conversations came to.
#[derive(Debug, Serialize)]
pub(super) struct Bill {
    /// Always true: the prices are real, but nothing was spent.
    pub(super) demo: bool,
    pub(super) conversations: Vec<Conversation>,
    /// All of them together.
    pub(super) total: Amounts,
    /// What optimizing them saved.
    pub(super) saved: Saved,
    /// The tokens of all prompts by our own count.
    pub(super) by_kind: ByKind,
    /// The call that no budget had room for; it is in no sum.
    pub(super) refusal: Refusal,
    /// What came of checking the ledger against itself.
    pub(super) ledger: Report,
}

/// What one conversation came to.
#[derive(Debug, Serialize)]
pub(super) struct Conversation {
    pub(super) agent: &'static str,
    pub(super) user: &'static str,
    /// The model that was asked for.
    pub(super) model: &'static str,
    /// The calls, in order.
    pub(super) turns: Vec<Line>,
    /// All of them together.
    pub(super) total: Amounts,
    /// What optimizing them saved.
    pub(super) saved: Saved,
    /// The tokens of their prompts by our own count.
    pub(super) by_kind: ByKind,
}

/// One call.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    /// Counts from 1.
    pub(super) turn: usize,
    pub(super) request_id: String,
    pub(super) what: String,
    pub(super) streamed: bool,
    /// Why earlier attempts failed; none of them was billed.
    pub(super) failed: Vec<String>,
    /// How the cost came about, as the ledger spells it.
    pub(super) status: &'static str,
    #[serde(flatten)]
    pub(super) amounts: Amounts,
    /// The prompt's tokens by our own count, which was taken before it was sent.
    pub(super) counted: ByKind,
    /// What optimizing it saved.
    pub(super) saved: Saved,
}

/// Tokens and what they cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Amounts {
    /// All tokens of the prompt.
    pub(super) input: u64,
    /// Those of them that the provider had in its cache.
    pub(super) cached: u64,
    /// Those of them that the provider put into its cache, for a price.
    pub(super) written: u64,
    /// All tokens of the answer.
    pub(super) output: u64,
    /// `None` where it is not known, or not of every call.
    pub(super) cost_usd: Option<Usd>,
}

/// What the demo reads of `/api/v1/requests/{id}`.
#[derive(Deserialize)]
struct Request {
    attempts: Vec<Attempt>,
    savings: Option<Saving>,
}

#[derive(Deserialize)]
struct Attempt {
    asked: Asked,
    usage: Option<Usage>,
    cost: Option<Cost>,
    /// Why nothing was billed.
    reason: Option<String>,
}

// === impl Bill ===

impl Bill {
    /// Adds up the conversations.
    pub(super) fn new(
        conversations: Vec<Conversation>,
        refusal: Refusal,
        ledger: Report,
    ) -> Result<Bill> {
        let total = Amounts::sum(conversations.iter().map(|talk| talk.total))?;
        let by_kind =
            conversations.iter().fold(ByKind::default(), |sum, talk| plus(sum, talk.by_kind));
        let saved = Saved::sum(conversations.iter().map(|talk| &talk.saved))?;
        Ok(Bill { demo: true, conversations, total, saved, by_kind, refusal, ledger })
    }

    /// Whether ledger, bill and provider say the same.
    pub(super) fn check(&self, provider: farthing_fake_provider::Usage) -> Result<()> {
        if let Some(Difference { place, expected, found }) = self.ledger.differences.first() {
            bail!("the ledger contradicts itself: {place} is {found} instead of {expected}");
        }
        let spent = self.total.cost_usd.unwrap_or(self.ledger.spent);
        ensure!(
            self.ledger.spent == spent,
            "the bill is ${spent}, but the ledger has spent ${}",
            self.ledger.spent
        );
        let theirs = Amounts {
            input: provider.prompt_tokens,
            cached: provider.cached_tokens,
            written: provider.cache_write_5m_tokens + provider.cache_write_1h_tokens,
            output: provider.completion_tokens,
            cost_usd: self.total.cost_usd,
        };
        ensure!(
            self.total == theirs,
            "the bill is for {:?}, the provider's for {theirs:?}",
            self.total
        );
        let Refusal { code, message, .. } = &self.refusal;
        ensure!(code == "budget_exceeded", "a call was refused for another reason: {message}");
        Ok(())
    }
}

// === impl Conversation ===

impl Conversation {
    /// Adds up the calls.
    pub(super) fn new(job: &Job, turns: Vec<Line>) -> Result<Conversation> {
        let &Job { agent, user, model, .. } = job;
        let total = Amounts::sum(turns.iter().map(|line| line.amounts))?;
        let by_kind = turns.iter().fold(ByKind::default(), |sum, line| plus(sum, line.counted));
        let saved = Saved::sum(turns.iter().map(|line| &line.saved))?;
        Ok(Conversation { agent, user, model, turns, total, saved, by_kind })
    }
}

// === impl Line ===

impl Line {
    /// Asks the gateway at `address` what its ledger has of a turn.
    pub(super) async fn fetch(http: &reqwest::Client, address: &str, turn: Turn) -> Result<Line> {
        let Turn { number: turn, request_id, what, streamed } = turn;
        let url = format!("{address}/api/v1/requests/{request_id}");
        let response = http.get(&url).send().await.context("the gateway cannot be reached")?;
        let status = response.status();
        let body = response.text().await.context("the gateway's answer broke off")?;
        ensure!(status.is_success(), "{url} answered {status}: {body}");
        let request: Request = serde_json::from_str(&body).with_context(|| url)?;
        let mut attempts = request.attempts;
        let Some(Attempt { asked, usage: Some(usage), cost: Some(cost), .. }) = attempts.pop()
        else {
            bail!("the last attempt of {request_id} was not billed: {body}");
        };
        let failed = attempts.into_iter().map(|attempt| attempt.reason).collect::<Option<_>>();
        let failed = failed.with_context(|| format!("{request_id} was billed twice: {body}"))?;
        let amounts = Amounts {
            input: usage.prompt(),
            cached: usage.cached(),
            written: usage.get(Bucket::CacheWrite5m) + usage.get(Bucket::CacheWrite1h),
            output: usage.completion(),
            cost_usd: cost.usd,
        };
        let (status, counted) = (cost.status.name(), asked.anatomy.by_kind);
        let saved = request.savings.as_ref().map(Saved::of).unwrap_or_default();
        Ok(Line { turn, request_id, what, streamed, failed, status, amounts, counted, saved })
    }
}

// === impl Amounts ===

impl Amounts {
    pub(super) fn sum(all: impl Iterator<Item = Amounts>) -> Result<Amounts> {
        let nothing = Amounts { cost_usd: Some(Usd::ZERO), ..Amounts::default() };
        iter::once(nothing).chain(all).try_fold(nothing, |sum, more| {
            let cost_usd = match (sum.cost_usd, more.cost_usd) {
                (Some(sum), Some(more)) => Some(sum.plus(more)?),
                _ => None,
            };
            Ok(Amounts {
                input: sum.input + more.input,
                cached: sum.cached + more.cached,
                written: sum.written + more.written,
                output: sum.output + more.output,
                cost_usd,
            })
        })
    }
}

fn plus(a: ByKind, b: ByKind) -> ByKind {
    ByKind {
        system: a.system + b.system,
        tools: a.tools + b.tools,
        history: a.history + b.history,
        tool_results: a.tool_results + b.tool_results,
        user: a.user + b.user,
        media: a.media + b.media,
        overhead: a.overhead + b.overhead,
    }
}

/// A bill to try things on: a conversation of eight turns, and one of two, the first of
/// which needed two attempts.
#[cfg(test)]
pub(super) fn sample(cost_usd: Option<Usd>) -> Bill {
    use super::cast;

    let counted =
        ByKind { system: 400, tools: 500, tool_results: 9_000, overhead: 100, ..ByKind::default() };
    let amounts = Amounts { input: 10_000, cached: 8_192, written: 77, output: 21, cost_usd };
    let line = |turn, what: &str, failed: &[&str]| Line {
        turn,
        request_id: format!("req_{turn:032}"),
        what: what.to_owned(),
        streamed: turn % 2 == 1,
        failed: failed.iter().map(|reason| (*reason).to_owned()).collect(),
        status: "priced",
        amounts,
        counted,
        saved: cost_usd.map(|_| super::saved::sample()).unwrap_or_default(),
    };
    let longer = "read_file a/path/that/is/longer/than/the/column";
    let long = (1..=8).map(|turn| line(turn, if turn == 2 { longer } else { "run_tests" }, &[]));
    let short = [line(1, "list_files", &["the provider has no time"]), line(2, "answers", &[])];
    let conversation = |job, lines| Conversation::new(job, lines).unwrap();
    let conversations = vec![
        conversation(&cast::FIXER, long.collect()),
        conversation(&cast::REFUNDER, short.into()),
    ];
    let message = "budget refused the call: it may cost $2.43, but user `intern` has $1.00 left \
                   of $1.00 per day";
    let refusal = Refusal {
        user: "intern",
        model: "claude-opus-4-1",
        status: 429,
        code: "budget_exceeded".to_owned(),
        message: message.to_owned(),
    };
    let report = Report { entries: 22, attempts: 11, ..Report::default() };
    Bill::new(conversations, refusal, report).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(cached_tokens: u64, cache_write_5m_tokens: u64) -> farthing_fake_provider::Usage {
        farthing_fake_provider::Usage {
            prompt_tokens: 10 * 10_000,
            cached_tokens,
            cache_write_5m_tokens,
            completion_tokens: 10 * 21,
            ..Default::default()
        }
    }

    #[test]
    fn an_unknown_cost_makes_the_sum_unknown() {
        assert_eq!(sample(Some(Usd::from_pico(7))).total.cost_usd, Some(Usd::from_pico(70)));
        assert_eq!(sample(None).total.cost_usd, None);
    }

    #[test]
    fn a_bill_that_the_provider_or_the_ledger_contradicts_is_an_error() {
        let mut bill = sample(Some(Usd::ZERO));
        assert!(bill.check(provider(10 * 8_192, 10 * 77)).is_ok());
        for (cached, written) in [(0, 10 * 77), (10 * 8_192, 0)] {
            let error = bill.check(provider(cached, written)).unwrap_err().to_string();
            assert!(error.contains("81920") && error.contains("770"), "{error}");
        }
        bill.ledger.spent = Usd::from_pico(1);
        let error = bill.check(provider(10 * 8_192, 10 * 77)).unwrap_err().to_string();
        assert!(error.contains("the ledger has spent $0.000000000001"), "{error}");
    }

    #[test]
    fn a_refusal_that_is_no_budgets_is_an_error() {
        let mut bill = sample(Some(Usd::ZERO));
        bill.refusal.code = "not_local".to_owned();
        let error = bill.check(provider(10 * 8_192, 10 * 77)).unwrap_err().to_string();
        assert!(error.starts_with("a call was refused for another reason"), "{error}");
    }

    #[test]
    fn costs_are_decimal_text_and_unknown_ones_null() {
        let json = |cost| serde_json::to_value(sample(cost)).unwrap();
        let known = json(Some(Usd::from_pico(7_000_000)));
        assert_eq!(known["conversations"][0]["turns"][1]["cost_usd"], "0.000007");
        assert_eq!(known["conversations"][0]["total"]["cost_usd"], "0.000056");
        assert_eq!(known["total"]["cost_usd"], "0.00007");
        assert_eq!(known["by_kind"]["tool_results"], 90_000);
        assert!(json(None)["total"]["cost_usd"].is_null());
    }
}
