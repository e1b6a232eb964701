//! Budgets: the state machine that alone decides money.
//!
//! [`State::apply`] takes one [`Command`] and gives the [`Entry`](crate::entry::Entry) to record,
//! or a rejection that changed nothing. It reads no clock and does no I/O, so the same commands
//! always give the same state: what the ledger keeps can be replayed and compared.

mod rule;
mod state;

pub use rule::{BalanceKey, Claim, Rule, ScopeKind, Window};
pub use state::{Balance, Command, NoRoom, Refusal, Rejection, State};
