use proptest::prelude::*;

use super::*;
use crate::codec::marker;

fn view(lines: std::ops::Range<u64>, style: impl Fn(u64) -> String) -> String {
    lines.map(|line| style(line) + "\n").collect()
}

fn code(line: u64) -> String {
    format!("    let value_{line} = compute(input_{line}, {});", line * 7)
}

fn cat(line: u64) -> String {
    format!("{line:>6}\t{}", code(line))
}

fn earlier(texts: &[&str]) -> Earlier {
    let mut earlier = Earlier::new();
    for (number, text) in (1..).zip(texts) {
        earlier.add(Place::ToolResult(number), *text);
    }
    earlier
}

fn encoded(earlier: &Earlier, text: &str) -> String {
    let encoded = earlier.encode(Place::ToolResult(9), text).unwrap();
    assert_eq!(earlier.decode(&encoded).as_deref(), Some(text));
    assert_eq!(earlier.encode(Place::ToolResult(9), &encoded), None, "a second time");
    encoded
}

#[test]
fn a_text_that_stands_earlier_becomes_a_reference() {
    let text = view(1..30, code);
    assert_eq!(encoded(&earlier(&["x", &text]), &text), "[§ same as tool result 2]");
}

#[test]
fn a_view_of_part_of_a_file_refers_to_the_numbers_it_shows() {
    let whole = format!("File a.rs:\n{}", view(1..40, cat));
    let part = format!("Lines 10-30:\n{}", view(10..31, cat));
    assert_eq!(
        encoded(&earlier(&[&whole]), &part),
        "Lines 10-30:\n[§ same as 10-30 in tool result 1]\n"
    );
}

#[test]
fn what_moved_refers_to_both_numbers_and_keeps_a_margin_of_code() {
    let before = view(1..80, cat);
    let inserted = "     5\t    inserted();\n".to_owned();
    let moved = view(5..80, |line| format!("{:>6}\t{}", line + 1, code(line)));
    let after = [view(1..5, cat), inserted, moved].concat();
    let shown = encoded(&earlier(&[&before]), &after);
    assert!(shown.ends_with("[§ same as 21-79 in tool result 1, now 22-80]\n"), "{shown}");
    assert!(shown.starts_with(&after[..after.find("    22\t").unwrap()]), "{shown}");
}

#[test]
fn numbers_that_are_not_padded_move_too() {
    let before = view(1..40, |line| format!("{line}:{}", code(line)));
    let after = view(9..40, |line| format!("{}:{}", line + 1, code(line)));
    assert_eq!(
        encoded(&earlier(&[&before]), &after),
        "[§ same as 9-39 in tool result 1, now 10-40]\n"
    );
}

#[test]
fn blocks_within_the_text_itself_are_found() {
    let block = "a line that is repeated\nanother line that is repeated\nand a third one of them\n\
                 and the fourth of the lines\n";
    let text = format!("{block}something new\n{block}the end");
    assert_eq!(
        encoded(&Earlier::new(), &text),
        format!("{block}something new\n[§ same as lines 1-4 above]\nthe end")
    );
}

#[test]
fn references_never_point_at_references() {
    let text = view(1..30, |line| format!("entry {line} of the log with words"));
    let mut earlier = earlier(&[&text]);
    earlier.add(Place::ToolResult(2), encoded(&earlier, &text));
    assert_eq!(encoded(&earlier, &text), "[§ same as tool result 1]");
}

#[test]
fn a_data_uri_is_sent_once() {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let data: String = (0..300_u32)
        .map(|n| char::from(digits[(n.wrapping_mul(2_654_435_761) >> 26) as usize]))
        .collect();
    let first = format!("{{\"plot\":\"data:image/png;base64,{data}\"}}");
    let again = format!("![plot](data:image/png;base64,{data}) and text");
    assert_eq!(
        encoded(&earlier(&[&first]), &again),
        "![plot]([§ same as blob 1 of tool result 1]) and text"
    );
}

#[test]
fn short_blocks_and_brackets_are_not_worth_a_reference() {
    let earlier = earlier(&["}\n}\n\n}\nok\nok\n", "one two\nthree four\nfive six\nseven"]);
    for text in [
        "",
        "}\n}\n\n}\nok\nok\n",
        "new words\none two\nthree four\nfive six\nand other new words here",
    ] {
        assert_eq!(earlier.encode(Place::ToolResult(3), text), None);
    }
}

#[test]
fn a_reference_that_points_nowhere_is_refused() {
    let earlier = earlier(&["a\nb"]);
    for text in [
        "no reference",
        "[§ same as tool result 2]",
        "[§ same as lines 1-9 of tool result 1]",
        "[§ same as lines 0-1 of tool result 1]",
        "[§ same as lines 2-1 of tool result 1]",
        "[§ same as 5-6 in tool result 1]",
        "[§ same as lines 1-2 above]",
        "[§ same as blob 1 of tool result 1]",
        "x[§ same as blob 0 of tool result 1",
        "[§ same as lines 1-4000000000 of tool result 1]",
    ] {
        assert_eq!(earlier.decode(text), None, "{text}");
    }
}

#[test]
fn what_a_model_copied_goes_into_a_file_without_the_numbers_of_a_view() {
    let earlier = earlier(&[&view(1..40, cat), &view(1..40, code)]);
    let restored = |reference: &str| {
        let arguments = serde_json::json!({ "content": format!("// new\n{reference}\n") });
        marker::restore(&arguments.to_string(), &|text| earlier.restore(text))
    };
    let content = serde_json::json!({ "content": format!("// new\n{}", view(10..31, code)) });
    let expected = marker::Restored::Replaced(content.to_string());
    assert_eq!(restored("[§ same as 10-30 in tool result 1]"), expected);
    assert_eq!(restored("[§ same as lines 10-30 of tool result 2]"), expected);
    for unknown in ["[§ same as lines 10-30 of tool result 1]", "[§ same as tool result 7]"] {
        assert_eq!(restored(unknown), marker::Restored::Refused);
    }
}

#[test]
fn texts_made_to_hurt_take_no_time() {
    for piece in
        ["\n", "a\n", "1:\n", "the same line of some length again and again and again and again\n"]
    {
        let text = piece.repeat(300_000 / piece.len());
        let earlier = earlier(&[&text]);
        earlier.encode(Place::ToolResult(2), &format!("{text}x"));
        earlier.encode(Place::ToolResult(2), &text.replace("a\n", "a\nb\n"));
    }
}

/// Texts that share blocks: views of one file, lines of one log.
fn shared() -> impl Strategy<Value = String> {
    let block = prop_oneof![
        (1..60_u64, 1..25_u64).prop_map(|(from, count)| view(from..from + count, cat)),
        (1..60_u64, 1..25_u64, 0..9_u64).prop_map(|(from, count, moved)| {
            view(from..from + count, |line| format!("{}:{}", line + moved, code(line)))
        }),
        (1..60_u64, 1..25_u64).prop_map(|(from, count)| view(from..from + count, code)),
        Just("}\n}\n\n".to_owned()),
        Just("[§ same as tool result 1]\n".to_owned()),
        Just("  7\tx\r\n".to_owned()),
        "\\PC{0,20}\n?",
    ];
    prop::collection::vec(block, 1..5).prop_map(|blocks| blocks.concat())
}

proptest! {
    #[test]
    fn every_text_comes_back(texts in prop::collection::vec(shared(), 1..6)) {
        let mut earlier = Earlier::new();
        for (number, text) in (1..).zip(&texts) {
            let place = if number % 2 == 0 { Place::Document(number) } else { Place::ToolResult(number) };
            let sent = earlier.encode(place, text);
            if let Some(sent) = &sent {
                prop_assert!(sent.len() < text.len());
                prop_assert_eq!(earlier.decode(sent), Some(text.clone()));
                prop_assert_eq!(earlier.encode(place, sent), None);
            }
            earlier.add(place, sent.as_ref().unwrap_or(text).as_str());
        }
    }

    #[test]
    fn no_reference_panics(text in "\\[§ same as (lines? )?[0-9]{1,3}(-[0-9]{1,12})?( (of|in) tool result 1)?(, now [0-9]-[0-9])?( above)?\\]") {
        earlier(&["1:a\n2:b", "x"]).decode(&text);
    }
}
