//! Prose in fewer words.

use std::io::Write;

use anyhow::{Context, Result};
use farthing_core::Usd;
use farthing_core::pricing::{Catalog, Served};
use farthing_core::usage::{Bucket, Usage};
use farthing_optimize::prose::{Level, Options, shorten};
use farthing_tokens::Counter;
use serde::Serialize;

use super::explain::print_lines;
use crate::cli::input;
use crate::house;
use crate::print::Output;
use crate::print::figures::{grouped, plural};

/// Whose tokens are saved where nobody says, and whose price.
const MODEL: &str = "gpt-4.1";
const PROVIDER: &str = "openai";

/// What is asked for.
pub(super) struct Ask<'a> {
    /// A text, a file with one, or `-`.
    pub(super) argument: &'a str,
    pub(super) target_percent: u32,
    pub(super) level: Level,
    pub(super) question: Option<&'a str>,
    pub(super) model: Option<&'a str>,
    pub(super) provider: Option<&'a str>,
    pub(super) explain: bool,
    pub(super) json: bool,
}

/// The answer as JSON.
#[derive(Serialize)]
struct Shortened<'a> {
    text: &'a str,
    tokens_before: u64,
    tokens_after: u64,
    percent: u32,
    cost_saved_usd: Option<Usd>,
    model: &'a str,
    applied: Vec<String>,
    target_reached: bool,
}

pub(super) fn run(ask: &Ask, out: &mut Output) -> Result<()> {
    let counter = Counter::embedded().context("the embedded rules for counting")?;
    let model = ask.model.unwrap_or(MODEL);
    let input::Text { text, .. } = input::text(ask.argument)?;
    let Ask { target_percent, level, question, .. } = *ask;
    let options = Options { target_percent, level, question };
    let prose = shorten(&text, &options, &|text| counter.count_text(model, text).0);
    let saved = prose.tokens_before.saturating_sub(prose.tokens_after);
    let cost_saved_usd = price(ask.provider.unwrap_or(PROVIDER), model, saved)?;
    let applied: Vec<String> =
        prose.applied.iter().map(|cut| format!("{cut:?}").to_lowercase()).collect();
    if ask.json {
        out.json(&Shortened {
            text: &prose.text,
            tokens_before: prose.tokens_before,
            tokens_after: prose.tokens_after,
            percent: prose.percent,
            cost_saved_usd,
            model,
            applied,
            target_reached: prose.target_reached,
        })?;
        return Ok(());
    }
    if !ask.explain {
        writeln!(out, "{}", prose.text.trim_end_matches('\n'))?;
        return Ok(());
    }
    print_lines(out, false, &text.lines().map(str::to_owned).collect::<Vec<_>>())?;
    print_lines(out, true, &prose.text.lines().map(str::to_owned).collect::<Vec<_>>())?;
    let worth = cost_saved_usd.map_or(String::new(), |usd| format!(", ${usd} a time"));
    let (before, after) = (plural(prose.tokens_before, "token"), grouped(prose.tokens_after));
    let reached = if prose.target_reached { "reached" } else { "not reached" };
    writeln!(out, "\n{before} become {after}: {} % less{worth}; target {reached}", prose.percent)?;
    writeln!(out, "cut: {}", applied.join(", "))?;
    Ok(())
}

/// What so many tokens of input cost; `None` for a model without a price.
fn price(provider: &str, model: &str, tokens: u64) -> Result<Option<Usd>> {
    let catalog = Catalog::embedded().context("the embedded price catalog")?;
    let found = catalog.resolve(provider, model, house::clock().now(), &Served::new());
    let Ok(found) = found else { return Ok(None) };
    Ok(found.card.cost(&Usage::NONE.with(Bucket::Input, tokens))?.usd)
}
