//! `farthing catalog check`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use console::style;
use farthing_core::pricing::{Catalog, Finding, Severity};
use jiff::tz::TimeZone;
use serde_json::json;

use crate::house;
use crate::print::Output;
use crate::print::figures::plural;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// A folder or file, laid over the built-in facts [default: as set].
    #[arg(value_name = "DIR")]
    files: Option<PathBuf>,
    /// A file with settings of your own.
    #[arg(long, value_name = "FILE", conflicts_with = "files")]
    config: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let embedded = Catalog::embedded()?;
    embedded.load().context("the built-in facts")?;
    let (catalog, subject) = match &args.files {
        Some(path) => {
            let files = super::read(path)?;
            let ours = Catalog::parse(&super::borrowed(&files))?;
            (embedded.overlaid(&super::borrowed(&files))?, ours)
        }
        None => {
            let configured = super::configured(args.config.as_ref())?;
            (configured.as_ref().clone(), configured.as_ref().clone())
        }
    };
    let today = house::clock().now().to_zoned(TimeZone::UTC).date();
    let mut findings = catalog.check(today);
    findings.retain(|finding| {
        subject.models(&finding.provider).iter().any(|model| model.id == finding.model)
    });
    let models = subject.providers().map(|provider| subject.models(provider).len()).sum();
    print(args, &findings, models, subject.providers().count())?;
    let ok = findings.iter().all(|finding| finding.severity == Severity::Note);
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(args: &Args, findings: &[Finding], models: usize, providers: usize) -> Result<()> {
    let mut out = Output::stdout();
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let notes = findings.len() - errors;
    if args.json {
        let shown = findings.iter().map(|finding| {
            let Finding { severity, provider, model, what } = finding;
            json!({ "severity": name(*severity), "provider": provider, "model": model, "what": what })
        });
        let shown: Vec<_> = shown.collect();
        out.json(&json!({ "ok": errors == 0, "models": models, "findings": shown }))?;
        return Ok(());
    }
    for finding in findings {
        let severity = match finding.severity {
            Severity::Error => style("error").red().bold(),
            Severity::Note => style("note ").yellow(),
        };
        writeln!(out, "{severity}  {finding}")?;
    }
    let count = |number: usize, noun| plural(u64::try_from(number).unwrap_or(u64::MAX), noun);
    let (models, providers) = (count(models, "model"), count(providers, "provider"));
    let (errors, notes) = (count(errors, "error"), count(notes, "note"));
    writeln!(out, "{models} of {providers}: {errors}, {notes}")?;
    Ok(())
}

const fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Note => "note",
    }
}
