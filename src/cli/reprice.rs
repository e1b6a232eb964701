//! `farthing reprice`.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use farthing_core::id::ProviderId;
use farthing_engine::reprice::{PriceLists, Repricing, record};
use farthing_engine::tariff::{Prices, Tariff};
use farthing_ledger::reprice::unpriced;
use farthing_ledger::{Ledger, Options, SqliteReader, SqliteStore};
use jiff::Timestamp;

use super::config::Sources;
use super::moment;
use crate::config::Config;
use crate::house;
use crate::print::Output;
use crate::print::figures::plural;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    sources: Sources,
    /// Calls that ended on this day or later [default: all].
    #[arg(long, value_name = "DATE", value_parser = moment)]
    since: Option<Timestamp>,
    /// Calls that ended before this day [default: now].
    #[arg(long, value_name = "DATE", value_parser = moment)]
    until: Option<Timestamp>,
    /// Say what would be corrected, and correct nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &Args) -> Result<ExitCode> {
    let config = args.sources.load()?;
    let tariff =
        Tariff { prices: Prices::new(config.catalog.load()?), unpriced: config.budgets.unpriced };
    let (since, until) =
        (args.since.unwrap_or(Timestamp::MIN), args.until.unwrap_or(Timestamp::MAX));
    let lists = lists(&config)?;
    let repricing = if args.dry_run {
        let found = unpriced(&mut SqliteReader::open(&config.store.path)?, since, until)?;
        Repricing::plan(&tariff, &lists, found)?.0
    } else {
        // It has to be there already: only a gateway makes a ledger.
        drop(SqliteReader::open(&config.store.path)?);
        let store = SqliteStore::open(&config.store.path)
            .context("calls are repriced while no gateway runs; stop it first")?;
        let ledger = Ledger::open(store, house::clock(), Options::default())?;
        let found = ledger.unpriced(since, until).await?;
        let (repricing, corrections) = Repricing::plan(&tariff, &lists, found)?;
        record(&ledger, corrections).await?;
        ledger.close().await?;
        repricing
    };
    let mut out = Output::stdout();
    if args.json {
        out.json(&repricing)?
    } else {
        print(&mut out, &repricing, args.dry_run)?
    }
    Ok(ExitCode::SUCCESS)
}

/// Whose price list each configured provider has.
fn lists(config: &Config) -> Result<PriceLists> {
    let list = |(name, provider): (&String, &crate::config::Provider)| {
        Ok((ProviderId::new(name)?, ProviderId::new(provider.price_list(name))?))
    };
    config.provider.iter().map(list).collect()
}

fn print(out: &mut impl Write, repricing: &Repricing, dry_run: bool) -> io::Result<()> {
    let Repricing { priced, cost_usd, charged_usd, unpriced } = repricing;
    let calls = plural(*priced, "call");
    let verb = if dry_run { "would be priced" } else { "priced" };
    writeln!(out, "{calls} {verb}: ${cost_usd}, which charges budgets ${charged_usd} more")?;
    for (model, calls) in unpriced {
        writeln!(out, "  still without a price: {model} ({})", plural(*calls, "call"))?;
    }
    if !unpriced.is_empty() {
        writeln!(
            out,
            "\nGive each a price in a file of `catalog.directory`, or say which model it is in\n\
             [catalog.override.PROVIDER], and run this again."
        )?;
    }
    Ok(())
}
