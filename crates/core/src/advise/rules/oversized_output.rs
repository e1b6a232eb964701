//! A tool's result was so long that every call behind it carries it.

use crate::advise::carry::Carry;
use crate::advise::finding::{Basis, Finding};
use crate::advise::observed::Observed;

pub(super) const NAME: &str = "oversized_output";

/// What is beyond this is oversized: a screen of a hundred lines has a fourth of it.
const TOKENS_MAX: u64 = 5_000;

pub(super) fn find(observed: &Observed<'_>) -> Option<Finding> {
    let mut finding = Finding::new(NAME, Basis::Estimated);
    for thread in observed.threads {
        let carry = Carry::new(thread);
        for (at, call) in thread.calls.iter().enumerate() {
            for tool in &call.tools {
                let tokens = observed.tokens(tool.result_bytes);
                let excess = tokens.saturating_sub(TOKENS_MAX);
                if excess == 0 {
                    continue;
                }
                let (usd, carried) = carry.cost(at, excess);
                finding.add((thread, call), excess, usd, || {
                    let of = tool.file.as_deref().map(|file| format!(" of {file}"));
                    format!(
                        "{}{} gave {tokens} tokens, carried by {carried} calls",
                        tool.name,
                        of.unwrap_or_default()
                    )
                });
            }
        }
    }
    finding.what = format!("{} results of tools had more than {TOKENS_MAX} tokens", finding.count);
    finding.steps = vec![format!(
        "{} tokens beyond {TOKENS_MAX} a result by their length, each written once and then read \
         by every call behind it, at each call's rates",
        finding.tokens
    )];
    let how = "ask for less: read files in ranges, filter commands (grep, head, --quiet), set a \
               limit (Claude Code: BASH_MAX_OUTPUT_LENGTH, MAX_MCP_OUTPUT_TOKENS), or let the \
               gateway keep long results behind a handle";
    finding.change = Some((how.to_owned(), finding.usd));
    finding.if_any()
}
