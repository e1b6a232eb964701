use proptest::prelude::*;

use super::*;

const FRAMES: usize = 6;

/// What passes of a stream that arrives in chunks that end at `cuts`.
fn passed(stream: &[u8], cuts: &[usize], strip_usage: bool) -> (Vec<u8>, StreamReader) {
    let mut reader = Dialect::OpenAiChat.stream_reader(strip_usage);
    let mut out = Vec::new();
    let mut from = 0;
    for to in cuts.iter().copied().filter(|cut| *cut <= stream.len()).chain([stream.len()]) {
        let chunk = Bytes::copy_from_slice(&stream[from..to]);
        reader.push(chunk, &mut |bytes| out.extend_from_slice(&bytes));
        from = to;
    }
    reader.finish(&mut |bytes| out.extend_from_slice(&bytes));
    (out, reader)
}

fn read(stream: &str) -> StreamReader {
    passed(stream.as_bytes(), &[], true).1
}

#[test]
fn without_stripping_every_chunk_passes_at_once() {
    let mut reader = Dialect::OpenAiChat.stream_reader(false);
    for chunk in ["data: {\"choices\":[{\"del", "ta\":{\"content\":\"a\"}}]}\n\nda", "ta: [DO"] {
        let mut out = Vec::new();
        reader.push(Bytes::from(chunk), &mut |bytes| out.push(bytes));
        assert_eq!(out, [chunk]);
    }
    reader.finish(&mut |bytes| panic!("{bytes:?} was held back"));
    assert_eq!(reader.text(), "a");
}

#[test]
fn with_stripping_a_frame_passes_as_soon_as_it_is_whole() {
    let mut reader = Dialect::OpenAiChat.stream_reader(true);
    let mut out = Vec::new();
    reader.push(Bytes::from("data: {\"usage\": null, \"a\""), &mut |bytes| out.push(bytes));
    assert_eq!(out, [""; 0]);
    reader.push(Bytes::from(": 1.0}\n\ndata: [DONE]\n"), &mut |bytes| out.push(bytes));
    assert_eq!(out, ["data: {\"a\": 1.0}\n\n"]);
    reader.finish(&mut |bytes| out.push(bytes));
    assert_eq!(out[1..], ["data: [DONE]\n"]);
    assert!(reader.finished());
}

#[test]
fn what_a_provider_sends_unasked_is_not_stripped() {
    for frame in [
        r#"data: {"choices":[{"index":0,"delta":{}}],"usage":{"prompt_tokens":1}}"#,
        r#"data: {"choices":[],"prompt_filter_results":[]}"#,
        r#"data: {"choices":[{"delta":{"content":"\"usage\":null"}}],"x":{"usage":null}}"#,
        r#"data: {"usage":{"prompt_tokens":1}}"#,
        "data: {\"choices\":[],\ndata: \"usage\":null}",
        r#"data: "usage":null"#,
        ": \"usage\":null",
    ] {
        let stream = format!("{frame}\n\n");
        let (out, _) = passed(stream.as_bytes(), &[], true);
        assert_eq!(String::from_utf8(out).unwrap(), stream);
    }
}

#[test]
fn of_repeated_usage_the_last_wins_and_null_does_not_count() {
    let usage =
        |n| format!("data: {{\"usage\":{{\"prompt_tokens\":{n},\"completion_tokens\":0}}}}\n\n");
    let stream = [usage(1), usage(2), "data: {\"usage\":null}\n\n".into()].concat();
    let expected = farthing_core::usage::Usage::NONE.with(farthing_core::usage::Bucket::Input, 2);
    assert_eq!(read(&stream).usage(), &Reported::Valid(expected));
}

#[test]
fn the_tier_that_was_named_last_is_the_one_served() {
    let tiers = |tiers: &[&str]| -> String {
        tiers.iter().map(|tier| format!("data: {{\"service_tier\":{tier}}}\n\n")).collect()
    };
    let served = read(&tiers(&[r#""auto""#, r#""flex""#, "null"])).served().clone();
    assert_eq!(served.into_values().collect::<Vec<_>>(), ["flex"]);
    assert!(read(&tiers(&[r#""flex""#, r#""default""#])).served().is_empty());
}

#[test]
fn a_stream_is_finished_when_every_answer_is() {
    let choice = |index, reason: &str| {
        format!(
            "data: {{\"choices\":[{{\"index\":{index},\"delta\":{{}},\"finish_reason\":{reason}}}]}}\n\n"
        )
    };
    let begun = [choice(0, "null"), choice(1, "null"), choice(0, "\"stop\"")].concat();
    assert!(!read("").finished());
    assert!(!read(&begun).finished());
    let ended = begun + &choice(1, "\"length\"");
    assert!(read(&ended).finished());
    assert_eq!(read(&ended).finish_reason(), Some("length"));
    assert!(read("data: [DONE]").finished());
}

#[test]
fn text_beyond_its_room_is_counted_and_not_kept() {
    let piece = "x".repeat(TEXT_BYTES_MAX / 2 + 1);
    let frame = format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{piece}\"}}}}]}}\n\n");
    let reader = read(&frame.repeat(3));
    assert_eq!(reader.text().len(), piece.len());
    assert_eq!(reader.unread_bytes(), 2 * piece.len() as u64);
}

#[test]
fn a_frame_too_long_to_be_read_passes_untouched() {
    let frame = format!("data: {{\"usage\":null,\"x\":\"{}\"}}\n\n", "x".repeat(FRAME_BYTES_MAX));
    let (out, reader) = passed(frame.as_bytes(), &[3, FRAME_BYTES_MAX + 1], true);
    assert!(out == frame.as_bytes());
    assert!(reader.unread_bytes() >= FRAME_BYTES_MAX as u64);
}

/// What streams are made of, to be put together in any order.
const BITS: &[&[u8]] = &[
    b"data: ",
    b"\n",
    b"\r",
    b"{\"usage\":null",
    b"{\"choices\":[{\"delta\":{\"content\":\"",
    b"\"}}]",
    b"}",
    b"\xff\x00",
];

/// An event as a provider writes it that was asked for usage, and as one that was not.
#[derive(Clone, Debug)]
struct Twins {
    asked: String,
    unasked: String,
}

fn events() -> impl Strategy<Value = Twins> {
    let text = prop_oneof![r#"[a-z "\\é😀:{}\[\],]{0,12}"#, Just("\"usage\":null".to_owned())];
    let chunk = (text, 0..FRAMES, any::<bool>(), any::<bool>()).prop_map(
        |(text, place, spaced, only_content)| {
            let content = serde_json::to_string(&text).unwrap();
            let choices = format!(r#""choices":[{{"index":0,"delta":{{"content":{content}}}}}]"#);
            let mut members = vec![choices];
            if !only_content {
                members.extend([r#""id":"1""#, r#""n":12345678901234567890.0"#].map(String::from));
            }
            let (colon, comma) = if spaced { (": ", ", ") } else { (":", ",") };
            let write = |members: &[String]| format!("data: {{{}}}", members.join(comma));
            let unasked = write(&members);
            members.insert(place.min(members.len()), format!(r#""usage"{colon}null"#));
            Twins { asked: write(&members), unasked }
        },
    );
    let same = |text: &'static str| Just(Twins { asked: text.into(), unasked: text.into() });
    prop_oneof![
        6 => chunk,
        1 => same(": keep-alive"),
        1 => same("event: ping\ndata: {\"type\": \"ping\"}"),
        1 => same("data: no JSON"),
    ]
}

proptest! {
    #[test]
    fn the_client_sees_what_it_would_have_seen_without_us(
        events in proptest::collection::vec(events(), 0..8),
        spaced in any::<bool>(),
        has_usage in any::<bool>(),
        line_end in prop_oneof![Just("\n"), Just("\r\n"), Just("\r")],
        is_cut_off in any::<bool>(),
        cuts in proptest::collection::btree_set(0..2000_usize, 0..40),
    ) {
        let usage = if spaced {
            r#"data: {"usage": {"prompt_tokens": 3, "completion_tokens": 4}, "choices": [ ]}"#
        } else {
            r#"data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#
        };
        let mut asked: String = events.iter().map(|event| event.asked.clone() + "\n\n").collect();
        let mut unasked: String = events.iter().map(|event| event.unasked.clone() + "\n\n").collect();
        if has_usage {
            asked = asked + usage + "\n\n";
        }
        let end = if is_cut_off { "data: {\"choi" } else { "data: [DONE]\n\n" };
        asked = (asked + end).replace('\n', line_end);
        unasked = (unasked + end).replace('\n', line_end);

        let cuts: Vec<_> = cuts.into_iter().collect();
        let (out, reader) = passed(asked.as_bytes(), &cuts, true);
        prop_assert_eq!(String::from_utf8(out).unwrap(), unasked);
        prop_assert_eq!(matches!(reader.usage(), Reported::Valid(_)), has_usage);

        let (out, untouched) = passed(asked.as_bytes(), &cuts, false);
        prop_assert_eq!(out, asked.as_bytes());
        prop_assert_eq!(untouched.text(), reader.text());
    }

    #[test]
    fn no_bytes_make_it_panic_and_none_are_lost(
        stream in proptest::collection::vec(
            proptest::sample::select(BITS),
            0..40,
        ),
        cuts in proptest::collection::btree_set(0..400_usize, 0..40),
    ) {
        let stream = stream.concat();
        let cuts: Vec<_> = cuts.into_iter().collect();
        prop_assert_eq!(passed(&stream, &cuts, false).0, stream.clone());
        passed(&stream, &cuts, true);
    }
}
