//! What something costs, for people and programs.

use std::io::{self, Write};

use anyhow::{Context, Result};
use farthing_core::Usd;
use farthing_core::anatomy::{Anatomy, Method};
use farthing_core::pricing::{Cost, CostStatus, FoundBy, Resolved, Served, WorstCase};
use farthing_core::usage::{Bucket, CacheTtl, Usage};
use farthing_wire::Request;
use serde::Serialize;

use crate::print::figures::{grouped, plural};

/// What is to be priced.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) model: String,
    pub(super) served: Served,
    usage: Usage,
    /// Where the usage is our own count of a prompt.
    prompt: Option<Prompt>,
}

/// A prompt that was counted and not yet sent.
#[derive(Debug)]
struct Prompt {
    anatomy: Anatomy,
    /// Of each answer.
    max_output: Option<u64>,
    answers: u64,
    cache_asked: Option<CacheTtl>,
}

#[derive(Debug, Serialize)]
pub(super) struct Quote {
    provider: String,
    model: String,
    rule: FoundBy,
    rate_card: String,
    usage: Usage,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<Method>,
    status: CostStatus,
    cost_usd: Option<Usd>,
    pico_usd: Option<i128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_most: Option<AtMost>,
}

/// What a prompt costs with the longest answers that it may get.
#[derive(Debug, Serialize)]
struct AtMost {
    prompt_tokens: u64,
    answer_tokens: u64,
    cost_usd: Usd,
    pico_usd: i128,
}

// === impl Subject ===

impl Subject {
    /// What was consumed.
    pub(super) fn of_usage(usage: Usage, model: &str) -> Subject {
        Subject { model: model.to_owned(), served: Served::new(), usage, prompt: None }
    }

    /// A request that was counted for a model, with an answer of so many tokens.
    pub(super) fn of_request(
        request: &Request,
        anatomy: Anatomy,
        model: String,
        output: Option<u64>,
    ) -> Subject {
        let usage = Usage::NONE.with(Bucket::Input, anatomy.by_kind.total());
        Subject {
            model,
            served: request.served_asked.clone(),
            usage: usage.with(Bucket::Output, output.unwrap_or(0)),
            prompt: Some(Prompt {
                anatomy,
                max_output: request.max_output,
                answers: request.answers,
                cache_asked: request.cache_asked,
            }),
        }
    }
}

// === impl Quote ===

impl Quote {
    /// Prices a subject at the rates that were found for its model. `assumed` is the length of an
    /// answer where neither the request nor the catalog says how long it may be.
    pub(super) fn new(
        provider: &str,
        found: &Resolved,
        subject: &Subject,
        assumed: u64,
    ) -> Result<Quote> {
        let Resolved { model, card, rule } = found;
        let cost = card.cost(&subject.usage).context("the counts are beyond reckoning")?;
        let method = subject.prompt.as_ref().map(|prompt| prompt.anatomy.method);
        let estimated = method == Some(Method::Estimated);
        let Cost { usd, status, .. } = if estimated { cost.estimated() } else { cost };
        let at_most = match &subject.prompt {
            Some(prompt) => at_most(found, prompt, assumed)?,
            None => None,
        };
        Ok(Quote {
            provider: provider.to_owned(),
            model: model.id.clone(),
            rule: *rule,
            rate_card: card.hash().to_string(),
            usage: subject.usage,
            method,
            status,
            cost_usd: usd,
            pico_usd: usd.map(Usd::pico),
            at_most,
        })
    }

    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{} of {}, rate card {}\n", self.model, self.provider, self.rate_card)?;
        for (bucket, count) in self.usage.iter() {
            writeln!(out, "  {:<12}  {:>12}", bucket.name(), grouped(count))?;
        }
        let cost = self.cost_usd.map_or("unknown".to_owned(), |usd| format!("${usd}"));
        writeln!(out, "  {:<12}  {cost:>12}  {}", "cost", self.status.name())?;
        if let Some(AtMost { answer_tokens, cost_usd, .. }) = &self.at_most {
            let most = format!("${cost_usd}");
            let answer = plural(*answer_tokens, "token");
            writeln!(out, "  {:<12}  {most:>12}  with an answer of {answer}", "at most")?;
        }
        Ok(())
    }
}

/// `None` where something may come for which there is no rate.
fn at_most(found: &Resolved, prompt: &Prompt, assumed: u64) -> Result<Option<AtMost>> {
    let longest = [prompt.max_output, found.model.max_output].into_iter().flatten().min();
    let most = WorstCase {
        prompt_tokens: prompt.anatomy.upper_bound,
        completion_tokens: longest.unwrap_or(assumed).saturating_mul(prompt.answers),
        cache_write: prompt.cache_asked,
        media: prompt.anatomy.by_kind.media > 0,
    };
    let worst = found.card.worst_case(&most).context("the limits are beyond reckoning")?;
    Ok(worst.map(|usd| AtMost {
        prompt_tokens: most.prompt_tokens,
        answer_tokens: most.completion_tokens,
        cost_usd: usd,
        pico_usd: usd.pico(),
    }))
}
