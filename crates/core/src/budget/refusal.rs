//! Why a command changed nothing.

use std::fmt;

use serde::Serialize;
use thiserror::Error;

use super::amount::{Amount, Quantity};
use super::rule::{Claim, Policy};
use super::state::Balance;
use super::window::Window;
use crate::entry::AttemptId;
use crate::id::CauseId;
use crate::money::Overflow;

/// A command that changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Rejection {
    /// A budget has no room.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// The attempt has a hold already.
    #[error("attempt {0} has a hold already; give every attempt its own number")]
    AlreadyHeld(AttemptId),
    /// The attempt has ended already.
    #[error("attempt {0} has ended already; give every attempt its own number")]
    AlreadyEnded(AttemptId),
    /// The attempt has no open hold: it was never made, or has ended.
    #[error("attempt {0} has no open hold; it was never held or has ended")]
    NotHeld(AttemptId),
    /// The attempt was corrected for this cause before.
    #[error("attempt {0} was corrected for `{1}` already; name another cause to correct it again")]
    AlreadyAdjusted(AttemptId, CauseId),
    /// The attempt is still open, so that there is no charge to correct.
    #[error("attempt {0} has not ended; correct it when it has")]
    NotEnded(AttemptId),
    /// A correction takes back more than was spent.
    #[error("correction of attempt {0} takes back more than was spent; check its amount")]
    BelowZero(AttemptId),
    /// The amounts are absurd: too large to add up, or negative.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

/// A budget's no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Error)]
#[error("budget refused the call: it may {}, but {tightest}", cost(.tightest.claim.limit.of(wanted)))]
pub struct Refusal {
    /// What the call may take, in every unit.
    pub wanted: Amount,
    /// The budget with the least room for it.
    pub tightest: NoRoom,
    /// What may be tried instead: the strictest policy of all budgets without room.
    pub policy: Policy,
}

/// A budget without room for a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NoRoom {
    /// The budget.
    pub claim: Claim,
    /// What is held and spent.
    pub balance: Balance,
}

// === impl NoRoom ===

impl NoRoom {
    /// What is left, in the budget's unit.
    pub fn left(&self) -> Quantity {
        self.balance.left(self.claim.limit)
    }
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NoRoom { claim, balance } = self;
        let per = match claim.balance.window {
            Window::Total => "in total".to_owned(),
            window => format!("per {}", window.name()),
        };
        write!(
            f,
            "{} `{}` has {} left of {} {per} ({} spent, {} held); ",
            claim.balance.scope.name(),
            claim.balance.id,
            self.left(),
            claim.limit,
            claim.limit.of(&balance.spent),
            claim.limit.of(&balance.held),
        )?;
        let less = match claim.limit {
            Quantity::Usd(_) | Quantity::Tokens(_) => "ask for fewer tokens or ",
            Quantity::Requests(_) => "",
        };
        match claim.resets_at() {
            Some(at) => write!(f, "{less}wait until {at}"),
            None => write!(f, "{less}have the limit raised"),
        }
    }
}

/// What a call may do to a budget, in words.
fn cost(wanted: Quantity) -> String {
    match wanted {
        Quantity::Usd(_) => format!("cost {wanted}"),
        Quantity::Tokens(_) => format!("take {wanted}"),
        Quantity::Requests(_) => format!("count as {wanted}"),
    }
}
