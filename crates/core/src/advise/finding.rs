//! What rules find, and what follows.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::log::{Call, Thread};
use super::observed::Observed;
use crate::money::Usd;
use crate::pricing::CostStatus;

/// Evidence beyond this is counted and added up, not listed.
const EVIDENCE_MAX: usize = 10;

/// The days of a month, for projections.
const MONTH_DAYS: i128 = 30;

/// What figures rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Counts of the provider alone.
    Observed,
    /// Lengths of texts too, or an assumption that the derivation states.
    Estimated,
}

/// Money that was spent without need.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The rule.
    pub rule: &'static str,
    /// What was found, in a sentence.
    pub what: String,
    /// What it cost in the time that was observed.
    #[serde(rename = "cost_usd")]
    pub usd: Usd,
    /// What the figures rest on.
    pub basis: Basis,
    /// How often it was found.
    pub count: u64,
    /// The tokens that it is about.
    pub tokens: u64,
    /// Which calls show it, the dearest first.
    pub evidence: Vec<Evidence>,
    /// How the dollars came about, step by step.
    pub steps: Vec<String>,
    /// What to change, and what that would have saved in the time that was observed.
    #[serde(skip)]
    pub change: Option<(String, Usd)>,
}

/// A call that shows something.
#[derive(Clone, Debug, Serialize)]
pub struct Evidence {
    /// The call, as its log names it.
    pub call: String,
    /// Its session.
    pub session: Arc<str>,
    /// When it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What it shows.
    pub what: String,
    /// Its part of the dollars.
    #[serde(rename = "cost_usd")]
    pub usd: Usd,
}

/// How much there is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// A tenth of all spending, or more.
    High,
    /// A fiftieth, or more.
    Medium,
    /// Less.
    Low,
}

/// What to change.
#[derive(Clone, Debug, Serialize)]
pub struct Recommendation {
    /// The rule.
    pub rule: &'static str,
    /// Which calls show it, the dearest first.
    pub evidence: Vec<Evidence>,
    /// What the change saves in thirty days like those that were observed.
    pub monthly_usd: Usd,
    /// How much of the spending that is.
    pub priority: Priority,
    /// The setting or habit to change.
    pub change: String,
    /// What the figures rest on.
    pub basis: Basis,
    /// How the dollars came about, step by step.
    pub steps: Vec<String>,
}

// === impl Finding ===

impl Finding {
    /// Nothing found yet.
    pub(super) fn new(rule: &'static str, basis: Basis) -> Finding {
        Finding {
            rule,
            what: String::new(),
            usd: Usd::ZERO,
            basis,
            count: 0,
            tokens: 0,
            evidence: Vec::new(),
            steps: Vec::new(),
            change: None,
        }
    }

    /// Adds what a call shows.
    pub(super) fn add(
        &mut self,
        (thread, call): (&Thread<'_>, &Call),
        tokens: u64,
        usd: Usd,
        what: impl FnOnce() -> String,
    ) {
        self.count += 1;
        if call.cost.status == CostStatus::Estimated {
            self.basis = Basis::Estimated;
        }
        self.tokens = self.tokens.saturating_add(tokens);
        self.usd = self.usd.plus(usd).unwrap_or(self.usd);
        let at = self.evidence.partition_point(|known| known.usd >= usd);
        if at < EVIDENCE_MAX {
            let session = Arc::clone(&thread.session);
            let evidence =
                Evidence { call: call.id.to_string(), session, at: call.at, what: what(), usd };
            self.evidence.insert(at, evidence);
            self.evidence.truncate(EVIDENCE_MAX);
        }
    }

    /// The finding, if it is one: something that cost something.
    pub(super) fn if_any(self) -> Option<Finding> {
        (self.count > 0 && self.usd > Usd::ZERO).then_some(self)
    }
}

// === impl Recommendation ===

impl Recommendation {
    /// What follows from a finding; `None` where no change is known to save anything.
    pub(super) fn new(finding: &Finding, observed: &Observed<'_>) -> Option<Recommendation> {
        let (change, saves) = finding.change.clone()?;
        let days = i128::from(observed.days.max(1));
        let monthly = |usd: Usd| Usd::from_pico(usd.pico().saturating_mul(MONTH_DAYS) / days);
        let (monthly_usd, spent) = (monthly(saves), monthly(observed.spent()));
        if monthly_usd <= Usd::ZERO {
            return None;
        }
        let part_of = |part: i128| monthly_usd.pico().saturating_mul(part) >= spent.pico();
        let mut steps = finding.steps.clone();
        let in_days = match days {
            1 => "in one day".to_owned(),
            days => format!("in {days} days"),
        };
        steps.push(format!(
            "${saves:.4} {in_days}, so ${monthly_usd:.2} in {MONTH_DAYS} days like them"
        ));
        Some(Recommendation {
            rule: finding.rule,
            evidence: finding.evidence.clone(),
            monthly_usd,
            priority: match (part_of(10), part_of(50)) {
                (true, _) => Priority::High,
                (_, true) => Priority::Medium,
                _ => Priority::Low,
            },
            change,
            basis: finding.basis,
            steps,
        })
    }
}
