//! The bill: what the ledger has of each call, added up and checked.

use std::iter;

use anyhow::{Context, Result, bail, ensure};
use farthing_core::Usd;
use farthing_core::anatomy::ByKind;
use farthing_core::entry::Asked;
use farthing_core::pricing::Cost;
use farthing_core::usage::Usage;
use farthing_ledger::{Difference, Report};
use serde::{Deserialize, Serialize};

use super::agent::Turn;

/// What a conversation came to.
#[derive(Debug, Serialize)]
pub(super) struct Bill {
    /// Always true: the prices are real, but nothing was spent.
    pub(super) demo: bool,
    /// The model that was asked for.
    pub(super) model: &'static str,
    /// The calls, in order.
    pub(super) turns: Vec<Line>,
    /// All of them together.
    pub(super) total: Amounts,
    /// The tokens of all prompts by our own count.
    pub(super) by_kind: ByKind,
    /// What came of checking the ledger against itself.
    pub(super) ledger: Report,
}

/// One call.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) turn: usize,
    pub(super) request_id: String,
    pub(super) what: String,
    pub(super) streamed: bool,
    /// How the cost came about, as the ledger spells it.
    pub(super) status: &'static str,
    #[serde(flatten)]
    pub(super) amounts: Amounts,
    /// The prompt's tokens by our own count, which was taken before it was sent.
    pub(super) counted: ByKind,
}

/// Tokens and what they cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Amounts {
    /// All tokens of the prompt.
    pub(super) input: u64,
    /// Those of them that the provider had in its cache.
    pub(super) cached: u64,
    /// All tokens of the answer.
    pub(super) output: u64,
    /// `None` where it is not known, or not of every call.
    pub(super) cost_usd: Option<Usd>,
}

/// What the demo reads of `/api/v1/requests/{id}`.
#[derive(Deserialize)]
struct Request {
    attempts: Vec<Attempt>,
}

#[derive(Deserialize)]
struct Attempt {
    asked: Asked,
    usage: Option<Usage>,
    cost: Option<Cost>,
}

// === impl Bill ===

impl Bill {
    /// Adds up the calls.
    pub(super) fn new(model: &'static str, turns: Vec<Line>, ledger: Report) -> Result<Bill> {
        let total = Amounts::sum(turns.iter().map(|line| line.amounts))?;
        let by_kind = turns.iter().fold(ByKind::default(), |sum, line| plus(sum, line.counted));
        Ok(Bill { demo: true, model, turns, total, by_kind, ledger })
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
        let Amounts { input, cached, output, .. } = self.total;
        let ours = (input, cached, output);
        let theirs = (provider.prompt_tokens, provider.cached_tokens, provider.completion_tokens);
        ensure!(
            ours == theirs,
            "the bill is for {ours:?} tokens (input, cached, output), the provider's for {theirs:?}"
        );
        Ok(())
    }
}

// === impl Line ===

impl Line {
    /// Asks the gateway at `address` what its ledger has of a turn.
    pub(super) async fn fetch(
        http: &reqwest::Client,
        address: &str,
        (turn, done): (usize, Turn),
    ) -> Result<Line> {
        let Turn { request_id, what, streamed } = done;
        let url = format!("{address}/api/v1/requests/{request_id}");
        let response = http.get(&url).send().await.context("the gateway cannot be reached")?;
        let status = response.status();
        let body = response.text().await.context("the gateway's answer broke off")?;
        ensure!(status.is_success(), "{url} answered {status}: {body}");
        let request: Request = serde_json::from_str(&body).with_context(|| url)?;
        // The demo's provider never fails, so there is one attempt.
        let [Attempt { asked, usage: Some(usage), cost: Some(cost) }] = request.attempts.as_slice()
        else {
            bail!("{request_id} was not billed once: {body}");
        };
        let amounts = Amounts {
            input: usage.prompt(),
            cached: usage.cached(),
            output: usage.completion(),
            cost_usd: cost.usd,
        };
        let (status, counted) = (cost.status.name(), asked.anatomy.by_kind);
        Ok(Line { turn, request_id, what, streamed, status, amounts, counted })
    }
}

// === impl Amounts ===

impl Amounts {
    fn sum(all: impl Iterator<Item = Amounts>) -> Result<Amounts> {
        let nothing = Amounts { cost_usd: Some(Usd::ZERO), ..Amounts::default() };
        iter::once(nothing).chain(all).try_fold(nothing, |sum, more| {
            let cost_usd = match (sum.cost_usd, more.cost_usd) {
                (Some(sum), Some(more)) => Some(sum.plus(more)?),
                _ => None,
            };
            Ok(Amounts {
                input: sum.input + more.input,
                cached: sum.cached + more.cached,
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

/// A bill to try things on: twice `read_file` and an answer.
#[cfg(test)]
pub(super) fn sample(cost_usd: Option<Usd>) -> Bill {
    let counted =
        ByKind { system: 400, tools: 500, tool_results: 9_000, overhead: 100, ..ByKind::default() };
    let amounts = Amounts { input: 10_000, cached: 8_192, output: 21, cost_usd };
    let what =
        ["read_file checkout.py", "read_file a/path/that/is/longer/than/the/column", "answers"];
    let line = |(turn, what): (usize, &str)| Line {
        turn,
        request_id: format!("req_{turn:032}"),
        what: what.to_owned(),
        streamed: turn % 2 == 1,
        status: "priced",
        amounts,
        counted,
    };
    let report = Report { entries: 6, attempts: 3, ..Report::default() };
    Bill::new("gpt-4.1", (1..).zip(what).map(line).collect(), report).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(cached_tokens: u64) -> farthing_fake_provider::Usage {
        farthing_fake_provider::Usage {
            prompt_tokens: 30_000,
            cached_tokens,
            completion_tokens: 63,
            ..Default::default()
        }
    }

    #[test]
    fn an_unknown_cost_makes_the_sum_unknown() {
        assert_eq!(sample(Some(Usd::from_pico(7))).total.cost_usd, Some(Usd::from_pico(21)));
        assert_eq!(sample(None).total.cost_usd, None);
    }

    #[test]
    fn a_bill_that_the_provider_or_the_ledger_contradicts_is_an_error() {
        let mut bill = sample(Some(Usd::ZERO));
        assert!(bill.check(provider(3 * 8_192)).is_ok());
        let error = bill.check(provider(0)).unwrap_err().to_string();
        assert!(error.contains("24576"), "{error}");
        bill.ledger.spent = Usd::from_pico(1);
        let error = bill.check(provider(3 * 8_192)).unwrap_err().to_string();
        assert!(error.contains("the ledger has spent $0.000000000001"), "{error}");
    }

    #[test]
    fn costs_are_decimal_text_and_unknown_ones_null() {
        let json = |cost| serde_json::to_value(sample(cost)).unwrap();
        let known = json(Some(Usd::from_pico(7_000_000)));
        assert_eq!(known["turns"][1]["cost_usd"], "0.000007");
        assert_eq!(known["total"]["cost_usd"], "0.000021");
        assert_eq!(known["by_kind"]["tool_results"], 27_000);
        assert!(json(None)["total"]["cost_usd"].is_null());
    }
}
