//! `farthing verify`.

mod csv;
mod invoice;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use farthing_core::Usd;
use farthing_core::pricing::Served;
use farthing_ledger::verify::Costs;
use farthing_ledger::{Difference, Report, SqliteReader, verify};

use self::invoice::Ours;

use super::config::Sources;
use crate::house;
use crate::print::Output;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    sources: Sources,
    /// Say how many costs were derived again.
    #[arg(long, conflicts_with = "invoice")]
    costs: bool,
    /// Compare with a provider's export, by day and model.
    #[arg(long, value_name = "FILE")]
    invoice: Option<PathBuf>,
    /// Whose export it is [default: everybody's].
    #[arg(long, value_name = "NAME", requires = "invoice")]
    provider: Option<String>,
    /// Dollars by which a line may differ.
    #[arg(long, value_name = "USD", default_value = "0", requires = "invoice")]
    tolerance: Usd,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    if let Some(file) = &args.invoice {
        return compare(args, file);
    }
    let path = args.sources.load()?.store.path;
    let report = verify(&mut SqliteReader::open(path)?)?;
    let mut out = Output::stdout();
    let printed = if args.json { out.json(&report) } else { print(&mut out, &report) };
    let printed = printed.and_then(|()| match args.costs && !args.json {
        true => print_costs(&mut out, &report.costs),
        false => Ok(()),
    });
    printed.context("the report cannot be printed")?;
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_costs(out: &mut impl Write, costs: &Costs) -> io::Result<()> {
    let Costs { derived, reported, reported_only, unknown } = costs;
    writeln!(out, "{derived} costs derived again from raw usage and rate card")?;
    writeln!(out, "  of which the provider had named {reported} itself; ours is kept beside them")?;
    writeln!(out, "{reported_only} by the provider's word alone, {unknown} unknown")
}

/// Our costs beside those of an export.
fn compare(args: &Args, file: &Path) -> Result<ExitCode> {
    let config = args.sources.load()?;
    let catalog = config.catalog.load()?;
    let lists = match &args.provider {
        Some(name) => {
            let known = config.provider.get(name);
            vec![known.map_or(name.as_str(), |provider| provider.price_list(name))]
        }
        None => config.price_lists(),
    };
    let now = house::clock().now();
    // Snapshots and aliases are one model on both sides.
    let name = |model: &str| {
        let mut found = lists.iter().map(|list| catalog.resolve(list, model, now, &Served::new()));
        let found = found.find_map(Result::ok);
        found.map_or_else(|| model.to_owned(), |found| found.model.id.clone())
    };
    let theirs = invoice::read(file, &name)?;
    let mut reader = SqliteReader::open(&config.store.path)?;
    let ours = Ours::read(&mut reader, args.provider.as_deref(), &name)?;
    let comparison = ours.beside(theirs, args.tolerance)?;
    let mut out = Output::stdout();
    if args.json {
        out.json(&comparison)?
    } else {
        comparison.print(&mut out)?
    }
    Ok(if comparison.agrees { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let Report { entries, attempts, open, spent, differences, omitted, .. } = report;
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
