//! An entry as a store keeps it.

use std::sync::Arc;

use farthing_core::Usd;
use farthing_core::entry::{Adjustment, AttemptId, Ending, Hold, Who};
use farthing_core::pricing::FoundBy;
use jiff::Timestamp;

/// An entry as a store keeps it: an ending names its hold by the attempt and its rate card by the
/// hash, instead of repeating them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Which try at a provider.
    pub id: AttemptId,
    /// When it was decided.
    pub at: Timestamp,
    /// On whose account.
    pub who: Arc<Who>,
    /// What the hold sets aside, or set aside.
    pub held: Usd,
    /// What budgets are charged by it.
    pub charged: Usd,
    /// Whether that is more than was set aside.
    pub overrun: bool,
    /// What happened.
    pub what: Recorded,
}

/// What happened, as a store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// Money was set aside.
    Hold(Arc<Hold>),
    /// What the attempt was charged was corrected.
    Adjust(Arc<Hold>, Adjustment, Cards),
    /// The attempt ended. Of a settled one's bill `priced_by` is `None`; the cards stand beside it.
    End(Ending, Cards),
}

/// The rate cards of a bill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cards {
    /// The one of the model that answered.
    pub own: Option<CardRef>,
    /// Those of the other models that took part, in their order.
    pub others: Vec<Option<CardRef>>,
}

/// A rate card by its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardRef {
    /// The card's hash, in hexadecimal digits.
    pub hash: String,
    /// How the model's name led to it.
    pub rule: FoundBy,
}
