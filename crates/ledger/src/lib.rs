//! The ledger: nothing is lost, nothing is counted twice, no budget is overspent, and nobody sees
//! anybody else's.
//!
//! [`Ledger::hold`] admits a call in memory, where [`farthing_core::budget`] alone decides, and
//! hands what was decided to one writer thread, which records it durably in the same order. The
//! [`Held`] that it gives ends exactly once: settled, voided, or expired when it is dropped.
//! Entries are never changed; balances and roll-ups are folds of them, kept in the same
//! transaction, and [`verify()`] folds them again to compare.
//!
//! It does not know prices, providers or HTTP, and decides nothing about money itself.
//!
//! | module | holds |
//! |---|---|
//! | [`ledger`] | [`Ledger`]: admission, health, closing |
//! | [`held`] | [`Held`]: the one way in which a call ends |
//! | [`error`] | why a call is not admitted, or a ledger not opened |
//! | `writer` | the thread that records |
//! | `readers` | the connections on which queries run |
//! | [`batch`] | what entries change in the tables folded from them |
//! | [`reprice`] | calls whose cost nobody knew when they ended |
//! | [`record`] | an entry as a store keeps it |
//! | [`item`] | what the writer records: entries, live events, documents |
//! | [`saving`] | what optimizing calls came to |
//! | [`outbox`] | live events, once they are durable |
//! | [`query`] | what can be asked, always within a [`Scope`](farthing_core::scope::Scope) |
//! | [`answer`] | what is answered |
//! | [`vault`] | content that is kept for a while, sealed, in a file of its own |
//! | [`mod@verify`] | whether the tables say what the entries say |
//! | [`store`] | what a storage engine must do, and the engines |

pub mod answer;
pub mod batch;
pub mod error;
pub mod held;
pub mod item;
pub mod ledger;
pub mod outbox;
pub mod query;
mod readers;
pub mod record;
pub mod reprice;
pub mod saving;
pub mod store;
pub mod vault;
pub mod verify;
mod writer;

#[cfg(test)]
mod tests;

pub use answer::{RequestDetail, RequestPage, RequestRow, UsageRow};
pub use error::{AdjustError, HoldError, LedgerError, Unavailable};
pub use held::Held;
pub use ledger::{Ledger, Options};
pub use query::{GroupBy, Page};
pub use store::sqlite::{SqliteReader, SqliteStore};
pub use store::{Reader, Store, StoreError};
pub use verify::{Difference, Report, verify};
