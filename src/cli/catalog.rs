//! `farthing catalog`: the price facts, for people.

mod check;
mod diff;
mod list;
mod refresh;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use farthing_core::pricing::{Caching, Catalog, Dimension, Hours, Model, Price, Served};
use farthing_core::usage::CacheTtl;

use super::config::Sources;
use super::moment;
use crate::config::{borrowed, read};
use crate::print::figures::{grouped, plural};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Action {
    /// Show every rate of a model, and why it is found.
    Show(show::Args),
    /// List the providers, or the models of one.
    List(list::Args),
    /// Say what is wrong or doubtful in price facts.
    Check(check::Args),
    /// Say what changed from one folder of price facts to another.
    Diff(diff::Args),
    /// Fetch the facts' packages, and write files to review.
    Refresh(refresh::Args),
}

pub(super) fn run(action: &Action) -> Result<ExitCode> {
    match action {
        Action::Show(args) => show::run(args),
        Action::List(args) => list::run(args),
        Action::Check(args) => check::run(args),
        Action::Diff(args) => diff::run(args),
        Action::Refresh(args) => refresh::run(args),
    }
}

/// The catalog that the settings ask for.
fn configured(config: Option<&PathBuf>) -> Result<Arc<Catalog>> {
    Sources { config: config.cloned(), store: None }.load()?.catalog.load()
}

/// Which of a model's prices it is, in few words: `standard`, `batch`, `geo=us`, `01:00-04:00 UTC`.
fn label(when: &Served, hours: Option<&Hours>) -> String {
    let mut parts: Vec<String> = when
        .iter()
        .map(|(what, how)| match what {
            Dimension::Processing | Dimension::ServiceTier => how.clone(),
            _ => format!("{}={how}", what.name()),
        })
        .collect();
    if parts.is_empty() && hours.is_none() {
        parts.push("standard".to_owned());
    }
    parts.extend(hours.map(Hours::to_string));
    parts.join(" ")
}

/// The day, or where it is not midnight the moment, from which a price holds.
fn begins(price: &Price) -> Option<String> {
    let text = price.from?.to_string();
    Some(text.strip_suffix("T00:00:00Z").map_or(text.clone(), str::to_owned))
}

/// The terms of a prompt cache: `explicit, from 1,024 tokens, 4 marks, for 5 minutes or 1 hour`.
fn terms(caching: &Caching) -> String {
    let ttls = caching.ttls.iter().map(|ttl| match ttl {
        CacheTtl::FiveMinutes => "5 minutes",
        CacheTtl::OneHour => "1 hour",
    });
    let ttls: Vec<_> = ttls.collect();
    let parts = [
        Some(caching.style.name().to_owned()),
        caching.min_tokens.map(|tokens| format!("from {} tokens", grouped(tokens))),
        caching.max_breakpoints.map(|most| format!("at most {}", plural(most.into(), "mark"))),
        caching.look_back_blocks.map(|blocks| format!("{blocks} blocks back")),
        (!ttls.is_empty()).then(|| format!("for {}", ttls.join(" or "))),
        Some(if caching.writes_charged { "writes charged" } else { "writes free" }.to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// A model's surcharges: `geo=us × 11/10`.
fn factors(model: &Model) -> String {
    let factor =
        model.surcharges.iter().map(|(when, factor)| format!("{} × {factor}", label(when, None)));
    factor.collect::<Vec<_>>().join(", ")
}
