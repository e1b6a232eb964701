//! The report on a terminal.

use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets};
use console::style;
use farthing_analyze::anatomy::Part;
use farthing_analyze::report::{Report, Tally};
use farthing_core::Usd;
use farthing_core::advise::{Basis, Finding, Priority, Recommendation};

use crate::print::figures::{grouped, plural, wrapped};

const WIDTH: usize = 84;
const BAR: u64 = 28;
/// Rows of a table; what is beyond is in `--json`.
const ROWS_MAX: usize = 12;
const EVIDENCE_MAX: usize = 3;

/// Prints the report.
pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    head(report, out)?;
    if report.totals.requests > 0 {
        let models = report.by_model.iter().map(|(model, tally)| (model.to_string(), tally));
        table("By model", models.collect(), true, out)?;
        let days = report.by_day.iter().map(|(day, tally)| (day.clone(), tally));
        table("By day", days.collect(), false, out)?;
        let sessions = report.sessions.iter().map(|session| {
            let name: String = session.session.chars().take(36).collect();
            (name, &session.tally)
        });
        table("By session", sessions.collect(), true, out)?;
        agents(report, out)?;
        anatomy(report, out)?;
        waste(&report.waste, out)?;
        changes(&report.recommendations, out)?;
        what_if(report, out)?;
    }
    left_out(report, out)
}

fn head(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let Tally { requests, usage, .. } = &report.totals;
    let spent = cost(&report.totals, 2);
    let sessions = plural(report.sessions.len() as u64, "session");
    writeln!(
        out,
        "\n  {}  in {}, {sessions}",
        style(spent).bold().green(),
        plural(*requests, "request")
    )?;
    let tokens = usage.columns().into_iter().filter(|(name, count)| {
        *count > 0 && !matches!(*name, "cache_write_5m" | "cache_write_1h")
    });
    let tokens: Vec<_> = tokens
        .map(|(name, count)| format!("{} {}", grouped(count), name.replace('_', " ")))
        .collect();
    writeln!(out, "  {}", tokens.join(" · "))?;
    writeln!(
        out,
        "  {}",
        style("API-equivalent: what these tokens cost at the providers' prices. With a subscription, what you \n  would have paid.")
            .dim()
    )
}

fn table(
    title: &str,
    mut rows: Vec<(String, &Tally)>,
    dearest_first: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    if dearest_first {
        rows.sort_by_key(|(_, tally)| std::cmp::Reverse(tally.usd()));
    } else if rows.len() > ROWS_MAX {
        rows.drain(..rows.len() - ROWS_MAX);
    }
    let more = rows.len().saturating_sub(ROWS_MAX);
    rows.truncate(ROWS_MAX);
    heading(title, out)?;
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["", "requests", "input", "cached", "written", "output", "cost"]);
    for (name, tally) in rows {
        let [input, read, _, _, written, output] =
            tally.usage.columns().map(|(_, count)| grouped(count));
        let requests = grouped(tally.requests);
        table.add_row([name, requests, input, read, written, output, cost(tally, 4)]);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if index == 0 { 0 } else { 2 }, 0));
        let right = if index == 0 { CellAlignment::Left } else { CellAlignment::Right };
        column.set_cell_alignment(right);
    }
    for (index, line) in table.to_string().lines().enumerate() {
        let line = line.trim_end();
        match index {
            0 => writeln!(out, "  {}", style(line).dim())?,
            _ => writeln!(out, "  {line}")?,
        }
    }
    if more > 0 {
        writeln!(out, "  {}", style(format!("and {more} more, in --json")).dim())?;
    }
    Ok(())
}

fn agents(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let agents = report.sessions.iter().flat_map(|session| &session.agents);
    let (mut count, mut usd) = (0, Usd::ZERO);
    for (_, tally) in agents {
        count += 1;
        usd = tally.usd().and_then(|part| usd.plus(part).ok()).unwrap_or(usd);
    }
    if count > 0 {
        writeln!(out, "\n  {} spent ${usd:.4} of it.", plural(count, "sub-agent"))?;
    }
    Ok(())
}

fn anatomy(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let anatomy = &report.anatomy;
    let system = if anatomy.tools.tokens == 0 { "system and tools" } else { "system" };
    let mut parts: Vec<(&str, Part)> = vec![
        ("tools", anatomy.tools),
        (system, anatomy.system),
        ("history", anatomy.history),
        ("tool results", anatomy.tool_results),
        ("user", anatomy.user),
        ("output", anatomy.output),
    ];
    parts.retain(|(_, part)| part.tokens > 0);
    parts.sort_by_key(|(_, part)| std::cmp::Reverse(part.cost_usd));
    let whole = parts.iter().map(|(_, part)| part.cost_usd.pico().unsigned_abs()).sum::<u128>();
    heading("Where the money went", out)?;
    for (name, part) in parts {
        let share = part.cost_usd.pico().unsigned_abs() * 1_000 / whole.max(1);
        let filled = usize::try_from(share * u128::from(BAR) / 1_000).unwrap_or_default();
        writeln!(
            out,
            "  {name:<17} {}{}  {:>3} %  {:>12}  {:>15} tokens",
            style("█".repeat(filled)).cyan(),
            style("░".repeat(BAR as usize - filled)).dim(),
            (share + 5) / 10,
            format!("${:.4}", part.cost_usd),
            grouped(part.tokens)
        )?;
    }
    let counted = if report.totals.estimated > 0 {
        "our own counts in part"
    } else {
        "the providers' counts"
    };
    let told = format!("Sums are {counted}; the split of prompts is estimated by length.");
    writeln!(out, "  {}", style(told).dim())
}

fn waste(findings: &[Finding], out: &mut impl Write) -> io::Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    heading("Waste", out)?;
    for finding in findings {
        let basis = match finding.basis {
            Basis::Observed => "",
            Basis::Estimated => " (estimated)",
        };
        let what = format!("{}{basis}", finding.what);
        amount(finding.usd, &what, out)?;
        for evidence in finding.evidence.iter().take(EVIDENCE_MAX) {
            let line = format!("${:.4}  {}  {}", evidence.usd, evidence.call, evidence.what);
            for line in wrapped(&line, WIDTH - 14) {
                writeln!(out, "              {}", style(line).dim())?;
            }
        }
    }
    Ok(())
}

fn changes(recommendations: &[Recommendation], out: &mut impl Write) -> io::Result<()> {
    if recommendations.is_empty() {
        return Ok(());
    }
    heading("What to change", out)?;
    for recommendation in recommendations {
        let priority = match recommendation.priority {
            Priority::High => style("high").red().bold(),
            Priority::Medium => style("medium").yellow(),
            Priority::Low => style("low").dim(),
        };
        writeln!(
            out,
            "  {} a month  {priority}  {}",
            style(format!("${:.2}", recommendation.monthly_usd)).green().bold(),
            style(recommendation.rule).dim()
        )?;
        for line in wrapped(&recommendation.change, WIDTH - 6) {
            writeln!(out, "      {line}")?;
        }
        for line in recommendation.steps.iter().flat_map(|step| wrapped(step, WIDTH - 8)) {
            writeln!(out, "        {}", style(line).dim())?;
        }
    }
    Ok(())
}

fn what_if(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let used = report.by_model.len() == 1;
    let others =
        report.what_if.iter().filter(|one| !used || !report.by_model.contains_key(&one.policy));
    heading("What if", out)?;
    for one in others {
        let name = match &*one.policy {
            "no_cache" => "nothing had been cached",
            "ttl_1h" => "the cache had lived an hour",
            model => &format!("all had run on {model}"),
        };
        let (word, by) = if one.saves_usd < Usd::ZERO {
            ("more", Usd::ZERO.minus(one.saves_usd).unwrap_or(Usd::ZERO))
        } else {
            ("less", one.saves_usd)
        };
        writeln!(out, "  {:>12}  {name}: ${by:.4} {word}", format!("${:.4}", one.cost_usd))?;
    }
    writeln!(out, "  {}", style("Estimates: the same tokens at other rates.").dim())
}

fn left_out(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let incomplete = &report.incomplete;
    let mut told = Vec::new();
    if incomplete.requests > 0 {
        told.push(format!(
            "{} with a log that breaks off before the bill: they cost more than it says",
            plural(incomplete.requests, "request")
        ));
    }
    if incomplete.agents_missing > 0 {
        told.push(format!(
            "{} with calls in none of these files: at least {}",
            plural(incomplete.agents_missing, "sub-agent"),
            plural(incomplete.tokens_at_least, "token")
        ));
    }
    if report.totals.estimated > 0 {
        told.push(format!(
            "In them, but estimated: {} whose log has no usage of its own; their tokens are our count",
            plural(report.totals.estimated, "request")
        ));
    }
    if report.totals.unpriced > 0 {
        told.push(format!(
            "{} without a known price, in no sum: add a price or an alias to the catalog",
            plural(report.totals.unpriced, "request")
        ));
    }
    for (_, skip) in report.skipped.iter() {
        told.push(format!("{} × {}, first {}", grouped(skip.count), skip.reason, skip.first));
    }
    if !told.is_empty() {
        heading("Not in these figures", out)?;
    }
    for line in told {
        for (at, line) in wrapped(&line, WIDTH - 4).into_iter().enumerate() {
            writeln!(out, "  {}{line}", if at == 0 { "" } else { "  " })?;
        }
    }
    writeln!(out)
}

fn heading(title: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\n  {}", style(title).bold().underlined())
}

fn amount(usd: Usd, what: &str, out: &mut impl Write) -> io::Result<()> {
    for (at, line) in wrapped(what, WIDTH - 14).into_iter().enumerate() {
        let usd = if at == 0 { format!("${usd:.4}") } else { String::new() };
        writeln!(out, "  {}  {line}", style(format!("{usd:>10}")).red())?;
    }
    Ok(())
}

/// An amount, or why there is none.
pub(crate) fn cost(tally: &Tally, decimals: usize) -> String {
    match tally.usd() {
        Some(usd) if tally.unpriced > 0 => format!("≥ ${usd:.decimals$}"),
        Some(usd) if tally.estimated > 0 => format!("≈ ${usd:.decimals$}"),
        Some(usd) => format!("${usd:.decimals$}"),
        None => "unpriced".to_owned(),
    }
}
