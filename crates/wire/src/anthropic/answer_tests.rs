use proptest::prelude::*;

use super::*;
use crate::answer::Reported;

fn answer(body: &'static str) -> Answer {
    read(&Bytes::from_static(body.as_bytes())).unwrap()
}

#[test]
fn an_answer_without_usage_is_no_answer_for_free() {
    assert_eq!(answer("{}").usage, Reported::Absent);
    assert_eq!(answer(r#"{"usage":null}"#).usage, Reported::Absent);
    assert!(matches!(answer(r#"{"usage":[0]}"#).usage, Reported::Invalid(_)));
    assert_eq!(answer(r#"{"input_tokens":14}"#).usage, Reported::Absent, "a count of tokens");
}

#[test]
fn what_others_wrote_is_not_the_models() {
    let answer = answer(
        r#"{"content":[
            {"type":"compaction","content":"Before: "},
            {"type":"mcp_tool_result","content":"theirs"},
            {"type":"advisor_tool_result","content":{"type":"advisor_result","text":"theirs"}},
            {"type":"text","text":7},
            {"type":"text","text":"mine"}]}"#,
    );
    assert_eq!(answer.text(), "Before: mine");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
        let _ = read(&bytes.into());
    }
}
