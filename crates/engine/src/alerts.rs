//! Alerts: what somebody wants to hear of, each once in its period.

use std::sync::{Mutex, PoisonError};

use farthing_core::budget::{Claim, Quantity, ScopeKind, Window};
use farthing_core::entry::AttemptId;
use farthing_core::session::Summary;
use farthing_core::threshold::{Alarms, Alert, Mark, Sighting, Subject, Thresholds};
use farthing_core::{Usd, budget::Amount};
use jiff::{SignedDuration, Timestamp};

/// How long a session's alerts are remembered: longer than sessions last.
const SESSION_MAX: SignedDuration = SignedDuration::from_hours(48);

/// The thresholds, and which of them were passed.
#[derive(Debug)]
pub struct Alerts {
    thresholds: Thresholds,
    alarms: Mutex<Alarms>,
}

/// What a call came to, for whoever watches.
pub(crate) struct Seen<'a> {
    pub attempt: AttemptId,
    pub at: Timestamp,
    pub charged: Usd,
    pub session: Option<&'a Summary>,
    /// The budgets of the call, and what is spent of them now.
    pub budgets: Vec<(&'a Claim, Amount)>,
}

// === impl Alerts ===

impl Alerts {
    /// Nothing was passed yet.
    pub fn new(thresholds: Thresholds) -> Alerts {
        Alerts { thresholds, alarms: Mutex::new(Alarms::new()) }
    }

    /// The thresholds that a call made something pass, which were not passed before in their period.
    pub(crate) fn look(&self, seen: &Seen<'_>) -> Vec<Alert> {
        let mut sightings = vec![(
            Subject::Operation(seen.attempt),
            Amount { usd: seen.charged, ..Amount::NONE },
            seen.at,
        )];
        if let Some(session) = seen.session {
            let until = seen.at.saturating_add(SESSION_MAX).unwrap_or(Timestamp::MAX);
            let spent = Amount { usd: session.total.cost, ..Amount::NONE };
            sightings.push((Subject::Session(session.id), spent, until));
        }
        for (claim, spent) in &seen.budgets {
            let (balance, limit) = (claim.balance.clone(), claim.limit);
            let until = balance.end;
            if balance.scope == ScopeKind::User && balance.window == Window::Day {
                sightings.push((Subject::Day(balance.clone()), *spent, until));
            }
            sightings.push((Subject::Budget { balance, limit }, *spent, until));
        }
        let mut alarms = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        let look = |(subject, spent, until): (Subject, Amount, Timestamp)| {
            let marks = self.thresholds.marks(&subject);
            let amount = subject.amount(&spent);
            let sighting = Sighting { amount, until, cause: seen.attempt, at: seen.at, subject };
            alarms.look(sighting, &marks)
        };
        sightings.into_iter().filter_map(look).collect()
    }
}

/// An alert in one line.
pub(crate) fn in_words(alert: &Alert) -> String {
    let what = match &alert.subject {
        Subject::Operation(_) => "this call".to_owned(),
        Subject::Session(id) => format!("session {id}"),
        Subject::Day(key) => format!("the day of {} `{}`", key.scope.name(), key.id),
        Subject::Budget { balance, .. } => {
            format!(
                "the {} budget of {} `{}`",
                balance.window.name(),
                balance.scope.name(),
                balance.id
            )
        }
    };
    let mark = match alert.mark {
        Mark::Low => "low".to_owned(),
        Mark::Medium => "medium".to_owned(),
        Mark::High => "high".to_owned(),
        Mark::Critical => "critical".to_owned(),
        Mark::Warning => "warning".to_owned(),
        Mark::Limit => "limit".to_owned(),
        Mark::Percent(percent) => format!("{percent} percent"),
    };
    format!("{what} reached {}: {mark}, from {} on", shown(alert.amount), shown(alert.threshold))
}

fn shown(quantity: Quantity) -> String {
    match quantity {
        Quantity::Usd(usd) => format!("${usd}"),
        Quantity::Tokens(tokens) => format!("{tokens} tokens"),
        Quantity::Requests(requests) => format!("{requests} requests"),
    }
}
