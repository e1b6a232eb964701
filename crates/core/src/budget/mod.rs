//! Budgets: the state machine that alone decides money.
//!
//! [`State::apply`] takes one [`Command`] and gives the [`Entry`](crate::entry::Entry) to record,
//! or a rejection that changed nothing. It reads no clock and does no I/O, so the same commands
//! always give the same state: what the ledger keeps can be replayed and compared.
//!
//! A [`Rule`] says whose spending is limited, in which [`Window`], and to which [`Quantity`]. Applied
//! to a call it is a [`Claim`], which carries its limit: a rule that is changed holds from the next
//! call on.

mod amount;
mod fit;
mod forecast;
mod recent;
mod refusal;
mod rule;
mod state;
mod window;

pub use amount::{Amount, Quantity};
pub use fit::{clamp, downgrade, shortest_answer};
pub use forecast::forecast;
pub use refusal::{NoRoom, Refusal, Rejection};
pub use rule::{BalanceKey, Claim, Mode, Policy, Rule, ScopeKind};
pub use state::{Balance, Command, Decision, Room, State};
pub use window::{Period, Window};
