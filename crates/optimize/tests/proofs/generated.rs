//! Conversations that nobody had.

use farthing_optimize::Observations;
use farthing_wire::Dialect;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::conversations::Conversation;

/// A piece of what a tool may give back.
fn piece() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "[a-z ]{0,30}",
        "src/[a-z]{1,5}/[a-z]{1,8}\\.rs:[0-9]{1,3}: [a-z ]{0,20}",
        Just("error: the same line as before, and long enough to be worth a reference".to_owned()),
        "\\PC{0,20}",
    ];
    prop_oneof![
        4 => vec(line, 0..12).prop_map(|lines| lines.join("\n")),
        2 => rows().prop_map(|rows| rows.to_string()),
        1 => rows().prop_map(|rows| format!("{rows:#}")),
        1 => (1..900_u32, 1..12_u32).prop_map(|(from, lines)| {
            (from..from + lines).map(|n| format!("{n:>6}\tlet x{} = {n};\n", n % 7)).collect()
        }),
        1 => (1..900_u32, 1..12_u32).prop_map(|(from, lines)| {
            (from..from + lines).map(|n| format!("{n:>6}→let x{} = {n};\n", n % 7)).collect()
        }),
        1 => listing(),
        1 => vec(("[a-z]{1,4}", 1..3_u32), 0..8).prop_map(|rows| {
            let row = |(id, owner): &(String, u32)| {
                let owner = json!({"login": format!("owner {owner}"), "site_admin": false});
                json!({"id": id, "state": "open", "owner": owner})
            };
            rows.iter().map(row).collect::<Value>().to_string()
        }),
        1 => (1..40_usize).prop_map(|count| "\u{1b}[32mok\u{1b}[0m\n".repeat(count)),
        1 => (1..40_u32).prop_map(|count| {
            (0..count).map(|n| format!("\rdownloading {n} %")).collect()
        }),
        1 => Just("{\"a\": 1, \"a\": [1,".to_owned()),
        1 => Just("[§ same as tool result 1]\n[§ table a,b\n1,2]\n[§ line above 3 times]".to_owned()),
    ]
}

/// What `ls -l` prints.
fn listing() -> impl Strategy<Value = String> {
    let entry =
        ("(-rw-r--r--|drwxr-xr-x)", 1..40_u32, 0..90_000_u32, "(May  7|Jun 12)", "[a-z ]{1,8}");
    vec(entry, 0..12).prop_map(|entries| {
        let line = |(mode, links, size, day, name): &(String, u32, u32, String, String)| {
            format!("{mode} {links:>2} root root {size:>5} {day} 08:32 {name}\n")
        };
        entries.iter().map(line).collect()
    })
}

fn rows() -> impl Strategy<Value = Value> {
    let row = ("[a-z]{1,8}", any::<i32>(), any::<bool>(), "[a-z, \"\n]{0,9}");
    vec(row, 0..8).prop_map(|rows| {
        let row = |(name, id, open, note)| json!({"name":name,"id":id,"open":open,"note":note});
        rows.into_iter().map(row).collect()
    })
}

/// Results of tools that repeat some of each other.
fn results() -> impl Strategy<Value = Vec<String>> {
    let pieces = vec(piece(), 1..6);
    (pieces, vec(vec(any::<prop::sample::Index>(), 1..4), 1..7)).prop_map(|(pieces, results)| {
        let result = |picks: Vec<prop::sample::Index>| {
            picks.iter().map(|pick| pick.get(&pieces).as_str()).collect::<Vec<_>>().join("\n")
        };
        results.into_iter().map(result).collect()
    })
}

fn openai(results: &[String]) -> Vec<Value> {
    let mut messages = vec![
        json!({"role": "system", "content": "Work."}),
        json!({"role": "user", "content": "Fix  the bug.\n\n"}),
    ];
    for (index, result) in results.iter().enumerate() {
        let id = format!("call_{index}");
        let function = json!({"name": "run", "arguments": "{\"n\": 1.0}"});
        messages.extend([
            json!({"role": "assistant", "content": null,
                "tool_calls": [{"id": id, "type": "function", "function": function}]}),
            json!({"role": "tool", "tool_call_id": id, "content": result}),
        ]);
    }
    messages
}

fn anthropic(results: &[String]) -> Vec<Value> {
    let mut messages = vec![json!({"role": "user", "content": "Fix  the bug.\n\n"})];
    for (index, result) in results.iter().enumerate() {
        let id = format!("call_{index}");
        let content = match index % 2 {
            0 => json!(result),
            _ => json!([{"type": "text", "text": result}, {"type": "text", "text": "done"}]),
        };
        messages.extend([
            json!({"role": "assistant", "content": [
                {"type": "thinking", "thinking": result, "signature": "c2lnbmVk"},
                {"type": "tool_use", "id": id, "name": "run", "input": {"n": 1.0}}]}),
            json!({"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": id, "content": content}]}),
        ]);
    }
    messages
}

fn documents(results: &[String]) -> Vec<Value> {
    let document = |(index, result): (usize, &String)| {
        format!("<document index=\"{index}\">\n{result}\n</document>\n\n")
    };
    let documents: String = results.iter().enumerate().map(document).collect();
    vec![json!({"role": "user", "content": format!("{documents}What  is it?\n")})]
}

fn prove(dialect: Dialect, messages: Vec<Value>, observations: Observations) {
    Conversation { dialect, tools: None, messages, observations }.prove();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn conversations_with_tools_keep_the_promises(results in results()) {
        prove(Dialect::OpenAiChat, openai(&results), Observations::Tool);
        prove(Dialect::Anthropic, anthropic(&results), Observations::Tool);
    }

    #[test]
    fn documents_and_observations_in_messages_keep_the_promises(results in results()) {
        prove(Dialect::OpenAiChat, documents(&results), Observations::Tool);
        let told = results.iter().flat_map(|result| [
            json!({"role": "user", "content": result}),
            json!({"role": "assistant", "content": "ls -l"}),
        ]);
        prove(Dialect::OpenAiChat, told.collect(), Observations::UserAfterFirst);
    }
}
