//! What can go wrong with a hold and with the ledger.

use std::io;

use farthing_core::budget::{Refusal, Rejection};
use farthing_core::entry::AttemptId;
use farthing_core::money::Overflow;
use jiff::Timestamp;
use thiserror::Error;

use crate::store::StoreError;

/// The ledger cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the ledger cannot be written since {since}: {error}")]
pub struct Unavailable {
    /// When a write first failed.
    pub since: Timestamp,
    /// Why the last one failed, and what to do.
    pub error: String,
}

/// A call was not admitted; nothing is held.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HoldError {
    /// A budget has no room.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// What is admitted could not be recorded, so nothing is.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The ledger was closed.
    #[error("the ledger is closed because the process is shutting down; call again later")]
    Closed,
    /// The attempt has a hold, or has ended.
    #[error("attempt {0} has a hold already; give every attempt its own number")]
    AlreadyHeld(AttemptId),
    /// The amount is negative or absurd.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

/// A correction was not recorded.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AdjustError {
    /// It cannot be: it was made before, or takes back more than was spent.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// It could not be recorded.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A ledger could not be opened.
#[derive(Debug, Error)]
pub enum LedgerError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A hold that an earlier process left open could not be ended.
    #[error("cannot end a hold that was left open: {0}; run `farthing verify` on the ledger")]
    Recovery(#[from] Rejection),
    /// The system gave no thread.
    #[error("cannot start the ledger's writer: {0}; raise the limit on threads")]
    Thread(#[from] io::Error),
}

// === impl HoldError ===

impl From<Rejection> for HoldError {
    fn from(rejection: Rejection) -> HoldError {
        match rejection {
            Rejection::Refused(refusal) => HoldError::Refused(refusal),
            Rejection::Overflow(overflow) => HoldError::Overflow(overflow),
            // The last four are never said of a hold.
            Rejection::AlreadyHeld(id)
            | Rejection::AlreadyEnded(id)
            | Rejection::NotHeld(id)
            | Rejection::AlreadyAdjusted(id, _)
            | Rejection::NotEnded(id)
            | Rejection::BelowZero(id) => HoldError::AlreadyHeld(id),
        }
    }
}
