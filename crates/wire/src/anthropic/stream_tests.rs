use bytes::Bytes;
use farthing_core::usage::{Bucket, Usage};
use proptest::prelude::*;

use crate::answer::Reported;
use crate::dialect::Dialect;
use crate::stream::StreamReader;

const RECORDED: &str = include_str!("../../tests/golden/anthropic/tools.stream");

/// What streams are made of, to be put together in any order.
const BITS: &[&str] = &[
    "data: ",
    "\n",
    "\r",
    r#"{"type":"message_start","message":"#,
    r#"{"type":"message_delta","usage":"#,
    r#"{"input_tokens":1,"output_tokens":2,"iterations":"#,
    r#"[{"type":"fallback_message","model":7}]"#,
    "null",
    "}",
    r#"{"type":"content_block_start","content_block":{"type":"fallback","to":[]}}"#,
];

fn event(data: &str) -> String {
    format!("event: x\ndata: {}\n\n", data.replace('\n', " "))
}

fn begun_with(usage: &str) -> String {
    event(&format!(r#"{{"type":"message_start","message":{{"model":"m","usage":{usage}}}}}"#))
}

fn then(usage: &str) -> String {
    event(&format!(r#"{{"type":"message_delta","delta":{{}},"usage":{usage}}}"#))
}

/// The stream read in chunks that end at `cuts`, each of which must pass at once.
fn read_in(stream: &str, cuts: &[usize]) -> StreamReader {
    let mut reader = Dialect::Anthropic.stream_reader(false);
    let mut from = 0;
    for to in cuts.iter().copied().filter(|cut| *cut <= stream.len()).chain([stream.len()]) {
        let chunk = Bytes::copy_from_slice(&stream.as_bytes()[from..to]);
        let mut out = Vec::new();
        reader.push(chunk.clone(), &mut |bytes| out.push(bytes));
        assert_eq!(out, [chunk]);
        from = to;
    }
    reader.finish(&mut |bytes| panic!("{bytes:?} was held back"));
    reader
}

fn usage_of(stream: &str) -> Reported {
    read_in(stream, &[]).usage().clone()
}

fn used(counts: &[(Bucket, u64)]) -> Usage {
    counts.iter().fold(Usage::NONE, |usage, (bucket, count)| usage.with(*bucket, *count))
}

#[test]
fn of_each_count_the_last_wins_and_null_does_not_count() {
    use Bucket::{CacheRead, CacheWrite1h, Input, Output};
    let start = begun_with(
        r#"{"input_tokens":9,"cache_read_input_tokens":5,"cache_creation_input_tokens":7,
            "cache_creation":{"ephemeral_1h_input_tokens":7},"output_tokens":1}"#,
    );
    let delta = r#"{"input_tokens":10,"cache_read_input_tokens":null,"output_tokens":20}"#;
    let expected = used(&[(Input, 10), (CacheRead, 5), (CacheWrite1h, 7), (Output, 20)]);
    let stream = [start, then(r#"{"output_tokens":3}"#), then(delta), then("null"), then("{}")];
    assert_eq!(usage_of(&stream.concat()), Reported::Valid(expected));
}

#[test]
fn what_a_stream_begins_with_is_no_count_of_the_answer() {
    let start = begun_with(r#"{"input_tokens":9,"cache_read_input_tokens":5,"output_tokens":4}"#);
    let prompt = used(&[(Bucket::Input, 9), (Bucket::CacheRead, 5)]);
    assert_eq!(usage_of(&start), Reported::PromptOnly(prompt));
    assert_eq!(usage_of(&(start + &then(r#"{"input_tokens":9}"#))), Reported::PromptOnly(prompt));
    assert_eq!(usage_of(&begun_with("null")), Reported::Absent);
    let zero = begun_with(r#"{"input_tokens":0,"output_tokens":0}"#);
    assert_eq!(usage_of(&zero), Reported::NoPrompt(Usage::NONE));
    let said = then(r#"{"input_tokens":3,"output_tokens":4}"#);
    let expected = used(&[(Bucket::Input, 3), (Bucket::Output, 4)]);
    assert_eq!(usage_of(&(zero + &said)), Reported::Valid(expected));
}

#[test]
fn writes_that_come_later_live_as_long_as_the_first() {
    let start = |split: &str| {
        begun_with(&format!(r#"{{"input_tokens":1,"output_tokens":1,"cache_creation":{split}}}"#))
    };
    let grown = then(r#"{"output_tokens":2,"cache_creation_input_tokens":9}"#);
    for (split, bucket) in [
        (r#"{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":4}"#, Bucket::CacheWrite1h),
        (r#"{"ephemeral_5m_input_tokens":4,"ephemeral_1h_input_tokens":0}"#, Bucket::CacheWrite5m),
        ("null", Bucket::CacheWrite5m),
    ] {
        let expected = used(&[(Bucket::Input, 1), (bucket, 9), (Bucket::Output, 2)]);
        assert_eq!(usage_of(&(start(split) + &grown)), Reported::Valid(expected), "{split}");
    }
}

#[test]
fn where_inference_ran_is_told_only_at_the_start() {
    let start = begun_with(r#"{"input_tokens":1,"inference_geo":"us","service_tier":"standard"}"#);
    let reader = read_in(&(start + &then(r#"{"output_tokens":1}"#)), &[]);
    assert_eq!(reader.served().values().collect::<Vec<_>>(), ["us"]);
}

#[test]
fn a_stream_is_finished_when_its_answer_has_a_reason_to_stop() {
    let start = begun_with("null");
    let stop = |reason: &str| {
        event(&format!(r#"{{"type":"message_delta","delta":{{"stop_reason":{reason}}}}}"#))
    };
    assert!(!read_in("", &[]).finished());
    assert!(!read_in(&start, &[]).finished());
    assert!(!read_in(&(start.clone() + &stop("null")), &[]).finished());
    let stopped = read_in(&(start.clone() + &stop(r#""max_tokens""#)), &[]);
    assert!(stopped.finished());
    assert_eq!(stopped.finish_reason(), Some("max_tokens"));
    assert!(read_in(&(start + &event(r#"{"type":"message_stop"}"#)), &[]).finished());
}

proptest! {
    #[test]
    fn a_stream_reads_the_same_however_it_arrives(
        cuts in proptest::collection::btree_set(0..RECORDED.len(), 0..60),
    ) {
        let cuts: Vec<_> = cuts.into_iter().collect();
        let [whole, cut] = [read_in(RECORDED, &[]), read_in(RECORDED, &cuts)];
        prop_assert_eq!(whole.usage(), cut.usage());
        prop_assert_eq!(whole.text(), cut.text());
        prop_assert_eq!((whole.model(), whole.finished()), (cut.model(), cut.finished()));
        prop_assert_eq!(cut.unread_bytes(), 0);
    }

    #[test]
    fn a_stream_that_breaks_off_never_bills_more_than_it_said(end in 0..RECORDED.len()) {
        let Some(begun) = RECORDED.get(..end) else { return Ok(()) };
        let whole = read_in(RECORDED, &[]);
        match (read_in(begun, &[]).usage(), whole.usage()) {
            (Reported::Absent, _) => {}
            (Reported::PromptOnly(prompt), Reported::Valid(all)) => {
                prop_assert_eq!(prompt.completion(), 0);
                prop_assert!(prompt.prompt() <= all.prompt());
            }
            (broken, whole) => prop_assert_eq!(broken, whole),
        }
    }

    #[test]
    fn no_stream_makes_it_panic(
        bits in proptest::collection::vec(proptest::sample::select(BITS), 0..40),
        cuts in proptest::collection::btree_set(0..400_usize, 0..40),
    ) {
        read_in(&bits.concat(), &cuts.into_iter().collect::<Vec<_>>());
    }
}
