use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;

fn parse(document: &str) -> Json<'_> {
    Json::parse(document.as_bytes()).unwrap()
}

/// The value that `serde_json` would have built.
fn tree(json: Json) -> Value {
    match json.kind() {
        Kind::Object => {
            let member =
                |member: Member| (member.key.as_str().unwrap().into_owned(), tree(member.value));
            json.members().map(member).collect::<Map<_, _>>().into()
        }
        Kind::Array => json.elements().map(tree).collect(),
        Kind::String => json.as_str().unwrap().into(),
        Kind::Number => serde_json::from_str(json.text()).unwrap(),
        Kind::Bool => json.as_bool().unwrap().into(),
        Kind::Null => Value::Null,
    }
}

/// The value, and all values within.
fn each<'a>(json: Json<'a>, see: &mut impl FnMut(Json<'a>)) {
    see(json);
    for member in json.members() {
        see(member.key);
        each(member.value, see);
    }
    json.elements().for_each(|element| each(element, see));
}

#[test]
fn of_duplicate_keys_the_last_wins_however_it_is_spelled() {
    let json = parse(r#"{"a":1,"b":2,"\u0061":3,"c":{"a":4}}"#);
    let [a, c, d] = json.pick(["a", "c", "d"]).map(|value| value.map(Json::text));
    assert_eq!((a, c, d), (Some("3"), Some(r#"{"a":4}"#), None));
}

#[test]
fn quotes_brackets_and_separators_in_strings_are_text() {
    let json = parse(r#" [ "a\"]" , "\\" , "{,:" , "\\\"[" , {"}":"]"} , 1.0 ] "#);
    let texts: Vec<_> = json.elements().map(Json::text).collect();
    let expected = [r#""a\"]""#, r#""\\""#, r#""{,:""#, r#""\\\"[""#, r#"{"}":"]"}"#, "1.0"];
    assert_eq!(texts, expected);
}

#[test]
fn strings_are_borrowed_unless_they_have_escapes() {
    let json = parse(r#"["plain","tab\t","\ud800"]"#);
    let texts: Vec<_> = json.elements().filter_map(Json::as_str).collect();
    assert_eq!(texts, ["plain", "tab\t", "\\ud800"]);
    assert!(matches!(texts[0], Cow::Borrowed(_)));
}

#[test]
fn counts_are_whole_numbers() {
    let count = |number| parse(number).as_count();
    assert_eq!([count("0"), count("12.0"), count("12.00")], [Some(0), Some(12), Some(12)]);
    assert_eq!(count("18446744073709551615"), Some(u64::MAX));
    for other in ["-1", "1.5", "1e3", "18446744073709551616", "\"1\"", "true", "null", "[1]"] {
        assert_eq!(count(other), None, "{other}");
    }
}

#[test]
fn what_is_not_json_is_refused_with_its_place() {
    let reason = |bytes: &[u8]| Json::parse(bytes).unwrap_err().to_string();
    assert_eq!(reason(b"{\"a\":\n 1,}"), "key must be a string at line 2 column 4");
    assert_eq!(reason(b""), "EOF while parsing a value at line 1 column 0");
    assert_eq!(reason(b"{} {}"), "trailing characters at line 1 column 4");
    assert_eq!(reason(b"\"\xff\""), "invalid utf-8 sequence of 1 bytes from index 1");
}

#[test]
fn a_million_open_brackets_are_no_danger() {
    assert!(Json::parse("[".repeat(1_000_000).as_bytes()).is_err());
    assert!(Json::parse(r#"{"a":"#.repeat(1_000_000).as_bytes()).is_err());
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let mut json = parse(&deep);
    for _ in 0..3 {
        json = json.elements().next().unwrap();
    }
    assert_eq!(json.span(), 3..deep.len() - 3);
}

#[test]
fn a_member_is_cut_as_if_it_had_never_been_there() {
    for (object, expected) in [
        (r#"{"u":1,"a":2}"#, r#"{"a":2}"#),
        (r#"{"a":2,"u":1}"#, r#"{"a":2}"#),
        (r#"{"a":2,"u":1,"b":3}"#, r#"{"a":2,"b":3}"#),
        (r#"{"u": 1, "a": 2}"#, r#"{"a": 2}"#),
        (r#"{"a": 2, "u": 1, "b": 3}"#, r#"{"a": 2, "b": 3}"#),
        (r#"{ "a" : 2 , "u" : 1 }"#, r#"{ "a" : 2 }"#),
        (r#" { "u" : 1 , "a" : 2 } "#, r#" { "a" : 2 } "#),
        (r#"{"u":1}"#, "{}"),
        (r#"{"\u0075":{"u":1}}"#, "{}"),
    ] {
        let at = parse(object).cut("u").unwrap();
        let cut = crate::splice::apply(&Bytes::from(object), &[Edit { at, with: Bytes::new() }]);
        assert_eq!(cut.unwrap(), expected, "{object}");
    }
    assert_eq!(parse(r#"{"a":{"u":1}}"#).cut("u"), None);
}

#[test]
fn a_member_is_appended_behind_the_last_one() {
    for (object, expected) in
        [("{}", r#"{"u":1}"#), (" {  } ", r#" {"u":1  } "#), (r#"{"a": 2 }"#, r#"{"a": 2,"u":1 }"#)]
    {
        let edit = parse(object).append(r#""u":1"#);
        assert_eq!(crate::splice::apply(&Bytes::from(object), &[edit]).unwrap(), expected);
    }
}

fn documents() -> impl Strategy<Value = Value> {
    let text = prop_oneof![".*", "[\"\\\\{}\\[\\],: \n]*"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(text.clone(), inner, 0..6)
                .prop_map(|map| map.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #[test]
    fn walking_sees_what_a_tree_would_hold(value in documents(), pretty in any::<bool>()) {
        let document = if pretty { format!(" {value:#}\n") } else { value.to_string() };
        prop_assert_eq!(tree(parse(&document)), value);
    }

    #[test]
    fn spans_lead_back_to_the_text(value in documents()) {
        let document = format!("\r\n\t {value:#} ");
        let mut wrong = 0;
        each(parse(&document), &mut |json| {
            wrong += usize::from(document.get(json.span()) != Some(json.text()));
        });
        prop_assert_eq!(wrong, 0);
    }

    #[test]
    fn no_bytes_make_it_panic(text in r#"[\[\]{}:,"\\a-c0-9 ]{0,40}"#, bytes in any::<Vec<u8>>()) {
        for document in [text.as_bytes(), &bytes] {
            if let Ok(json) = Json::parse(document) {
                each(json, &mut |json| {
                    let _ = (json.as_str(), json.as_count(), json.cut("a"), json.to_string());
                });
            }
        }
    }
}
