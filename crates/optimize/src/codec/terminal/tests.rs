use proptest::prelude::*;

use super::*;

fn screen(text: &str) -> String {
    Screen.canonical(text).into_owned()
}

#[test]
fn control_sequences_are_carried_out_or_dropped() {
    for (text, expected) in [
        ("\u{1b}[1m\u{1b}[92m    Checking\u{1b}[0m memchr v2\r\n", "    Checking memchr v2\n"),
        ("\u{1b}]0;title\u{7}a\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\ b", "alink b"),
        ("10%\r50%\r100%\nb", "100%\nb"),
        (
            "Receiving objects:  5% (1/9)\rReceiving objects: 100% (9/9), done.\n",
            "Receiving objects: 100% (9/9), done.\n",
        ),
        ("⠙\u{1b}[1G\u{1b}[0K{\r\n", "{\n"),
        ("N\u{8}NA\u{8}AM\u{8}ME\u{8}E", "NAME"),
        ("a\u{1b}[2Kb", " b"),
        ("one\ntwo\n\u{1b}[2A\u{1b}[2KONE\n", "ONE\ntwo\n"),
        ("abc\u{1b}[2D\u{1b}[Kd", "ad"),
        ("a\u{1b}[5Cb\u{1b}(B\u{1b}=c", "a     bc"),
        ("x\u{1b}[38;5;208mred\u{1b}[m", "xred"),
        ("\u{1b}", ""),
        ("\u{1b}[", ""),
        ("\u{1b}]never closed\nb", "never closed\nb"),
    ] {
        assert_eq!(screen(text), expected, "{text:?}");
    }
}

#[test]
fn carriage_returns_that_end_lines_are_no_progress() {
    assert_eq!(screen("a\r\nb\r\n"), "a\nb\n");
    assert_eq!(screen("name\rage\rcity"), "name\rage\rcity");
}

#[test]
fn blanks_at_the_ends_of_lines_go_only_where_nobody_edits() {
    assert_eq!(screen("The list:  \nall done\t\nbye"), "The list:\nall done\nbye");
    for text in
        ["fn a() {  \n    b();\n}\n", "# Title\nbreak  \n```\nx\n```\n", "@@ -1 +1 @@\n a \n"]
    {
        assert_eq!(screen(text), text);
    }
}

#[test]
fn repeated_lines_are_counted() {
    let text = format!("start\n{}end", "waiting for the database\n".repeat(40));
    let encoded = Repeats.encode(&text).unwrap();
    assert_eq!(encoded, "start\nwaiting for the database\n[§ line above 40 times in all]\nend");
    assert_eq!(Repeats.decode(&encoded), Some(text));
    assert_eq!(Repeats.encode(&encoded), None);
    assert_eq!(Repeats.decode("a\n[§ line above 99999999999 times in all]"), None);
}

#[test]
fn a_path_that_lines_begin_with_stands_once() {
    let text = "src/engine/flow.rs:14:pub fn run(\nsrc/engine/flow.rs:90:    run(call)\n\
                src/engine/flow.rs:91:\nsrc/lib.rs:1:mod engine;\n";
    let encoded = Paths.encode(text).unwrap();
    assert_eq!(
        encoded,
        "[§ next 3 lines begin with src/engine/flow.rs:]\n14:pub fn run(\n90:    run(call)\n91:\n\
         src/lib.rs:1:mod engine;\n"
    );
    assert_eq!(Paths.decode(&encoded).as_deref(), Some(text));
    assert_eq!(Paths.encode(&encoded), None);
    for text in
        ["https://a.b/c: x\nhttps://a.b/c: y\nhttps://a.b/c: z", "src/a/b\nsrc/a/c\nsrc/a/d"]
    {
        assert_eq!(Paths.encode(text), None);
    }
}

#[test]
fn texts_made_to_hurt_take_no_time() {
    for piece in [
        "\u{1b}[1K",
        "\u{1b}[999C",
        "\u{1b}[999Cx\n",
        "a\u{8}",
        "\u{1b}[A\u{1b}[B",
        "\u{1b}[5mab",
        "\r",
        "\n\u{1b}[99A",
        "\u{1b}]",
        "a/b:c\n",
        "\n",
    ] {
        let text = ["x".repeat(100_000), piece.repeat(300_000 / piece.len())].concat();
        screen(&text);
        Repeats.encode(&text);
        Paths.encode(&text);
    }
}

fn output() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\u{1b}[31m".to_owned()),
        Just("\u{1b}[K".to_owned()),
        Just("\u{1b}[2A".to_owned()),
        Just("\u{1b}]0;t\u{7}".to_owned()),
        Just("\r".to_owned()),
        Just("\u{8}".to_owned()),
        Just("\n".to_owned()),
        Just("\r\n".to_owned()),
        Just("a long line of words\n".to_owned()),
        Just("src/engine/flow.rs:1:x\n".to_owned()),
        Just("  ".to_owned()),
        Just("ä→".to_owned()),
        Just("[§ line above 3 times in all]\n".to_owned()),
        Just("[§ next 2 lines begin with a/b:]\n".to_owned()),
        "\\PC{0,5}",
        "[\u{0}-\u{1f}\u{9b}]",
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn the_round_trip_gives_the_canonical_form(text in output()) {
        for codec in [&Screen as &dyn Codec, &Repeats, &Paths] {
            let Some(encoded) = codec.encode(&text) else { continue };
            prop_assert!(encoded.len() < text.len(), "{}", codec.name());
            prop_assert_eq!(codec.decode(&encoded), Some(codec.canonical(&text).into_owned()));
            prop_assert_eq!(codec.encode(&encoded), None, "{}", codec.name());
        }
    }

    #[test]
    fn the_final_state_is_final(text in output()) {
        let state = screen(&text);
        prop_assert_eq!(screen(&state), state);
    }
}
