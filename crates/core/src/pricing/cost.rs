//! What a call cost, and how sure that is.

use serde::{Deserialize, Serialize};

use crate::money::Usd;

/// How a cost came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CostStatus {
    /// Every unit that the provider reported, at its rate.
    Priced,
    /// Some of what was consumed is missing from the amount.
    Partial,
    /// From our own count, because the provider's was missing or unusable.
    Estimated,
    /// No price is known for the model.
    Unpriced,
    /// The provider's own figure.
    ProviderReported,
    /// Covered by a subscription.
    Included,
    /// The provider's counts contradict themselves and there is no count of our own.
    InvalidUsage,
}

/// An amount with its status. Unknown is `None`, never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// The amount, where one is known.
    pub usd: Option<Usd>,
    /// How it came about.
    pub status: CostStatus,
    /// A rate did not divide into whole pico-dollars; the amount is rounded at the last digit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inexact: bool,
    /// A rate was missing and its nearest relative was used.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub assumed_rate: bool,
}

// === impl CostStatus ===

impl CostStatus {
    /// The status as ledgers, headers and answers spell it.
    pub const fn name(self) -> &'static str {
        match self {
            CostStatus::Priced => "priced",
            CostStatus::Partial => "partial",
            CostStatus::Estimated => "estimated",
            CostStatus::Unpriced => "unpriced",
            CostStatus::ProviderReported => "provider_reported",
            CostStatus::Included => "included",
            CostStatus::InvalidUsage => "invalid_usage",
        }
    }
}

// === impl Cost ===

impl Cost {
    /// The cost of a model without a known price.
    pub const UNPRICED: Cost = Cost::unknown(CostStatus::Unpriced);

    /// The provider's own figure.
    pub const fn reported(usd: Usd) -> Cost {
        let unknown = Cost::unknown(CostStatus::ProviderReported);
        Cost { usd: Some(usd), ..unknown }
    }

    /// A cost without an amount.
    pub const fn unknown(status: CostStatus) -> Cost {
        Cost { usd: None, status, inexact: false, assumed_rate: false }
    }

    /// The same amount, known to leave something out. What has no price stays unpriced.
    #[must_use]
    pub fn partial(self) -> Cost {
        let status = if self.usd.is_some() { CostStatus::Partial } else { self.status };
        Cost { status, ..self }
    }

    /// The same amount, known to rest on our own count. What has no price stays unpriced.
    #[must_use]
    pub fn estimated(self) -> Cost {
        match self.status {
            CostStatus::Priced | CostStatus::Partial => {
                Cost { status: CostStatus::Estimated, ..self }
            }
            _ => self,
        }
    }
}
