use proptest::prelude::*;

use super::*;

fn read_at_end(metadata: &str) -> Reported {
    reported(Some(Json::parse(metadata.as_bytes()).unwrap()), true)
}

fn valid(metadata: &str) -> Vec<(&'static str, u64)> {
    match read_at_end(metadata) {
        Reported::Valid(usage) => usage.iter().map(|(bucket, n)| (bucket.name(), n)).collect(),
        other => panic!("{metadata}: {other:?}"),
    }
}

#[test]
fn thoughts_and_what_tools_read_are_added() {
    let metadata = r#"{"promptTokenCount":17,"candidatesTokenCount":201,"thoughtsTokenCount":213,
        "toolUsePromptTokenCount":119,"totalTokenCount":550}"#;
    assert_eq!(valid(metadata), [("input", 136), ("output", 201), ("output_reasoning", 213)]);
}

#[test]
fn the_counter_wins_over_lists_that_do_not_add_up() {
    for (metadata, buckets) in [
        // Too short: the rest is text.
        (
            r#"{"promptTokenCount":326,"candidatesTokenCount":2340,
                "candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":2000}]}"#,
            vec![("input", 326), ("output", 340), ("output_image", 2000)],
        ),
        // Too long.
        (
            r#"{"promptTokenCount":10,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":8},
                {"modality":"IMAGE","tokenCount":8}]}"#,
            vec![("input_audio", 8), ("input_image", 2)],
        ),
        // A page is an image, whatever is unheard of is text, and what is left out is zero.
        (
            r#"{"promptTokenCount":300,"promptTokensDetails":[{"modality":"DOCUMENT","tokenCount":258},
                {"modality":"AUDIO"},{"modality":"SMELL","tokenCount":3}]}"#,
            vec![("input", 42), ("input_image", 258)],
        ),
        (
            r#"{"promptTokenCount":9,"candidatesTokenCount":1,"toolUsePromptTokenCount":300,
                "toolUsePromptTokensDetails":[{"modality":"VIDEO","tokenCount":258}]}"#,
            vec![("input", 51), ("input_video", 258), ("output", 1)],
        ),
    ] {
        assert_eq!(valid(metadata), buckets, "{metadata}");
    }
}

#[test]
fn cached_media_are_cached_as_the_list_says_or_as_there_is_room() {
    let listed = r#"{"promptTokenCount":100,"cachedContentTokenCount":60,
        "promptTokensDetails":[{"modality":"AUDIO","tokenCount":50}],
        "cacheTokensDetails":[{"modality":"AUDIO","tokenCount":20},{"modality":"TEXT","tokenCount":40}]}"#;
    assert_eq!(
        valid(listed),
        [("input", 10), ("input_audio", 30), ("cache_read", 40), ("cache_read_audio", 20)]
    );
    let unlisted = r#"{"promptTokenCount":100,"cachedContentTokenCount":60,
        "promptTokensDetails":[{"modality":"IMAGE","tokenCount":50}]}"#;
    assert_eq!(
        valid(unlisted),
        [("input_image", 40), ("cache_read", 50), ("cache_read_image", 10)]
    );
}

#[test]
fn nothing_said_is_not_the_same_as_nothing_consumed() {
    assert_eq!(reported(None, true), Reported::Absent);
    assert_eq!(read_at_end("{}"), Reported::Absent);
    assert_eq!(read_at_end(r#"{"trafficType":"ON_DEMAND"}"#), Reported::Absent);
    assert_eq!(read_at_end(r#"{"totalTokenCount":0}"#), Reported::NoPrompt(Usage::NONE));
}

#[test]
fn contradictions_are_refused_with_their_reason() {
    for (metadata, reason) in [
        ("7", "usage is the number 7, not an object"),
        (
            r#"{"promptTokenCount":-1}"#,
            "promptTokenCount is the number -1, which is no count of tokens",
        ),
        (
            r#"{"promptTokenCount":9,"candidatesTokenCount":6,"totalTokenCount":14}"#,
            "totalTokenCount is 14, but the counts add up to 15",
        ),
        (r#"{"totalTokenCount":14}"#, "totalTokenCount is 14, but the counts add up to 0"),
        (
            r#"{"promptTokenCount":9,"cachedContentTokenCount":10}"#,
            "cachedContentTokenCount is 10 and exceeds the 9 of promptTokenCount that contain it",
        ),
        (
            r#"{"promptTokenCount":9,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":"x"}]}"#,
            "tokenCount is a string, which is no count of tokens",
        ),
    ] {
        assert_eq!(read_at_end(metadata), Reported::Invalid(reason.into()), "{metadata}");
    }
}

proptest! {
    #[test]
    fn no_token_is_lost_or_counted_twice(
        [prompt, cached, tools, said, thought] in any::<[u8; 5]>(),
        lists in any::<[[u8; 3]; 4]>(),
        listed in any::<[bool; 4]>(),
    ) {
        let names = ["promptTokensDetails", "cacheTokensDetails", "toolUsePromptTokensDetails",
            "candidatesTokensDetails"];
        let lists = names.iter().zip(lists).zip(listed).filter(|(_, listed)| *listed);
        let lists: String = lists
            .map(|((name, [audio, image, video]), _)| format!(
                r#","{name}":[{{"modality":"AUDIO","tokenCount":{audio}}},
                    {{"modality":"IMAGE","tokenCount":{image}}},
                    {{"modality":"VIDEO","tokenCount":{video}}}]"#
            ))
            .collect();
        let metadata = format!(
            r#"{{"promptTokenCount":{prompt},"cachedContentTokenCount":{cached},
                "toolUsePromptTokenCount":{tools},"candidatesTokenCount":{said},
                "thoughtsTokenCount":{thought}{lists}}}"#
        );
        let [prompt, tools, said, thought] = [prompt, tools, said, thought].map(u64::from);
        match read_at_end(&metadata) {
            Reported::Valid(usage) | Reported::NoPrompt(usage) => {
                prop_assert_eq!(usage.prompt(), prompt + tools);
                prop_assert_eq!(usage.completion(), said + thought);
                prop_assert_eq!(usage.cached(), u64::from(cached));
            }
            Reported::Invalid(_) => prop_assert!(u64::from(cached) > prompt),
            other => prop_assert!(false, "{other:?}"),
        }
    }
}
