//! Alerts: amounts that somebody wants to hear of, each once a period.

use std::collections::HashMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::budget::{Amount, BalanceKey, Quantity};
use crate::entry::AttemptId;
use crate::money::Usd;
use crate::session::SessionId;

/// Subjects whose period is over are forgotten when there are more than this, and twice as many as
/// were running before.
const SUBJECTS_MIN: usize = 1_024;

/// From which amounts on alerts are given. They come from configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Of one call.
    pub operation: Levels,
    /// Of a session.
    pub session: Levels,
    /// Of a user's day: a warning.
    pub daily_warning: Usd,
    /// Of a user's day: what it should not pass.
    pub daily_limit: Usd,
    /// Of a budget, in percent of its limit.
    pub budget_percent: Vec<u8>,
}

/// Amounts of rising urgency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Levels {
    /// Worth a look.
    pub low: Usd,
    /// Worth a question.
    pub medium: Usd,
    /// Worth an answer.
    pub high: Usd,
    /// Worth to wake somebody up.
    pub critical: Usd,
}

/// What has an amount, and in which period.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// One call.
    Operation(AttemptId),
    /// A session.
    Session(SessionId),
    /// A user's day, or another scope's.
    Day(BalanceKey),
    /// A budget in its window.
    Budget {
        /// What it limits.
        balance: BalanceKey,
        /// To how much.
        limit: Quantity,
    },
}

/// Which threshold was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// [`Levels::low`].
    Low,
    /// [`Levels::medium`].
    Medium,
    /// [`Levels::high`].
    High,
    /// [`Levels::critical`].
    Critical,
    /// [`Thresholds::daily_warning`].
    Warning,
    /// [`Thresholds::daily_limit`].
    Limit,
    /// So many percent of a budget's limit.
    Percent(u8),
}

/// A threshold was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// What has the amount.
    pub subject: Subject,
    /// Which threshold.
    pub mark: Mark,
    /// The threshold.
    pub threshold: Quantity,
    /// The amount.
    pub amount: Quantity,
    /// The attempt that led to it.
    pub cause: AttemptId,
    /// When.
    pub at: Timestamp,
}

/// Which alerts were given, so that none is given twice in its period. After a restart it knows
/// nothing: an [alert's name](Alert::name) tells whether it was given before.
#[derive(Debug)]
pub struct Alarms {
    given: HashMap<Subject, Given>,
    forget_at: usize,
}

#[derive(Debug)]
struct Given {
    /// The highest threshold, as a bare number.
    threshold: i128,
    /// When the period ends.
    until: Timestamp,
}

/// An amount to be looked at.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// What has it.
    pub subject: Subject,
    /// The amount.
    pub amount: Quantity,
    /// When the subject's period ends: it is remembered until then.
    pub until: Timestamp,
    /// The attempt that changed it last.
    pub cause: AttemptId,
    /// When.
    pub at: Timestamp,
}

// === impl Thresholds ===

impl Thresholds {
    /// What is looked for in a subject.
    pub fn marks(&self, subject: &Subject) -> Vec<(Mark, Quantity)> {
        match subject {
            Subject::Operation(_) => self.operation.marks(),
            Subject::Session(_) => self.session.marks(),
            Subject::Day(_) => vec![
                (Mark::Warning, Quantity::Usd(self.daily_warning)),
                (Mark::Limit, Quantity::Usd(self.daily_limit)),
            ],
            Subject::Budget { limit, .. } => {
                let mark = |percent: &u8| (Mark::Percent(*percent), limit.percent(*percent));
                self.budget_percent.iter().map(mark).collect()
            }
        }
    }
}

// === impl Levels ===

impl Levels {
    fn marks(&self) -> Vec<(Mark, Quantity)> {
        let Levels { low, medium, high, critical } = *self;
        let marks = [
            (Mark::Low, low),
            (Mark::Medium, medium),
            (Mark::High, high),
            (Mark::Critical, critical),
        ];
        marks.map(|(mark, usd)| (mark, Quantity::Usd(usd))).to_vec()
    }
}

// === impl Alarms ===

impl Alarms {
    /// None was given.
    pub fn new() -> Alarms {
        Alarms { given: HashMap::new(), forget_at: SUBJECTS_MIN }
    }

    /// The alert for an amount: for the highest threshold that it reaches, unless that one or a higher
    /// one was reached in this period before.
    pub fn look(&mut self, sighting: Sighting, marks: &[(Mark, Quantity)]) -> Option<Alert> {
        let Sighting { subject, amount, until, cause, at } = sighting;
        let reached = marks.iter().filter(|(_, from)| amount.number() >= from.number());
        let (mark, threshold) = *reached.max_by_key(|(_, from)| from.number())?;
        let before = self.given.get(&subject).filter(|given| given.until > at);
        if before.is_some_and(|given| given.threshold >= threshold.number()) {
            return None;
        }
        self.forget(at);
        self.given.insert(subject.clone(), Given { threshold: threshold.number(), until });
        Some(Alert { subject, mark, threshold, amount, cause, at })
    }

    fn forget(&mut self, at: Timestamp) {
        if self.given.len() >= self.forget_at {
            self.given.retain(|_, given| given.until > at);
            self.forget_at = self.given.len().saturating_mul(2).max(SUBJECTS_MIN);
        }
    }
}

impl Default for Alarms {
    fn default() -> Alarms {
        Alarms::new()
    }
}

// === impl Subject ===

impl Subject {
    /// How much of what was spent counts for it: dollars, or what a budget limits.
    pub fn amount(&self, spent: &Amount) -> Quantity {
        match self {
            Subject::Budget { limit, .. } => limit.of(spent),
            Subject::Operation(_) | Subject::Session(_) | Subject::Day(_) => {
                Quantity::Usd(spent.usd)
            }
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, key, unit) = match self {
            Subject::Operation(id) => return write!(f, "operation:{id}"),
            Subject::Session(id) => return write!(f, "session:{id}"),
            Subject::Day(key) => ("day", key, "usd"),
            Subject::Budget { balance, limit } => ("budget", balance, limit.unit()),
        };
        let BalanceKey { tenant, user, scope, id, window, start, end } = key;
        let user = user.as_ref().map_or("", |user| user.as_str());
        let (scope, window) = (scope.name(), window.name());
        write!(f, "{kind}:{unit}:{tenant}:{user}:{scope}:{id}:{window}:{start}:{end}")
    }
}

// === impl Alert ===

impl Alert {
    /// Names the alert: the same subject, period and threshold always give the same name, so that an
    /// outbox takes it once.
    pub fn name(&self) -> String {
        format!("{}:{}", self.subject, self.threshold.number())
    }
}

#[cfg(test)]
#[path = "threshold_tests.rs"]
mod tests;
