//! Reading an answer that comes as a stream of chunks.

use super::message::each_text;
use crate::answer::{Reported, error_message};
use crate::json::{Json, Kind, pick};
use crate::openai::charged::charged;
use crate::openai::note_tier;
use crate::openai::usage::{CHAT, reported};
use crate::stream::{OfUsage, Seen};
use crate::tool_use;

/// Reads one chunk, and says what of it came only of `include_usage`: an extra chunk with the usage
/// and no choices, and in every other one the member `"usage":null`.
pub(crate) fn read(chunk: Json, seen: &mut Seen) -> OfUsage {
    pick!(chunk => model, service_tier, choices, usage, error);
    if seen.model.is_none() {
        seen.model = model.and_then(Json::as_str).map(String::from);
    }
    note_tier(&mut seen.served, service_tier);
    choices.into_iter().flat_map(Json::elements).for_each(|choice| read_choice(choice, seen));
    match reported(usage, CHAT) {
        Reported::Absent => {}
        reported => seen.usage = reported,
    }
    seen.charged = usage.and_then(charged).or(seen.charged);
    if let Some(error) = error.and_then(error_message) {
        seen.error = Some(error);
    }
    match usage.map(Json::kind) {
        Some(Kind::Null) => OfUsage::Member("usage"),
        Some(Kind::Object) if choices.is_some_and(is_empty_array) => OfUsage::All,
        _ => OfUsage::Nothing,
    }
}

fn read_choice(choice: Json, seen: &mut Seen) {
    pick!(choice => index, delta, finish_reason);
    let index = index.and_then(Json::as_count).unwrap_or(0);
    seen.begun = seen.begun.max(index.saturating_add(1));
    if let Some(delta) = delta {
        tool_use::of_chat(delta, &mut seen.tools);
        each_text(delta, &mut |text| seen.say(&text.as_str().unwrap_or_default()));
    }
    if let Some(reason) = finish_reason.and_then(Json::as_str) {
        seen.finish_reason = Some(reason.into_owned());
        seen.ended = seen.ended.saturating_add(1);
    }
}

fn is_empty_array(value: Json) -> bool {
    value.kind() == Kind::Array && value.elements().next().is_none()
}
