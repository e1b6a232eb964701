//! What Cohere's [chat](https://docs.cohere.com/reference/chat), embedding and reranking answer.
//! `billed_units` are the bill; `tokens` beside them count what Cohere adds to a prompt as well, and
//! stand in only where there are no billed units.

use bytes::Bytes;
use farthing_core::usage::{Bucket, Usage};

use crate::answer::{self, Answer, AnswerError, Reported};
use crate::fields::text;
use crate::json::{Json, Kind, pick};
use crate::stream::{OfUsage, Seen};
use crate::usage::{self, agreed, count};

const UNITS: [(&str, Bucket); 3] = [
    ("input_tokens", Bucket::Input),
    ("output_tokens", Bucket::Output),
    // Of reranking.
    ("search_units", Bucket::Requests),
];

/// Reads an answer.
pub(crate) fn read(body: &Bytes) -> Result<Answer, AnswerError> {
    let document = answer::document(body)?;
    pick!(document => message, finish_reason, usage, meta);
    let mut texts = Vec::new();
    message.into_iter().for_each(|message| each_text(message, &mut |text| texts.push(text.span())));
    Ok(Answer {
        usage: reported(usage.or(meta)),
        finish_reason: text(finish_reason),
        // An error is an answer whose message is a string.
        error: text(message),
        texts,
        ..Answer::empty(body)
    })
}

/// Reads one event of a stream. Usage comes with the last.
pub(crate) fn read_event(event: Json, seen: &mut Seen) -> OfUsage {
    pick!(event => delta);
    seen.begun = 1;
    let Some(delta) = delta else { return OfUsage::Nothing };
    pick!(delta => message, finish_reason, usage);
    message.into_iter().for_each(|message| {
        each_text(message, &mut |text| seen.say(&text.as_str().unwrap_or_default()));
    });
    if let Some(reason) = text(finish_reason) {
        seen.finish_reason = Some(reason);
        seen.ended = 1;
    }
    match reported(usage) {
        Reported::Absent => {}
        reported => seen.usage = reported,
    }
    OfUsage::Nothing
}

fn reported(usage: Option<Json>) -> Reported {
    usage::reported(usage, |usage| {
        pick!(usage => billed_units, tokens);
        let Some(units) = billed_units.or(tokens).filter(|units| units.kind() == Kind::Object)
        else {
            return Err("billed_units are missing".to_owned());
        };
        let mut billed = Usage::NONE;
        for (name, bucket) in UNITS {
            billed = billed.with(bucket, count(Some(units), name)?.unwrap_or(0));
        }
        Ok(agreed(billed))
    })
}

/// Every string of a message, or of a piece of one, that the model wrote.
fn each_text<'a>(message: Json<'a>, say: &mut impl FnMut(Json<'a>)) {
    pick!(message => content, tool_plan, tool_calls);
    let mut say = |text: Option<Json<'a>>| {
        text.filter(|text| text.kind() == Kind::String).map(&mut *say);
    };
    say(tool_plan);
    // A stream sends the pieces one by one, without the array.
    let each = |list: Option<Json<'a>>| {
        let one = list.filter(|list| list.kind() == Kind::Object);
        one.into_iter().chain(list.into_iter().flat_map(Json::elements))
    };
    for part in each(content) {
        pick!(part => thinking, text);
        say(thinking);
        say(text);
    }
    for call in each(tool_calls) {
        let [function] = call.pick(["function"]);
        let [name, arguments] = function.map_or([None; 2], |it| it.pick(["name", "arguments"]));
        say(name);
        say(arguments);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(body: &str) -> Reported {
        read(&Bytes::copy_from_slice(body.as_bytes())).unwrap().usage
    }

    #[test]
    fn billed_units_are_the_bill() {
        let billed = Usage::NONE.with(Bucket::Input, 100).with(Bucket::Output, 50);
        let both = r#"{"usage":{"billed_units":{"input_tokens":100,"output_tokens":50},
            "tokens":{"input_tokens":700,"output_tokens":55}}}"#;
        assert_eq!(usage(both), Reported::Valid(billed));
        let older = r#"{"meta":{"billed_units":{"input_tokens":100.0,"output_tokens":50}}}"#;
        assert_eq!(usage(older), Reported::Valid(billed));
        let tokens = r#"{"usage":{"tokens":{"input_tokens":100,"output_tokens":50}}}"#;
        assert_eq!(usage(tokens), Reported::Valid(billed));
        assert!(matches!(usage(r#"{"usage":{"cached_tokens":5}}"#), Reported::Invalid(_)));
        let negative = r#"{"usage":{"billed_units":{"input_tokens":-1}}}"#;
        assert!(matches!(usage(negative), Reported::Invalid(_)));
    }

    #[test]
    fn a_stream_is_billed_by_its_last_event() {
        let mut seen = Seen::default();
        for event in [
            r#"{"type":"content-delta","delta":{"message":{"content":{"text":"Hi."}}}}"#,
            r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE",
                "usage":{"billed_units":{"input_tokens":7,"output_tokens":2}}}}"#,
        ] {
            read_event(Json::parse(event.as_bytes()).unwrap(), &mut seen);
        }
        let billed = Usage::NONE.with(Bucket::Input, 7).with(Bucket::Output, 2);
        assert_eq!(seen.usage, Reported::Valid(billed));
        assert_eq!((seen.ended, seen.finish_reason.as_deref()), (1, Some("COMPLETE")));
    }
}
