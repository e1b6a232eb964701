//! Payloads as providers sent them must cost what is known, to the pico-dollar: read by a flavour,
//! priced by the catalog.
//!
//! The cases lie beside the checkout, in `../shared`; without them this test has nothing to do.

#![allow(clippy::unwrap_used, reason = "a test, helpers included")]

use std::fs;

use farthing_core::Usd;
use farthing_core::pricing::{Catalog, Cost, CostStatus, Served};
use farthing_core::usage::{Bucket, Usage};
use farthing_wire::{Flavor, Reported};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

const CASES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/pricing_cases.jsonl");

/// The verdicts of cases that are certain.
const CERTAIN: &[&str] =
    &["agreed", "oracle_only", "corrected", "reference", "provider_reported", "must_error"];

#[derive(Deserialize)]
struct Case {
    id: String,
    provider: String,
    api_flavor: String,
    model: String,
    timestamp: Timestamp,
    price_context: Served,
    usage_payload: Value,
    expected_cost_usd: Option<Usd>,
    provider_reported_cost_usd: Option<String>,
    verdict: String,
}

/// What a case costs by the price list, and what the provider charged.
#[derive(Debug, Default, PartialEq)]
struct Costs {
    listed: Option<Usd>,
    charged: Option<Usd>,
}

fn costs(catalog: &Catalog, case: &Case) -> Result<Costs, String> {
    let flavor = Flavor::of(&case.provider, &case.api_flavor).map_err(|it| it.to_string())?;
    let payload = flavor.read_payload(&case.usage_payload.to_string(), &case.price_context);
    let payload = payload.map_err(|it| it.to_string())?;
    let (own, others) = match payload.usage {
        Reported::Valid(usage) | Reported::NoPrompt(usage) => (usage, Vec::new()),
        Reported::Joint { own, others } => (own, others),
        unusable => return Err(format!("{unusable:?}")),
    };
    let cost = |model: &str, usage: &Usage| {
        let found = catalog.resolve(&case.provider, model, case.timestamp, &payload.served).ok();
        found.map(|found| Cost::of(Some(&found.card), &usage.with(Bucket::Requests, 1)))
    };
    let answered = payload.model.as_deref().and_then(|model| cost(model, &own));
    let listed = answered.or_else(|| cost(&case.model, &own)).unwrap_or(Cost::UNPRICED);
    let listed = others.iter().fold(listed, |sum, other| {
        sum.and(cost(&other.model, &other.usage).unwrap_or(Cost::UNPRICED))
    });
    let listed = listed.usd.filter(|_| listed.status == CostStatus::Priced);
    Ok(Costs { listed, charged: payload.charged })
}

/// An amount as JSON spells it, with an exponent where it is small.
fn charged(amount: &str) -> Option<Usd> {
    let chat = Flavor::of("openrouter", "chat").unwrap();
    let usage = format!("{{\"cost\":{amount}}}");
    chat.read_payload(&usage, &Served::new()).unwrap().charged
}

/// What is wrong with our answer to a case.
fn mismatch(catalog: &Catalog, case: &Case) -> Option<String> {
    let Case { id, provider, api_flavor, model, .. } = case;
    let found = costs(catalog, case);
    let expected = case.expected_cost_usd;
    let right = match (case.verdict.as_str(), &found) {
        ("must_error", found) => found.as_ref().map_or(true, |costs| *costs == Costs::default()),
        ("provider_reported", Ok(costs)) => {
            let reported = case.provider_reported_cost_usd.as_deref().unwrap();
            costs.listed == expected && costs.charged == charged(reported)
        }
        (_, Ok(costs)) => costs.charged.or(costs.listed) == expected,
        (_, Err(_)) => false,
    };
    (!right).then(|| {
        format!("case {id}, {provider} {api_flavor} {model}: {found:?}, expected {expected:?}")
    })
}

#[test]
fn recorded_payloads_cost_what_is_known() {
    let Ok(text) = fs::read_to_string(CASES) else {
        println!("skipped: ../shared not present");
        return;
    };
    let catalog = Catalog::embedded().unwrap();
    let cases = text.lines().map(|line| serde_json::from_str::<Case>(line).unwrap());
    let certain = cases.filter(|case| CERTAIN.contains(&case.verdict.as_str()));
    let (mut checked, mut mismatches) = (0, Vec::new());
    for case in certain {
        checked += 1;
        mismatches.extend(mismatch(&catalog, &case));
    }
    let wrong = mismatches.len();
    assert!(wrong == 0, "{wrong} of {checked} are wrong:\n{}", mismatches.join("\n"));
    assert!(checked > 400, "only {checked} cases were found");
}
