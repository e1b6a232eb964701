//! Google's [Gemini API](https://ai.google.dev/api/generate-content), on Vertex AI too. The model
//! and the method stand in the address.

pub(crate) mod answer;
mod content;
pub(crate) mod error;
pub(crate) mod request;
pub(crate) mod stream;
mod target;
mod usage;

use farthing_core::pricing::{Dimension, Served};

use crate::json::{Json, decode};

pub use target::{Method, Target};

pub(crate) const PATH: &str = "/models";

/// The members of a request by their names in camel case; the API takes them in snake case too.
fn pick<'a, const N: usize>(of: Json<'a>, names: [&str; N]) -> [Option<Json<'a>>; N] {
    let mut picked = [None; N];
    for member in of.members() {
        let key = decode(member.key.text());
        let mut names = names.iter().zip(&mut picked);
        if let Some((_, slot)) = names.find(|(name, _)| is_spelling_of(name, &key)) {
            *slot = Some(member.value);
        }
    }
    picked
}

/// Whether a key is this name, in camel case or in snake case.
fn is_spelling_of(name: &str, key: &str) -> bool {
    if !key.contains('_') {
        return name == key;
    }
    let plain = |text: &str| {
        text.bytes()
            .filter(|byte| *byte != b'_')
            .map(|b| b.to_ascii_lowercase())
            .collect::<Vec<_>>()
    };
    plain(name) == plain(key)
}

/// Notes a service tier, as asked or as served; the standard one has several names.
fn note_tier(served: &mut Served, tier: Option<Json>) {
    let Some(tier) = tier.and_then(Json::as_str) else { return };
    let tier = tier.to_ascii_lowercase();
    let tier = tier.strip_prefix("service_tier_").unwrap_or(&tier);
    match tier.strip_prefix("on_demand").map_or(tier, |rest| rest.trim_start_matches('_')) {
        "" | "standard" | "default" | "unspecified" | "traffic_type_unspecified" => {
            served.remove(&Dimension::ServiceTier);
        }
        other => {
            served.insert(Dimension::ServiceTier, other.to_owned());
        }
    }
}
