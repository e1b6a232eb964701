//! Rules say how much may be spent; a claim is a rule applied to one call.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::entry::Who;
use crate::id::TenantId;
use crate::money::Usd;

/// How much each scope of a kind may spend in each window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Whose spending is limited.
    pub scope: ScopeKind,
    /// The period.
    pub window: Window,
    /// The most that may be spent in it.
    pub limit: Usd,
}

/// Whose spending a rule limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeKind {
    /// A whole tenant.
    Tenant,
    /// Each user of a tenant.
    User,
}

/// The period of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// A calendar day, UTC.
    Day,
}

/// Which balance: one scope in one window.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BalanceKey {
    /// The tenant, in whom the scope lies.
    pub tenant: TenantId,
    /// The kind of scope.
    pub scope: ScopeKind,
    /// Its name within the tenant.
    pub id: Arc<str>,
    /// The kind of window.
    pub window: Window,
    /// When this window began.
    pub start: Timestamp,
}

/// A budget that a call counts against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The balance that is claimed on.
    pub balance: BalanceKey,
    /// The most that the balance may reach.
    pub limit: Usd,
    /// When the window ends and a new one begins with nothing spent.
    pub resets_at: Timestamp,
}

// === impl Rule ===

impl Rule {
    /// The rule, applied to a call at a moment.
    pub fn claim(&self, who: &Who, at: Timestamp) -> Claim {
        let id = match self.scope {
            ScopeKind::Tenant => who.tenant.as_str(),
            ScopeKind::User => who.user.as_str(),
        };
        let (start, resets_at) = self.window.around(at);
        let balance = BalanceKey {
            tenant: who.tenant.clone(),
            scope: self.scope,
            id: Arc::from(id),
            window: self.window,
            start,
        };
        Claim { balance, limit: self.limit, resets_at }
    }
}

// === impl ScopeKind ===

impl ScopeKind {
    /// The kind as configuration, ledger and refusals spell it.
    pub const fn name(self) -> &'static str {
        match self {
            ScopeKind::Tenant => "tenant",
            ScopeKind::User => "user",
        }
    }
}

// === impl Window ===

impl Window {
    /// The window as configuration, ledger and refusals spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Window::Day => "day",
        }
    }

    /// The beginning (within) and the end (without) of the window that `at` lies in.
    pub fn around(self, at: Timestamp) -> (Timestamp, Timestamp) {
        match self {
            Window::Day => {
                let day = at.to_zoned(TimeZone::UTC);
                // Only the first and the last day of the calendar, in the years -9999 and 9999,
                // are cut short.
                let start = day.start_of_day().map_or(Timestamp::MIN, |start| start.timestamp());
                let end = day.tomorrow().and_then(|next| next.start_of_day());
                (start, end.map_or(Timestamp::MAX, |end| end.timestamp()))
            }
        }
    }
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
