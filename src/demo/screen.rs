//! The bill as people read it: at most 80 columns, complete without colour.

use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets};
use console::Style;
use farthing_core::anatomy::ByKind;

use super::bill::{Amounts, Bill};

const INDENT: &str = "  ";
/// Characters of what the agent did in a turn; longer ones are cut.
const WHAT_CHARS: usize = 32;
/// Columns of the longest bar.
const BAR_COLUMNS: u64 = 36;
/// A column filled from its left by none to seven eighths.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// Writes a bill.
///
/// # Errors
/// Where `out` cannot be written.
pub(super) fn write(bill: &Bill, out: &mut impl Write, coloured: bool) -> io::Result<()> {
    let ink = Ink { coloured };
    head(bill, out, ink)?;
    calls(bill, out, ink)?;
    kinds(&bill.by_kind, out, ink)?;
    checks(bill, out, ink)?;
    next(out, ink)
}

fn head(bill: &Bill, out: &mut impl Write, ink: Ink) -> io::Result<()> {
    let title =
        format!("Demo: a coding agent fixes a bookshop's checkout in {} calls", bill.turns.len());
    writeln!(out, "\n{INDENT}{}", ink.strong(&title))?;
    let provider = format!("A scripted provider on this machine, at the prices of {}.", bill.model);
    writeln!(out, "{INDENT}{}", ink.faint(&provider))?;
    writeln!(out, "{INDENT}{}\n", ink.faint("No key was used, and no money was spent."))
}

fn calls(bill: &Bill, out: &mut impl Write, ink: Ink) -> io::Result<()> {
    let text = table(bill).to_string();
    let width = text.lines().map(|line| line.trim_end().chars().count()).max();
    let rule = ink.faint(&"─".repeat(width.unwrap_or_default()));
    let last = bill.turns.len() + 1;
    for (row, line) in text.lines().map(str::trim_end).enumerate() {
        if row == 1 || row == last {
            writeln!(out, "{INDENT}{rule}")?;
        }
        let line = match row {
            0 => ink.faint(line),
            row if row == last => ink.strong(line),
            _ => line.to_owned(),
        };
        writeln!(out, "{INDENT}{line}")?;
    }
    writeln!(out)
}

/// A header, a row for each call, a row for all.
fn table(bill: &Bill) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["turn", "what the agent did", "input", "cached", "output", "cost"]);
    for line in &bill.turns {
        table.add_row(row(line.turn.to_string(), &line.what, &line.amounts));
    }
    table.add_row(row(String::new(), "in all", &bill.total));
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if index == 0 { 0 } else { 2 }, 0));
        let is_text = index == 1;
        column.set_cell_alignment(if is_text { CellAlignment::Left } else { CellAlignment::Right });
    }
    table
}

fn row(turn: String, what: &str, amounts: &Amounts) -> [String; 6] {
    let Amounts { input, cached, output, cost_usd } = *amounts;
    let cost = cost_usd.map_or("unpriced".to_owned(), |usd| format!("${usd:.6}"));
    [turn, shortened(what), grouped(input), grouped(cached), grouped(output), cost]
}

fn kinds(by_kind: &ByKind, out: &mut impl Write, ink: Ink) -> io::Result<()> {
    writeln!(out, "{INDENT}{}\n", ink.strong("What the prompts were made of"))?;
    let named = by_name(by_kind);
    let most = named.iter().map(|(_, tokens)| *tokens).max().unwrap_or_default();
    for (name, tokens) in named.into_iter().filter(|(_, tokens)| *tokens > 0) {
        let bar = ink.accent(&format!("{:<36}", bar(tokens, most)));
        let (tokens, share) = (grouped(tokens), share(tokens, by_kind.total()));
        writeln!(out, "{INDENT}{name:<12}  {bar}  {tokens:>9}  {share:>5}")?;
    }
    writeln!(out)
}

fn checks(bill: &Bill, out: &mut impl Write, ink: Ink) -> io::Result<()> {
    let Bill { total, by_kind, ledger, .. } = bill;
    let open = match ledger.open {
        0 => "nothing held".to_owned(),
        open => format!("{open} still held"),
    };
    writeln!(out, "{INDENT}{}\n", ink.strong("Checked"))?;
    writeln!(
        out,
        "{INDENT}ledger    {} calls, {} entries, {open}, balances equal entries",
        ledger.attempts, ledger.entries
    )?;
    writeln!(out, "{INDENT}provider  its own sums of input, cached and output are the same")?;
    let (before, after) = (by_kind.total(), total.input);
    writeln!(
        out,
        "{INDENT}count     {} input tokens before the calls, {} billed: {}\n",
        grouped(before),
        grouped(after),
        off(before, after)
    )
}

fn next(out: &mut impl Write, ink: Ink) -> io::Result<()> {
    writeln!(out, "{INDENT}{}\n", ink.strong("The same for your own programs"))?;
    for command in ["farthing serve", "export OPENAI_BASE_URL=http://127.0.0.1:4141/v1"] {
        writeln!(out, "{INDENT}{}", ink.accent(command))?;
    }
    writeln!(out)
}

/// How things are emphasised: by weight, and by one colour that reads on light and dark.
#[derive(Clone, Copy, Debug)]
struct Ink {
    coloured: bool,
}

// === impl Ink ===

impl Ink {
    fn strong(self, text: &str) -> String {
        self.apply(Style::new().bold(), text)
    }

    fn faint(self, text: &str) -> String {
        self.apply(Style::new().dim(), text)
    }

    fn accent(self, text: &str) -> String {
        self.apply(Style::new().cyan(), text)
    }

    fn apply(self, style: Style, text: &str) -> String {
        style.force_styling(self.coloured).apply_to(text).to_string()
    }
}

fn by_name(by_kind: &ByKind) -> [(&'static str, u64); 7] {
    let ByKind { system, tools, history, tool_results, user, media, overhead } = *by_kind;
    let mut named = [
        ("system", system),
        ("tools", tools),
        ("history", history),
        ("tool results", tool_results),
        ("user", user),
        ("media", media),
        ("overhead", overhead),
    ];
    named.sort_by_key(|(_, tokens)| std::cmp::Reverse(*tokens));
    named
}

/// A bar as long as `part` is of `most`, to an eighth of a column.
fn bar(part: u64, most: u64) -> String {
    let eighths = usize::try_from(part * BAR_COLUMNS * 8 / most.max(1)).unwrap_or_default();
    let last = EIGHTHS.get(eighths % 8).copied().unwrap_or_default();
    format!("{}{last}", "█".repeat(eighths / 8))
}

fn share(part: u64, whole: u64) -> String {
    match (part * 100 + whole / 2) / whole.max(1) {
        0 if part > 0 => "<1 %".to_owned(),
        percent => format!("{percent} %"),
    }
}

/// How far a count was off, in percent.
fn off(counted: u64, truth: u64) -> String {
    let difference = counted.abs_diff(truth);
    match (difference * 1_000).div_ceil(truth.max(1)) {
        0 => "exact".to_owned(),
        tenths => format!("{}.{} % off", tenths / 10, tenths % 10),
    }
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (left, digit) in (1..=digits.len()).rev().zip(digits.chars()) {
        grouped.push(digit);
        if left % 3 == 1 && left > 1 {
            grouped.push(',');
        }
    }
    grouped
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= WHAT_CHARS {
        return text.to_owned();
    }
    let kept: String = text.chars().take(WHAT_CHARS - 1).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use farthing_core::Usd;

    use super::super::bill;
    use super::*;

    fn shown(cost_usd: Option<Usd>, coloured: bool) -> String {
        let mut out = Vec::new();
        write(&bill::sample(cost_usd), &mut out, coloured).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_bill_reads_like_this() {
        let shown = shown(Some(Usd::from_pico(7_696_000_000)), false);
        assert!(shown.lines().all(|line| line.chars().count() <= 80));
        assert_eq!(shown, include_str!("golden/bill.txt"));
    }

    #[test]
    fn colour_adds_nothing_but_colour() {
        let cost = Some(Usd::from_pico(7_696_000_000));
        let coloured = shown(cost, true);
        assert_ne!(coloured, shown(cost, false));
        assert_eq!(console::strip_ansi_codes(&coloured), shown(cost, false));
    }

    #[test]
    fn an_unknown_cost_is_never_shown_as_zero() {
        let shown = shown(None, false);
        assert_eq!(shown.matches("unpriced").count(), 4);
        assert!(!shown.contains('$'));
    }

    #[test]
    fn thousands_are_grouped() {
        let numbers = [0, 12, 123, 1_234, 123_456, 1_234_567];
        let shown = ["0", "12", "123", "1,234", "123,456", "1,234,567"];
        assert_eq!(numbers.map(grouped), shown);
    }

    #[test]
    fn bars_end_at_an_eighth_of_a_column() {
        assert_eq!(bar(0, 0), "");
        assert_eq!(bar(5, 5).chars().count(), 36);
        assert_eq!(bar(1, 64), "▌");
    }
}
