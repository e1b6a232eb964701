use farthing_core::usage::{Bucket, Usage};

use super::*;

fn usage(answer: &str) -> Reported {
    read(&Bytes::copy_from_slice(answer.as_bytes())).unwrap().usage
}

#[test]
fn tools_are_billed_where_they_ran_and_not_where_they_were_offered() {
    let answered = |rest: &str| {
        usage(&format!(r#"{{"usage":{{"input_tokens":10,"output_tokens":1}},{rest}}}"#))
    };
    let tokens = Usage::NONE.with(Bucket::Input, 10).with(Bucket::Output, 1);
    assert_eq!(
        answered(r#""tools":[{"type":"web_search"}],"output":[{"type":"message"}]"#),
        Reported::Valid(tokens)
    );
    assert_eq!(
        answered(r#""output":[{"type":"web_search_call"}]"#),
        Reported::Valid(tokens.with(Bucket::WebSearch, 1))
    );
}

#[test]
fn a_contradiction_stays_one_whatever_ran() {
    let answer = r#"{"usage":{"input_tokens":10,"output_tokens":1,"total_tokens":12},
        "output":[{"type":"web_search_call"}]}"#;
    assert!(matches!(usage(answer), Reported::Invalid(_)));
    let more_cached = r#"{"usage":{"input_tokens":10,"input_tokens_details":{"cached_tokens":11},
        "output_tokens":1}}"#;
    assert!(matches!(usage(more_cached), Reported::Invalid(_)));
    assert_eq!(usage(r#"{"output":[{"type":"web_search_call"}]}"#), Reported::Absent);
}

#[test]
fn what_runs_on_has_no_end_yet() {
    for (status, reason) in
        [("queued", None), ("in_progress", None), ("completed", Some("completed"))]
    {
        let body = format!(r#"{{"status":"{status}"}}"#);
        assert_eq!(finish_reason(Json::parse(body.as_bytes()).unwrap()).as_deref(), reason);
    }
}
