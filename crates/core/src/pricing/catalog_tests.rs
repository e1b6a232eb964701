//! From a model's name and moment to its price, and what is said where a catalog is wrong.

use super::*;
use crate::pricing::{Cost, Dimension};
use crate::usage::{Bucket, Usage};

const HEAD: &str = r#"
provider = "acme"
sources = ["https://acme.test/pricing"]
checked = "2026-11-22"
"#;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    time("2026-11-22T12:00:00Z")
}

fn acme(models: &str) -> Catalog {
    Catalog::parse(&[("acme.toml", &format!("{HEAD}{models}"))]).unwrap()
}

fn served(dimension: Dimension, how: &str) -> Served {
    Served::from([(dimension, how.to_owned())])
}

/// What a million tokens of each bucket cost together.
fn million(resolved: &Resolved, buckets: &[Bucket]) -> String {
    let usage = buckets.iter().fold(Usage::NONE, |usage, bucket| usage.with(*bucket, 1_000_000));
    let Cost { usd, .. } = resolved.card.cost(&usage).unwrap();
    usd.unwrap().to_string()
}

/// The model and the rule that a name leads to, in the embedded catalog.
fn found_at(provider: &str, name: &str) -> Option<(String, FoundBy)> {
    let catalog = Catalog::embedded().unwrap();
    let resolved = catalog.resolve(provider, name, now(), &Served::new()).ok()?;
    Some((resolved.model.id.clone(), resolved.rule))
}

fn found(name: &str) -> Option<(String, FoundBy)> {
    found_at("openai", name)
}

#[track_caller]
fn assert_found(name: &str, id: &str, rule: FoundBy) {
    assert_found_at("openai", name, id, rule);
}

#[track_caller]
fn assert_found_at(provider: &str, name: &str, id: &str, rule: FoundBy) {
    assert_eq!(found_at(provider, name), Some((id.to_owned(), rule)), "{name}");
}

#[test]
fn every_embedded_file_loads_and_every_name_leads_to_its_own_model() {
    let catalog = Catalog::embedded().unwrap();
    catalog.load().unwrap();
    let mut models = 0;
    for (provider, file, _) in embedded::FILES {
        assert_eq!(format!("{provider}.toml"), *file);
        for model in catalog.models(provider) {
            models += 1;
            assert_eq!(&*model.provider, *provider);
            for name in [&model.id].into_iter().chain(&model.aliases) {
                let asked = name.replace('#', "1");
                let late = time("2027-12-01T12:00:00Z");
                let resolved = catalog.resolve(provider, &asked, late, &Served::new());
                let found = resolved.map(|resolved| resolved.model.id.clone());
                assert_eq!(found.as_ref(), Ok(&model.id), "{provider} {name}");
            }
        }
    }
    assert!(models >= 1_400, "only {models} models");
}

#[test]
fn the_embedded_files_are_those_of_the_catalog_folder() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../catalog");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
    let mut files: Vec<_> = files.map(|name| name.into_string().unwrap()).collect();
    files.retain(|name| name.ends_with(".toml"));
    files.sort();
    let mut embedded: Vec<_> = embedded::FILES.iter().map(|(_, name, _)| *name).collect();
    embedded.sort_unstable();
    assert_eq!(files, embedded);
}

#[test]
fn the_price_is_that_of_the_day_on_which_the_call_was_made() {
    let catalog = Catalog::embedded().unwrap();
    let price = |at| {
        let resolved = catalog.resolve("openai", "gpt-5.6", time(at), &Served::new()).unwrap();
        assert_eq!(resolved.model.id, "gpt-5.6-sol");
        let usage = Usage::NONE.with(Bucket::Input, 200_000).with(Bucket::Output, 100_000);
        resolved.card.cost(&usage).unwrap().usd.unwrap().to_string()
    };
    assert_eq!(price("2026-08-20T23:59:59.999999999Z"), "4.00");
    assert_eq!(price("2026-08-21T00:00:00Z"), "2.80");
}

#[test]
fn a_model_has_no_price_before_its_first() {
    let catalog = acme(
        r#"
        [[model]]
        id = "late"
        [[model.price]]
        from = "2026-03-01"
        rates = { input = "1" }
        "#,
    );
    let resolve = |at| catalog.resolve("acme", "late", time(at), &Served::new()).is_ok();
    assert!(!resolve("2026-02-28T23:59:59Z"));
    assert!(resolve("2026-03-01T00:00:00Z"));
}

#[test]
fn the_tier_that_served_selects_the_price_and_an_unknown_one_does_not() {
    let catalog = Catalog::embedded().unwrap();
    let price = |how: &Served| {
        let resolved = catalog.resolve("openai", "gpt-5", now(), how).unwrap();
        million(&resolved, &[Bucket::Output])
    };
    assert_eq!(price(&Served::new()), "10.00");
    assert_eq!(price(&served(Dimension::ServiceTier, "flex")), "5.00");
    assert_eq!(price(&served(Dimension::ServiceTier, "priority")), "20.00");
    assert_eq!(price(&served(Dimension::Processing, "batch")), "5.00");
    assert_eq!(price(&served(Dimension::ServiceTier, "default")), "10.00");
    assert_eq!(price(&served(Dimension::ServiceTier, "turbo")), "10.00");
}

/// The order of prices in a file is of no account.
const VARIANTS: &str = r#"
[[model]]
id = "m"

[[model.price]]
rates = { input = "10", cache_read = "1", output = "20" }

[[model.price]]
from = "2026-03-01"
rates = { input = "8", cache_read = "0.8", output = "16" }

[[model.price]]
from = "2026-04-01"
when = { processing = "batch" }
rates = { input = "3" }

[[model.price]]
from = "2026-02-01"
when = { processing = "batch" }
rates = { input = "5" }

[[model.price]]
from = "2026-05-01"
rates = { input = "6", cache_read = "0.6", output = "12" }

[[model.price]]
when = { service_tier = "flex", processing = "batch" }
rates = { input = "2" }
"#;

#[test]
fn a_variant_inherits_what_it_does_not_name_and_follows_the_standard_price() {
    let catalog = acme(VARIANTS);
    let batch = served(Dimension::Processing, "batch");
    let prices = |at: &str| {
        let resolved = catalog.resolve("acme", "m", time(at), &batch).unwrap();
        [Bucket::Input, Bucket::CacheRead, Bucket::Output].map(|b| million(&resolved, &[b]))
    };
    // Before the variant begins, the standard price holds.
    assert_eq!(prices("2026-01-31T23:59:59Z"), ["10.00", "1.00", "20.00"]);
    assert_eq!(prices("2026-02-01T00:00:00Z"), ["5.00", "1.00", "20.00"]);
    assert_eq!(prices("2026-03-01T00:00:00Z"), ["5.00", "0.80", "16.00"]);
    assert_eq!(prices("2026-04-01T00:00:00Z"), ["3.00", "0.80", "16.00"]);
    assert_eq!(prices("2026-05-01T00:00:00Z"), ["3.00", "0.60", "12.00"]);
}

#[test]
fn a_newer_standard_price_drops_what_only_the_older_named() {
    let catalog = acme(
        r#"
        [[model]]
        id = "m"
        [[model.price]]
        rates = { input = "10", cache_read = "1" }
        [[model.price]]
        from = "2026-03-01"
        rates = { input = "8" }
        "#,
    );
    let resolved = catalog.resolve("acme", "m", now(), &Served::new()).unwrap();
    assert_eq!(million(&resolved, &[Bucket::CacheRead]), "8.00");
}

#[test]
fn the_variant_that_matches_most_closely_wins() {
    let catalog = acme(VARIANTS);
    let both = Served::from([
        (Dimension::ServiceTier, "flex".to_owned()),
        (Dimension::Processing, "batch".to_owned()),
    ]);
    // One that names less may be newer.
    let at = time("2026-04-01T00:00:00Z");
    let price =
        |how: &Served| million(&catalog.resolve("acme", "m", at, how).unwrap(), &[Bucket::Input]);
    assert_eq!(price(&both), "2.00");
    assert_eq!(price(&served(Dimension::ServiceTier, "flex")), "8.00");
}

#[test]
fn a_surcharge_is_on_every_token_of_every_variant_and_on_nothing_else() {
    let catalog = acme(
        r#"
        [[model]]
        id = "m"
        [[model.price]]
        rates = { input = "10, above 100: 20", cache_read = "0.05", web_search = "10" }
        [[model.price]]
        when = { processing = "batch" }
        rates = { input = "5" }
        [[model.price]]
        when = { geo = "eu" }
        rates = { input = "7" }
        [[model.surcharge]]
        when = { geo = "us" }
        multiply = "11/10"
        [[model.surcharge]]
        when = { geo = "moon" }
        multiply = "1/3"
        "#,
    );
    let prices = |how: &[(Dimension, &str)]| {
        let served = how.iter().map(|(what, how)| (*what, (*how).to_owned())).collect();
        let resolved = catalog.resolve("acme", "m", now(), &served).unwrap();
        [Bucket::Input, Bucket::CacheRead, Bucket::WebSearch].map(|b| million(&resolved, &[b]))
    };
    let us = (Dimension::Geo, "us");
    let batch = (Dimension::Processing, "batch");
    assert_eq!(prices(&[]), ["20.00", "0.05", "10000.00"]);
    assert_eq!(prices(&[us]), ["22.00", "0.055", "10000.00"]);
    assert_eq!(prices(&[us, batch]), ["5.50", "0.055", "10000.00"]);
    assert_eq!(prices(&[(Dimension::Geo, "eu")])[0], "7.00");
    assert_eq!(prices(&[(Dimension::Geo, "global")]), prices(&[]));
    assert_eq!(prices(&[(Dimension::Geo, "moon")])[0], "6.666666666667");
}

#[test]
fn claude_costs_a_tenth_more_in_the_united_states_from_opus_4_6_on() {
    let catalog = Catalog::embedded().unwrap();
    let price = |model: &str, served: &Served| {
        let resolved = catalog.resolve("anthropic", model, now(), served).unwrap();
        million(&resolved, &[Bucket::Input, Bucket::CacheWrite1h, Bucket::Output])
    };
    let us = served(Dimension::Geo, "us");
    assert_eq!(price("claude-opus-4-5", &us), price("claude-opus-4-5", &Served::new()));
    assert_eq!(price("claude-opus-4-6", &Served::new()), "40.00");
    assert_eq!(price("claude-opus-4-6", &us), "44.00");
    let fast = served(Dimension::Speed, "fast");
    assert_eq!(price("claude-opus-5-5", &fast), "64.00");
    let fast_in_us = fast.into_iter().chain(us).collect();
    assert_eq!(price("claude-opus-5-5", &fast_in_us), "70.40");
}

#[test]
fn names_are_found_in_any_case_and_with_a_clients_prefix() {
    assert_found("gpt-4o", "gpt-4o", FoundBy::Exact);
    assert_found(" GPT-4o ", "gpt-4o", FoundBy::Exact);
    assert_found("openai/gpt-4o", "gpt-4o", FoundBy::Exact);
    assert_found("models/gpt-4o", "gpt-4o", FoundBy::Exact);
    assert_found("models/OpenAI/gpt-4o", "gpt-4o", FoundBy::Exact);
    assert_found("gpt-5.6", "gpt-5.6-sol", FoundBy::Alias);
    for path in ["models/", "publishers/google/models/", "projects/p/locations/l/models/google/"] {
        let name = format!("{path}gemini-2.5-flash");
        assert_found_at("google", &name, "gemini-2.5-flash", FoundBy::Exact);
    }
    assert_eq!(found_at("google", "tunedModels/gemini-2.5-flash"), None);
    assert_eq!(found("azure/gpt-4o"), None);
    assert_eq!(found("openaigpt-4o"), None);
    assert_eq!(found(""), None);
}

#[test]
fn a_dated_snapshot_is_its_model_unless_it_has_a_price_of_its_own() {
    assert_found("gpt-4o-2024-08-06", "gpt-4o", FoundBy::Snapshot);
    assert_found("gpt-4o-2031-12-24", "gpt-4o", FoundBy::Snapshot);
    assert_found("gpt-5-20250807", "gpt-5", FoundBy::Snapshot);
    assert_found("gpt-5.6-2026-07-01", "gpt-5.6-sol", FoundBy::Snapshot);
    assert_found("gpt-4o-2024-05-13", "gpt-4o-2024-05-13", FoundBy::Exact);
    assert_found("computer-use-preview-2025-03-11", "computer-use", FoundBy::Snapshot);
    let claude = |name, id| assert_found_at("anthropic", name, id, FoundBy::Snapshot);
    claude("claude-sonnet-4-20250514", "claude-sonnet-4-0");
    claude("claude-sonnet-4-5-20250929", "claude-sonnet-4-5");
    claude("claude-sonnet-5@20260630", "claude-sonnet-5");
}

#[test]
fn nothing_is_guessed_from_a_part_of_a_name() {
    for name in [
        "gpt-4o-foo",
        "my-gpt-4o",
        "gpt-4o-2024-13-01",
        "gpt-4o-2024-8-06",
        "gpt-4o2024-08-06",
        "gpt-4o-2024-08-06-2025-01-01",
        "gpt-4o-2024",
        "-2024-08-06",
        "2024-08-06",
        "gpt-4ö-2024-08-06",
    ] {
        assert_eq!(found(name), None, "{name}");
    }
}

#[test]
fn what_is_not_found_comes_with_the_names_that_look_like_it() {
    let catalog = Catalog::embedded().unwrap();
    let resolve = |provider, name| catalog.resolve(provider, name, now(), &Served::new());
    let suggestions = resolve("openai", "gpt-4o-foo").unwrap_err().suggestions;
    assert_eq!(suggestions.first().map(String::as_str), Some("gpt-4o"));
    assert!(suggestions.len() <= 3);
    assert_eq!(resolve("openai", "zzz").unwrap_err().suggestions, Vec::<String>::new());
    assert_eq!(resolve("nobody", "gpt-4o").unwrap_err().suggestions, Vec::<String>::new());
}

#[test]
fn a_fine_tuned_model_never_has_the_price_of_its_base() {
    let catalog = acme(
        r#"
        [[model]]
        id = "base"
        [[model.price]]
        rates = { input = "1" }
        [[model]]
        id = "other"
        [[model.price]]
        rates = { input = "1" }
        [[model]]
        id = "ft:base"
        [[model.price]]
        rates = { input = "3" }
        "#,
    );
    let found = |name: &str| {
        let resolved = catalog.resolve("acme", name, now(), &Served::new()).ok()?;
        Some((resolved.model.id.clone(), resolved.rule))
    };
    let tuned = |rule| Some(("ft:base".to_owned(), rule));
    assert_eq!(found("ft:base:org::AbC123"), tuned(FoundBy::Exact));
    assert_eq!(found("acme/ft:base-2024-08-06:org:suffix:id"), tuned(FoundBy::Snapshot));
    assert_eq!(found("base-2024-08-06.ft-0e208cf3"), tuned(FoundBy::Snapshot));
    for name in ["ft:other:org::id", "other.ft-0e208cf3", "ft:other", "ft:", "ft::", "base:org::id"]
    {
        assert_eq!(found(name), None, "{name}");
    }
}

#[test]
fn the_embedded_fine_tunes_are_found_by_what_clients_send() {
    assert_found("ft:gpt-4o-mini-2024-07-18:acme::AbC123", "ft:gpt-4o-mini", FoundBy::Snapshot);
    assert_found("ft:gpt-3.5-turbo-0125:acme::AbC123", "ft:gpt-3.5-turbo", FoundBy::Alias);
    assert_eq!(found("ft:gpt-4-0613:acme::AbC123"), None);
}

#[test]
fn an_unknown_model_may_cost_what_the_dearest_of_its_provider_does() {
    let catalog = acme(VARIANTS);
    let most =
        WorstCase { prompt_tokens: 100, cache_write: None, completion_tokens: 10, media: false };
    let dearest = |provider, at| catalog.dearest(provider, time(at), &most).unwrap();
    let expected = |text: &str| Some(text.parse::<Usd>().unwrap());
    assert_eq!(dearest("acme", "2026-01-01T00:00:00Z"), expected("0.0012"));
    assert_eq!(dearest("acme", "2026-03-01T00:00:00Z"), expected("0.00096"));
    assert_eq!(dearest("nobody", "2026-01-01T00:00:00Z"), None);
}

/// The message that a file with `model` gets.
fn problem(model: &str) -> String {
    let text = format!("{HEAD}[[model]]\nid = \"m\"\n{model}");
    Catalog::parse(&[("acme.toml", &text)]).unwrap_err().to_string()
}

#[track_caller]
fn assert_says(model: &str, parts: &[&str]) {
    let message = problem(model);
    for part in ["catalog acme.toml: "].iter().chain(parts) {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

#[test]
fn what_a_file_spells_wrong_is_named_with_its_line() {
    assert_says(
        "[[model.price]]\nrates = { inptu = \"1\" }",
        &["line 8", "`inptu` is not a bucket; the buckets are input, "],
    );
    assert_says(
        "[[model.price]]\n[model.price.rates]\ninput = \"1e3\"",
        &["line 8", "input: `1e3` is not a rate; write dollars as in \"2.50\""],
    );
    assert_says(
        "[[model.price]]\nrates = { input = 2.5 }",
        &["line 8", "invalid type: floating point `2.5`, expected a string"],
    );
    assert_says(
        "alias = [\"n\"]\n[[model.price]]\nrates = {}",
        &["line 7", "unknown field `alias`, expected one of `id`, `aliases`"],
    );
    assert_says(
        "[[model.price]]\nwhen = { tier = \"flex\" }\nrates = {}",
        &[
            "line 8",
            "unknown variant `tier`, expected one of `processing`, `service_tier`, `speed`, `geo`",
        ],
    );
    assert_says("[[model.price]]\nfrom = \"2026-02-30\"\nrates = {}", &["line 8", "day"]);
    assert_says("", &["line 5", "missing field `price`"]);
}

#[test]
fn what_a_file_contradicts_is_named_with_the_model() {
    let standard = "[[model.price]]\nrates = { input = \"1\" }\n";
    assert_says(
        &format!("{standard}[[model]]\nid = \"n\"\naliases = [\"M\"]\n{standard}"),
        &["line 10: `m` names both m and n; remove one"],
    );
    assert_says(
        &format!("aliases = [\"M\"]\n{standard}"),
        &["model m: has the name `m` twice; remove one"],
    );
    assert_says(
        &format!("{standard}{standard}"),
        &["model m: has two prices for the same `when` from the same day; remove one"],
    );
    assert_says(
        "[[model.price]]\nwhen = { processing = \"batch\" }\nrates = {}",
        &["model m: has no price without `when`; add the standard one"],
    );
    assert_says(
        &format!("{standard}[[model.surcharge]]\nwhen = {{}}\nmultiply = \"1.1\""),
        &["line 11", "`1.1` is not a factor; write a fraction as in \"11/10\""],
    );
    let most = format!("1{}", "0".repeat(24));
    assert_says(
        &format!("{standard}[[model.surcharge]]\nwhen = {{}}\nmultiply = \"{most}\""),
        &["model m: has a surcharge out of all proportion"],
    );
}
