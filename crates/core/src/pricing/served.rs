//! How a request was served, as far as that selects its price.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What, in how a request was served, selects another price; in order of precedence.
///
/// Where two variants fit equally closely, that of the earlier dimension holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// Answered at leisure: batch.
    Processing,
    /// Speed for money: flex, priority.
    ServiceTier,
    /// The model's own pace, for money: fast.
    Speed,
    /// Where inference ran, where that was the client's choice: us.
    #[serde(alias = "inference_geo")]
    Geo,
    /// Whom a reseller passed the request to: mistral/eu.
    Route,
    /// How a search was made: fast.
    SearchType,
}

/// How a request was served (or, before the answer, asked to be).
pub type Served = BTreeMap<Dimension, String>;

/// In a price's `when`: any place that the client chose.
pub(super) const REGIONAL: &str = "regional";
/// Places that nobody chose.
const ANYWHERE: &[&str] = &["global", "not_available"];

// === impl Dimension ===

impl Dimension {
    /// Every dimension, in order of precedence.
    pub const ALL: &[Dimension] = &[
        Dimension::Processing,
        Dimension::ServiceTier,
        Dimension::Speed,
        Dimension::Geo,
        Dimension::Route,
        Dimension::SearchType,
    ];

    /// The dimension's name in catalogs and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Dimension::Processing => "processing",
            Dimension::ServiceTier => "service_tier",
            Dimension::Speed => "speed",
            Dimension::Geo => "geo",
            Dimension::Route => "route",
            Dimension::SearchType => "search_type",
        }
    }

    /// Whether what was served is what a price asks for.
    pub(super) fn fits(self, wanted: &str, served: &str) -> bool {
        wanted == served
            || (self == Dimension::Geo && wanted == REGIONAL && !ANYWHERE.contains(&served))
    }
}
