//! The `usage` object: from what the API counts to disjoint buckets.
//!
//! | member | is |
//! |---|---|
//! | `input_tokens` | the prompt without cache reads and writes |
//! | `cache_read_input_tokens` | cache reads |
//! | `cache_creation_input_tokens` | cache writes; `cache_creation` says which live how long, and without it they live five minutes |
//! | `output_tokens` | the answer; contains `output_tokens_details.thinking_tokens` |
//! | `iterations` | one entry for each time that a model ran, where there was more than one, or may have been |
//!
//! Where there are iterations, they are the bill: the counts beside them leave out compactions,
//! advisors, declined fallbacks, and may be of the first iteration only.

use farthing_core::usage::{Bucket, Usage};

use crate::answer::{ModelUsage, Reported};
use crate::json::{Json, pick, type_of};
use crate::usage::{self, agreed, count, required};

/// What a stream says in pieces.
const MEMBERS: [&str; 8] = [
    "input_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation",
    "output_tokens",
    "output_tokens_details",
    "server_tool_use",
    "iterations",
];

/// The usage of a stream: of each member, the last that is not null. Counts are totals so far, so
/// that adding them up would be wrong.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    members: [Option<String>; MEMBERS.len()],
    /// Whether the answer was counted; what a stream begins with is no count of it.
    of_answer: bool,
}

/// When the split of the cache writes was made.
#[derive(Clone, Copy)]
enum Split {
    /// With their total, so that both agree.
    Now,
    /// When the stream began; the total may have grown.
    AtStart,
}

/// What several models consumed.
struct Bill {
    own: Usage,
    others: Vec<ModelUsage>,
}

/// Reads the `usage` of an answer that this model gave.
pub(super) fn reported(usage: Option<Json>, model: Option<&str>) -> Reported {
    usage::reported(usage, |usage| answer(usage, model, Split::Now))
}

/// All that was consumed.
fn answer(usage: Json, model: Option<&str>, split: Split) -> Result<Reported, String> {
    pick!(usage => output_tokens_details, server_tool_use, iterations);
    let output = required(usage, "output_tokens")?;
    let thought = count(output_tokens_details, "thinking_tokens")?.unwrap_or(0);
    if thought > output {
        return Err(format!("thinking_tokens exceed the {output} output_tokens that contain them"));
    }
    let bill = match iterations.filter(|iterations| iterations.elements().next().is_some()) {
        Some(iterations) => Bill::of(iterations, model)?,
        None => Bill { own: counts(usage, split)?, others: Vec::new() },
    };
    if bill.completion() < output {
        let listed = bill.completion();
        return Err(format!("iterations add up to {listed} of the {output} output_tokens"));
    }
    let Bill { own, others } = bill;
    let said = own.get(Bucket::Output);
    let thought = thought.min(said);
    let own = own
        .with(Bucket::Output, said - thought)
        .with(Bucket::OutputReasoning, thought)
        .with(Bucket::WebSearch, count(server_tool_use, "web_search_requests")?.unwrap_or(0));
    Ok(if others.is_empty() { agreed(own) } else { Reported::Joint { own, others } })
}

fn counts(of: Json, split: Split) -> Result<Usage, String> {
    Ok(prompt(of, split)?.with(Bucket::Output, required(of, "output_tokens")?))
}

fn prompt(of: Json, split: Split) -> Result<Usage, String> {
    let [short, long] = written(of, split)?;
    Ok(Usage::NONE
        .with(Bucket::Input, required(of, "input_tokens")?)
        .with(Bucket::CacheRead, count(Some(of), "cache_read_input_tokens")?.unwrap_or(0))
        .with(Bucket::CacheWrite5m, short)
        .with(Bucket::CacheWrite1h, long))
}

/// The cache writes that live five minutes, and an hour.
fn written(of: Json, split: Split) -> Result<[u64; 2], String> {
    pick!(of => cache_creation);
    let total = count(Some(of), "cache_creation_input_tokens")?;
    let short = count(cache_creation, "ephemeral_5m_input_tokens")?;
    let long = count(cache_creation, "ephemeral_1h_input_tokens")?;
    if short.is_none() && long.is_none() {
        return Ok([total.unwrap_or(0), 0]);
    }
    let [short, long] = [short, long].map(Option::unwrap_or_default);
    let sum = short + long;
    let total = total.unwrap_or(sum);
    match (total.checked_sub(sum), split) {
        (Some(0), _) => Ok([short, long]),
        // What was written later is taken to live as long as the longest of the first.
        (Some(grown), Split::AtStart) if long > 0 => Ok([short, long + grown]),
        (Some(grown), Split::AtStart) => Ok([short + grown, long]),
        _ => Err(format!(
            "cache_creation adds up to {sum}, but cache_creation_input_tokens is {total}"
        )),
    }
}

// === impl Bill ===

impl Bill {
    /// Adds up iterations. An advisor is billed at its own model's price. Where a fallback answered,
    /// so are the models before it, but none that
    /// [declined](https://platform.claude.com/docs/en/build-with-claude/refusals-and-fallback)
    /// before it had written anything.
    fn of(iterations: Json, model: Option<&str>) -> Result<Bill, String> {
        let fell_back = iterations.elements().any(|entry| type_of(entry) == "fallback_message");
        let mut bill = Bill { own: Usage::NONE, others: Vec::new() };
        for entry in iterations.elements() {
            let usage = counts(entry, Split::Now)?;
            let [by] = entry.pick(["model"]);
            let by = by.and_then(Json::as_str);
            match &*type_of(entry) {
                "advisor_message" if by.is_none() => {
                    return Err("an advisor_message does not name its model".into());
                }
                "message" | "fallback_message" if fell_back && usage.completion() == 0 => {}
                "message" | "fallback_message" if !fell_back => bill.add(None, &usage),
                _ => bill.add(by.as_deref().filter(|by| Some(*by) != model), &usage),
            }
        }
        Ok(bill)
    }

    /// Adds what another model consumed, or the one that answered.
    fn add(&mut self, other: Option<&str>, usage: &Usage) {
        let Some(model) = other else {
            self.own = self.own.plus(usage);
            return;
        };
        match self.others.iter_mut().find(|known| known.model == model) {
            Some(known) => known.usage = known.usage.plus(usage),
            None => self.others.push(ModelUsage { model: model.to_owned(), usage: *usage }),
        }
    }

    fn completion(&self) -> u64 {
        let others = self.others.iter().map(|other| other.usage.completion());
        others.fold(self.own.completion(), u64::saturating_add)
    }
}

// === impl Merged ===

impl Merged {
    /// Takes in a `usage`; `of_answer` where it comes behind the answer.
    pub(super) fn add(&mut self, usage: Json, of_answer: bool) {
        for (member, said) in self.members.iter_mut().zip(usage.pick(MEMBERS)) {
            if let Some(said) = said.filter(|said| !said.is_null()) {
                *member = Some(said.text().to_owned());
            }
        }
        let [output] = usage.pick(["output_tokens"]);
        self.of_answer |= of_answer && output.is_some_and(|output| !output.is_null());
    }

    /// What was said so far, in a stream of an answer by this model.
    pub(super) fn reported(&self, model: Option<&str>) -> Reported {
        let members = MEMBERS.iter().zip(&self.members);
        let members: Vec<String> = members
            .filter_map(|(name, said)| Some(format!("\"{name}\":{}", said.as_deref()?)))
            .collect();
        let usage = format!("{{{}}}", members.join(","));
        let usage = match Json::parse(usage.as_bytes()) {
            Ok(usage) => usage,
            Err(error) => return Reported::Invalid(error.to_string()),
        };
        usage::reported(Some(usage), |usage| {
            if self.of_answer {
                return answer(usage, model, Split::AtStart);
            }
            let prompt = prompt(usage, Split::AtStart)?;
            Ok(if prompt == Usage::NONE {
                Reported::NoPrompt(prompt)
            } else {
                Reported::PromptOnly(prompt)
            })
        })
    }
}

#[cfg(test)]
#[path = "usage_tests.rs"]
mod tests;
