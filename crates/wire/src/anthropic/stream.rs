//! Reading an answer that comes as a stream of events.

use super::message::each_text;
use super::note_served;
use crate::answer::error_message;
use crate::json::{Json, pick, type_of};
use crate::stream::{OfUsage, Seen};
use crate::tool_use;

/// Reads one event. Usage comes unasked, so nothing of it is ever taken out.
pub(crate) fn read(event: Json, seen: &mut Seen) -> OfUsage {
    pick!(event => message, content_block, delta, usage, error);
    match &*type_of(event) {
        "message_start" => message.into_iter().for_each(|message| start(message, seen)),
        "content_block_start" => {
            content_block.into_iter().for_each(|block| begin_block(block, seen));
        }
        "content_block_delta" => {
            delta.into_iter().for_each(|delta| say(delta, seen));
        }
        "message_delta" => {
            delta.into_iter().for_each(|delta| stop(delta, seen));
            add_usage(usage, true, seen);
        }
        "message_stop" => seen.done = true,
        "error" => seen.error = error.and_then(error_message),
        _ => {}
    }
    OfUsage::Nothing
}

fn start(message: Json, seen: &mut Seen) {
    pick!(message => model, usage);
    seen.begun = 1;
    seen.model = model.and_then(Json::as_str).map(String::from);
    add_usage(usage, false, seen);
}

/// A block of type `fallback` says that from here on another model answers.
fn begin_block(block: Json, seen: &mut Seen) {
    pick!(block => to);
    let model = to.and_then(|to| to.pick(["model"])[0]).and_then(Json::as_str);
    seen.model = model.map(String::from).or(seen.model.take());
    tool_use::of_anthropic(block, &mut seen.tools);
    say(block, seen);
}

fn say(block: Json, seen: &mut Seen) {
    each_text(block, &mut |text| match text.as_str() {
        Some(string) => seen.say(&string),
        None => seen.say(text.text()),
    });
}

fn stop(delta: Json, seen: &mut Seen) {
    pick!(delta => stop_reason);
    if let Some(reason) = stop_reason.and_then(Json::as_str) {
        seen.finish_reason = Some(reason.into_owned());
        seen.ended = 1;
    }
}

fn add_usage(usage: Option<Json>, of_answer: bool, seen: &mut Seen) {
    let Some(usage) = usage else { return };
    note_served(&mut seen.served, usage);
    seen.merged.add(usage, of_answer);
    seen.usage = seen.merged.reported(seen.model.as_deref());
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
