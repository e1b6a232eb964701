//! `farthing catalog diff`: what changed in price facts, for review.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use console::style;
use farthing_core::pricing::{Catalog, Model, Price, TieredRate};
use farthing_core::usage::Bucket;

use super::{begins, borrowed, factors, label, read, terms};
use crate::print::Output;
use crate::print::figures::{grouped, plural};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The older facts: a folder, or one file.
    old: PathBuf,
    /// The newer.
    new: PathBuf,
}

/// One line of the difference.
enum Change {
    Added(String),
    Removed(String),
    Changed(String),
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let (old, new) = (read(&args.old)?, read(&args.new)?);
    let (old, new) = (Catalog::parse(&borrowed(&old))?, Catalog::parse(&borrowed(&new))?);
    print(&old, &new, &mut Output::stdout())?;
    Ok(ExitCode::SUCCESS)
}

/// Prints what changed, provider by provider and model by model, and how many models that are.
pub(super) fn print(old: &Catalog, new: &Catalog, out: &mut impl Write) -> io::Result<()> {
    let providers: BTreeSet<&str> = old.providers().chain(new.providers()).collect();
    let [mut added, mut removed, mut changed] = [0_u64; 3];
    for provider in providers {
        let (before, after) = (by_id(old.models(provider)), by_id(new.models(provider)));
        let ids: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
        for id in ids {
            let name = format!("{provider} {id}");
            match (before.get(id), after.get(id)) {
                (Some(before), Some(after)) => {
                    let changes = changes(before, after);
                    if !changes.is_empty() {
                        changed += 1;
                        writeln!(out, "{}", style(name).bold())?;
                        changes.iter().try_for_each(|change| change.print(out))?;
                    }
                }
                (None, Some(after)) => {
                    added += 1;
                    writeln!(out, "{}  {}", style(format!("+ {name}")).green(), summary(after))?;
                }
                (before, _) => {
                    removed += 1;
                    let was = before.map(|before| summary(before)).unwrap_or_default();
                    writeln!(out, "{}  {was}", style(format!("- {name}")).red())?;
                }
            }
        }
    }
    let changed = plural(changed, "model");
    writeln!(out, "{changed} changed, {} added, {} removed", grouped(added), grouped(removed))
}

fn by_id(models: &[Arc<Model>]) -> BTreeMap<&str, &Model> {
    models.iter().map(|model| (model.id.as_str(), model.as_ref())).collect()
}

/// What a model's newest standard price is.
fn summary(model: &Model) -> String {
    let standard =
        model.prices().iter().find(|price| price.when.is_empty() && price.hours.is_none());
    standard.map(rates).unwrap_or_default()
}

fn rates(price: &Price) -> String {
    let shown = price.rates.iter().map(|(bucket, rate)| shown(*bucket, rate));
    shown.collect::<Vec<_>>().join(", ")
}

/// `input 4, above 272,000: 8`
fn shown(bucket: Bucket, rate: &TieredRate) -> String {
    format!("{} {}", bucket.name(), dollars(bucket, rate))
}

fn dollars(bucket: Bucket, rate: &TieredRate) -> String {
    let tiers = rate.tiers().map(|(from, rate)| match from.checked_sub(1) {
        None => rate.dollars(bucket),
        Some(above) => format!("above {}: {}", grouped(above), rate.dollars(bucket)),
    });
    tiers.collect::<Vec<_>>().join(", ")
}

fn changes(old: &Model, new: &Model) -> Vec<Change> {
    let mut changes = Vec::new();
    let text = |value: Option<String>| value.unwrap_or_else(|| "nothing".to_owned());
    let facts = |model: &Model| {
        [
            ("mode", model.mode.clone()),
            ("context", model.context.map(grouped)),
            ("max_output", model.max_output.map(grouped)),
            ("retires", model.retires.map(|day| day.to_string())),
            ("tokenizer", model.tokenizer.clone()),
            ("free", model.free.then(|| "true".to_owned())),
            ("cache", model.caching.as_ref().map(terms)),
            ("surcharges", Some(factors(model)).filter(|text| !text.is_empty())),
        ]
    };
    for ((what, old), (_, new)) in facts(old).into_iter().zip(facts(new)) {
        if old != new {
            changes.push(Change::Changed(format!("{what} {} -> {}", text(old), text(new))));
        }
    }
    let names = |model: &Model| model.aliases.iter().cloned().collect::<BTreeSet<_>>();
    let (before, after) = (names(old), names(new));
    changes.extend(after.difference(&before).map(|name| Change::Added(format!("name {name}"))));
    changes.extend(before.difference(&after).map(|name| Change::Removed(format!("name {name}"))));
    changes.extend(price_changes(old, new));
    changes
}

fn price_changes(old: &Model, new: &Model) -> Vec<Change> {
    let (before, after) = (prices(old), prices(new));
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let change = |key: &String| match (before.get(key), after.get(key)) {
        (Some(before), Some(after)) => rate_changes(key, before, after),
        (None, Some(after)) => vec![Change::Added(format!("{key}: {}", rates(after)))],
        (Some(before), None) => vec![Change::Removed(format!("{key}: {}", rates(before)))],
        (None, None) => Vec::new(),
    };
    keys.into_iter().flat_map(change).collect()
}

/// A model's prices by what tells them apart; those that follow from others are left out.
fn prices(model: &Model) -> BTreeMap<String, &Price> {
    let own = model.prices().iter().filter(|price| !price.derived);
    own.map(|price| {
        let from = begins(price).map(|from| format!(" from {from}")).unwrap_or_default();
        (format!("{}{from}", label(&price.when, price.hours.as_ref())), price)
    })
    .collect()
}

fn rate_changes(key: &str, old: &Price, new: &Price) -> Vec<Change> {
    let change = |bucket: &Bucket| match (old.rates.get(bucket), new.rates.get(bucket)) {
        (Some(old), Some(new)) if old != new => {
            let (name, was, is) = (bucket.name(), dollars(*bucket, old), dollars(*bucket, new));
            Some(Change::Changed(format!("{key}: {name} {was} -> {is}")))
        }
        (None, Some(new)) => Some(Change::Added(format!("{key}: {}", shown(*bucket, new)))),
        (Some(old), None) => Some(Change::Removed(format!("{key}: {}", shown(*bucket, old)))),
        _ => None,
    };
    Bucket::ALL.iter().filter_map(change).collect()
}

// === impl Change ===

impl Change {
    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let line = match self {
            Change::Added(what) => style(format!("+ {what}")).green(),
            Change::Removed(what) => style(format!("- {what}")).red(),
            Change::Changed(what) => style(format!("~ {what}")).yellow(),
        };
        writeln!(out, "  {line}")
    }
}
