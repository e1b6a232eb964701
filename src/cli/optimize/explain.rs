//! Edits, for people: what goes, what comes, and what that is worth.

use std::io::{self, Write};

use console::Style;
use farthing_core::prompt::Prompt;
use farthing_optimize::Optimized;
use farthing_optimize::edit::Edit;
use farthing_optimize::receipt::Entry;

use crate::print::figures::{grouped, plural};

/// So many lines of an edit are shown on either side.
const LINES_MAX: usize = 12;

/// So many characters of a line.
const WIDTH: usize = 100;

/// Prints every edit with its reasons.
pub(super) fn print(
    out: &mut impl Write,
    prompt: &Prompt,
    optimized: &Optimized,
) -> io::Result<()> {
    let receipt = &optimized.receipt;
    let head = Style::new().bold();
    for entry in &receipt.edits {
        let at = entry.message.map_or("the tools".to_owned(), |at| format!("message {at}"));
        let Entry { pass, class, verdict, .. } = entry;
        let worth = entry.expected_usd.map_or(String::new(), |usd| format!(", ${usd:.8} expected"));
        let removed = plural(verdict.removed, "token");
        writeln!(
            out,
            "{}",
            head.apply_to(format!("{pass} ({class:?}) in {at}: −{removed}{worth}"))
        )?;
    }
    for edit in &optimized.edits {
        writeln!(out)?;
        print_edit(out, prompt, edit)?;
    }
    for entry in &receipt.refused {
        let Entry { pass, verdict, .. } = entry;
        writeln!(
            out,
            "not done: {pass}; it would remove {} and pay from {} further requests on",
            plural(verdict.removed, "token"),
            grouped(verdict.break_even_milli.unsigned_abs().div_ceil(1_000))
        )?;
    }
    let (before, after) = (receipt.tokens_before, receipt.tokens_after);
    let worth =
        receipt.expected_usd.map_or(String::new(), |usd| format!(", worth ${usd:.6} (expected)"));
    writeln!(out, "\n{} become {}{worth}", plural(before, "token"), grouped(after))?;
    match receipt.kept {
        Some(ttl) => writeln!(out, "the provider is asked to keep the prompt for {ttl}"),
        None => Ok(()),
    }
}

fn print_edit(out: &mut impl Write, prompt: &Prompt, edit: &Edit) -> io::Result<()> {
    let before = unescaped(prompt.raw(&edit.at));
    let after = unescaped(&edit.with);
    let (old, new): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let rest = old.len().min(new.len()) - same;
    let tail = old.iter().rev().zip(new.iter().rev());
    let tail = tail.take(rest).take_while(|(old, new)| old == new).count();
    let changed = |lines: &[&str]| -> Vec<String> {
        let inner = lines.get(same..lines.len() - tail).unwrap_or_default();
        inner.iter().map(|line| line.chars().take(WIDTH).collect()).collect()
    };
    writeln!(out, "@ bytes {}..{}", edit.at.start, edit.at.end)?;
    print_lines(out, false, &changed(&old))?;
    print_lines(out, true, &changed(&new))
}

/// Prints lines that go, or that come, as far as there is room for them.
pub(super) fn print_lines(out: &mut impl Write, comes: bool, lines: &[String]) -> io::Result<()> {
    let (sign, style) = if comes { ("+", Style::new().green()) } else { ("-", Style::new().red()) };
    for line in lines.iter().take(LINES_MAX) {
        writeln!(out, "{}", style.apply_to(format!("{sign} {line}")))?;
    }
    let more = lines.len().saturating_sub(LINES_MAX);
    if more > 0 {
        writeln!(out, "{}", style.apply_to(format!("{sign} … {}", plural(more as u64, "line"))))?;
    }
    Ok(())
}

/// The text that JSON spells so; control characters stay spelled, for the terminal's sake.
fn unescaped(raw: &str) -> String {
    raw.replace("\\n", "\n").replace("\\t", "\t").replace("\\\"", "\"")
}
