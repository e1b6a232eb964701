//! `farthing analyze`.

pub(super) mod screen;
pub(super) mod transcripts;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use farthing_analyze::html;
use farthing_analyze::{Report, Terms};
use farthing_core::pricing::Catalog;

use self::transcripts::{Transcripts, zone};
use crate::house;
use crate::print::Output;

const MORE: &str = "\
Without a PATH it reads what Claude Code, Codex and Gemini CLI keep in your home
folder. Nothing leaves this machine, and no key is needed.

Examples:
  farthing analyze
  farthing analyze ~/.claude/projects --since 2026-11-01
  farthing analyze logs/ --json > report.json";

#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub(super) struct Args {
    #[command(flatten)]
    transcripts: Transcripts,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Write a page that stands alone, too.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Say what it would have cost on this model.
    #[arg(long, value_name = "MODEL")]
    what_if: Vec<String>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let zone = zone(args.transcripts.timezone.as_deref())?;
    let catalog = Catalog::embedded().context("the embedded price catalog")?;
    let now = house::clock().now();
    let model = args.transcripts.assumed(&catalog, now)?;
    let terms = Terms { catalog: &catalog, now, model };
    let priced = args.transcripts.read(&terms, &zone)?;
    let report = Report::new(&priced, &terms, &zone, &args.what_if);
    let mut out = Output::stdout();
    let printed = if args.json { out.json(&report) } else { screen::write(&report, &mut out) };
    printed.context("the report cannot be printed")?;
    if let Some(file) = &args.html {
        let page = html::page(&report, now);
        fs::write(file, page).with_context(|| format!("{} cannot be written", file.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}
