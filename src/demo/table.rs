//! The calls as a table. What happens in the middle of a long conversation is one row for many
//! calls, with their sum.

use std::io::{self, Write};

use anyhow::Result;
use comfy_table::{CellAlignment, Table, presets};

use super::bill::{Amounts, Bill, Conversation, Line};
use super::screen::{INDENT, Ink};
use crate::print::figures::grouped;

/// Calls at the beginning and at the end of a conversation that have rows of their own.
const FIRST: usize = 3;
const LAST: usize = 2;
/// Characters of what the agent did in a turn; longer ones are cut.
const WHAT_CHARS: usize = 25;

/// A row, and what stands around it.
struct Row {
    cells: [String; 7],
    /// Whose rows begin here.
    heading: Option<String>,
    is_sum: bool,
}

/// Writes the table.
///
/// # Errors
/// Where `out` cannot be written, or a sum is too large.
pub(super) fn write(bill: &Bill, out: &mut impl Write, ink: Ink) -> io::Result<()> {
    let rows = rows(bill).map_err(io::Error::other)?;
    let text = laid_out(&rows).to_string();
    let mut lines = text.lines().map(str::trim_end);
    let width = text.lines().map(|line| line.trim_end().chars().count()).max();
    let rule = ink.faint(&"─".repeat(width.unwrap_or_default()));
    writeln!(out, "{INDENT}{}", ink.faint(lines.next().unwrap_or_default()))?;
    for (row, line) in rows.iter().zip(lines) {
        if let Some(heading) = &row.heading {
            writeln!(out, "{INDENT}{rule}")?;
            if !heading.is_empty() {
                writeln!(out, "{INDENT}{}", ink.accent(heading))?;
            }
        }
        let line = if row.is_sum { ink.strong(line) } else { line.to_owned() };
        writeln!(out, "{INDENT}{line}")?;
    }
    writeln!(out)
}

fn rows(bill: &Bill) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for talk in &bill.conversations {
        let Conversation { agent, user, model, turns, total, .. } = talk;
        let mut heading = Some(format!("{agent} asks {model}, on the account of {user}"));
        for run in runs(turns) {
            rows.push(Row { heading: heading.take(), ..Row::of(run)? });
        }
        rows.push(Row::sum(format!("{} calls", turns.len()), total));
    }
    rows.push(Row { heading: Some(String::new()), ..Row::sum("in all".to_owned(), &bill.total) });
    Ok(rows)
}

/// Calls that share a row. One that was not served at once has a row of its own.
fn runs(turns: &[Line]) -> impl Iterator<Item = &[Line]> {
    let last = turns.len().saturating_sub(LAST);
    let is_folded =
        move |line: &Line| (FIRST + 1..=last).contains(&line.turn) && line.failed.is_empty();
    turns.chunk_by(move |line, next| is_folded(line) && is_folded(next))
}

fn laid_out(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let names = ["turn", "what the agent did", "input", "cached", "written", "output", "cost"];
    table.set_header(names);
    table.add_rows(rows.iter().map(|row| &row.cells));
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if index == 0 { 0 } else { 2 }, 0));
        let is_text = index == 1;
        column.set_cell_alignment(if is_text { CellAlignment::Left } else { CellAlignment::Right });
    }
    table
}

// === impl Row ===

impl Row {
    fn of(run: &[Line]) -> Result<Row> {
        Ok(match run {
            [line] => {
                let what = match line.failed.len() {
                    0 => shortened(&line.what),
                    failed => format!("{} ({} attempts)", line.what, failed + 1),
                };
                Row::new(line.turn.to_string(), what, &line.amounts)
            }
            many => {
                let turn = |line: Option<&Line>| line.map_or(0, |line| line.turn);
                let turns = format!("{}–{}", turn(many.first()), turn(many.last()));
                let sum = Amounts::sum(many.iter().map(|line| line.amounts))?;
                Row::new(turns, format!("{} more calls", many.len()), &sum)
            }
        })
    }

    fn sum(what: String, amounts: &Amounts) -> Row {
        Row { is_sum: true, ..Row::new(String::new(), what, amounts) }
    }

    fn new(turn: String, what: String, amounts: &Amounts) -> Row {
        let Amounts { input, cached, written, output, cost_usd } = *amounts;
        let cost = cost_usd.map_or("unpriced".to_owned(), |usd| format!("${usd:.6}"));
        let [input, cached, written, output] = [input, cached, written, output].map(grouped);
        let cells = [turn, what, input, cached, written, output, cost];
        Row { cells, heading: None, is_sum: false }
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= WHAT_CHARS {
        return text.to_owned();
    }
    let kept: String = text.chars().take(WHAT_CHARS - 1).collect();
    format!("{kept}…")
}
