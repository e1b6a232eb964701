//! A call of a tool failed and was made again, the same, until somebody gave up.

use crate::advise::finding::{Basis, Finding};
use crate::advise::log::{Call, ToolUse};
use crate::advise::observed::Observed;
use crate::money::Usd;

pub(super) const NAME: &str = "retry_loop";

/// How many calls may lie between two tries of one loop.
const WITHIN_CALLS: usize = 3;

pub(super) fn find(observed: &Observed<'_>) -> Option<Finding> {
    let mut finding = Finding::new(NAME, Basis::Observed);
    for thread in observed.threads {
        for (at, call) in thread.calls.iter().enumerate() {
            let before = thread.calls[at.saturating_sub(WITHIN_CALLS)..at].iter();
            let failed: Vec<&ToolUse> = before.flat_map(|call| failures(call)).collect();
            let again = |tool: &ToolUse| failed.iter().any(|known| same(known, tool));
            let Some(tool) = call.tools.first().filter(|_| call.tools.iter().all(again)) else {
                continue;
            };
            let usd = call.cost.usd.unwrap_or(Usd::ZERO);
            finding.add((thread, call), call.usage.prompt(), usd, || {
                format!("{} again with the arguments that had just failed", tool.name)
            });
        }
    }
    finding.what = format!(
        "{} calls did nothing but repeat a tool call that had just failed, with the same arguments",
        finding.count
    );
    finding.steps = vec![format!("these {} calls cost ${:.4} in all", finding.count, finding.usd)];
    let how = "stop the loop: a hook that refuses a tool call with arguments that failed within the \
               last calls, and a line in the agent's instructions to change the approach after one \
               failure";
    finding.change = Some((how.to_owned(), finding.usd));
    finding.if_any()
}

fn failures(call: &Call) -> impl Iterator<Item = &ToolUse> {
    call.tools.iter().filter(|tool| tool.failed == Some(true))
}

fn same(one: &ToolUse, other: &ToolUse) -> bool {
    one.name == other.name && one.arguments == other.arguments
}
