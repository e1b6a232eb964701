//! What Amazon Bedrock's [Converse](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html)
//! answers. The model is in the request's address only.
//!
//! | member of `usage` | is |
//! |---|---|
//! | `inputTokens` | the prompt without cache reads and writes |
//! | `cacheReadInputTokens` | cache reads |
//! | `cacheWriteInputTokens` | cache writes; `cacheDetails` says which live how long, and without it they live five minutes |
//! | `outputTokens` | the answer |
//! | `totalTokens` | all of them |

use bytes::Bytes;
use farthing_core::pricing::{Dimension, Served};
use farthing_core::usage::{Bucket, Usage};

use crate::answer::{self, Answer, AnswerError, Reported};
use crate::fields::text;
use crate::json::{Json, Kind, pick};
use crate::stream::{OfUsage, Seen};
use crate::usage::{self, agreed, count, required};

/// Reads an answer.
pub(crate) fn read(body: &Bytes) -> Result<Answer, AnswerError> {
    let document = answer::document(body)?;
    let [output, reason, usage, message] =
        document.pick(["output", "stopReason", "usage", "message"]);
    let mut served = Served::new();
    note_served(&mut served, document);
    let said = output.and_then(|output| output.pick(["message"])[0]);
    let blocks = said.and_then(|message| message.pick(["content"])[0]);
    let mut texts = Vec::new();
    for block in blocks.into_iter().flat_map(Json::elements) {
        each_text(block, &mut |text| texts.push(text.span()));
    }
    Ok(Answer {
        served,
        usage: reported(usage),
        finish_reason: text(reason),
        error: text(message),
        texts,
        ..Answer::empty(body)
    })
}

/// Reads one event of a stream. Usage comes in the last, `metadata`.
pub(crate) fn read_event(event: Json, seen: &mut Seen) -> OfUsage {
    let [start, delta, stop, metadata] =
        event.pick(["contentBlockStart", "contentBlockDelta", "messageStop", "metadata"]);
    seen.begun = 1;
    let pieces =
        [start.map(|start| start.pick(["start"])), delta.map(|delta| delta.pick(["delta"]))];
    for piece in pieces.into_iter().flatten().flatten().flatten() {
        each_text(piece, &mut |text| seen.say(&text.as_str().unwrap_or_default()));
    }
    if let Some(reason) = stop.and_then(|stop| text(stop.pick(["stopReason"])[0])) {
        seen.finish_reason = Some(reason);
        seen.ended = 1;
    }
    // Put down without its name, an event is known by what it has.
    let metadata = metadata.unwrap_or(event);
    note_served(&mut seen.served, metadata);
    match reported(metadata.pick(["usage"])[0]) {
        Reported::Absent => {}
        reported => seen.usage = reported,
    }
    OfUsage::Nothing
}

fn reported(usage: Option<Json>) -> Reported {
    usage::reported(usage, |usage| {
        let [short, long] = written(usage)?;
        let buckets = Usage::NONE
            .with(Bucket::Input, required(usage, "inputTokens")?)
            .with(Bucket::CacheRead, either(usage, "cacheReadInputTokens")?)
            .with(Bucket::CacheWrite5m, short)
            .with(Bucket::CacheWrite1h, long)
            .with(Bucket::Output, count(Some(usage), "outputTokens")?.unwrap_or(0));
        let sum = buckets.prompt() + buckets.completion();
        match count(Some(usage), "totalTokens")? {
            Some(total) if total != sum => {
                Err(format!("totalTokens is {total}, but the counts add up to {sum}"))
            }
            _ => Ok(agreed(buckets)),
        }
    })
}

/// The cache writes that live five minutes, and an hour.
fn written(usage: Json) -> Result<[u64; 2], String> {
    let total = either(usage, "cacheWriteInputTokens")?;
    let [details] = usage.pick(["cacheDetails"]);
    let mut long = 0;
    let mut listed = 0;
    for entry in details.into_iter().flat_map(Json::elements) {
        pick!(entry => ttl);
        let tokens = required(entry, "inputTokens")?;
        listed += tokens;
        if ttl.and_then(Json::as_str).is_some_and(|ttl| ttl != "5m") {
            long += tokens;
        }
    }
    match total.checked_sub(listed) {
        // What is not listed lives as long as what has no list.
        Some(_) => Ok([total - long, long]),
        None => {
            Err(format!("cacheDetails add up to {listed}, but cacheWriteInputTokens is {total}"))
        }
    }
}

/// A count that is sent under two names.
fn either(usage: Json, name: &str) -> Result<u64, String> {
    let older = format!("{}Count", name.trim_end_matches('s'));
    let [new, old] = [count(Some(usage), name)?, count(Some(usage), &older)?];
    match (new, old) {
        (Some(new), Some(old)) if new != old => {
            Err(format!("{name} is said to be {new} and {old}"))
        }
        _ => Ok(new.or(old).unwrap_or(0)),
    }
}

/// Notes how a request was served.
fn note_served(served: &mut Served, said: Json) {
    let [latency, tier] = said.pick(["performanceConfig", "serviceTier"]);
    let member = |of: Option<Json>, name: &str| {
        of.filter(|of| of.kind() == Kind::Object).and_then(|of| text(of.pick([name])[0]))
    };
    for (what, how) in [
        (Dimension::Speed, member(latency, "latency")),
        (Dimension::ServiceTier, member(tier, "type")),
    ] {
        if let Some(how) = how.filter(|how| !matches!(how.as_str(), "standard" | "default")) {
            served.insert(what, how);
        }
    }
}

/// Every string of a content block, or of a piece of one, that the model wrote.
fn each_text<'a>(block: Json<'a>, say: &mut impl FnMut(Json<'a>)) {
    let [said, call, thought] = block.pick(["text", "toolUse", "reasoningContent"]);
    said.filter(|said| said.kind() == Kind::String).map(&mut *say);
    let [name, input] = call.map_or([None; 2], |call| call.pick(["name", "input"]));
    name.into_iter().chain(input).for_each(&mut *say);
    let thought = thought.and_then(|thought| {
        thought.pick(["text"])[0].or(thought.pick(["reasoningText"])[0]?.pick(["text"])[0])
    });
    thought.filter(|said| said.kind() == Kind::String).map(say);
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
