use crate::answer::Reported;
use crate::dialect::Dialect;
use crate::stream::StreamReader;

fn read(stream: &str, size: usize) -> StreamReader {
    let mut reader = Dialect::Gemini.stream_reader(true);
    let mut passed = Vec::new();
    for chunk in stream.as_bytes().chunks(size) {
        let chunk = bytes::Bytes::copy_from_slice(chunk);
        reader.push(chunk, &mut |bytes| passed.extend_from_slice(&bytes));
    }
    reader.finish(&mut |bytes| passed.extend_from_slice(&bytes));
    assert_eq!(passed, stream.as_bytes());
    reader
}

#[test]
fn an_array_says_what_events_say() {
    let pieces = [
        r#"{"candidates":[{"content":{"parts":[{"text":"} ["}]}}],"usageMetadata":{"promptTokenCount":8,"totalTokenCount":8}}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":3,"totalTokenCount":11}}"#,
    ];
    let array = format!(" [{}\n,\r\n{}]\n", pieces[0], pieces[1]);
    let events = format!("\r\ndata: {}\r\n\r\ndata: {}\r\n\r\n", pieces[0], pieces[1]);
    for stream in [array, events] {
        for size in [1, 5, stream.len()] {
            let reader = read(&stream, size);
            assert_eq!(reader.text(), "} [x");
            assert!(reader.finished() && matches!(reader.usage(), Reported::Valid(_)));
        }
    }
}

#[test]
fn a_stream_that_breaks_off_has_told_of_its_prompt_only() {
    let piece = r#"data: {"candidates":[{"content":{"parts":[{"text":"x"}]}}],"usageMetadata":{"promptTokenCount":8,"totalTokenCount":8}}"#;
    let reader = read(piece, 7);
    assert!(!reader.finished() && matches!(reader.usage(), Reported::PromptOnly(_)));
}

#[test]
fn an_error_in_place_of_a_stream_is_read() {
    let error = "{\n \"error\": {\"code\": 503, \"message\": \"The model is overloaded.\"}\n}";
    assert_eq!(read(error, 9).error(), Some("The model is overloaded."));
}

#[test]
fn blank_beginnings_pass_at_once() {
    let mut reader = Dialect::Gemini.stream_reader(true);
    let mut passed = 0;
    reader.push(" \n".into(), &mut |bytes| passed += bytes.len());
    assert_eq!(passed, 2);
}
