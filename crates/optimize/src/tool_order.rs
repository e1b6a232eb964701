//! Tools in the order in which a thread first had them.
//!
//! Some clients keep their tools in a map and send them in any order; to a provider's cache that
//! is another prompt each time. To the model the order means nothing.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use farthing_core::prompt::Prompt;

use crate::edit::{Change, Class, Edit};

/// The order of a request's tools, as hashes of their definitions.
pub(crate) fn order(prompt: &Prompt) -> Vec<u64> {
    // Without a key of its own, so that every node has the same hashes.
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    prompt.tools.iter().map(|tool| hasher.hash_one(prompt.raw(&tool.span))).collect()
}

/// The changes that put the tools of `prompt`, which are in the order `now`, into the order
/// `first`; none where they are not the same tools.
pub(crate) fn restored(prompt: &Prompt, first: &[u64], now: &[u64]) -> Vec<Change> {
    let sorted = |order: &[u64]| {
        let mut order = order.to_vec();
        order.sort_unstable();
        order
    };
    if first == now || sorted(first) != sorted(now) {
        return Vec::new();
    }
    let places = prompt.tools.iter().zip(first).zip(now).filter(|((_, first), now)| first != now);
    let changes = places.filter_map(|((place, first), _)| {
        let from = now.iter().position(|hash| hash == first)?;
        let with = prompt.raw(&prompt.tools.get(from)?.span).to_owned();
        let edit = Edit { at: place.span.clone(), with };
        Some(Change { edit, pass: "tool_order", class: Class::L0, message: None, removed: 0 })
    });
    changes.collect()
}
