use serde_json::{Value, json};

use crate::support::{Folder, json_lines, shared};

fn case(id: &str, model: &str, usage: Value) -> Value {
    json!({
        "id": id, "provider": "openai", "api_flavor": "chat", "model": model,
        "timestamp": "2026-11-20T12:00:00Z", "price_context": {},
        "usage_payload": { "model": model, "usage": usage }, "other": [1, 2],
    })
}

fn usage(input: i64, cached: i64, output: i64) -> Value {
    json!({
        "prompt_tokens": input, "completion_tokens": output,
        "prompt_tokens_details": { "cached_tokens": cached },
    })
}

fn priced(lines: &[String]) -> Vec<Value> {
    let run = Folder::new().run_with(&["price", "--cases", "-"], &lines.join("\n"));
    assert_eq!(run.err, "");
    let answers = json_lines(&run.out);
    assert_eq!(answers.len(), lines.len());
    answers
}

#[test]
fn usage_is_priced_to_the_pico_dollar() {
    let arguments =
        ["price", "--model", "gpt-4.1-2025-04-14", "--input", "12000", "--cached", "8000"];
    let json = Folder::new().run(&[&arguments[..], &["--output", "500", "--json"]].concat()).json();
    let card = json["rate_card"].as_str().unwrap().len();
    assert_eq!(card, 32);
    assert_eq!(
        json,
        json!({
            "provider": "openai", "model": "gpt-4.1", "rule": json["rule"],
            "rate_card": json["rate_card"], "usage": { "input": 4_000, "cache_read": 8_000, "output": 500 },
            "status": "priced", "cost_usd": "0.016", "pico_usd": 16_000_000_000_u64,
        })
    );
    let out = Folder::new().run(&arguments).ok();
    let lines: Vec<_> = out.lines().skip(2).collect();
    assert_eq!(
        lines,
        [
            "  input                4,000",
            "  cache_read           8,000",
            "  cost                $0.012  priced",
        ]
    );
}

#[test]
fn a_text_is_priced_as_a_message_with_the_most_that_an_answer_may_cost() {
    let out = Folder::new().run(&["price", "--model", "gpt-4.1", "Tell me a story."]).ok();
    let lines: Vec<_> = out.lines().skip(2).collect();
    assert_eq!(
        lines,
        [
            "  input                   12",
            "  cost             $0.000024  priced",
            "  at most          $0.262168  with an answer of 32,768 tokens",
        ]
    );
}

#[test]
fn a_request_says_itself_which_model_it_is_for() {
    let body = json!({
        "model": "gpt-4.1", "max_completion_tokens": 100, "n": 2,
        "messages": [{ "role": "user", "content": "Tell me a story." }],
    });
    let folder = Folder::new().with("body.json", body.to_string());
    let json = folder.run(&["price", "--request", "body.json", "--output", "10", "--json"]).json();
    assert_eq!(json["usage"], json!({ "input": 12, "output": 10 }));
    assert_eq!(json["cost_usd"], "0.000104");
    assert_eq!(json["at_most"]["answer_tokens"], 200);
    assert_eq!(json["at_most"]["cost_usd"], "0.001624");
}

#[test]
fn an_estimate_is_priced_as_one() {
    let arguments = ["price", "--model", "claude-sonnet-4-5", "Tell me a story.", "--json"];
    let json = Folder::new().run(&arguments).json();
    assert_eq!((&json["provider"], &json["status"]), (&json!("anthropic"), &json!("estimated")));
}

#[test]
fn a_model_without_a_price_is_never_free() {
    let arguments = ["price", "--provider", "openai", "--model", "gpt-4.11", "--input", "1"];
    let err = Folder::new().run(&arguments).fails(1);
    assert!(
        err.contains("no price is known for `gpt-4.11` of openai; similar names are gpt-4.1"),
        "{err}"
    );
    let run = Folder::new().run(&[&arguments[..], &["--json"]].concat());
    assert_eq!(run.code, Some(1));
    let json: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(json["status"], "unpriced");
    assert!(json.get("cost_usd").is_none() && json["error"].is_string());
}

#[test]
fn each_case_has_its_cost_or_its_reason() {
    let mut batch = case("batch", "gpt-4.1", usage(1_000_000, 0, 0));
    batch["price_context"] = json!({ "processing": "batch" });
    let mut odd_context = case("context", "gpt-4.1", usage(1, 0, 1));
    odd_context["price_context"] = json!({ "weather": "fine" });
    let mut bare = case("bare", "gpt-4.1", Value::Null);
    bare["usage_payload"] = usage(1_000_000, 0, 0);
    let mut stream = case("stream", "gpt-4.1", Value::Null);
    stream["api_flavor"] = json!("sse");
    stream["usage_payload"] = json!({ "events": [
        { "model": "gpt-4.1", "choices": [{ "index": 0, "delta": { "content": "Hi" } }], "usage": null },
        { "model": "gpt-4.1", "choices": [], "usage": usage(1_000_000, 0, 0) },
    ] });
    let mut other = case("other", "gpt-4.1", usage(1, 0, 1));
    other["api_flavor"] = json!("smoke");
    let mut nobody = case("nobody", "gpt-4.1", usage(1, 0, 1));
    nobody["provider"] = json!("nobody");
    let cases = [
        case("plain", "gpt-4.1", usage(1_000_000, 0, 0)),
        batch,
        bare,
        stream,
        case("odd", "totally-unknown", usage(1, 0, 1)),
        case("contradiction", "gpt-4.1", usage(1, 2, 1)),
        case("negative", "gpt-4.1", usage(-1, 0, 1)),
        case("absent", "gpt-4.1", Value::Null),
        odd_context,
        other,
        nobody,
    ];
    let answers = priced(&cases.map(|case| case.to_string()));
    let costs: Vec<_> = answers.iter().map(|answer| answer["cost_usd"].as_str()).collect();
    let (two, none) = (Some("2.00"), None);
    assert_eq!(costs, [two, Some("1.00"), two, two, none, none, none, none, none, none, none]);
    let statuses: Vec<_> = answers.iter().map(|answer| answer["status"].clone()).collect();
    assert_eq!(
        json!(statuses),
        json!([
            "priced",
            "priced",
            "priced",
            "priced",
            "unpriced",
            "invalid_usage",
            "invalid_usage",
            "invalid_usage",
            null,
            null,
            "unpriced",
        ])
    );
    assert!(answers[4..].iter().all(|answer| answer["error"].is_string()), "{answers:#?}");
}

#[test]
fn a_cost_has_all_that_it_rests_on() {
    let answer = &priced(&[case("a", "gpt-4.1-2025-04-14", usage(10, 0, 1)).to_string()])[0];
    let keys: Vec<_> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = ["id", "status", "cost_usd", "pico_usd", "model", "rule", "rate_card"];
    expected.sort_unstable();
    assert_eq!(keys, expected);
    assert_eq!((&answer["pico_usd"], &answer["model"]), (&json!(28_000_000), &json!("gpt-4.1")));
}

#[test]
fn every_line_is_answered_whatever_it_is() {
    let deep = format!("{{\"id\":\"deep\",\"usage_payload\":{}", "[".repeat(100_000));
    let mut huge = case("huge", "gpt-4.1", usage(1, 0, 1)).to_string();
    huge = huge.replace("\"completion_tokens\":1", "\"completion_tokens\":1e400");
    let lines =
        ["", "null", "[]", "{\"id\":\"x\"}", "{\"id\":", "\u{0}", &deep, &huge].map(str::to_owned);
    let run = Folder::new().run_with(&["price", "--cases", "-"], &lines.join("\n"));
    assert_eq!((run.code, run.err.as_str()), (Some(1), ""));
    let answers = json_lines(&run.out);
    assert_eq!(answers.len(), lines.len());
    assert!(answers.iter().all(|answer| answer["error"].is_string()), "{answers:#?}");
    assert_eq!((&answers[0]["id"], &answers[0]["line"]), (&Value::Null, &json!(1)));
    let missing = json!({ "id": "x", "error": "missing field `provider` at column 10" });
    assert_eq!(answers[3], missing);
}

#[test]
fn known_cases_cost_what_is_known() {
    let Some(path) = shared("pricing_cases.jsonl") else { return };
    let cases = json_lines(&std::fs::read_to_string(&path).unwrap());
    let answers = json_lines(&Folder::new().run(&["price", "--cases", &path]).ok());
    assert_eq!(answers.len(), cases.len());
    let amount = |text: &Value| text.as_str().map(|usd| usd.parse::<farthing_core::Usd>());
    let mut wrong = Vec::new();
    for (case, answer) in cases.iter().zip(&answers) {
        assert_eq!(case["id"], answer["id"]);
        let [cost, listed] = ["cost_usd", "list_cost_usd"].map(|name| amount(&answer[name]));
        let expected = amount(&case["expected_cost_usd"]);
        let right = match case["verdict"].as_str().unwrap() {
            "disputed" | "unpriced_in_catalog" => true,
            "must_error" => cost.is_none() && answer["error"].is_string(),
            // What is expected is the list price; what was charged is beside it.
            "provider_reported" => listed == expected && answer["status"] == "provider_reported",
            _ => cost == expected,
        };
        if !right {
            wrong.push(format!("{case}\n  {answer}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
