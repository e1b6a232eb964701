//! Rules say how much may be spent; a claim is a rule applied to one call.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::amount::Quantity;
use super::window::Window;
use crate::entry::Who;
use crate::id::{ModelId, Pattern, TenantId, UserId};

/// How much each scope of a kind may spend in each window.
///
/// Written as a table: `{ scope = "user", window = "day", limit = { tokens = 1000000 } }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The only tenant that it holds for; `None` for each.
    #[serde(default)]
    pub tenant: Option<TenantId>,
    /// Whose spending is limited.
    pub scope: ScopeKind,
    /// Which of them. With `*` each has a limit of its own; those whom another pattern names, one
    /// or many, share one.
    #[serde(default = "Pattern::any")]
    pub of: Pattern,
    /// The period.
    pub window: Window,
    /// The most that may be spent in it.
    pub limit: Quantity,
    /// What it does where there is no room.
    #[serde(default)]
    pub mode: Mode,
    /// What is tried before a call is refused.
    #[serde(default)]
    pub policy: Policy,
    /// Where its days and hours begin.
    #[serde(default = "utc", with = "jiff::fmt::serde::tz::required")]
    pub zone: TimeZone,
}

/// Whose spending a rule limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeKind {
    /// A whole tenant.
    Tenant,
    /// A team of a tenant.
    Team,
    /// A user of a tenant.
    User,
    /// A key.
    Key,
    /// An agent: all that calls under this name.
    Agent,
    /// A conversation of a user.
    Thread,
    /// One task of an agent of a user.
    Run,
    /// A model, as it is asked for.
    Model,
}

/// What a budget does where it has no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The call is not made.
    #[default]
    Hard,
    /// The call is made, and somebody is warned.
    Soft,
    /// The call is made, and it is noted that it would have been refused: to try a limit out.
    Shadow,
}

/// What is tried for a call that a hard budget has no room for, the mildest first.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// A shorter answer, as long as there is room for.
    Clamp,
    /// A cheaper model.
    Downgrade,
    /// Nothing: it is refused.
    #[default]
    Refuse,
}

/// Which balance: one scope in one window.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BalanceKey {
    /// The tenant, in whom the scope lies.
    pub tenant: TenantId,
    /// The user who named it, for threads and runs: others may use the same names.
    #[serde(default)]
    pub user: Option<UserId>,
    /// The kind of scope.
    pub scope: ScopeKind,
    /// Its name within the tenant, or the pattern of those who share it.
    pub id: Arc<str>,
    /// The kind of window.
    pub window: Window,
    /// When this window began.
    pub start: Timestamp,
    /// When it ends and a new one begins with nothing spent. Days of two time zones may begin
    /// together and end apart.
    pub end: Timestamp,
}

/// A budget that a call counts against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The balance that is claimed on.
    pub balance: BalanceKey,
    /// The most that the balance may reach.
    pub limit: Quantity,
    /// What happens where there is no room.
    #[serde(default)]
    pub mode: Mode,
    /// What is tried before the call is refused.
    #[serde(default)]
    pub policy: Policy,
}

// === impl Rule ===

impl Rule {
    /// A hard limit for each scope of a kind, by days and hours of UTC.
    pub fn new(scope: ScopeKind, window: Window, limit: Quantity) -> Rule {
        Rule {
            tenant: None,
            scope,
            of: Pattern::any(),
            window,
            limit,
            mode: Mode::Hard,
            policy: Policy::Refuse,
            zone: TimeZone::UTC,
        }
    }

    /// The rule, applied to a call at a moment; `None` where it does not hold for the caller.
    pub fn claim(&self, who: &Who, model: &ModelId, at: Timestamp) -> Option<Claim> {
        if self.tenant.as_ref().is_some_and(|tenant| *tenant != who.tenant) {
            return None;
        }
        let id = self.scope.member_of(&self.of, who, model)?;
        let period = self.window.around(at, &self.zone);
        let balance = BalanceKey {
            tenant: who.tenant.clone(),
            user: self.scope.is_of_a_user().then(|| who.user.clone()),
            scope: self.scope,
            id: Arc::from(id),
            window: self.window,
            start: period.start,
            end: period.end,
        };
        Some(Claim { balance, limit: self.limit, mode: self.mode, policy: self.policy })
    }
}

const fn utc() -> TimeZone {
    TimeZone::UTC
}

// === impl ScopeKind ===

impl ScopeKind {
    /// All kinds, from the widest to the narrowest.
    pub const ALL: &[ScopeKind] = &[
        ScopeKind::Tenant,
        ScopeKind::Team,
        ScopeKind::User,
        ScopeKind::Key,
        ScopeKind::Agent,
        ScopeKind::Thread,
        ScopeKind::Run,
        ScopeKind::Model,
    ];

    /// The kind as configuration, ledger and refusals spell it.
    pub const fn name(self) -> &'static str {
        match self {
            ScopeKind::Tenant => "tenant",
            ScopeKind::Team => "team",
            ScopeKind::User => "user",
            ScopeKind::Key => "key",
            ScopeKind::Agent => "agent",
            ScopeKind::Thread => "thread",
            ScopeKind::Run => "run",
            ScopeKind::Model => "model",
        }
    }

    /// Whether its names are each user's own.
    pub const fn is_of_a_user(self) -> bool {
        matches!(self, ScopeKind::Thread | ScopeKind::Run)
    }

    /// The name under which a rule for `pattern` sees a call: with `*` that of the scope, else the
    /// pattern, as all that it matches are one. `None` where it does not match.
    pub(crate) fn member_of<'a>(
        self,
        pattern: &'a Pattern,
        who: &'a Who,
        model: &'a ModelId,
    ) -> Option<&'a str> {
        let member = self.member(who, model).filter(|member| pattern.matches(member))?;
        Some(if pattern.is_any() { member } else { pattern.as_str() })
    }

    /// The scope of this kind that a call belongs to.
    pub fn member<'a>(self, who: &'a Who, model: &'a ModelId) -> Option<&'a str> {
        match self {
            ScopeKind::Tenant => Some(who.tenant.as_str()),
            ScopeKind::Team => who.team.as_ref().map(|team| team.as_str()),
            ScopeKind::User => Some(who.user.as_str()),
            ScopeKind::Key => who.key.as_ref().map(|key| key.as_str()),
            ScopeKind::Agent => who.agent.as_ref().map(|agent| agent.as_str()),
            ScopeKind::Thread => who.thread.as_ref().map(|thread| thread.as_str()),
            ScopeKind::Run => who.run.as_ref().map(|run| run.as_str()),
            ScopeKind::Model => Some(model.as_str()),
        }
    }
}

// === impl Claim ===

impl Claim {
    /// When there will be room again because a new window begins; `None` where none ever does.
    pub fn resets_at(&self) -> Option<Timestamp> {
        match self.balance.window {
            Window::Request | Window::Total => None,
            Window::Hour | Window::Day | Window::Week | Window::Month => Some(self.balance.end),
        }
    }
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
