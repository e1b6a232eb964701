//! Costs that other systems and the providers' own pages agree on must come out to the pico-dollar.
//!
//! The cases lie beside the checkout, in `../shared`; without them this test has nothing to do.

use std::path::Path;

use farthing_core::Usd;
use farthing_core::pricing::{Catalog, CostStatus, Served};
use farthing_core::usage::{Bucket, Usage};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

const CASES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/pricing_cases.jsonl");

/// The verdicts of cases that are certain.
const CERTAIN: &[&str] = &["agreed", "oracle_only", "corrected", "reference", "must_error"];

/// The cases that can be put as a [`Usage`]; fewer would mean that this test lost sight of some.
const COVERED_AT_LEAST: usize = 396;

#[derive(Deserialize)]
struct Case {
    id: String,
    provider: String,
    model: String,
    timestamp: Timestamp,
    price_context: Map<String, Value>,
    usage_payload: Value,
    expected_cost_usd: Option<String>,
    verdict: String,
    /// What the case's author read from the payload, in counts that overlap.
    units: Option<Map<String, Value>>,
}

/// `None` where only the payload says what was consumed: reading it is another crate's work.
fn situation(case: &Case) -> Option<(Usage, Served)> {
    let served = serde_json::from_value(Value::Object(case.price_context.clone())).ok()?;
    let units_are_wrong = case.usage_payload.pointer("/usage/iterations").is_some()
        || (case.provider == "x-ai" && case.verdict == "corrected");
    if units_are_wrong {
        // They leave out all iterations but the last, or count thinking twice.
        return None;
    }
    match &case.units {
        Some(units) => Some((usage(units)?, served)),
        None if case.expected_cost_usd.is_none() => Some((Usage::NONE, served)),
        None => None,
    }
}

/// Takes the overlapping counts apart: all of the prompt is in `input_tokens`, all of the answer in
/// `output_tokens`, thinking included.
fn usage(units: &Map<String, Value>) -> Option<Usage> {
    let mut usage = Usage::NONE;
    for (unit, count) in units {
        let bucket = match unit.as_str() {
            "input_tokens" => Bucket::Input,
            "input_audio_tokens" => Bucket::InputAudio,
            "input_image_tokens" => Bucket::InputImage,
            "input_video_tokens" => Bucket::InputVideo,
            "cache_read_tokens" => Bucket::CacheRead,
            "cache_write_tokens" if units.contains_key("cache_write_5m_tokens") => continue,
            "cache_write_tokens" | "cache_write_5m_tokens" => Bucket::CacheWrite5m,
            "cache_write_1h_tokens" => Bucket::CacheWrite1h,
            "output_tokens" => Bucket::Output,
            "output_audio_tokens" => Bucket::OutputAudio,
            "output_image_tokens" => Bucket::OutputImage,
            "output_reasoning_tokens" => Bucket::OutputReasoning,
            "web_searches" => Bucket::WebSearch,
            "input_text_tokens"
            | "input_tool_tokens"
            | "input_text_tool_tokens"
            | "output_text_tokens" => continue,
            _ => return None,
        };
        usage = usage.with(bucket, count.as_u64()?);
    }
    let (input, output) = (usage.get(Bucket::Input), usage.get(Bucket::Output));
    let parts = usage.with(Bucket::Input, 0).with(Bucket::Output, 0);
    Some(
        usage
            .with(Bucket::Input, input.checked_sub(parts.prompt())?)
            .with(Bucket::Output, output.checked_sub(parts.completion())?),
    )
}

/// What is wrong with our answer to a case.
fn mismatch(catalog: &Catalog, case: &Case, usage: &Usage, served: &Served) -> Option<String> {
    let Case { id, provider, model, .. } = case;
    let wrong = |what: String| Some(format!("case {id}, {provider} {model}: {what}"));
    let resolved = catalog.resolve(provider, model, case.timestamp, served);
    let (resolved, expected) = match (resolved, &case.expected_cost_usd) {
        (Ok(resolved), Some(expected)) => (resolved, expected),
        (Ok(resolved), None) => return wrong(format!("priced as {}", resolved.model.id)),
        (Err(_), Some(expected)) => return wrong(format!("unpriced, expected {expected}")),
        (Err(_), None) => return None,
    };
    let cost = resolved.card.cost(usage);
    let right = cost.is_ok_and(|cost| {
        cost.usd == expected.parse::<Usd>().ok() && cost.status == CostStatus::Priced
    });
    if right { None } else { wrong(format!("{cost:?}, expected {expected}")) }
}

#[test]
fn known_cases_cost_what_is_known() {
    let path = Path::new(CASES);
    if !path.exists() {
        println!("skipped: ../shared not present");
        return;
    }
    let text = std::fs::read_to_string(path).unwrap();
    let cases = text.lines().map(|line| serde_json::from_str::<Case>(line).unwrap());
    let catalog = Catalog::embedded().unwrap();
    let (mut covered, mut left_out, mut mismatches) = (0, Vec::new(), Vec::new());
    for case in cases.filter(|case| CERTAIN.contains(&case.verdict.as_str())) {
        match situation(&case) {
            Some((usage, served)) => {
                covered += 1;
                mismatches.extend(mismatch(&catalog, &case, &usage, &served));
            }
            None => left_out.push(case.id),
        }
    }
    println!("{covered} cases covered, left out: {}", left_out.join(", "));
    assert!(mismatches.is_empty(), "{}", mismatches.join("\n"));
    assert!(covered >= COVERED_AT_LEAST, "only {covered} cases were covered");
}
