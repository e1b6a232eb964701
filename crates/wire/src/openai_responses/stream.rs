//! Reading an answer that comes as a stream of events.

use super::answer::{finish_reason, with_tools};
use super::item::name;
use super::server_tools::ServerTools;
use crate::answer::{Reported, error_message};
use crate::json::{Json, pick, type_of};
use crate::openai::charged::charged;
use crate::openai::note_tier;
use crate::openai::usage::{RESPONSES, reported};
use crate::stream::{OfUsage, Seen};
use crate::tool_use;

/// Reads one event. Usage comes unasked, so nothing of it is ever taken out.
pub(crate) fn read(event: Json, seen: &mut Seen) -> OfUsage {
    pick!(event => response, item, delta, error);
    match &*type_of(event) {
        "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled" => {
            response.into_iter().for_each(|response| end(response, seen));
        }
        // Some send the message in the event itself.
        "error" => seen.error = error_message(error.filter(|it| !it.is_null()).unwrap_or(event)),
        "response.output_item.added" => {
            item.into_iter().for_each(|item| tool_use::of_response(item, &mut seen.tools));
            if let Some(name) = item.and_then(name).and_then(Json::as_str) {
                seen.say(&name);
            }
        }
        "response.output_item.done" => {
            item.into_iter().for_each(|item| seen.server_tools.note(item))
        }
        kind if kind.ends_with(".delta") => {
            if let Some(text) = delta.and_then(Json::as_str) {
                seen.say(&text);
            }
        }
        _ => response.into_iter().for_each(|response| note(response, seen)),
    }
    OfUsage::Nothing
}

/// Notes who answers, and how.
fn note(response: Json, seen: &mut Seen) {
    pick!(response => model, service_tier);
    seen.begun = 1;
    seen.model = model.and_then(Json::as_str).map(String::from).or(seen.model.take());
    note_tier(&mut seen.served, service_tier);
}

/// The last event has the whole response, usage included.
fn end(response: Json, seen: &mut Seen) {
    note(response, seen);
    pick!(response => output, usage, error);
    let listed = ServerTools::of(output);
    let any = output.is_some_and(|output| output.elements().next().is_some());
    let tools = if any { &listed } else { &seen.server_tools };
    match with_tools(reported(usage, RESPONSES), tools) {
        Reported::Absent => {}
        reported => seen.usage = reported,
    }
    seen.charged = usage.and_then(charged).or(seen.charged);
    seen.error = error.and_then(error_message).or(seen.error.take());
    seen.finish_reason = finish_reason(response);
    seen.done = true;
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
