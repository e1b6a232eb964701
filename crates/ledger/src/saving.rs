//! What optimizing calls came to: one receipt for each call, and sums of them.
//!
//! Receipts are no money. They are kept beside the books, the newest million of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use farthing_core::Usd;
use farthing_core::entry::Who;
use farthing_core::id::RequestId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

mod arms;
mod sums;

pub use arms::{Arm, Comparison};
pub use sums::{Savings, SavingsBy, SavingsRow, savings};

/// What optimizing one call came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saving {
    /// The call.
    pub request: RequestId,
    /// On whose account.
    pub who: Arc<Who>,
    /// When it ended.
    pub at: Timestamp,
    /// The mode that it was optimized in.
    pub mode: String,
    /// Whether it was sent as it came, to compare the others with.
    pub held_out: bool,
    /// The conversation, as its first message has it.
    pub conversation: String,
    /// The tokens of the prompt as it came, by our own count.
    pub tokens_before: u64,
    /// The tokens of the prompt as it was sent.
    pub tokens_after: u64,
    /// What it cost; `None` where nobody knows.
    pub paid: Option<Usd>,
    /// What it would have cost as it came.
    pub would_have_paid: Option<Usd>,
    /// What its prompt would have cost without a cache, as it came.
    pub uncached: Option<Usd>,
    /// The difference by what made it; negative is a loss. It adds up to all that was saved.
    pub passes: BTreeMap<String, Pass>,
    /// The receipt in full: what was expected of each edit.
    pub receipt: Value,
}

/// What one pass came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// How many edits it made.
    pub edits: u64,
    /// Tokens that it removed.
    pub tokens: u64,
    /// What that saved; `None` where nobody knows.
    pub saved_usd: Option<Usd>,
}

/// What was decided for a conversation, so that whoever goes on with it decides the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// On whose account.
    pub who: Arc<Who>,
    /// The hash of what was said so far.
    pub link: String,
    /// What was decided. The ledger does not look into it.
    pub json: String,
}

// === impl Saving ===

impl Saving {
    /// What was saved, net; negative is a loss. `None` where nobody knows.
    pub fn net(&self) -> Option<Usd> {
        self.would_have_paid?.minus(self.paid?).ok()
    }

    /// How many tokens fewer were sent than came.
    pub fn tokens_saved(&self) -> u64 {
        self.tokens_before.saturating_sub(self.tokens_after)
    }
}

#[cfg(test)]
#[path = "saving/tests.rs"]
mod tests;
