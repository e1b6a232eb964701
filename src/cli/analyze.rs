//! `farthing analyze`.

mod transcripts;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use farthing_analyze::Report;

use self::transcripts::{Transcripts, zone};
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
    /// A file with settings of your own.
    #[arg(long, value_name = "FILE", hide = true)]
    config: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let zone = zone(args.transcripts.timezone.as_deref())?;
    let priced = args.transcripts.read(&zone)?;
    let report = Report::new(&priced, &zone);
    let mut out = Output::stdout();
    out.json(&report)?;
    Ok(ExitCode::SUCCESS)
}
