//! Our costs beside those of a provider's export, by day and model.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use farthing_core::Usd;
use farthing_core::entry::{AttemptId, Bill, Ending};
use farthing_core::id::ProviderId;
use farthing_core::money::Overflow;
use farthing_ledger::record::{Record, Recorded};
use farthing_ledger::store::Row;
use farthing_ledger::{Reader, StoreError};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::csv;
use crate::cli::input;

/// Names of columns in the exports of providers, in lower case; of several that are there, the first.
const DATES: &[&str] = &[
    "date",
    "day",
    "usage_date_utc",
    "usage_date",
    "start_time_iso",
    "start_time",
    "timestamp",
    "bucket_start_time",
];
const MODELS: &[&str] =
    &["model", "model_version", "model_name", "model_id", "snapshot_id", "line_item"];
const COSTS: &[&str] = &[
    "cost",
    "cost_usd",
    "cost (usd)",
    "amount_value",
    "amount_usd",
    "amount",
    "total_cost",
    "list_price_usd",
];
/// Whole prompts; where there is none of these, the sum of its parts.
const PROMPTS: &[&str] = &["input_tokens", "prompt_tokens", "n_context_tokens_total"];
const PROMPT_PARTS: &[&str] = &[
    "usage_input_tokens_no_cache",
    "usage_input_tokens_cache_write_5m",
    "usage_input_tokens_cache_write_1h",
    "usage_input_tokens_cache_read",
    "uncached_input_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
];
const ANSWERS: &[&str] =
    &["output_tokens", "completion_tokens", "usage_output_tokens", "n_generated_tokens_total"];

/// What was consumed on a day of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Sum {
    pub(super) cost_usd: Usd,
    pub(super) prompt_tokens: u64,
    pub(super) answer_tokens: u64,
}

/// Sums by day and model.
pub(super) type Sums = BTreeMap<(Date, String), Sum>;

/// A day and a model of which both say something.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    day: Date,
    model: String,
    ours: Sum,
    theirs: Sum,
    difference_usd: Usd,
    agrees: bool,
}

/// All of an export, and what of it is not comparable.
#[derive(Debug, Serialize)]
pub(super) struct Comparison {
    lines: Vec<Line>,
    /// Calls of ours whose cost nobody knows.
    unknown: u64,
    pub(super) agrees: bool,
}

/// What the ledger has.
#[derive(Default)]
pub(super) struct Ours {
    sums: Sums,
    unknown: u64,
}

// === impl Sum ===

impl Sum {
    fn plus(self, other: Sum) -> Result<Sum, Overflow> {
        Ok(Sum {
            cost_usd: self.cost_usd.plus(other.cost_usd)?,
            prompt_tokens: self.prompt_tokens.saturating_add(other.prompt_tokens),
            answer_tokens: self.answer_tokens.saturating_add(other.answer_tokens),
        })
    }
}

fn add(sums: &mut Sums, key: (Date, String), more: Sum) -> Result<(), Overflow> {
    let sum = sums.entry(key).or_default();
    *sum = sum.plus(more)?;
    Ok(())
}

// === impl Ours ===

impl Ours {
    /// The costs of all calls, of one provider where it is named, by the day on which they were sent.
    pub(super) fn read(
        reader: &mut dyn Reader,
        provider: Option<&str>,
        name: &dyn Fn(&str) -> String,
    ) -> Result<Ours, StoreError> {
        let mut open: BTreeMap<AttemptId, (Date, ProviderId)> = BTreeMap::new();
        let mut days: BTreeMap<AttemptId, Date> = BTreeMap::new();
        let mut ours = Ours::default();
        reader.scan(&mut |row| {
            let Row::Entry(Record { id, at, what, .. }) = row else { return Ok(()) };
            match what {
                Recorded::Hold(hold) => {
                    let day = at.to_zoned(TimeZone::UTC).date();
                    open.insert(id, (day, hold.asked.provider.clone()));
                }
                Recorded::End(ending, _) => {
                    let held = open.remove(&id);
                    let wanted = held.filter(|(_, of)| provider.is_none_or(|it| of.as_str() == it));
                    match (wanted, ending) {
                        (Some((day, _)), Ending::Settle(bill)) => {
                            if bill.cost.usd.is_none() {
                                days.insert(id, day);
                                ours.unknown = ours.unknown.saturating_add(1);
                            }
                            ours.take(day, &bill, name)?;
                        }
                        (Some(_), Ending::Expire) => ours.unknown = ours.unknown.saturating_add(1),
                        _ => {}
                    }
                }
                Recorded::Adjust(_, adjustment, _) => {
                    if let Some((rebilled, day)) = adjustment.rebilled.zip(days.remove(&id)) {
                        ours.unknown = ours.unknown.saturating_sub(1);
                        let cost_usd = rebilled.bill.cost.usd.unwrap_or_default();
                        let key = (day, name(rebilled.bill.model.as_str()));
                        add(&mut ours.sums, key, Sum { cost_usd, ..Sum::default() })?;
                    }
                }
            }
            Ok(())
        })?;
        Ok(ours)
    }

    fn take(
        &mut self,
        day: Date,
        bill: &Bill,
        name: &dyn Fn(&str) -> String,
    ) -> Result<(), Overflow> {
        let sum = Sum {
            cost_usd: bill.cost.usd.unwrap_or_default(),
            prompt_tokens: bill.usage.prompt(),
            answer_tokens: bill.usage.completion(),
        };
        add(&mut self.sums, (day, name(bill.model.as_str())), sum)
    }

    /// Sets both beside each other, on the days that the export has.
    pub(super) fn beside(mut self, theirs: Sums, tolerance: Usd) -> Result<Comparison, Overflow> {
        let days = theirs.keys().map(|(day, _)| *day);
        let (first, last) = (days.clone().min(), days.max());
        let within = |day: Date| {
            first.is_some_and(|first| first <= day) && last.is_some_and(|last| day <= last)
        };
        self.sums.retain(|(day, _), _| within(*day));
        let mut keys: Vec<_> = self.sums.keys().chain(theirs.keys()).cloned().collect();
        keys.sort();
        keys.dedup();
        let line = |key: (Date, String)| {
            let of = |sums: &Sums| sums.get(&key).copied().unwrap_or_default();
            let (ours, theirs) = (of(&self.sums), of(&theirs));
            let difference = ours.cost_usd.minus(theirs.cost_usd)?;
            let agrees = difference.pico().abs() <= tolerance.pico();
            let (day, model) = key;
            Ok(Line { day, model, ours, theirs, difference_usd: difference, agrees })
        };
        let lines = keys.into_iter().map(line).collect::<Result<Vec<_>, Overflow>>()?;
        let agrees = lines.iter().all(|line| line.agrees);
        Ok(Comparison { lines, unknown: self.unknown, agrees })
    }
}

// === the export ===

/// Reads an export. `name` gives the catalog's name of a model.
pub(super) fn read(path: &Path, name: &dyn Fn(&str) -> String) -> Result<Sums> {
    let text = String::from_utf8(input::body(path)?).context("the invoice is not UTF-8 text")?;
    let mut rows = csv::rows(text.trim_start_matches('\u{feff}')).into_iter();
    let head: Vec<String> = rows.next().map(|(_, head)| head).unwrap_or_default();
    let head: Vec<String> = head.iter().map(|name| name.trim().to_lowercase()).collect();
    let column =
        |names: &[&str]| names.iter().find_map(|name| head.iter().position(|it| it == name));
    let needed = |what: &str, names: &[&str]| {
        column(names).with_context(|| {
            format!(
                "{} has no column for the {what}; call it one of {}",
                path.display(),
                names.join(", ")
            )
        })
    };
    let (date, model) = (needed("date", DATES)?, needed("model", MODELS)?);
    let cost = needed("cost", COSTS)?;
    let prompts = match column(PROMPTS) {
        Some(whole) => vec![whole],
        None => PROMPT_PARTS.iter().filter_map(|part| column(&[part])).collect(),
    };
    let answers: Vec<usize> = column(ANSWERS).into_iter().collect();
    let mut sums = Sums::new();
    for (number, row) in rows {
        let at = |column: usize| row.get(column).map_or("", |cell| cell.trim());
        let place = || format!("{}, line {number}", path.display());
        let day = day(at(date)).with_context(place)?;
        let cost_usd = dollars(at(cost)).with_context(place)?;
        // OpenAI's names what was billed of a model: `gpt-5-2025-08-07, cached input`.
        let model = at(model).split(", ").next().unwrap_or_default();
        let tokens =
            |columns: &[usize]| columns.iter().map(|column| tokens(at(*column))).sum::<u64>();
        let (prompt_tokens, answer_tokens) = (tokens(&prompts), tokens(&answers));
        add(&mut sums, (day, name(model)), Sum { cost_usd, prompt_tokens, answer_tokens })?;
    }
    Ok(sums)
}

/// `2026-11-22`, with or without a time behind it, or seconds since 1970.
fn day(text: &str) -> Result<Date> {
    if let Ok(seconds) = text.parse::<i64>() {
        let at = jiff::Timestamp::from_second(seconds)?;
        return Ok(at.to_zoned(TimeZone::UTC).date());
    }
    match text.get(..10).and_then(|day| day.parse().ok()) {
        Some(day) => Ok(day),
        None => bail!("`{text}` is not a date; write it as in 2026-11-22"),
    }
}

/// An amount as spreadsheets and floats write it, to the nearest pico-dollar.
fn dollars(text: &str) -> Result<Usd> {
    let plain = text.replace(['$', ',', ' '], "");
    let refused = || format!("`{text}` is not an amount in dollars");
    if plain.is_empty() {
        return Ok(Usd::ZERO);
    }
    let (mantissa, exponent) = plain.split_once(['e', 'E']).unwrap_or((&plain, "0"));
    let exponent: i32 = exponent.parse().with_context(refused)?;
    let (sign, digits) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    if !(-30..=30).contains(&exponent) {
        bail!(refused());
    }
    let zeros = "0".repeat(30);
    let digits = format!("{zeros}{whole}{decimals}{zeros}");
    let point = i32::try_from(zeros.len() + whole.len()).unwrap_or(i32::MAX) + exponent;
    let point = usize::try_from(point).with_context(refused)?;
    let (Some(whole), Some(pico)) = (digits.get(..point), digits.get(point..)) else {
        bail!(refused())
    };
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let (kept, rest) = pico.split_at(pico.len().min(12));
    let exact: Usd = format!("{sign}{whole}.{kept:0<12}").parse().with_context(refused)?;
    let up = rest.starts_with(|digit: char| digit >= '5');
    let step = if sign.is_empty() { 1 } else { -1 };
    Ok(if up { exact.plus(Usd::from_pico(step))? } else { exact })
}

fn tokens(text: &str) -> u64 {
    text.replace([',', ' '], "").split('.').next().unwrap_or_default().parse().unwrap_or_default()
}

// === impl Comparison ===

impl Comparison {
    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let names = self.lines.iter().map(|line| line.model.chars().count());
        let width = names.max().unwrap_or_default().max("model".len());
        writeln!(
            out,
            "{:<10}  {:<width$}  {:>16}  {:>16}  {:>16}",
            "day", "model", "ours", "theirs", "difference"
        )?;
        for Line { day, model, ours, theirs, difference_usd, agrees } in &self.lines {
            let mark = if *agrees { "" } else { "  differs" };
            let (ours, theirs) = (ours.cost_usd.to_string(), theirs.cost_usd.to_string());
            let difference = difference_usd.to_string();
            writeln!(
                out,
                "{day}  {model:<width$}  {ours:>16}  {theirs:>16}  {difference:>16}{mark}"
            )?;
        }
        if self.unknown > 0 {
            writeln!(
                out,
                "\n{} of our calls have no known cost; `farthing reprice` may price them.",
                self.unknown
            )?;
        }
        let differing = self.lines.iter().filter(|line| !line.agrees).count();
        match differing {
            0 => writeln!(out, "\nAll agree."),
            _ => writeln!(out, "\n{differing} of {} differ.", self.lines.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_spreadsheets_and_floats_are_read_to_the_pico_dollar() {
        let read = |text: &str| dollars(text).map(Usd::pico).ok();
        for (text, pico) in [
            ("1", 1_000_000_000_000),
            ("$1,234.50", 1_234_500_000_000_000),
            ("0.0600000000000000001", 60_000_000_000),
            ("0.0599999999999999999", 60_000_000_000),
            ("1.2e-05", 12_000_000),
            ("1.5E2", 150_000_000_000_000),
            ("-0.25", -250_000_000_000),
            ("", 0),
        ] {
            assert_eq!(read(text), Some(pico), "{text}");
        }
        for text in ["one", "1e99", "1.2.3", "--1", "é"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn days_are_read_in_whatever_form_exports_have_them() {
        let expected: Date = "2026-11-20".parse().unwrap();
        for text in ["2026-11-20", "2026-11-20T13:00:00Z", "2026-11-20 13:00", "1795132800"] {
            assert_eq!(day(text).unwrap(), expected, "{text}");
        }
        assert!(day("20.11.2026").is_err());
    }
}
