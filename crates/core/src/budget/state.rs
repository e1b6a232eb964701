//! What is held and spent, and the one function that changes it.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::amount::{Amount, Quantity};
use super::recent::Recent;
use super::refusal::{NoRoom, Refusal, Rejection};
use super::rule::{BalanceKey, Claim, Mode};
use super::window::Window;
use crate::entry::{Adjustment, AttemptId, Ending, Entry, Hold, Move, Who};
use crate::money::{Overflow, Usd};

/// Held and spent, by scope and window, and the holds that are open. Two states are equal where
/// these are.
#[derive(Clone, Debug, Default)]
pub struct State {
    balances: HashMap<BalanceKey, Balance>,
    open: HashMap<AttemptId, (Arc<Who>, Arc<Hold>)>,
    recent: Recent,
}

/// What a scope used in one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// Set aside for calls that have not ended.
    pub held: Amount,
    /// Charged.
    pub spent: Amount,
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
    /// Correct what an ended attempt was charged.
    Adjust {
        /// The attempt.
        id: AttemptId,
        /// On whose account it was.
        who: Arc<Who>,
        /// Its hold, which names the budgets.
        hold: Arc<Hold>,
        /// How much, and why.
        adjustment: Adjustment,
    },
}

/// A command that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What is to be recorded.
    pub entry: Entry,
    /// The soft and shadow budgets that had no room for a hold; a claim says which of both it is.
    pub warnings: Vec<NoRoom>,
}

/// The least that several hard budgets have left, by unit; `None` where none limits it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Room {
    /// Dollars.
    pub usd: Option<Usd>,
    /// Tokens.
    pub tokens: Option<u64>,
    /// Calls.
    pub requests: Option<u64>,
}

// === impl State ===

impl State {
    /// A state from what a store kept.
    pub fn restore(
        balances: HashMap<BalanceKey, Balance>,
        open: HashMap<AttemptId, (Arc<Who>, Arc<Hold>)>,
    ) -> State {
        State { balances, open, recent: Recent::default() }
    }

    /// Carries out a command at a moment and gives the entry to record.
    ///
    /// That an attempt is held, ended and, for each cause, corrected once is known of those that are
    /// open and of the last 65,536 that were not; of older ones the entry's name in the store is.
    ///
    /// # Errors
    /// [`Rejection`]; the state is then as it was.
    pub fn apply(&mut self, command: Command, at: Timestamp) -> Result<Decision, Rejection> {
        let decision = self.decide(command, at)?;
        self.replay(&decision.entry)?;
        Ok(decision)
    }

    /// Takes in an entry that was decided earlier. Replaying all entries in their order gives the
    /// state that they left behind.
    ///
    /// # Errors
    /// [`Overflow`]; the state is then as it was.
    pub fn replay(&mut self, entry: &Entry) -> Result<(), Overflow> {
        let is_correction = matches!(entry.what, Move::Adjust(..));
        let counts = |claim: &&Claim| {
            // A balance that was pruned stays forgotten; all others have seen the hold.
            claim.adds_up() && (!is_correction || self.balances.contains_key(&claim.balance))
        };
        let claims: Vec<&Claim> = entry.what.hold().claims.iter().filter(counts).collect();
        // Several claims may be on one balance: each is reckoned from what was there before.
        let after = claims.iter().map(|claim| self.balance(&claim.balance).after(&entry.what));
        let after: Vec<Balance> = after.collect::<Result<_, Overflow>>()?;
        for (claim, balance) in claims.into_iter().zip(after) {
            self.balances.insert(claim.balance.clone(), balance);
        }
        match &entry.what {
            Move::Hold(hold) => {
                self.open.insert(entry.id, (Arc::clone(&entry.who), Arc::clone(hold)));
            }
            Move::End(..) => {
                self.open.remove(&entry.id);
                self.recent.add((entry.id, None));
            }
            Move::Adjust(_, adjustment) => {
                self.recent.add((entry.id, Some(adjustment.cause.clone())));
            }
        }
        Ok(())
    }

    /// What is held and spent on a balance.
    pub fn balance(&self, key: &BalanceKey) -> Balance {
        self.balances.get(key).copied().unwrap_or_default()
    }

    /// What the claimed hard budgets have left.
    pub fn room(&self, claims: &[Claim]) -> Room {
        let hard = claims.iter().filter(|claim| claim.mode == Mode::Hard);
        Room::of(hard.map(|claim| (claim.limit, self.balance(&claim.balance).used())))
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
        self.balances.retain(|key, balance| balance.held != Amount::NONE || key.end > at);
    }

    fn decide(&self, command: Command, at: Timestamp) -> Result<Decision, Rejection> {
        let (id, who, what, warnings) = match command {
            Command::Hold { id, who, hold } => {
                let warnings = self.admit(id, &hold)?;
                (id, who, Move::Hold(hold), warnings)
            }
            Command::End(id, ending) => {
                let (who, hold) = self.open.get(&id).cloned().ok_or(Rejection::NotHeld(id))?;
                let what = Move::End(hold, ending);
                if what.charged() < Usd::ZERO {
                    return Err(Overflow.into());
                }
                (id, who, what, Vec::new())
            }
            Command::Adjust { id, who, hold, adjustment } => {
                self.admit_adjustment(id, &hold, &adjustment)?;
                (id, who, Move::Adjust(hold, adjustment), Vec::new())
            }
        };
        Ok(Decision { entry: Entry { id, at, who, what }, warnings })
    }

    /// Every claimed hard budget must have room for the whole hold. Gives the others that have none.
    fn admit(&self, id: AttemptId, hold: &Hold) -> Result<Vec<NoRoom>, Rejection> {
        if self.open.contains_key(&id) {
            return Err(Rejection::AlreadyHeld(id));
        }
        if self.recent.has(&(id, None)) {
            return Err(Rejection::AlreadyEnded(id));
        }
        if hold.amount < Usd::ZERO {
            return Err(Overflow.into());
        }
        let wanted = hold.takes();
        let lacks_room = |claim: &&Claim| {
            let left = self.balance(&claim.balance).left(claim.limit);
            left.number() < claim.limit.of(&wanted).number()
        };
        let full = hold.claims.iter().filter(lacks_room);
        let full = full
            .map(|claim| NoRoom { claim: claim.clone(), balance: self.balance(&claim.balance) });
        let (hard, others): (Vec<_>, Vec<_>) = full.partition(|it| it.claim.mode == Mode::Hard);
        match Refusal::of(wanted, hard) {
            Some(refusal) => Err(Rejection::Refused(Box::new(refusal))),
            None => Ok(others),
        }
    }

    /// What was spent can be taken back, but not more. Balances that were pruned are passed over:
    /// nothing is decided by them any more.
    fn admit_adjustment(
        &self,
        id: AttemptId,
        hold: &Hold,
        adjustment: &Adjustment,
    ) -> Result<(), Rejection> {
        if self.open.contains_key(&id) {
            return Err(Rejection::NotEnded(id));
        }
        if self.recent.has(&(id, Some(adjustment.cause.clone()))) {
            return Err(Rejection::AlreadyAdjusted(id, adjustment.cause.clone()));
        }
        for balance in hold.claims.iter().filter_map(|claim| self.balances.get(&claim.balance)) {
            if balance.spent.usd.plus(adjustment.delta)? < Usd::ZERO {
                return Err(Rejection::BelowZero(id));
            }
        }
        Ok(())
    }
}

impl PartialEq for State {
    fn eq(&self, other: &State) -> bool {
        // What was done lately is not kept by stores.
        self.balances == other.balances && self.open == other.open
    }
}

// === impl Refusal ===

impl Refusal {
    /// The refusal by these budgets, which have no room; `None` without any.
    fn of(wanted: Amount, full: Vec<NoRoom>) -> Option<Refusal> {
        let policy = full.iter().map(|budget| budget.claim.policy).max()?;
        let share = |budget: &NoRoom| {
            let wanted = budget.claim.limit.of(&wanted).number();
            (budget.left().number(), wanted)
        };
        // Least room for what is wanted of its unit: a / b < c / d where a * d < c * b.
        let tightest = full.into_iter().min_by(|one, other| {
            let ((left, wanted), (other_left, other_wanted)) = (share(one), share(other));
            left.saturating_mul(other_wanted).cmp(&other_left.saturating_mul(wanted))
        })?;
        Some(Refusal { wanted, tightest, policy })
    }
}

// === impl Claim ===

impl Claim {
    /// Whether anything is added up for it: the limit on a request is on each one alone.
    fn adds_up(&self) -> bool {
        self.balance.window != Window::Request
    }
}

// === impl Balance ===

impl Balance {
    /// What is held and spent together, or the most that there is.
    fn used(&self) -> Amount {
        let most = Amount { usd: Usd::from_pico(i128::MAX), ..self.spent };
        self.spent.plus(self.held).unwrap_or(most)
    }

    /// What is left of a limit; nothing where it is overspent.
    #[must_use]
    pub fn left(&self, limit: Quantity) -> Quantity {
        limit.less(&self.used())
    }

    fn after(self, what: &Move) -> Result<Balance, Overflow> {
        let held = match what {
            Move::Hold(hold) => self.held.plus(hold.takes())?,
            Move::End(hold, _) => self.held.minus(hold.takes())?,
            Move::Adjust(..) => self.held,
        };
        Ok(Balance { held, spent: self.spent.plus(what.spends())? })
    }
}

// === impl Room ===

impl Room {
    /// The room of several budgets: each one's limit, and what is used of it.
    pub fn of(budgets: impl IntoIterator<Item = (Quantity, Amount)>) -> Room {
        let mut room = Room::default();
        for (limit, used) in budgets {
            match limit.less(&used) {
                Quantity::Usd(left) => narrow(&mut room.usd, left),
                Quantity::Tokens(left) => narrow(&mut room.tokens, left),
                Quantity::Requests(left) => narrow(&mut room.requests, left),
            }
        }
        room
    }

    /// Whether there is room for so much.
    pub fn fits(&self, wanted: &Amount) -> bool {
        self.usd.is_none_or(|left| wanted.usd <= left)
            && self.tokens.is_none_or(|left| wanted.tokens <= left)
            && self.requests.is_none_or(|left| wanted.requests <= left)
    }
}

fn narrow<T: Copy + Ord>(room: &mut Option<T>, left: T) {
    *room = Some(room.map_or(left, |narrowest| narrowest.min(left)));
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "unit_tests.rs"]
mod unit_tests;

#[cfg(test)]
#[path = "property_tests.rs"]
mod property_tests;
