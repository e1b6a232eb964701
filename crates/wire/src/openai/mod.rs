//! What OpenAI's APIs have in common: counts, tiers, errors, and what a reseller says that it
//! charged.

pub(crate) mod charged;
pub(crate) mod error;
pub(crate) mod other;
pub(crate) mod usage;

use farthing_core::pricing::{Dimension, Served};

use crate::json::Json;

/// Notes a `service_tier`, as asked or as served; the standard one has several names.
pub(crate) fn note_tier(served: &mut Served, tier: Option<Json>) {
    let Some(tier) = tier.and_then(Json::as_str) else { return };
    if matches!(&*tier, "auto" | "default" | "standard") {
        served.remove(&Dimension::ServiceTier);
    } else if served.get(&Dimension::ServiceTier).is_none_or(|noted| *noted != tier) {
        served.insert(Dimension::ServiceTier, tier.into_owned());
    }
}
