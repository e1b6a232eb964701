//! A bill on a terminal, in the columns that ccusage's users know.

use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use console::style;
use farthing_analyze::grouping::{Grouping, Row};
use farthing_analyze::report::Tally;
use farthing_analyze::skipped::Skipped;

use crate::print::figures::grouped;

#[derive(Clone, Copy)]
pub(super) struct Columns {
    pub(super) breakdown: bool,
    pub(super) compact: bool,
}

pub(super) fn write(
    grouping: Grouping,
    rows: &[Row],
    totals: &Tally,
    columns: Columns,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    let first = grouping.title();
    let names: &[&str] = if columns.compact {
        &[first, "Models", "Input", "Output", "Cost (USD)"]
    } else {
        &[
            first,
            "Models",
            "Input",
            "Output",
            "Cache Create",
            "Cache Read",
            "Total Tokens",
            "Cost (USD)",
        ]
    };
    table.set_header(names);
    for row in rows {
        let models: Vec<&str> = row.by_model.keys().map(|model| &**model).collect();
        let projected = row.projection.map(|end| format!(" (→ ${:.2})", end.cost_usd));
        let paid = format!("{}{}", cost(&row.tally), projected.unwrap_or_default());
        table.add_row(cells(&row.name, &models.join("\n"), &row.tally, paid, columns));
        let shown = columns.breakdown.then_some(&row.by_model).into_iter().flatten();
        for (model, tally) in shown {
            table.add_row(cells(&format!("  └─ {model}"), "", tally, cost(tally), columns));
        }
    }
    table.add_row(cells("Total", "", totals, cost(totals), columns));
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    writeln!(out, "{table}")?;
    let told = "API-equivalent: with a subscription, what you would have paid.";
    writeln!(out, "{}", style(told).dim())
}

fn cost(tally: &Tally) -> String {
    crate::cli::analyze::screen::cost(tally, 2)
}

fn cells(name: &str, models: &str, tally: &Tally, cost: String, columns: Columns) -> Vec<Cell> {
    let [input, read, _, _, written, output] = tally.usage.columns().map(|(_, count)| count);
    let total = [input, read, written, output].into_iter().fold(0, u64::saturating_add);
    let mut cells = vec![name.to_owned(), models.to_owned(), grouped(input), grouped(output)];
    if !columns.compact {
        cells.extend([written, read, total].map(grouped));
    }
    cells.push(cost);
    cells.into_iter().map(Cell::new).collect()
}

/// Says what is in no sum.
pub(super) fn skipped(skipped: &Skipped, out: &mut impl Write) -> io::Result<()> {
    for (_, skip) in skipped.iter() {
        let line = format!("{} × {}, first {}", grouped(skip.count), skip.reason, skip.first);
        writeln!(out, "{}", style(line).dim())?;
    }
    Ok(())
}
