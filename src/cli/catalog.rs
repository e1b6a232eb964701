//! `farthing catalog`: the price facts, for people.

mod check;
mod diff;
mod list;
mod refresh;
mod show;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use farthing_core::pricing::{Caching, Dimension, Hours, Model, Price, Served};
use farthing_core::usage::CacheTtl;
use jiff::Timestamp;

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

/// The catalog files of a folder, or the one that is named: names and texts.
fn read(path: &Path) -> Result<Vec<(String, String)>> {
    let text = |path: &PathBuf| {
        let text = fs::read_to_string(path);
        let text = text.with_context(|| format!("{} cannot be read", path.display()))?;
        Ok((path.display().to_string(), text))
    };
    if path.is_file() {
        return Ok(vec![text(&path.to_owned())?]);
    }
    let entries =
        fs::read_dir(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let files: Result<Vec<PathBuf>, _> =
        entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>();
    let mut files = files.with_context(|| format!("{} cannot be read", path.display()))?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    if files.is_empty() {
        bail!("{} has no catalog: no file in it ends in .toml", path.display());
    }
    files.iter().map(text).collect()
}

fn borrowed(files: &[(String, String)]) -> Vec<(&str, &str)> {
    files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect()
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

/// Reads a day or a moment.
fn moment(text: &str) -> Result<Timestamp, String> {
    let midnight = format!("{text}T00:00:00Z");
    let read = text.parse().or_else(|_| midnight.parse::<Timestamp>());
    read.map_err(|_| format!("`{text}` is no day; write it as in 2026-11-22"))
}
