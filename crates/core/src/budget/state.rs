//! What is held and spent, and the one function that changes it.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use thiserror::Error;

use super::rule::{BalanceKey, Claim};
use crate::entry::{AttemptId, Ending, Entry, Hold, Move, Who};
use crate::money::{Overflow, Usd};

/// Held and spent, by scope and window, and the holds that are open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    balances: HashMap<BalanceKey, Balance>,
    open: HashMap<AttemptId, (Arc<Who>, Arc<Hold>)>,
}

/// A scope's money in one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Set aside for calls that have not ended.
    pub held: Usd,
    /// Charged.
    pub spent: Usd,
}

/// A wish to move money.
#[derive(Clone, Debug)]
pub enum Command {
    /// Set money aside for an attempt.
    Hold {
        /// The attempt.
        id: AttemptId,
        /// On whose account.
        who: Arc<Who>,
        /// How much, against which budgets.
        hold: Arc<Hold>,
    },
    /// End an attempt, and with it its hold.
    End(AttemptId, Ending),
}

/// A command that changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Rejection {
    /// A budget has no room.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// The attempt has a hold already.
    #[error("attempt {0} has a hold already; give every attempt its own number")]
    AlreadyHeld(AttemptId),
    /// The attempt has no open hold: it was never made, or has ended.
    #[error("attempt {0} has no open hold; it was never held or has ended")]
    NotHeld(AttemptId),
    /// The amounts are absurd: too large to add up, or negative.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

/// A budget's no.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("budget refused the call: it may cost ${wanted}, but {tightest}")]
pub struct Refusal {
    /// What the call may cost.
    pub wanted: Usd,
    /// The budget with the least room.
    pub tightest: NoRoom,
}

/// A budget without room for a call.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{} `{}` has ${} left of ${} per {} (${} spent, ${} held); \
     ask for fewer tokens or wait until {}",
    claim.balance.scope.name(), claim.balance.id, room(.balance, .claim), claim.limit,
    claim.balance.window.name(), balance.spent, balance.held, claim.resets_at
)]
pub struct NoRoom {
    /// The budget.
    pub claim: Claim,
    /// What is held and spent.
    pub balance: Balance,
}

// === impl State ===

impl State {
    /// A state from what a store kept.
    pub fn restore(
        balances: HashMap<BalanceKey, Balance>,
        open: HashMap<AttemptId, (Arc<Who>, Arc<Hold>)>,
    ) -> State {
        State { balances, open }
    }

    /// Carries out a command at a moment and gives the entry to record.
    ///
    /// # Errors
    /// [`Rejection`]; the state is then as it was.
    pub fn apply(&mut self, command: Command, at: Timestamp) -> Result<Entry, Rejection> {
        let entry = self.decide(command, at)?;
        if entry.what.hold().amount.min(entry.what.charged()) < Usd::ZERO {
            return Err(Overflow.into());
        }
        self.replay(&entry)?;
        Ok(entry)
    }

    /// Takes in an entry that was decided earlier. Replaying all entries in their order gives the
    /// state that they left behind.
    ///
    /// # Errors
    /// [`Overflow`]; the state is then as it was.
    pub fn replay(&mut self, entry: &Entry) -> Result<(), Overflow> {
        let hold = entry.what.hold();
        let change = |balance: Balance| match &entry.what {
            Move::Hold(hold) => {
                Ok(Balance { held: balance.held.plus(hold.amount)?, spent: balance.spent })
            }
            Move::End(..) => Ok(Balance {
                held: balance.held.minus(hold.amount)?,
                spent: balance.spent.plus(entry.what.charged())?,
            }),
        };
        let after = hold.claims.iter().map(|claim| change(self.balance(&claim.balance)));
        let after: Vec<Balance> = after.collect::<Result<_, Overflow>>()?;
        for (claim, balance) in hold.claims.iter().zip(after) {
            self.balances.insert(claim.balance.clone(), balance);
        }
        match &entry.what {
            Move::Hold(hold) => {
                self.open.insert(entry.id, (Arc::clone(&entry.who), Arc::clone(hold)))
            }
            Move::End(..) => self.open.remove(&entry.id),
        };
        Ok(())
    }

    /// What is held and spent on a balance.
    pub fn balance(&self, key: &BalanceKey) -> Balance {
        self.balances.get(key).copied().unwrap_or_default()
    }

    /// The least that any of the claimed budgets has left; `None` without a budget.
    pub fn room(&self, claims: &[Claim]) -> Option<Usd> {
        claims.iter().map(|claim| room(&self.balance(&claim.balance), claim)).min()
    }

    /// The attempts whose hold is open.
    pub fn open(&self) -> impl Iterator<Item = (AttemptId, &Arc<Hold>)> {
        self.open.iter().map(|(id, (_, hold))| (*id, hold))
    }

    /// All balances.
    pub fn balances(&self) -> impl Iterator<Item = (&BalanceKey, &Balance)> {
        self.balances.iter()
    }

    /// Forgets the balances of windows that ended before `at` and hold nothing.
    pub fn prune(&mut self, at: Timestamp) {
        self.balances.retain(|key, balance| {
            balance.held != Usd::ZERO || key.window.around(key.start).1 > at
        });
    }

    fn decide(&self, command: Command, at: Timestamp) -> Result<Entry, Rejection> {
        match command {
            Command::Hold { id, who, hold } => {
                self.admit(id, &hold)?;
                Ok(Entry { id, at, who, what: Move::Hold(hold) })
            }
            Command::End(id, ending) => {
                let (who, hold) = self.open.get(&id).cloned().ok_or(Rejection::NotHeld(id))?;
                Ok(Entry { id, at, who, what: Move::End(hold, ending) })
            }
        }
    }

    /// Every claimed budget must have room for the whole hold.
    fn admit(&self, id: AttemptId, hold: &Hold) -> Result<(), Rejection> {
        if self.open.contains_key(&id) {
            return Err(Rejection::AlreadyHeld(id));
        }
        let full = hold
            .claims
            .iter()
            .map(|claim| NoRoom { claim: claim.clone(), balance: self.balance(&claim.balance) });
        let full = full.filter(|budget| room(&budget.balance, &budget.claim) < hold.amount);
        match full.min_by_key(|budget| room(&budget.balance, &budget.claim)) {
            Some(tightest) => {
                let refusal = Refusal { wanted: hold.amount, tightest };
                Err(Rejection::Refused(Box::new(refusal)))
            }
            None => Ok(()),
        }
    }
}

/// What a budget has left; nothing where it is overspent.
fn room(balance: &Balance, claim: &Claim) -> Usd {
    let left = balance.spent.plus(balance.held).and_then(|used| claim.limit.minus(used));
    left.unwrap_or(Usd::ZERO).max(Usd::ZERO)
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
