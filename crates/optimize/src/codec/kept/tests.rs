use proptest::prelude::*;

use super::*;

const KEEP: Excerpt = Excerpt { head_lines: 2, tail_lines: 2, error_lines: 2, line_bytes_max: 200 };

#[test]
fn head_tail_and_errors_are_left_of_a_large_output() {
    let mut lines: Vec<String> = (0..40).map(|number| format!("compiled unit {number}")).collect();
    lines[20] = "error[E0308]: mismatched types".to_owned();
    assert_eq!(
        excerpt(&lines.join("\n"), KEEP, "h_7").unwrap(),
        "compiled unit 0\ncompiled unit 1\n\
         [§ kept 17 lines left out, fetch with handle h_7]\n\
         compiled unit 19\nerror[E0308]: mismatched types\ncompiled unit 21\n\
         [§ kept 16 lines left out, fetch with handle h_7]\n\
         compiled unit 38\ncompiled unit 39"
    );
    assert_eq!(excerpt("a\nb\nc", KEEP, "h_7"), None);
}

#[test]
fn a_long_line_loses_its_middle() {
    let line = "ä".repeat(1000);
    let short = excerpt(&line, KEEP, "h_7").unwrap();
    assert_eq!(
        short,
        format!("{0}[§ kept 1800 bytes left out, fetch with handle h_7]{0}", "ä".repeat(50))
    );
}

#[test]
fn frames_between_the_ends_of_a_trace_are_left_out() {
    let frame = |n: usize| format!("  File \"/app/m{n}.py\", line {n}, in f{n}\n    call{n}()\n");
    let trace = |range: std::ops::Range<usize>| range.map(frame).collect::<String>();
    let text = format!("Traceback (most recent call last):\n{}ValueError: x\n", trace(0..12));
    assert_eq!(
        fold_traces(&text, "h_7").unwrap(),
        format!(
            "Traceback (most recent call last):\n{}[§ kept 6 frames left out, fetch with handle h_7]\n{}ValueError: x\n",
            trace(0..3),
            trace(9..12)
        )
    );
    let short = format!("Traceback (most recent call last):\n{}ValueError: x\n", trace(0..4));
    assert_eq!(fold_traces(&short, "h_7"), None);
}

#[test]
fn blobs_are_told_from_what_a_model_can_read() {
    let base64: String = (0..400_u32)
        .map(|n| {
            let digit = n.wrapping_mul(2_654_435_761) >> 26;
            char::from(
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[digit as usize],
            )
        })
        .collect();
    let text = format!("image data:image/png;base64,{base64}== end");
    assert_eq!(find_blobs(&text), [Blob { span: 6..430, kind: BlobKind::DataUri }]);
    let text = format!("key: {base64}");
    assert_eq!(find_blobs(&text), [Blob { span: 5..405, kind: BlobKind::Base64 }]);
    let text = format!("x {}", "00ff13a9".repeat(40));
    assert_eq!(find_blobs(&text), [Blob { span: 2..322, kind: BlobKind::Hex }]);
    for text in ["a".repeat(500), "/usr/lib/python3/site-packages".repeat(20), "1".repeat(400)] {
        assert_eq!(find_blobs(&text), [], "{text}");
    }
}

proptest! {
    #[test]
    fn nothing_panics_or_grows(text in "([ -~\n]|File \"|at x|§|ä){0,200}") {
        for short in [excerpt(&text, KEEP, "h"), fold_traces(&text, "h")].into_iter().flatten() {
            prop_assert!(short.len() < text.len());
        }
        for blob in find_blobs(&text) {
            prop_assert!(text.get(blob.span).is_some());
        }
    }
}
