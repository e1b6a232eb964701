//! What a log of calls says about waste, and what to change.
//!
//! A rule is a pure function of [`Observed`]: one file each, and a line in [`RULES`]. It names the
//! calls that it rests on and derives its dollars from two prices of the same catalog: that of the
//! usage as it was, and that of the usage as it would have been. Nothing is a fixed percentage.
//! Rules look at the same calls from different sides, so what they find does not add up.

mod carry;
mod finding;
mod log;
mod observed;
mod rules;

pub use finding::{Basis, Evidence, Finding, Priority, Recommendation};
pub use log::{Call, Offered, Thread, ToolUse, Touch};
pub use observed::{Lapse, Observed};
pub use rules::{RULES, Rule};

/// All that the rules find, the dearest first.
pub fn findings(observed: &Observed<'_>) -> Vec<Finding> {
    let mut findings: Vec<_> = RULES.iter().filter_map(|rule| (rule.find)(observed)).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.usd));
    findings
}

/// What to change, the most money first.
pub fn recommendations(observed: &Observed<'_>, findings: &[Finding]) -> Vec<Recommendation> {
    let judged = findings.iter().filter_map(|finding| Recommendation::new(finding, observed));
    let mut recommendations: Vec<_> = judged.collect();
    recommendations.sort_by_key(|recommendation| std::cmp::Reverse(recommendation.monthly_usd));
    recommendations
}

#[cfg(test)]
mod tests;
