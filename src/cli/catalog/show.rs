//! `farthing catalog show`: every rate of a model, and why it is found.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use comfy_table::{CellAlignment, Table, presets};
use console::style;
use farthing_core::pricing::{Catalog, Model, Price, Rate, Resolved, Served, per};
use farthing_core::usage::Bucket;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{begins, factors, label, moment, terms};
use crate::house;
use crate::print::Output;
use crate::print::figures::grouped;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The model, as a client would name it.
    model: String,
    /// Whose it is [default: all that list it].
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// The day or moment of the call [default: now].
    #[arg(long, value_name = "DATE", value_parser = moment)]
    at: Option<Timestamp>,
    /// A file with settings of your own.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A model as one provider has it.
struct Shown<'a> {
    asked: &'a str,
    provider: &'a str,
    found: Resolved,
    at: Timestamp,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let catalog = super::configured(args.config.as_ref())?;
    let at = args.at.unwrap_or_else(|| house::clock().now());
    let shown = match &args.provider {
        Some(provider) => vec![find(&catalog, provider, &args.model, at)?],
        None => find_all(&catalog, &args.model, at)?,
    };
    let mut out = Output::stdout();
    if args.json {
        out.json(&shown.iter().map(Shown::json).collect::<Vec<_>>())?;
    } else {
        shown.iter().try_for_each(|shown| shown.print(&mut out))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn find<'a>(
    catalog: &Catalog,
    provider: &'a str,
    asked: &'a str,
    at: Timestamp,
) -> Result<Shown<'a>> {
    match catalog.resolve(provider, asked, at, &Served::new()) {
        Ok(found) => Ok(Shown { asked, provider, found, at }),
        Err(missed) => bail!(crate::cli::price::unpriced(asked, provider, &missed)),
    }
}

/// As every provider has it that lists it itself.
fn find_all<'a>(catalog: &'a Catalog, asked: &'a str, at: Timestamp) -> Result<Vec<Shown<'a>>> {
    let all = catalog.providers().filter_map(|provider| find(catalog, provider, asked, at).ok());
    let own: Vec<_> = all.filter(|shown| *shown.found.model.provider == *shown.provider).collect();
    if own.is_empty() {
        bail!(
            "no price is known for `{asked}` of any provider; `farthing catalog list` names them all"
        );
    }
    Ok(own)
}

// === impl Shown ===

impl Shown<'_> {
    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let Shown { asked, found: Resolved { model, card, rule }, .. } = self;
        let free = if model.free { " · free" } else { "" };
        let mode = model.mode.as_ref().map_or(String::new(), |mode| format!(" · {mode}"));
        writeln!(out, "{}  {}{mode}{free}", style(&model.id).bold(), model.provider)?;
        let how = if model.id == *asked {
            rule.name().to_owned()
        } else {
            format!("{asked}, {}", rule.name())
        };
        let mut lines = vec![("found by", how), ("rate card", card.hash().to_string())];
        lines.extend(limits(model).map(|limits| ("limits", limits)));
        lines.extend(model.caching.as_ref().map(|caching| ("cache", terms(caching))));
        lines.extend(model.tokenizer.clone().map(|name| ("tokenizer", name)));
        let checked = model.checked.map_or(String::new(), |day| format!(", checked {day}"));
        lines.push(("source", format!("{}{checked}", model.sources.join("\n             "))));
        for (what, text) in lines {
            writeln!(out, "  {}  {text}", style(format!("{what:<9}")).dim())?;
        }
        self.print_rates(out)?;
        self.print_others(out)
    }

    /// The prices that hold at the moment, beside each other.
    fn print_rates(&self, out: &mut impl Write) -> io::Result<()> {
        let prices = self.current();
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        let head = prices.iter().map(|price| label(&price.when, price.hours.as_ref()));
        table.set_header(["".to_owned()].into_iter().chain(head).chain(["$ per".to_owned()]));
        let buckets = Bucket::ALL.iter().copied().filter(|bucket| has(&prices, *bucket));
        for bucket in buckets {
            for from in thresholds(&prices, bucket) {
                let name = match from.checked_sub(1) {
                    None => bucket.name().to_owned(),
                    Some(above) => format!("  above {}", grouped(above)),
                };
                let rates = prices.iter().map(|price| {
                    price
                        .rates
                        .get(&bucket)
                        .map_or("–".to_owned(), |rate| rate.at(from).dollars(bucket))
                });
                let unit = if from == 0 { per(bucket) } else { "" };
                table.add_row([name].into_iter().chain(rates).chain([unit.to_owned()]));
            }
        }
        let last = prices.len() + 1;
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((if index == 0 { 2 } else { 3 }, 0));
            let is_text = index == 0 || index == last;
            column.set_cell_alignment(if is_text {
                CellAlignment::Left
            } else {
                CellAlignment::Right
            });
        }
        writeln!(out, "\n  {}", style(format!("at {}", day(self.at))).dim())?;
        table.to_string().lines().try_for_each(|line| writeln!(out, "{}", line.trim_end()))
    }

    /// Surcharges, and the prices of other times.
    fn print_others(&self, out: &mut impl Write) -> io::Result<()> {
        let model = &self.found.model;
        if !model.surcharges.is_empty() {
            writeln!(out, "\n  every token where served so: {}", factors(model))?;
        }
        let others = self.others();
        if !others.is_empty() {
            writeln!(out, "\n  {}", style("at other times").dim())?;
        }
        for price in others {
            let rates = price.rates.iter().map(|(bucket, rate)| {
                let tiers = if rate.tiers().count() > 1 { " and more" } else { "" };
                format!("{} {}{tiers}", bucket.name(), rate.at(0).dollars(*bucket))
            });
            let from = begins(price).unwrap_or_else(|| "at first".to_owned());
            let which = label(&price.when, price.hours.as_ref());
            writeln!(out, "  {from:<10}  {which}: {}", rates.collect::<Vec<_>>().join(", "))?;
        }
        writeln!(out)
    }

    /// The prices that a call of the moment may get, the standard one first.
    fn current(&self) -> Vec<&Price> {
        let model = &self.found.model;
        let mut prices: Vec<_> =
            model.possible_at(self.at).filter(|price| !surcharged(model, price)).collect();
        prices.sort_by_key(|price| (price.when.len(), price.hours.is_some()));
        prices
    }

    fn others(&self) -> Vec<&Price> {
        let model = &self.found.model;
        let current = self.current();
        let is_current = |price: &&Price| current.iter().any(|other| std::ptr::eq(*other, *price));
        let mut others: Vec<_> =
            model.prices().iter().filter(|price| !price.derived && !is_current(price)).collect();
        others.sort_by_key(|price| (price.from, price.when.len()));
        others
    }

    fn json(&self) -> Value {
        let Shown { asked, found: Resolved { model, card, rule }, at, .. } = self;
        let current = self.current();
        let price = |price: &&Price, holds: bool| {
            let when: serde_json::Map<_, _> =
                price.when.iter().map(|(what, how)| (what.name().to_owned(), json!(how))).collect();
            let hours = price.hours.as_ref().map(ToString::to_string);
            json!({ "from": begins(price), "when": when, "hours": hours, "holds": holds, "rates": rates(price) })
        };
        let prices = current.iter().map(|it| price(it, true));
        let prices: Vec<_> =
            prices.chain(self.others().iter().map(|it| price(it, false))).collect();
        json!({
            "asked": asked, "provider": &*model.provider, "model": model.id, "rule": rule,
            "rate_card": card.hash().to_string(), "at": at.to_string(), "aliases": model.aliases,
            "mode": model.mode, "context": model.context, "max_output": model.max_output,
            "retires": model.retires, "tokenizer": model.tokenizer, "free": model.free,
            "cache": model.caching.as_ref().map(|caching| json!({
                "style": caching.style.name(), "min_tokens": caching.min_tokens,
                "max_breakpoints": caching.max_breakpoints,
                "look_back_blocks": caching.look_back_blocks,
                "writes_charged": caching.writes_charged,
            })),
            "prices": prices, "surcharges": factors(model), "sources": model.sources,
            "checked": model.checked,
        })
    }
}

/// Whether one of the model's surcharges is in it.
fn surcharged(model: &Model, price: &Price) -> bool {
    price.derived
        && model
            .surcharges
            .iter()
            .any(|(when, _)| when.iter().all(|(what, how)| price.when.get(what) == Some(how)))
}

fn has(prices: &[&Price], bucket: Bucket) -> bool {
    prices.iter().any(|price| price.rates.contains_key(&bucket))
}

/// Where the rate of a bucket changes with the prompt, in any of the prices; from none on.
fn thresholds(prices: &[&Price], bucket: Bucket) -> BTreeSet<u64> {
    let rates = prices.iter().filter_map(|price| price.rates.get(&bucket));
    rates.flat_map(|rate| rate.tiers().map(|(from, _)| from)).collect()
}

fn rates(price: &Price) -> Value {
    let rate = |bucket: Bucket, rate: Rate| rate.dollars(bucket);
    let rates = price.rates.iter().map(|(bucket, tiered)| {
        let tiers = tiered.tiers().skip(1);
        let tiers: Vec<_> = tiers
            .map(|(from, above)| json!({ "from_tokens": from, "usd": rate(*bucket, above) }))
            .collect();
        let mut shown = json!({ "usd": rate(*bucket, tiered.at(0)), "per": per(*bucket) });
        if !tiers.is_empty() {
            shown["tiers"] = json!(tiers);
        }
        (bucket.name().to_owned(), shown)
    });
    Value::Object(rates.collect())
}

fn limits(model: &Model) -> Option<String> {
    let parts = [
        model.context.map(|tokens| format!("context {}", grouped(tokens))),
        model.max_output.map(|tokens| format!("answers up to {}", grouped(tokens))),
        model.retires.map(|day| format!("retires {day}")),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
