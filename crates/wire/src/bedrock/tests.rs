use super::*;

fn valid(usage: &str) -> Vec<(&'static str, u64)> {
    match reported(Some(Json::parse(usage.as_bytes()).unwrap())) {
        Reported::Valid(usage) => usage.iter().map(|(bucket, n)| (bucket.name(), n)).collect(),
        other => panic!("{usage}: {other:?}"),
    }
}

#[test]
fn cache_reads_and_writes_are_beside_the_input() {
    let usage = r#"{"inputTokens":3,"outputTokens":227,"totalTokens":1952,"cacheReadInputTokens":10,
        "cacheReadInputTokenCount":10,"cacheWriteInputTokens":1712,"cacheWriteInputTokenCount":1712,
        "cacheDetails":[{"ttl":"1h","inputTokens":1700},{"ttl":"5m","inputTokens":12}]}"#;
    let buckets = [
        ("input", 3),
        ("cache_read", 10),
        ("cache_write_5m", 12),
        ("cache_write_1h", 1700),
        ("output", 227),
    ];
    assert_eq!(valid(usage), buckets);
    let unsplit = r#"{"inputTokens":3,"outputTokens":0,"cacheWriteInputTokens":7}"#;
    assert_eq!(valid(unsplit), [("input", 3), ("cache_write_5m", 7)]);
}

#[test]
fn contradictions_are_refused_with_their_reason() {
    for (usage, reason) in [
        (r#"{"outputTokens":1}"#, "inputTokens is missing"),
        (
            r#"{"inputTokens":3,"outputTokens":1,"totalTokens":5}"#,
            "totalTokens is 5, but the counts add up to 4",
        ),
        (
            r#"{"inputTokens":3,"cacheReadInputTokens":1,"cacheReadInputTokenCount":2}"#,
            "cacheReadInputTokens is said to be 1 and 2",
        ),
        (
            r#"{"inputTokens":3,"cacheWriteInputTokens":1,"cacheDetails":[{"inputTokens":2}]}"#,
            "cacheDetails add up to 2, but cacheWriteInputTokens is 1",
        ),
    ] {
        let read = reported(Some(Json::parse(usage.as_bytes()).unwrap()));
        assert_eq!(read, Reported::Invalid(reason.into()), "{usage}");
    }
}

#[test]
fn an_answer_and_a_stream_say_the_same() {
    let usage = r#"{"inputTokens":3,"outputTokens":2,"totalTokens":5}"#;
    let answer = format!(
        r#"{{"output":{{"message":{{"role":"assistant","content":[
            {{"reasoningContent":{{"reasoningText":{{"text":"Hm. "}}}}}},{{"text":"Hi."}},
            {{"toolUse":{{"name":"f","input":{{"a":1}}}}}}]}}}},
            "stopReason":"end_turn","usage":{usage},"serviceTier":{{"type":"flex"}}}}"#
    );
    let answer = read(&answer.into()).unwrap();
    assert_eq!(answer.text(), r#"Hm. Hi.f{"a":1}"#);
    assert_eq!(answer.served.get(&Dimension::ServiceTier).map(String::as_str), Some("flex"));
    let mut seen = Seen::default();
    for event in [
        r#"{"messageStart":{"role":"assistant"}}"#,
        r#"{"contentBlockDelta":{"delta":{"reasoningContent":{"text":"Hm. "}}}}"#,
        r#"{"contentBlockDelta":{"delta":{"text":"Hi."}}}"#,
        r#"{"contentBlockStart":{"start":{"toolUse":{"name":"f"}}}}"#,
        r#"{"contentBlockDelta":{"delta":{"toolUse":{"input":"{\"a\":1}"}}}}"#,
        r#"{"messageStop":{"stopReason":"end_turn"}}"#,
        &format!(r#"{{"metadata":{{"usage":{usage},"serviceTier":{{"type":"flex"}}}}}}"#),
    ] {
        read_event(Json::parse(event.as_bytes()).unwrap(), &mut seen);
    }
    assert_eq!((&seen.usage, &seen.served), (&answer.usage, &answer.served));
    assert_eq!(seen.finish_reason, answer.finish_reason);
}
