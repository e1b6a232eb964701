//! Anthropic's [messages](https://platform.claude.com/docs/en/api/messages), and the counting of
//! their tokens, whose requests are the same without `max_tokens`.

pub(crate) mod answer;
pub(crate) mod error;
mod message;
pub(crate) mod request;
pub(crate) mod stream;
mod usage;

use farthing_core::pricing::{Dimension, Served};

use crate::json::{Json, pick};

pub(crate) use usage::Merged;

pub(crate) const PATH: &str = "/messages";

/// Notes how a request asks to be served, or how its `usage` says that it was. The standard way has
/// several names; batches are told by a tier.
fn note_served(served: &mut Served, said: Json) {
    pick!(said => service_tier, speed, inference_geo);
    for (what, how) in [
        (Dimension::ServiceTier, service_tier),
        (Dimension::Speed, speed),
        (Dimension::Geo, inference_geo),
    ] {
        let Some(how) = how.and_then(Json::as_str) else { continue };
        match &*how {
            "standard" | "standard_only" | "auto" | "global" | "not_available" => {
                served.remove(&what);
            }
            "batch" => {
                served.insert(Dimension::Processing, how.into_owned());
            }
            _ => {
                served.insert(what, how.into_owned());
            }
        }
    }
}
