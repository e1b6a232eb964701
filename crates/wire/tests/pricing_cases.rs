//! Payloads as providers sent them must cost what is known, to the pico-dollar: read by a dialect,
//! priced by the catalog.
//!
//! The cases lie beside the checkout, in `../shared`; without them this test has nothing to do.

#![allow(clippy::unwrap_used, reason = "a test, helpers included")]

use std::fs;

use bytes::Bytes;
use farthing_core::Usd;
use farthing_core::pricing::{Catalog, CostStatus, Served};
use farthing_core::usage::Usage;
use farthing_wire::{Dialect, Reported};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

const CASES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/pricing_cases.jsonl");

/// Whose cases are read, by provider and flavour, and at least how many there are.
const READ: &[(&str, &[&str], Dialect, usize)] = &[
    ("openai", &["chat"], Dialect::OpenAiChat, 49),
    ("anthropic", &["default", "sse"], Dialect::Anthropic, 100),
];

#[derive(Deserialize)]
struct Case {
    id: String,
    provider: String,
    api_flavor: String,
    model: String,
    timestamp: Timestamp,
    price_context: Served,
    usage_payload: Value,
    expected_cost_usd: Option<String>,
}

/// What a payload says.
struct Said {
    model: Option<String>,
    served: Served,
    usage: Reported,
}

fn read(dialect: Dialect, payload: &Value) -> Said {
    let Some(events) = payload["events"].as_array() else {
        let answer = dialect.read_answer(&Bytes::from(payload.to_string())).unwrap();
        return Said { model: answer.model, served: answer.served, usage: answer.usage };
    };
    let mut reader = dialect.stream_reader(false);
    for event in events {
        reader.push(format!("data: {event}\n\n").into(), &mut |_| {});
    }
    let model = reader.model().map(String::from);
    Said { model, served: reader.served().clone(), usage: reader.usage().clone() }
}

/// The cost of a case; `None` where a model has no price or the usage is not valid.
fn cost(catalog: &Catalog, case: &Case, dialect: Dialect) -> Option<Usd> {
    let Said { model, mut served, usage } = read(dialect, &case.usage_payload);
    served.extend(case.price_context.clone());
    let price = |model: &str, usage: &Usage| {
        let found = catalog.resolve(&case.provider, model, case.timestamp, &served).ok()?;
        let cost = found.card.cost(usage).ok()?;
        assert_eq!(cost.status, CostStatus::Priced, "case {}", case.id);
        cost.usd
    };
    let model = model.as_deref().unwrap_or(&case.model);
    match usage {
        Reported::Valid(usage) | Reported::NoPrompt(usage) => price(model, &usage),
        Reported::Joint { own, others } => {
            others.iter().try_fold(price(model, &own)?, |sum, other| {
                sum.plus(price(&other.model, &other.usage)?).ok()
            })
        }
        Reported::Absent | Reported::PromptOnly(_) | Reported::Invalid(_) => None,
    }
}

#[test]
fn recorded_payloads_cost_what_is_known() {
    let Ok(text) = fs::read_to_string(CASES) else {
        println!("skipped: ../shared not present");
        return;
    };
    let catalog = Catalog::embedded().unwrap();
    let cases: Vec<Case> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (provider, flavors, dialect, at_least) in READ {
        let ours = cases.iter().filter(|case| {
            case.provider == *provider && flavors.contains(&case.api_flavor.as_str())
        });
        let mut checked = 0;
        for case in ours {
            let expected = case.expected_cost_usd.as_ref().map(|usd| usd.parse::<Usd>().unwrap());
            assert_eq!(cost(&catalog, case, *dialect), expected, "case {}", case.id);
            checked += 1;
        }
        assert!(checked >= *at_least, "only {checked} cases of {provider}");
    }
}
