use proptest::prelude::*;

use super::*;
use crate::answer::Reported;

fn answer(body: &'static str) -> Answer {
    read(&Bytes::from_static(body.as_bytes())).unwrap()
}

#[test]
fn what_is_no_answer_is_told_apart_and_quoted() {
    let error = |body: &'static [u8]| read(&Bytes::from_static(body)).unwrap_err().to_string();
    assert_eq!(
        error(b"<html>\n<body>502"),
        "the answer is not a JSON object: expected value at line 1 column 1; \
         it begins with `<html> <body>502`"
    );
    assert_eq!(
        error(b"[1]"),
        "the answer is not a JSON object: it is an array; it begins with `[1]`"
    );
    assert!(error(b"\xff\xfe").contains("invalid utf-8"));
    assert!(error(&[b'['; 100_000]).len() < 500);
}

#[test]
fn an_answer_without_usage_is_no_answer_for_free() {
    assert_eq!(answer("{}").usage, Reported::Absent);
    assert_eq!(answer(r#"{"usage":null}"#).usage, Reported::Absent);
    assert!(matches!(answer(r#"{"usage":[0]}"#).usage, Reported::Invalid(_)));
}

#[test]
fn the_standard_tier_has_many_names() {
    for tier in ["null", r#""auto""#, r#""default""#, r#""standard""#, "7"] {
        let body = Bytes::from(format!(r#"{{"service_tier":{tier}}}"#));
        assert_eq!(read(&body).unwrap().served, Served::new(), "{tier}");
    }
}

#[test]
fn errors_have_many_shapes() {
    let error = |body| answer(body).error;
    assert_eq!(error(r#"{"error":{"message":"no \u00e9"}}"#), Some("no é".into()));
    assert_eq!(error(r#"{"error":"no"}"#), Some("no".into()));
    assert_eq!(error(r#"{"error":{"code":5}}"#), Some(r#"{"code":5}"#.into()));
    assert_eq!(error(r#"{"error":null}"#), None);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
        let _ = read(&bytes.into());
    }
}
