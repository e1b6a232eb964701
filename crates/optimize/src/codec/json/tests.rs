use proptest::prelude::*;

use super::*;
use crate::codec::estimate;

fn table(text: &str) -> String {
    let encoded = Table.encode(text).unwrap();
    assert_eq!(Table.decode(&encoded).as_deref(), Some(text));
    assert_eq!(Table.encode(&encoded), None, "a second time");
    encoded
}

#[test]
fn white_space_goes_and_everything_else_keeps_its_spelling() {
    let text =
        "{ \"a\" : 1.0 ,\r\n \"b\\u0041 \" : [ 12345678901234567890 , -0e+5, true ], \"a\":{ } }";
    let expected = "{\"a\":1.0,\"b\\u0041 \":[12345678901234567890,-0e+5,true],\"a\":{}}";
    assert_eq!(Minify.encode(text).as_deref(), Some(expected));
    assert_eq!(Minify.encode(expected), None);
}

#[test]
fn documents_are_found_among_lines_of_text() {
    let text = "2 results:\n{\"id\": 1}\n{\"id\": 2}\n\n[\n  1,\n  2\n] \ndone {\"id\": 3}\n";
    assert_eq!(
        Minify.encode(text).unwrap(),
        "2 results:\n{\"id\":1}\n{\"id\":2}\n\n[1,2] \ndone {\"id\": 3}\n"
    );
}

#[test]
fn what_only_looks_like_json_is_left_alone() {
    for text in [
        "",
        "{",
        "[1, 2",
        "{\"a\": 01}",
        "{\"a\": 1,}",
        "{'a': 1}",
        "[1, 2] tail",
        "{\"a\": \"\t\"}",
        "[NaN, 1]",
        "{\"a\": .5}",
        "\"a b\"",
        "{ a: 1 }",
        "[\"\\x\", 1]",
        "[1 2]",
        "fn main() {\n    a(b, c);\n}\n[1, 2]\n",
    ] {
        assert_eq!(Minify.encode(text), None, "{text}");
        assert_eq!(Table.encode(text), None, "{text}");
    }
}

#[test]
fn tables_have_ragged_rows_objects_and_lists() {
    let text = "[{\"id\":1,\"name\":\"Anna B\",\"at\":{\"x\":0,\"y\":1.50},\"tags\":[{\"k\":\"a\",\"v\":\"1\"}]},\
                {\"id\":2,\"name\":\"007\",\"at\":{\"x\":4,\"y\":null}},\
                {\"id\":3,\"name\":\"\",\"at\":{\"x\":5,\"y\":2},\"tags\":[],\"note\":\"a, b\"}]";
    assert_eq!(
        table(text),
        "[§ table id,name,at{x,y},tags[k,v],note\n1,Anna B,0,1.50,[a,\"1\"],\n2,007,4,null,,\n\
         3,\"\",5,2,[],\"a, b\"]"
    );
}

#[test]
fn an_object_of_objects_is_a_table_by_key() {
    let text = "{\"ok\":true,\"methods\":{\"card_1\":{\"source\":\"card\",\"last_four\":\"7447\",\"id\":\"card_1\"},\
                \"card_2\":{\"source\":\"card\",\"last_four\":\"1907\",\"id\":\"card_2\"},\
                \"gift 3\":{\"source\":\"gift\",\"amount\":100,\"id\":\"gift 3\"}}}";
    assert_eq!(
        table(text),
        "{\"ok\":true,\"methods\":[§ table by key: source,amount,last_four,id:key\n\
         card_1:card,,\"7447\"\ncard_2:card,,\"1907\"\n\"gift 3\":gift,100,]}"
    );
}

#[test]
fn lists_of_lists_have_one_head() {
    let pair = |n: u32| {
        format!("[{{\"flight\":\"A{n}\",\"price\":{n}}},{{\"flight\":\"B{n}\",\"price\":{n}}}]")
    };
    let text = format!("[{},{}]", pair(1), pair(2));
    assert_eq!(table(&text), "[§ table [flight,price]\n[A1,1;B1,1]\n[A2,2;B2,2]]");
}

#[test]
fn what_is_the_same_in_every_row_is_said_once() {
    let row = |id: u32| {
        format!(
            "{{\"id\":{id},\"at\":{{\"x\":0,\"y\":{id}}},\"state\":\"open\",\"zip\":\"7\",\"tags\":[]}}"
        )
    };
    assert_eq!(
        table(&format!("[{},{}]", row(1), row(2))),
        "[§ table id,at{x=0,y},state=open,zip=\"7\",tags=[]\n1,1\n2,2]"
    );
    let same = "{\"name\":\"a b\",\"long_name\":\"c\"}";
    assert_eq!(table(&format!("[{same},{same}]")), "[§ table name,long_name\na b,c\na b,c]");
    let pair = "{\"k\":{\"a\":1,\"b\":2},\"note\":\"x\"}";
    table(&format!("{{\"one_key\":{pair},\"two_key\":{pair}}}"));
}

#[test]
fn what_is_as_in_the_row_above_is_said_once() {
    let row = |id: u32, who: &str, at: u32| {
        format!(
            "{{\"id\":{id},\"by\":{{\"name\":\"{who}\",\"url\":\"https://example.com/people/{who}/profile\"}},\"legs\":[{{\"at\":{at},\"to\":\"LHR\"}}]}}"
        )
    };
    let text = format!("[{},{},{}]", row(1, "anna", 1), row(2, "anna", 2), row(3, "bert", 2));
    assert_eq!(
        table(&text),
        "[§ table ^ as above: id,by{name,url},legs[at,to=LHR]\n\
         1,anna,https://example.com/people/anna/profile,[1]\n2,^,[2]\n\
         3,bert,https://example.com/people/bert/profile,^]"
    );
    let long = "certificate of a long-standing member";
    let member = |key: &str, source: &str, more: &str| {
        format!("\"{key}\":{{{more}\"source\":\"{source}\",\"id\":\"{key}\"}}")
    };
    let members = [
        member("a1", "gift", "\"amount\":2,"),
        member("b1", long, "\"amount\":1,\"brand\":\"visa\",\"last\":\"0\","),
        member("c1", long, "\"amount\":3,"),
        member("d1", long, "\"amount\":4,"),
    ];
    let by_key = table(&format!("{{\"methods\":{{{}}},\"ok\":true}}", members.join(",")));
    assert!(by_key.contains("\nc1:3,,,^\nd1:4,,,^]"), "{by_key}");
    let own = "[{\"id\":1,\"name\":\"^ not above\"},{\"id\":2,\"name\":\"^\"}]";
    assert_eq!(table(own), "[§ table id,name\n1,\"^ not above\"\n2,\"^\"]");
}

#[test]
fn what_a_table_cannot_say_stays_json() {
    for text in [
        "[{\"a\":1,\"b\":2},{\"b\":3,\"a\":4}]",
        "[{\"a\":1,\"a\":2},{\"a\":3}]",
        "[{\"long_name\":1},{}]",
        "[{\"long_name\":1},2]",
        "[{\"long_name\":1}]",
        "[{\"id\": 1},{\"id\": 2}]",
    ] {
        assert_eq!(Table.encode(text), None, "{text}");
    }
}

#[test]
fn a_text_with_a_table_of_its_own_is_left_alone() {
    let text =
        "[{\"long_name\":\"[§ table a\",\"other_name\":1},{\"long_name\":\"x\",\"other_name\":2}]";
    assert_eq!(Table.encode(text), None);
}

#[test]
fn broken_tables_are_refused() {
    for text in [
        "",
        "no table",
        "[§ table ",
        "[§ table a",
        "[§ table a\n1",
        "[§ table a,b\n1]",
        "[§ table a\n1,2]",
        "[§ table a{b\n1]",
        "[§ table a[b\n[1]]",
        "[§ table [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[a",
        "[§ table by key: a\n1]",
        "[§ table a\n{\"b\"]",
        "[§ table a\n^]",
        "[§ table ^ as above: a,b\n1,\n2,^]",
    ] {
        assert_eq!(Table.decode(text), None, "{text}");
    }
}

#[test]
fn texts_made_to_hurt_take_no_time() {
    for piece in ["[", "{\"a\":", "[\n", "[\n]\n,", "{\"a\":1,\n", "[{},", "\"\\", "[1,\n"] {
        let text = piece.repeat(400_000 / piece.len());
        assert_eq!(Minify.encode(&text), None);
        assert_eq!(Table.encode(&text), None);
    }
    let deep = format!("{}{}", "[{\"a\":".repeat(120), "}]".repeat(120).replacen('}', "1}", 1));
    assert_eq!(Table.encode(&format!("{deep}\n")), None);
}

/// JSON with white space wherever it may stand.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("1.0".to_owned()),
        Just("-0".to_owned()),
        Just("true".to_owned()),
        Just("null".to_owned()),
        Just("\"\"".to_owned()),
        Just("\"true\"".to_owned()),
        Just("\"12\"".to_owned()),
        Just("\"a, b\"".to_owned()),
        Just("\"\\\"[§ ]\"".to_owned()),
        Just("\"x y\"".to_owned()),
        Just("\"é;\"".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        "[a-z ]{0,8}".prop_map(|text| format!("\"{text}\"")),
    ];
    let space = prop_oneof![3 => Just(""), 1 => Just(" "), 1 => Just("\n  ")];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        let key = prop_oneof![
            Just("\"id\""),
            Just("\"name\""),
            Just("\"a b\""),
            Just("\"at\""),
            Just("\"x\\u0041\"")
        ];
        let member = (key, space.clone(), inner.clone());
        let objects = prop::collection::vec(member, 0..5).prop_map(|members| {
            let members: Vec<String> = members
                .into_iter()
                .map(|(key, space, value)| format!("{space}{key}:{space}{value}"))
                .collect();
            format!("{{{}}}", members.join(","))
        });
        let arrays = prop::collection::vec((space.clone(), inner), 0..5).prop_map(|elements| {
            let elements: Vec<String> = elements
                .into_iter()
                .map(|(space, value)| format!("{space}{value}{space}"))
                .collect();
            format!("[{}]", elements.join(","))
        });
        prop_oneof![objects, arrays]
    })
}

/// Rows that are alike, which random JSON hardly ever has.
fn rows() -> impl Strategy<Value = String> {
    let cell = prop_oneof![
        Just("1".to_owned()),
        Just("\"red\"".to_owned()),
        Just("\"1\"".to_owned()),
        json()
    ];
    let row = (cell.clone(), cell.clone(), prop::option::of(cell)).prop_map(|(id, x, note)| {
        let note = note.map(|note| format!(",\"note\":{note}")).unwrap_or_default();
        format!("{{\"id\":{id},\"at\":{{\"x\":{x},\"y\":2}}{note}}}")
    });
    prop::collection::vec(row, 1..6).prop_map(|rows| format!("[{}]", rows.join(",")))
}

/// Rows of long values from a small choice, so that most stand above as well.
fn repeating_rows() -> impl Strategy<Value = String> {
    let value = || prop_oneof![Just("\"a long value\""), Just("\"another one\""), Just("\"^\"")];
    let leg = (value(), value()).prop_map(|(from, to)| format!("{{\"from\":{from},\"to\":{to}}}"));
    let legs = prop::collection::vec(leg.clone(), 0..3).prop_map(|legs| legs.join(","));
    let row = (leg, value(), prop::option::of(value()), legs).prop_map(|(by, x, note, legs)| {
        let note = note.map(|note| format!(",\"note\":{note}")).unwrap_or_default();
        format!("{{\"by\":{{\"of\":{by},\"x\":{x}}}{note},\"legs\":[{legs}]}}")
    });
    let keyed = |rows: Vec<String>| {
        let member = |(index, row): (usize, String)| format!("\"k{index}\":{row}");
        let members: Vec<String> = rows.into_iter().enumerate().map(member).collect();
        format!("{{{}}}", members.join(","))
    };
    (prop::collection::vec(row, 1..9), any::<bool>()).prop_map(move |(rows, by_key)| {
        if by_key { keyed(rows) } else { format!("[{}]", rows.join(",")) }
    })
}

proptest! {
    #[test]
    fn minifying_changes_no_value(text in json()) {
        let compact = Minify.canonical(&text).into_owned();
        let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        prop_assert_eq!(parse(&compact), parse(&text));
        prop_assert_eq!(Minify.encode(&compact), None);
    }

    #[test]
    fn tables_come_back_as_they_were(text in prop_oneof![json(), rows()]) {
        let compact = Minify.canonical(&text).into_owned();
        if let Some(encoded) = Table.encode(&compact) {
            prop_assert!(estimate(&encoded) < estimate(&compact));
            prop_assert_eq!(Table.decode(&encoded), Some(compact));
            prop_assert_eq!(Table.encode(&encoded), None);
        }
    }

    #[test]
    fn rows_alike_are_always_written_back(text in rows()) {
        let compact = Minify.canonical(&text).into_owned();
        let tape = scan::Tape::read(&compact).unwrap();
        let written = table::written(&compact, tape);
        prop_assert_eq!(Table.decode(&written).unwrap_or(written), compact);
    }

    #[test]
    fn rows_that_repeat_are_always_written_back(text in repeating_rows()) {
        let encoded = Table.encode(&text);
        if let Some(encoded) = encoded {
            prop_assert_eq!(Table.decode(&encoded), Some(text.clone()));
        }
        let tape = scan::Tape::read(&text).unwrap();
        let written = table::written(&text, tape);
        prop_assert_eq!(Table.decode(&written).unwrap_or(written), text);
    }

    #[test]
    fn nothing_panics(text in "[\\[\\]{}\",:;§ \ntable1ab.\\\\-]{0,60}") {
        Minify.encode(&text);
        Table.encode(&text);
        Table.decode(&text);
        Table.decode(&format!("[§ table {text}"));
    }
}
