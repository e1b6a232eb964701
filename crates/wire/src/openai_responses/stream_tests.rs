use crate::dialect::Dialect;
use crate::stream::StreamReader;

fn read(events: &[&str]) -> StreamReader {
    let mut reader = Dialect::OpenAiResponses.stream_reader(true);
    for event in events {
        reader.push(format!("data: {event}\n\n").into(), &mut |_| {});
    }
    reader
}

#[test]
fn a_stream_ends_with_its_last_event_and_not_with_its_text() {
    let delta = r#"{"type":"response.output_text.delta","delta":"x"}"#;
    let text = r#"{"type":"response.output_text.done","text":"x"}"#;
    let reader = read(&[delta, text]);
    assert!(!reader.finished());
    let end = r#"{"type":"response.completed","response":{"status":"completed"}}"#;
    let reader = read(&[delta, text, end]);
    assert!(reader.finished());
    assert_eq!((reader.text(), reader.finish_reason()), ("x", Some("completed")));
}

#[test]
fn the_tier_that_served_is_the_last_that_was_said() {
    let created = r#"{"type":"response.created","response":{"service_tier":"priority"}}"#;
    assert_eq!(read(&[created]).served().len(), 1);
    let end = r#"{"type":"response.completed","response":{"service_tier":"default"}}"#;
    assert!(read(&[created, end]).served().is_empty());
}

#[test]
fn an_error_is_found_in_the_event_or_in_its_member() {
    for event in [
        r#"{"type":"error","code":"x","message":"too much","param":null}"#,
        r#"{"type":"error","error":{"message":"too much"}}"#,
        r#"{"type":"response.failed","response":{"error":{"message":"too much"}}}"#,
    ] {
        assert_eq!(read(&[event]).error(), Some("too much"), "{event}");
    }
}
