//! The agent's tools. They work, on a copy of the sample project in memory.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The tools as they are offered to the model.
pub(super) const DEFINITIONS: &str = include_str!("sample/tools.json");

macro_rules! shop {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("sample/shop/", $path)))),*]
    };
}

const SHOP: &[(&str, &str)] = shop![
    "README.md",
    "checkout.py",
    "config/rates.json",
    "data/orders.json",
    "discounts.py",
    "logs/reconcile.log",
    "money.py",
    "refunds.py",
    "tax.py",
    "tests/test_checkout.py",
];

/// What is wrong in checkout.py, and in refunds.py; and the test that an agent adds for the latter.
const CHECKOUT_BUG: &str = "tax += tax_on(line.net, rate)";
const REFUND_BUG: &str = "amount += line.net + tax_on(line.net, rate)";
const REFUND_TEST: &str = "def test_returning_everything_pays_what_was_charged";

/// The sample project, as the agent has edited it so far.
#[derive(Debug)]
pub(super) struct Shop(BTreeMap<&'static str, Cow<'static, str>>);

/// A call of a tool.
#[derive(Debug, Deserialize)]
#[serde(tag = "name", content = "arguments", rename_all = "snake_case", deny_unknown_fields)]
enum Call {
    ListFiles { under: Option<String> },
    ReadFile { path: String, first_line: Option<usize>, last_line: Option<usize> },
    Grep { text: String, path: Option<String> },
    QueryOrders(Query),
    RunTests {},
    EditFile { path: String, old: String, new: String },
}

/// Which orders are asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Query {
    country: Option<String>,
    status: Option<String>,
    placed_from: Option<String>,
    only_different: bool,
    limit: Option<usize>,
}

/// An order of the sample data; what no query looks at is handed on as it is.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Order {
    id: String,
    placed_at: String,
    country: String,
    customer: String,
    status: String,
    voucher: Option<String>,
    charged: String,
    invoiced: String,
    lines: Value,
}

// === impl Call ===

impl Call {
    fn parse(name: &str, arguments: &str) -> Result<Call> {
        let arguments: Value = serde_json::from_str(arguments)
            .with_context(|| format!("the arguments of {name} are not JSON"))?;
        serde_json::from_value(json!({ "name": name, "arguments": arguments }))
            .with_context(|| format!("{name} cannot be called with {arguments}"))
    }
}

// === impl Query ===

impl Query {
    fn wants(&self, order: &Order) -> bool {
        let is =
            |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|w| w == value);
        is(&self.country, &order.country)
            && is(&self.status, &order.status)
            && self.placed_from.as_deref().is_none_or(|from| order.placed_at.as_str() >= from)
            && !(self.only_different && order.charged == order.invoiced)
    }
}

// === impl Shop ===

impl Shop {
    /// The project as it was found.
    pub(super) fn new() -> Shop {
        Shop(SHOP.iter().map(|(path, text)| (*path, Cow::Borrowed(*text))).collect())
    }

    /// Carries out a call, whose arguments are a JSON object. What cannot be done is a result too:
    /// the model reads it and goes on.
    pub(super) fn call(&mut self, tool: &str, arguments: &str) -> String {
        let result = Call::parse(tool, arguments).and_then(|call| self.carry_out(call));
        result.unwrap_or_else(|error| format!("error: {error:#}"))
    }

    fn carry_out(&mut self, call: Call) -> Result<String> {
        match call {
            Call::ListFiles { under } => self.list(under.as_deref()),
            Call::ReadFile { path, first_line, last_line } => {
                self.read(&path, first_line.unwrap_or(1), last_line.unwrap_or(usize::MAX))
            }
            Call::Grep { text, path } => self.grep(&text, path.as_deref()),
            Call::QueryOrders(query) => self.orders(&query),
            Call::RunTests {} => self.run_tests(),
            Call::EditFile { path, old, new } => self.edit(&path, &old, &new),
        }
    }

    fn list(&self, under: Option<&str>) -> Result<String> {
        let mut list = String::new();
        for (path, text) in self.files(under) {
            writeln!(list, "{path:<24} {:>4} lines", text.lines().count())?;
        }
        Ok(list)
    }

    fn read(&self, path: &str, first: usize, last: usize) -> Result<String> {
        let mut numbered = String::new();
        for (number, line) in (1..=last).zip(self.file(path)?.lines()).skip(first.max(1) - 1) {
            writeln!(numbered, "{number:>4}  {line}")?;
        }
        Ok(numbered)
    }

    fn grep(&self, text: &str, under: Option<&str>) -> Result<String> {
        let mut found = String::new();
        for (path, content) in self.files(under) {
            for (number, line) in (1..).zip(content.lines()).filter(|(_, line)| line.contains(text))
            {
                writeln!(found, "{path}:{number}: {line}")?;
            }
        }
        Ok(if found.is_empty() { "nothing found".to_owned() } else { found })
    }

    fn orders(&self, query: &Query) -> Result<String> {
        let orders: Vec<Order> = serde_json::from_str(self.file("data/orders.json")?)?;
        let limit = query.limit.unwrap_or(usize::MAX);
        let wanted: Vec<_> = orders.iter().filter(|order| query.wants(order)).take(limit).collect();
        Ok(serde_json::to_string_pretty(&wanted)?)
    }

    fn run_tests(&self) -> Result<String> {
        let has = |path, text| self.file(path).map(|file| file.contains(text));
        let is_tested = has("tests/test_checkout.py", REFUND_TEST)?;
        let printed = if has("checkout.py", CHECKOUT_BUG)? {
            include_str!("sample/tests_fail.txt")
        } else if !is_tested {
            include_str!("sample/tests_pass.txt")
        } else if has("refunds.py", REFUND_BUG)? {
            include_str!("sample/tests_refund_fail.txt")
        } else {
            include_str!("sample/tests_refund_pass.txt")
        };
        Ok(printed.to_owned())
    }

    fn edit(&mut self, path: &str, old: &str, new: &str) -> Result<String> {
        let text = self.file(path)?;
        match text.matches(old).count() {
            1 => {}
            0 => bail!("the old text is not in {path}"),
            times => bail!("the old text is {times} times in {path}; give more of it"),
        }
        let edited = text.replacen(old, new, 1);
        if let Some(file) = self.0.get_mut(path) {
            *file = Cow::Owned(edited);
        }
        Ok(format!("{path}: replaced {} lines by {}", old.lines().count(), new.lines().count()))
    }

    fn files(&self, under: Option<&str>) -> impl Iterator<Item = (&str, &str)> {
        let under = under.unwrap_or_default();
        let files = self.0.iter().map(|(path, text)| (*path, text.as_ref()));
        files.filter(move |(path, _)| path.starts_with(under))
    }

    fn file(&self, path: &str) -> Result<&str> {
        self.0.get(path).map(AsRef::as_ref).with_context(|| format!("there is no file {path}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(shop: &mut Shop, name: &str, arguments: Value) -> String {
        shop.call(name, &arguments.to_string())
    }

    #[test]
    fn files_are_listed_and_read_with_their_line_numbers() {
        let shop = &mut Shop::new();
        let list = call(shop, "list_files", json!({ "under": "tests/" }));
        assert_eq!(list, "tests/test_checkout.py    106 lines\n");
        let read = json!({ "path": "money.py", "first_line": 11, "last_line": 12 });
        let lines = "  11  from typing import Iterable\n  12  \n";
        assert_eq!(call(shop, "read_file", read), lines);
        let beyond = json!({ "path": "money.py", "first_line": 999 });
        assert_eq!(call(shop, "read_file", beyond), "");
    }

    #[test]
    fn grep_takes_its_text_literally() {
        let shop = &mut Shop::new();
        let found = call(shop, "grep", json!({ "text": "rounded(", "path": "tax.py" }));
        assert_eq!(found, "tax.py:56:     return rounded(net * rate)\n");
        assert_eq!(call(shop, "grep", json!({ "text": "round.d" })), "nothing found");
    }

    #[test]
    fn orders_are_those_that_meet_every_condition() {
        let shop = &mut Shop::new();
        let mut count = |query: Value| {
            let rows = call(shop, "query_orders", query);
            serde_json::from_str::<Vec<Order>>(&rows).unwrap().len()
        };
        assert_eq!(count(json!({})), 40);
        assert_eq!(count(json!({ "only_different": true })), 11);
        assert_eq!(count(json!({ "only_different": true, "country": "DE" })), 3);
        assert_eq!(count(json!({ "placed_from": "2026-03-27T14", "status": "paid" })), 0);
        assert_eq!(count(json!({ "limit": 2 })), 2);
    }

    #[test]
    fn the_tests_say_what_the_edits_have_done() {
        let shop = &mut Shop::new();
        let mut edited = |path: &str, old: &str, new: &str| {
            let edit = json!({ "path": path, "old": old, "new": new });
            assert!(call(shop, "edit_file", edit).starts_with(&format!("{path}: replaced 1 ")));
            call(shop, "run_tests", json!({}))
        };
        let test = format!("{REFUND_TEST}():");
        assert!(edited("money.py", "and the one way", "the one way").contains("2 failed"));
        let fixed = edited("checkout.py", CHECKOUT_BUG, "pass");
        assert!(fixed.contains("16 passed") && !fixed.contains("failed"));
        let tested = edited("tests/test_checkout.py", "def test_totals_are_whole_cents():", &test);
        assert!(tested.contains("1 failed") && tested.contains("16 passed"));
        let fixed = edited("refunds.py", REFUND_BUG, "pass");
        assert!(fixed.contains("17 passed") && !fixed.contains("failed"));
    }

    #[test]
    fn everything_that_the_script_calls_works_and_mends_the_shop() {
        let script: Value = serde_json::from_str(include_str!("sample/script.json")).unwrap();
        let shop = &mut Shop::new();
        for model in ["gpt-4.1", "claude-sonnet-4-5"] {
            let turns = script[model].as_array().unwrap().iter();
            for tool in turns.filter_map(|turn| turn["tool_calls"].as_array()).flatten() {
                let result = call(shop, tool["name"].as_str().unwrap(), tool["arguments"].clone());
                assert!(!result.is_empty() && !result.starts_with("error: "), "{tool}: {result}");
            }
        }
        assert!(call(shop, "run_tests", json!({})).contains("17 passed"));
        let readme = call(shop, "read_file", json!({ "path": "README.md" }));
        assert!(readme.contains("6. A partial refund pays"));
    }

    #[test]
    fn what_cannot_be_done_is_said_to_the_model() {
        let shop = &mut Shop::new();
        let edit = |old: &str| json!({ "path": "tax.py", "old": old, "new": "" });
        for (name, arguments, said) in [
            ("read_file", json!({ "path": "no.py" }), "error: there is no file no.py"),
            ("edit_file", edit("nowhere"), "error: the old text is not in tax.py"),
            (
                "edit_file",
                edit("raise UnknownRate"),
                "error: the old text is 2 times in tax.py; give more of it",
            ),
        ] {
            assert_eq!(call(shop, name, arguments), said);
        }
        let said = shop.call("drop_table", "{}");
        assert!(said.starts_with("error: drop_table cannot be called with {}: unknown variant"));
        let said = shop.call("grep", "{");
        assert!(said.starts_with("error: the arguments of grep are not JSON: EOF"));
    }

    #[test]
    fn the_model_is_offered_the_tools_that_there_are() {
        let offered: Vec<Value> = serde_json::from_str(DEFINITIONS).unwrap();
        let names: Vec<_> =
            offered.iter().filter_map(|tool| tool["function"]["name"].as_str()).collect();
        let tools = ["list_files", "read_file", "grep", "query_orders", "run_tests", "edit_file"];
        assert_eq!(names, tools);
    }
}
