//! Reading an answer that comes as a stream of answers, each a piece of the whole.

use super::answer::{finish_reason, note_served};
use super::content::each_text;
use super::usage::reported;
use crate::answer::{Reported, error_message};
use crate::json::Json;
use crate::stream::{OfUsage, Seen};

/// Reads one piece. Usage comes unasked and grows: the last is that of all pieces.
pub(crate) fn read(piece: Json, seen: &mut Seen) -> OfUsage {
    let [model, candidates, metadata, error] =
        piece.pick(["modelVersion", "candidates", "usageMetadata", "error"]);
    if seen.model.is_none() {
        seen.model = model.and_then(Json::as_str).map(String::from);
    }
    candidates.into_iter().flat_map(Json::elements).for_each(|it| read_candidate(it, seen));
    note_served(&mut seen.served, metadata);
    match reported(metadata, seen.ended > 0) {
        Reported::Absent => {}
        reported => seen.usage = reported,
    }
    if let Some(error) = error.and_then(error_message) {
        seen.error = Some(error);
    }
    OfUsage::Nothing
}

fn read_candidate(candidate: Json, seen: &mut Seen) {
    let [index] = candidate.pick(["index"]);
    let index = index.and_then(Json::as_count).unwrap_or(0);
    seen.begun = seen.begun.max(index.saturating_add(1));
    each_text(candidate, &mut |text| match text.as_str() {
        Some(string) => seen.say(&string),
        None => seen.say(text.text()),
    });
    if let Some(reason) = finish_reason(candidate) {
        seen.finish_reason = Some(reason);
        seen.ended = seen.ended.saturating_add(1);
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
