//! Answers of APIs that are not spoken through us: images, realtime, and Mistral's reading of
//! documents, of which no more than the usage is looked at.

use bytes::Bytes;
use farthing_core::usage::{Bucket, Usage};

use super::usage::{IMAGES, Names, REALTIME, reported};
use crate::answer::{self, Answer, AnswerError, Reported, error_message};
use crate::fields::text;
use crate::json::{Json, pick};
use crate::stream::{OfUsage, Seen};
use crate::usage::{self, required};

/// Reads generated images: an answer, or the last event of a stream.
pub(crate) fn read_images(body: &Bytes) -> Result<Answer, AnswerError> {
    read(body, IMAGES)
}

/// Reads the end of a turn, `response.done`, or the response in it.
pub(crate) fn read_realtime(body: &Bytes) -> Result<Answer, AnswerError> {
    read(body, REALTIME)
}

/// Reads a document that was read, page by page, each of this kind.
pub(crate) fn read_ocr(body: &Bytes, kind: Bucket) -> Result<Answer, AnswerError> {
    let document = answer::document(body)?;
    pick!(document => model, usage_info);
    let usage = usage::reported(usage_info, |usage| {
        let pages = required(usage, "pages_processed")?;
        Ok(Reported::Valid(Usage::NONE.with(kind, pages)))
    });
    Ok(Answer { model: text(model), usage, ..Answer::empty(body) })
}

/// Reads an event of a stream of images.
pub(crate) fn read_images_event(event: Json, seen: &mut Seen) -> OfUsage {
    read_event(event, IMAGES, seen)
}

/// Reads an event of a session. Each turn is a bill of its own: they add up.
pub(crate) fn read_realtime_event(event: Json, seen: &mut Seen) -> OfUsage {
    read_event(event, REALTIME, seen)
}

fn read(body: &Bytes, names: Names) -> Result<Answer, AnswerError> {
    let document = answer::document(body)?;
    pick!(document => response, error);
    pick!(response.unwrap_or(document) => model, usage);
    Ok(Answer {
        model: text(model),
        usage: reported(usage, names),
        error: error.and_then(error_message),
        ..Answer::empty(body)
    })
}

fn read_event(event: Json, names: Names, seen: &mut Seen) -> OfUsage {
    pick!(event => response);
    pick!(response.unwrap_or(event) => model, usage);
    seen.model = text(model).or(seen.model.take());
    seen.usage = match (std::mem::take(&mut seen.usage), reported(usage, names)) {
        (before, Reported::Absent) => before,
        (Reported::Valid(before), Reported::Valid(now)) => Reported::Valid(before.plus(&now)),
        (invalid @ Reported::Invalid(_), _) => invalid,
        (_, now) => now,
    };
    OfUsage::Nothing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valid(answer: Answer) -> Vec<(&'static str, u64)> {
        match answer.usage {
            Reported::Valid(usage) => usage.iter().map(|(bucket, n)| (bucket.name(), n)).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_an_image_takes_is_an_image_unless_it_is_said_to_be_text() {
        let whole = r#"{"usage":{"input_tokens":50,"input_tokens_details":{"text_tokens":10,"image_tokens":40},
            "output_tokens":1056,"total_tokens":1106}}"#;
        let buckets = [("input", 10), ("input_image", 40), ("output_image", 1056)];
        assert_eq!(valid(read_images(&whole.into()).unwrap()), buckets);
        let split = r#"{"usage":{"input_tokens":10,"output_tokens":1060,
            "output_tokens_details":{"text_tokens":4,"image_tokens":1056}}}"#;
        let buckets = [("input", 10), ("output", 4), ("output_image", 1056)];
        assert_eq!(valid(read_images(&split.into()).unwrap()), buckets);
    }

    #[test]
    fn a_turn_tells_what_of_each_kind_was_cached() {
        let turn = r#"{"type":"response.done","response":{"usage":{"input_tokens":200,"output_tokens":50,
            "total_tokens":250,"input_token_details":{"text_tokens":120,"audio_tokens":80,"cached_tokens":100,
            "cached_tokens_details":{"text_tokens":70,"audio_tokens":30}},
            "output_token_details":{"text_tokens":20,"audio_tokens":30}}}}"#;
        let buckets = [
            ("input", 50),
            ("input_audio", 50),
            ("cache_read", 70),
            ("cache_read_audio", 30),
            ("output", 20),
            ("output_audio", 30),
        ];
        assert_eq!(valid(read_realtime(&turn.into()).unwrap()), buckets);
        let mut seen = Seen::default();
        for _ in 0..2 {
            read_realtime_event(Json::parse(turn.as_bytes()).unwrap(), &mut seen);
        }
        let Reported::Valid(both) = seen.usage else { panic!("{:?}", seen.usage) };
        assert_eq!((both.prompt(), both.completion()), (400, 100));
    }

    #[test]
    fn pages_are_counted() {
        let body = Bytes::from_static(br#"{"model":"m","usage_info":{"pages_processed":3}}"#);
        let read = read_ocr(&body, Bucket::Pages).unwrap();
        assert_eq!((read.model.as_deref(), valid(read.clone())), (Some("m"), vec![("pages", 3)]));
    }
}
