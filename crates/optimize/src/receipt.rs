//! The account of what was done to a request, and what it is worth.

use farthing_core::Usd;
use farthing_core::pricing::RateCard;
use farthing_core::usage::{Bucket, CacheTtl, Usage};
use serde::Serialize;

use crate::caching::BASE;
use crate::edit::Class;
use crate::gate::Verdict;

/// What was done to a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// The tokens of the prompt as it came.
    pub tokens_before: u64,
    /// The tokens of the prompt as it is sent.
    pub tokens_after: u64,
    /// What the edits are expected to save together; `None` where the model has no price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_usd: Option<Usd>,
    /// For how long the provider is asked to keep the prompt, where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<&'static str>,
    /// The edits, in the order of the prompt.
    pub edits: Vec<Entry>,
    /// What was not done, because it would have cost more than it saves.
    pub refused: Vec<Entry>,
}

/// One edit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Which pass made it.
    pub pass: &'static str,
    /// How safe it is.
    pub class: Class,
    /// The message it is in; absent outside of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<usize>,
    /// What the gate thought of it.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The expected gain in dollars; `None` where the model has no price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_usd: Option<Usd>,
}

// === impl Receipt ===

impl Receipt {
    /// Of a request to which nothing was done.
    pub(crate) fn of_untouched(tokens: u64) -> Receipt {
        Receipt { tokens_before: tokens, tokens_after: tokens, ..Receipt::default() }
    }
}

/// What an expected gain is in dollars.
pub(crate) fn dollars(card: Option<&RateCard>, gain_milli: i64) -> Option<Usd> {
    let tokens = gain_milli.unsigned_abs() / BASE.unsigned_abs();
    let usd = card?.cost(&Usage::NONE.with(Bucket::Input, tokens)).ok()?.usd?;
    if gain_milli < 0 { Usd::ZERO.minus(usd).ok() } else { Some(usd) }
}

/// A lifetime as providers spell it.
pub(crate) fn spelled(ttl: CacheTtl) -> &'static str {
    match ttl {
        CacheTtl::FiveMinutes => "5m",
        CacheTtl::OneHour => "1h",
    }
}
