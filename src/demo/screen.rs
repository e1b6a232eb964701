//! The bill as people read it: at most 80 columns, complete without colour.

use std::io::{self, Write};
use std::iter;

use console::Style;
use farthing_core::anatomy::ByKind;

use super::bill::{Bill, Conversation};
use super::{saved, table};
use crate::print::figures::{self, grouped, share, wrapped};

pub(super) const INDENT: &str = "  ";
/// Columns of the longest line of prose.
const PROSE_COLUMNS: usize = 64;
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
    table::write(bill, out, ink)?;
    saved::write(bill, out, ink)?;
    kinds(&bill.by_kind, out, ink)?;
    checks(bill, out, ink)?;
    survived(bill, out, ink)?;
    next(out, ink)
}

fn head(bill: &Bill, out: &mut impl Write, ink: Ink) -> io::Result<()> {
    let calls: usize = bill.conversations.iter().map(|talk| talk.turns.len()).sum();
    let title = format!("Demo: two coding agents mend a bookshop's checkout in {calls} calls");
    writeln!(out, "\n{INDENT}{}", ink.strong(&title))?;
    for line in [
        "A scripted provider on this machine, at the real prices of the models.",
        "No key was used, and no money was spent.",
    ] {
        writeln!(out, "{INDENT}{}", ink.faint(line))?;
    }
    writeln!(out)
}

fn kinds(by_kind: &ByKind, out: &mut impl Write, ink: Ink) -> io::Result<()> {
    writeln!(out, "{INDENT}{}\n", ink.strong("What the prompts were made of"))?;
    let named = figures::kinds(by_kind);
    let most = named.iter().map(|(_, tokens)| *tokens).max().unwrap_or_default();
    for (name, tokens) in named.into_iter().filter(|(_, tokens)| *tokens > 0) {
        let bar = ink.accent(&format!("{:<36}", bar(tokens, most)));
        let (tokens, share) = (grouped(tokens), share(tokens, by_kind.total()));
        writeln!(out, "{INDENT}{name:<12}  {bar}  {tokens:>9}  {share:>5}")?;
    }
    writeln!(out)
}

fn checks(bill: &Bill, out: &mut impl Write, ink: Ink) -> io::Result<()> {
    let ledger = &bill.ledger;
    let open = match ledger.open {
        0 => "nothing held".to_owned(),
        open => format!("{open} still held"),
    };
    writeln!(out, "{INDENT}{}\n", ink.strong("Checked"))?;
    writeln!(
        out,
        "{INDENT}ledger    {} attempts, {} entries, {open}, balances equal entries",
        ledger.attempts, ledger.entries
    )?;
    writeln!(out, "{INDENT}provider  its own sums of all four kinds of tokens are the same")?;
    let counts = bill.conversations.iter().map(|Conversation { model, by_kind, total, .. }| {
        format!("{model} {}", off(by_kind.total(), total.input))
    });
    let counts = counts.collect::<Vec<_>>().join(", ");
    writeln!(out, "{INDENT}count     before the calls: {counts}")?;
    writeln!(
        out,
        "{INDENT}          (Claude's tokenizer is not public; its count is an estimate)"
    )?;
    writeln!(out)
}

fn survived(bill: &Bill, out: &mut impl Write, ink: Ink) -> io::Result<()> {
    writeln!(out, "{INDENT}{}\n", ink.strong("Survived"))?;
    let lines =
        bill.conversations.iter().flat_map(|talk| talk.turns.iter().map(move |t| (talk, t)));
    let faults = lines.filter(|(_, line)| !line.failed.is_empty()).map(|(talk, line)| {
        let (agent, turn, failed) = (talk.agent, line.turn, line.failed.join("; "));
        ("fault", format!("{agent}, turn {turn}: {failed}; asked again, billed once"))
    });
    let refusal = ("budget", bill.refusal.message.clone());
    for (name, text) in faults.chain([refusal]) {
        for (line, name) in
            wrapped(&text, PROSE_COLUMNS).iter().zip([name].into_iter().chain(iter::repeat("")))
        {
            writeln!(out, "{INDENT}{name:<8}  {line}")?;
        }
    }
    writeln!(out)
}

fn next(out: &mut impl Write, ink: Ink) -> io::Result<()> {
    writeln!(out, "{INDENT}{}\n", ink.strong("The same for your own programs"))?;
    for command in [
        "farthing serve",
        "export OPENAI_BASE_URL=http://127.0.0.1:4141/v1",
        "export ANTHROPIC_BASE_URL=http://127.0.0.1:4141",
    ] {
        writeln!(out, "{INDENT}{}", ink.accent(command))?;
    }
    writeln!(out)
}

/// How things are emphasised: by weight, and by one colour that reads on light and dark.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ink {
    coloured: bool,
}

// === impl Ink ===

impl Ink {
    pub(super) fn strong(self, text: &str) -> String {
        self.apply(Style::new().bold(), text)
    }

    pub(super) fn faint(self, text: &str) -> String {
        self.apply(Style::new().dim(), text)
    }

    pub(super) fn accent(self, text: &str) -> String {
        self.apply(Style::new().cyan(), text)
    }

    fn apply(self, style: Style, text: &str) -> String {
        style.force_styling(self.coloured).apply_to(text).to_string()
    }
}

/// A bar as long as `part` is of `most`, to an eighth of a column.
fn bar(part: u64, most: u64) -> String {
    let eighths = usize::try_from(part * BAR_COLUMNS * 8 / most.max(1)).unwrap_or_default();
    let last = EIGHTHS.get(eighths % 8).copied().unwrap_or_default();
    format!("{}{last}", "█".repeat(eighths / 8))
}

/// How far a count was off, in percent.
fn off(counted: u64, truth: u64) -> String {
    let difference = counted.abs_diff(truth);
    match (difference * 1_000).div_ceil(truth.max(1)) {
        0 => "exact".to_owned(),
        tenths => format!("{}.{} % off", tenths / 10, tenths % 10),
    }
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
        // Six rows of the long conversation, two of the short one, and three sums.
        assert_eq!(shown.matches("unpriced").count(), 6 + 2 + 3);
        assert!(!shown.contains("$0"));
    }

    #[test]
    fn bars_end_at_an_eighth_of_a_column() {
        assert_eq!(bar(0, 0), "");
        assert_eq!(bar(5, 5).chars().count(), 36);
        assert_eq!(bar(1, 64), "▌");
    }
}
