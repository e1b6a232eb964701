//! What optimizing saved: the calls as they came beside what was sent.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anyhow::Result;
use farthing_core::Usd;
use farthing_ledger::saving::{Pass, Saving};
use serde::Serialize;

use super::bill::Bill;
use super::screen::{INDENT, Ink};
use crate::print::figures::grouped;

/// What calls came to, as they came and as they were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Saved {
    /// Tokens of the prompts that clients sent, by our own count.
    tokens_before: u64,
    /// Tokens of those that the provider got.
    tokens_after: u64,
    /// What the calls would have cost as they came.
    would_have_paid_usd: Usd,
    paid_usd: Usd,
    /// The difference; negative is a loss.
    net_usd: Usd,
    /// The same by what made it.
    passes: BTreeMap<String, Pass>,
}

// === impl Saved ===

impl Saved {
    /// What a receipt says; nothing where it does not know.
    pub(super) fn of(saving: &Saving) -> Saved {
        let (Some(would), Some(paid), Some(net)) =
            (saving.would_have_paid, saving.paid, saving.net())
        else {
            return Saved::default();
        };
        Saved {
            tokens_before: saving.tokens_before,
            tokens_after: saving.tokens_after,
            would_have_paid_usd: would,
            paid_usd: paid,
            net_usd: net,
            passes: saving.passes.clone(),
        }
    }

    pub(super) fn sum<'s>(all: impl Iterator<Item = &'s Saved>) -> Result<Saved> {
        let mut sum = Saved::default();
        for more in all {
            sum.tokens_before += more.tokens_before;
            sum.tokens_after += more.tokens_after;
            sum.would_have_paid_usd = sum.would_have_paid_usd.plus(more.would_have_paid_usd)?;
            sum.paid_usd = sum.paid_usd.plus(more.paid_usd)?;
            sum.net_usd = sum.net_usd.plus(more.net_usd)?;
            for (name, pass) in &more.passes {
                let all = sum.passes.entry(name.clone()).or_default();
                all.edits += pass.edits;
                all.tokens += pass.tokens;
                let usd = all.saved_usd.unwrap_or_default();
                all.saved_usd = Some(usd.plus(pass.saved_usd.unwrap_or_default())?);
            }
        }
        Ok(sum)
    }
}

/// A call of which a tenth was saved.
#[cfg(test)]
pub(super) fn sample() -> Saved {
    let usd = Usd::from_pico;
    let pass = Pass { edits: 3, tokens: 1_111, saved_usd: Some(usd(855_000_000)) };
    Saved {
        tokens_before: 11_111,
        tokens_after: 10_000,
        would_have_paid_usd: usd(8_551_000_000),
        paid_usd: usd(7_696_000_000),
        net_usd: usd(855_000_000),
        passes: BTreeMap::from([("json".to_owned(), pass)]),
    }
}

/// Writes what was saved by each agent, and by what; nothing where nothing is known of it.
///
/// # Errors
/// Where `out` cannot be written.
pub(super) fn write(bill: &Bill, out: &mut impl Write, ink: Ink) -> io::Result<()> {
    if bill.saved == Saved::default() {
        return Ok(());
    }
    writeln!(out, "{INDENT}{}\n", ink.strong("As it came, and as it was sent"))?;
    let head = row("", ["prompt", "sent", "would cost", "paid", "saved"].map(str::to_owned));
    writeln!(out, "{INDENT}{}", ink.faint(&head))?;
    for talk in &bill.conversations {
        writeln!(out, "{INDENT}{}", row(talk.agent, cells(&talk.saved)))?;
    }
    writeln!(out, "{INDENT}{}\n", ink.strong(&row("in all", cells(&bill.saved))))?;
    for (name, pass) in &bill.saved.passes {
        let edits = format!("{} edits", grouped(pass.edits));
        let less = format!("-{}", grouped(pass.tokens));
        let saved = dollars(pass.saved_usd.unwrap_or_default());
        let cells = [edits, less, String::new(), String::new(), saved];
        writeln!(out, "{INDENT}{}", row(name, cells))?;
    }
    let receipts = "Each call has a receipt: --json, or /api/v1/requests/ID of a gateway.";
    writeln!(out, "\n{INDENT}{}\n", ink.faint(receipts))
}

fn cells(saved: &Saved) -> [String; 5] {
    [
        grouped(saved.tokens_before),
        grouped(saved.tokens_after),
        dollars(saved.would_have_paid_usd),
        dollars(saved.paid_usd),
        dollars(saved.net_usd),
    ]
}

fn row(name: &str, [before, after, would, paid, saved]: [String; 5]) -> String {
    format!("{name:<14}{before:>11}{after:>10}{would:>13}{paid:>12}{saved:>12}")
}

/// With the sign in front.
fn dollars(usd: Usd) -> String {
    match Usd::ZERO.minus(usd) {
        Ok(loss) if loss > Usd::ZERO => format!("-${loss:.6}"),
        _ => format!("${usd:.6}"),
    }
}
