//! What something costs with every model, cheapest first.

use std::collections::HashMap;
use std::io::{self, Write};

use anyhow::{Context, Result, bail};
use farthing_core::Usd;
use farthing_core::anatomy::Method;
use farthing_core::pricing::{Catalog, Model, Resolved, Served};
use farthing_core::usage::{Bucket, Usage};
use farthing_tokens::Counter;
use farthing_wire::Request;
use jiff::Timestamp;
use serde::Serialize;

use crate::print::figures::grouped;

/// What a model is for that answers a prompt; the catalog names others.
const ANSWERS: [&str; 3] = ["chat", "completion", "responses"];

/// What is compared.
pub(super) struct Question<'q> {
    pub(super) request: Option<&'q Request>,
    /// Where no request is counted: tokens of the prompt.
    pub(super) input: u64,
    /// Tokens of the answer, where they are given.
    pub(super) output: Option<u64>,
    /// Else, tokens of the answer for a hundred of the prompt.
    pub(super) ratio: u64,
}

/// What one model costs.
#[derive(Debug, Serialize)]
pub(super) struct Offer {
    provider: String,
    model: String,
    prompt_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<Method>,
    answer_tokens: u64,
    cost_usd: Usd,
    pico_usd: i128,
    /// With all of the prompt from the provider's cache; `None` where it has none for it.
    cached_cost_usd: Option<Usd>,
}

/// The models that have a price: of the providers that are named, or all; all, or those of these
/// names.
pub(super) fn candidates(
    catalog: &Catalog,
    providers: &[String],
    names: &[String],
    at: Timestamp,
    served: &Served,
) -> Result<Vec<(String, Resolved)>> {
    let known: Vec<&str> = catalog.providers().collect();
    if let Some(unknown) = providers.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("`{unknown}` has no price list; there are those of {}", known.join(", "));
    }
    let wanted =
        |provider: &&str| providers.is_empty() || providers.iter().any(|name| name == provider);
    let mut found = Vec::new();
    let mut missing: Vec<&String> = names.iter().collect();
    for provider in known.into_iter().filter(wanted) {
        let listed = catalog.models(provider).iter().filter(|model| answers(model));
        let ids: Vec<&str> = match names {
            [] => listed.map(|model| model.id.as_str()).collect(),
            names => names.iter().map(String::as_str).collect(),
        };
        for id in ids {
            if let Ok(resolved) = catalog.resolve(provider, id, at, served) {
                missing.retain(|name| *name != id);
                found.push((provider.to_owned(), resolved));
            }
        }
    }
    if !missing.is_empty() {
        let missing: Vec<_> = missing.into_iter().map(String::as_str).collect();
        bail!("no price is known for {}; `farthing catalog list` names all", missing.join(", "));
    }
    Ok(found)
}

fn answers(model: &Model) -> bool {
    // `:free` is a price for the suffixes of other names, and no model.
    !model.id.starts_with(':') && model.mode.as_deref().is_none_or(|mode| ANSWERS.contains(&mode))
}

// === impl Question ===

impl Question<'_> {
    /// What each costs, cheapest first. One whose context cannot hold the prompt makes no offer.
    pub(super) fn ask(
        &self,
        counter: &Counter,
        models: Vec<(String, Resolved)>,
    ) -> Result<Vec<Offer>> {
        let mut counted = HashMap::new();
        let mut offers = Vec::new();
        for (provider, found) in models {
            let id = found.model.id.clone();
            let (prompt, method) = match self.request {
                None => (self.input, None),
                Some(request) => *counted.entry(id).or_insert_with_key(|id| {
                    let anatomy = counter.count(id.as_str(), &request.prompt);
                    (anatomy.by_kind.total(), Some(anatomy.method))
                }),
            };
            if found.model.context.is_none_or(|context| prompt <= context) {
                offers.extend(self.offer(provider, &found, prompt, method)?);
            }
        }
        offers.sort_by(|a, b| {
            (a.cost_usd, &a.provider, &a.model).cmp(&(b.cost_usd, &b.provider, &b.model))
        });
        offers.dedup_by(|a, b| (&a.provider, &a.model) == (&b.provider, &b.model));
        Ok(offers)
    }

    fn offer(
        &self,
        provider: String,
        found: &Resolved,
        prompt: u64,
        method: Option<Method>,
    ) -> Result<Option<Offer>> {
        let Resolved { model, card, .. } = found;
        let most = self.request.and_then(|request| request.max_output);
        let expected = prompt.saturating_mul(self.ratio).div_ceil(100);
        let answer =
            self.output.unwrap_or_else(|| most.map_or(expected, |most| most.min(expected)));
        let answer = model.max_output.map_or(answer, |longest| longest.min(answer));
        let cost = |bucket| {
            let usage = Usage::NONE.with(bucket, prompt).with(Bucket::Output, answer);
            let usage = match card.rate(Bucket::Requests) {
                Some(_) => usage.with(Bucket::Requests, 1),
                None => usage,
            };
            card.cost(&usage).context("the counts are beyond reckoning")
        };
        let complete = |bucket: Bucket, count: u64| count == 0 || card.rate(bucket).is_some();
        if !complete(Bucket::Input, prompt) || !complete(Bucket::Output, answer) {
            return Ok(None);
        }
        let Some(usd) = cost(Bucket::Input)?.usd else { return Ok(None) };
        let least = model.caching.as_ref().and_then(|caching| caching.min_tokens).unwrap_or(0);
        let has_cache = card.rates().any(|(bucket, _)| bucket == Bucket::CacheRead);
        let cached = match has_cache && prompt >= least {
            true => cost(Bucket::CacheRead)?.usd,
            false => None,
        };
        Ok(Some(Offer {
            provider,
            model: model.id.clone(),
            prompt_tokens: prompt,
            method,
            answer_tokens: answer,
            cost_usd: usd,
            pico_usd: usd.pico(),
            cached_cost_usd: cached,
        }))
    }
}

/// The offers as a table.
pub(super) fn print(out: &mut impl Write, offers: &[Offer]) -> io::Result<()> {
    let width = |text: fn(&Offer) -> &str, head: &str| {
        offers.iter().map(|offer| text(offer).chars().count()).max().unwrap_or(0).max(head.len())
    };
    let model = width(|offer| &offer.model, "model");
    let provider = width(|offer| &offer.provider, "provider");
    writeln!(
        out,
        "{:<model$}  {:<provider$}  {:>9}  {:>7}  {:>14}  {:>14}",
        "model", "provider", "prompt", "answer", "cost", "all cached"
    )?;
    for offer in offers {
        let cached = offer.cached_cost_usd.map_or("–".to_owned(), |usd| format!("${usd}"));
        let cost = format!("${}", offer.cost_usd);
        // Where no vocabulary of the family is known, the count is ours by likeness.
        let mark = if offer.method == Some(Method::Estimated) { "~" } else { "" };
        let prompt = format!("{mark}{}", grouped(offer.prompt_tokens));
        writeln!(
            out,
            "{:<model$}  {:<provider$}  {prompt:>9}  {:>7}  {cost:>14}  {cached:>14}",
            offer.model,
            offer.provider,
            grouped(offer.answer_tokens)
        )?;
    }
    Ok(())
}
