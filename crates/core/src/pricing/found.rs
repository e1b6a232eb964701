//! What looking up a model's name comes to.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::card::RateCard;
use super::model::Model;

/// Why a name led to a model. The entry records it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundBy {
    /// The operator says which model it is.
    Override,
    /// The catalog's own name.
    Exact,
    /// Another name that the catalog lists for it.
    Alias,
    /// A dated snapshot (`-2026-08-21`, `-20260821`, `@20260821`) of a name that the catalog has.
    Snapshot,
    /// A suffix that has a price of its own, whatever stands before it (`:free`).
    Suffix,
    /// The price of the model's maker: the provider that was called lists none of its own.
    Fallback,
}

/// A model that was found.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The model's facts.
    pub model: Arc<Model>,
    /// Its rates in this situation.
    pub card: Arc<RateCard>,
    /// Which rule found it.
    pub rule: FoundBy,
}

/// A model without a known price: it is `unpriced`, never free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unresolved {
    /// Names of the same provider that look similar, best first: to suggest, never to price by.
    pub suggestions: Vec<String>,
}

// === impl FoundBy ===

impl FoundBy {
    /// The rule as ledgers and answers spell it.
    pub const fn name(self) -> &'static str {
        match self {
            FoundBy::Override => "override",
            FoundBy::Exact => "exact",
            FoundBy::Alias => "alias",
            FoundBy::Snapshot => "snapshot",
            FoundBy::Suffix => "suffix",
            FoundBy::Fallback => "fallback",
        }
    }
}
