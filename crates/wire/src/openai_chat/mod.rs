//! OpenAI's [chat completions](https://platform.openai.com/docs/api-reference/chat), as OpenAI and
//! the many providers that follow it speak them.

pub(crate) mod answer;
pub(crate) mod error;
mod message;

pub(crate) mod request;
pub(crate) mod stream;
mod usage;

use farthing_core::pricing::{Dimension, Served};

use crate::json::Json;

pub(crate) const PATH: &str = "/chat/completions";

/// Notes a `service_tier`, as asked or as served; the standard one has several names.
fn note_tier(served: &mut Served, tier: Option<Json>) {
    let Some(tier) = tier.and_then(Json::as_str) else { return };
    if matches!(&*tier, "auto" | "default" | "standard") {
        served.remove(&Dimension::ServiceTier);
    } else if served.get(&Dimension::ServiceTier).is_none_or(|noted| *noted != tier) {
        served.insert(Dimension::ServiceTier, tier.into_owned());
    }
}
