//! `farthing verify`.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use farthing_ledger::{Difference, Report, SqliteReader, verify};

use super::config::Sources;
use crate::print::Output;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    sources: Sources,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let path = args.sources.load()?.store.path;
    let report = verify(&mut SqliteReader::open(path)?)?;
    let mut out = Output::stdout();
    let printed = if args.json { out.json(&report) } else { print(&mut out, &report) };
    printed.context("the report cannot be printed")?;
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let Report { entries, attempts, open, spent, differences, omitted } = report;
    writeln!(out, "{entries} entries of {attempts} calls, {open} of them open, ${spent} charged")?;
    for difference in differences {
        let Difference { place, expected, found } = difference;
        writeln!(out, "\n{place}\n  by the entries  {expected}\n  in the table    {found}")?;
    }
    match differences.len() as u64 + omitted {
        0 => writeln!(out, "Balances, holds, sums and costs are what the entries say."),
        1 => writeln!(out, "\n1 difference. Please report it; the entries are what holds."),
        many => {
            writeln!(out, "\n{many} differences. Please report them; the entries are what holds.")
        }
    }
}
