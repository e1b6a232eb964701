//! `farthing report`.

mod csv;
mod table;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::ValueEnum;
use farthing_analyze::Terms;
use farthing_analyze::grouping::{Calendar, Grouping, Row};
use farthing_analyze::html;
use farthing_analyze::report::Tally;
use farthing_core::pricing::Catalog;
use jiff::civil::Weekday;
use serde_json::{Map, Value, json};

use super::analyze::transcripts::{Transcripts, zone};
use crate::house;
use crate::print::Output;

const USAGE: &str = "\
farthing report [GROUPING] [PATH]... [OPTIONS]";

const MORE: &str = "\
GROUPING is daily (as where there is none), weekly, monthly, session, blocks,
model, project, agent or source. Without a PATH it reads what Claude Code, Codex
and Gemini CLI keep in your home folder.

Examples:
  farthing report
  farthing report monthly --breakdown
  farthing report session --since 2026-11-01 --order desc
  farthing report daily ~/.claude/projects --format csv > days.csv";

#[derive(Debug, clap::Args)]
#[command(override_usage = USAGE, after_help = MORE)]
pub(super) struct Args {
    #[command(flatten)]
    transcripts: Transcripts,
    /// A row for each model, too.
    #[arg(long, short)]
    breakdown: bool,
    /// Fewer columns.
    #[arg(long)]
    compact: bool,
    /// Use built-in prices, as this command always does.
    #[arg(long, short = 'O')]
    offline: bool,
    /// Oldest first, or desc.
    #[arg(long, short, value_enum, default_value_t = Order::Asc, hide_possible_values = true)]
    order: Order,
    /// First day of a week, or sunday.
    #[arg(
        long,
        value_name = "DAY",
        value_enum,
        default_value_t = Day::Monday,
        hide_possible_values = true
    )]
    start_of_week: Day,
    /// As table, json, csv or html.
    #[arg(long, value_enum, default_value_t = Format::Table, hide_possible_values = true)]
    format: Format,
    /// The same as --format json.
    #[arg(long, short, conflicts_with = "format")]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
    Csv,
    Html,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Order {
    Asc,
    Desc,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Day {
    Monday,
    Sunday,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let mut transcripts = args.transcripts.clone();
    let grouping = grouping(&mut transcripts).unwrap_or(Grouping::Daily);
    let zone = zone(transcripts.timezone.as_deref())?;
    let catalog = Catalog::embedded().context("the embedded price catalog")?;
    let now = house::clock().now();
    let model = transcripts.assumed(&catalog, now)?;
    let priced = transcripts.read(&Terms { catalog: &catalog, now, model }, &zone)?;
    let week_begins = match args.start_of_week {
        Day::Monday => Weekday::Monday,
        Day::Sunday => Weekday::Sunday,
    };
    let calendar = Calendar { zone: &zone, week_begins, now };
    let mut rows = grouping.rows(&priced, &calendar);
    if args.order == Order::Desc {
        rows.reverse();
    }
    let mut totals = Tally::default();
    priced.requests.iter().for_each(|request| totals.add(request));
    let mut out = Output::stdout();
    match if args.json { Format::Json } else { args.format } {
        Format::Table => {
            let columns = table::Columns { breakdown: args.breakdown, compact: args.compact };
            table::write(grouping, &rows, &totals, columns, &mut out)?;
            table::skipped(&priced.skipped, &mut out)
        }
        Format::Json => {
            let skipped = serde_json::to_value(&priced.skipped)?;
            out.json(&document(grouping, &rows, &totals, skipped)?)
        }
        Format::Csv => csv::write(grouping, &rows, args.breakdown, &mut out),
        Format::Html => {
            use std::io::Write;
            out.write_all(html::bill(grouping, &rows, &totals, calendar.now).as_bytes())
        }
    }
    .context("the report cannot be printed")?;
    Ok(ExitCode::SUCCESS)
}

/// The grouping, where the first argument names one and no file.
fn grouping(transcripts: &mut Transcripts) -> Option<Grouping> {
    let first = transcripts.paths.first().filter(|path| !path.exists())?;
    let (_, grouping) = Grouping::ALL.iter().find(|(name, _)| first.as_os_str() == *name)?;
    transcripts.paths.remove(0);
    Some(*grouping)
}

fn document(
    grouping: Grouping,
    rows: &[Row],
    totals: &Tally,
    skipped: Value,
) -> serde_json::Result<Value> {
    let mut document = Map::new();
    document.insert(grouping.name().to_owned(), serde_json::to_value(rows)?);
    document.insert("totals".to_owned(), serde_json::to_value(totals)?);
    document.insert("cost_basis".to_owned(), json!("api_equivalent"));
    document.insert("skipped".to_owned(), skipped);
    Ok(Value::Object(document))
}
