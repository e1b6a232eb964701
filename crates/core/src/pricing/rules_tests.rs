//! How a name is looked for beyond exact matches, what layers replace, and what is doubtful.

use super::*;
use crate::pricing::{CacheStyle, Dimension, Severity};
use crate::usage::{Bucket, CacheTtl, Usage};

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn file(head: &str, models: &[(&str, &str)]) -> String {
    let model = |(id, input): &(&str, &str)| {
        format!("[[model]]\nid = \"{id}\"\n[[model.price]]\nrates = {{ input = \"{input}\" }}\n")
    };
    format!("{head}\n{}", models.iter().map(model).collect::<String>())
}

/// The model, the rule, and what a million tokens of input cost.
fn found(catalog: &Catalog, provider: &str, name: &str) -> Option<(String, FoundBy, String)> {
    let found = catalog.resolve(provider, name, now(), &Served::new()).ok()?;
    let usd = found.card.cost(&Usage::NONE.with(Bucket::Input, 1_000_000)).unwrap().usd.unwrap();
    Some((found.model.id.clone(), found.rule, usd.to_string()))
}

#[track_caller]
fn assert_found(
    catalog: &Catalog,
    (provider, name): (&str, &str),
    id: &str,
    rule: FoundBy,
    usd: &str,
) {
    let expected = Some((id.to_owned(), rule, usd.to_owned()));
    assert_eq!(found(catalog, provider, name), expected, "{provider} {name}");
}

#[test]
fn the_operators_word_comes_first_and_may_name_any_form_of_a_model() {
    let acme = file("provider = \"acme\"", &[("m", "1"), ("n", "2")]);
    let catalog = Catalog::parse(&[("acme.toml", &acme)]).unwrap();
    let names = [("My-Deployment", "n-2026-01-31"), ("m", "n"), ("gone", "nowhere")];
    let names = names.map(|(name, model)| (name.to_owned(), model.to_owned()));
    let overrides = Overrides::from([("acme".to_owned(), names.into())]);
    let catalog = catalog.with_overrides(overrides);
    assert_found(&catalog, ("acme", "my-deployment"), "n", FoundBy::Override, "2.00");
    assert_found(&catalog, ("acme", "M"), "n", FoundBy::Override, "2.00");
    assert_found(&catalog, ("acme", "n"), "n", FoundBy::Exact, "2.00");
    assert_eq!(found(&catalog, "acme", "gone"), None);
}

#[test]
fn azure_asks_openais_price_for_what_it_does_not_list_and_says_so() {
    let catalog = Catalog::embedded().unwrap();
    assert_found(&catalog, ("azure", "gpt-4o"), "gpt-4o", FoundBy::Fallback, "2.50");
    assert_found(&catalog, ("azure", "gpt-4o-2024-11-20"), "gpt-4o", FoundBy::Fallback, "2.50");
    assert_eq!(found(&catalog, "azure", "my-gpt4o-deployment"), None);
    let batch = Served::from([(Dimension::Processing, "batch".to_owned())]);
    let hash = |served| catalog.resolve("azure", "gpt-4o", now(), served).unwrap().card.hash();
    assert_eq!(hash(&batch), hash(&Served::new()));
    assert_eq!(found(&catalog, "openai", "claude-opus-5"), None);
    let own = found(&catalog, "azure", "o4-mini").unwrap();
    assert_eq!(own.1, FoundBy::Exact);
}

#[test]
fn a_bedrock_region_selects_a_rate_and_never_gets_lost() {
    let catalog = Catalog::embedded().unwrap();
    let id = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    let regional = ["", "us.", "eu.", "us-gov.", "apac."];
    for asked in regional.map(|region| format!("{region}{id}")) {
        assert_eq!(found(&catalog, "aws", &asked).unwrap().2, "3.30", "{asked}");
    }
    assert_eq!(found(&catalog, "aws", &format!("global.{id}")).unwrap().2, "3.00");
    let profile = format!("arn:aws:bedrock:us-east-1:1:inference-profile/us.{id}");
    assert_found(&catalog, ("aws", &profile), id, FoundBy::Exact, "3.30");
    let [opus, bare] = ["us.anthropic.claude-opus-4-6-v1", "anthropic.claude-opus-4-6"];
    for asked in [opus, bare] {
        assert_found(
            &catalog,
            ("aws", asked),
            "anthropic.claude-opus-4-6-v1:0",
            FoundBy::Alias,
            "5.50",
        );
    }
    for unknown in
        ["mars.anthropic.claude-opus-4-6-v1:0", "us.us.amazon.nova-pro-v1:0", "us.", "us"]
    {
        assert_eq!(found(&catalog, "aws", unknown), None, "{unknown}");
    }
}

#[test]
fn only_the_free_suffix_has_a_price_without_one_of_its_own() {
    let catalog = Catalog::embedded().unwrap();
    let free = found(&catalog, "openrouter", "meta-llama/llama-3.3-70b-instruct:free").unwrap();
    assert_eq!((free.0.as_str(), free.1, free.2.as_str()), (":free", FoundBy::Suffix, "0.00"));
    let resolved = catalog.resolve("openrouter", "a/b:free", now(), &Served::new()).unwrap();
    assert!(resolved.model.free);
    for asked in ["meta-llama/llama-3.3-70b-instruct:nitro", "openai/gpt-4o:online", "free", ":"] {
        assert_eq!(found(&catalog, "openrouter", asked), None, "{asked}");
    }
    assert_eq!(found(&catalog, "openai", "gpt-4o:free"), None);
}

#[test]
fn a_digit_of_an_alias_stands_for_any_and_for_nothing_else() {
    let acme = "provider = \"acme\"\n[[model]]\nid = \"m\"\naliases = [\"m-##-##\", \"m-###\"]\n\
                [[model.price]]\nrates = { input = \"1\" }\n";
    let catalog = Catalog::parse(&[("acme.toml", acme)]).unwrap();
    for name in ["m-05-20", "m-001", "acme/M-999"] {
        assert_found(&catalog, ("acme", name), "m", FoundBy::Snapshot, "1.00");
    }
    for name in ["m-05", "m-0001", "m-05-2", "m-00a", "m-05-20-1"] {
        assert_eq!(found(&catalog, "acme", name), None, "{name}");
    }
}

const HOURS: &str = r#"
provider = "acme"
[[model]]
id = "m"
[[model.price]]
rates = { input = "1", output = "8" }
[[model.price]]
days = "mon-fri"
utc = ["01:00-04:00"]
rates = { input = "2" }
[[model.price]]
when = { processing = "batch" }
rates = { input = "0.5" }
[[model.price]]
from = "2026-09-01T12:00:00Z"
rates = { input = "3" }
"#;

#[test]
fn hours_take_precedence_within_their_price_and_end_with_it() {
    let catalog = Catalog::parse(&[("acme.toml", HOURS)]).unwrap();
    let input = |at: &str, served: &Served| {
        let found = catalog.resolve("acme", "m", at.parse().unwrap(), served).unwrap();
        let usage = Usage::NONE.with(Bucket::Input, 1_000_000).with(Bucket::Output, 1_000_000);
        found.card.cost(&usage).unwrap().usd.unwrap().to_string()
    };
    let none = Served::new();
    // A Tuesday; a Saturday; the last moment before a newer price and the first with it.
    assert_eq!(input("2026-08-25T02:00:00Z", &none), "10.00");
    assert_eq!(input("2026-08-25T04:00:00Z", &none), "9.00");
    assert_eq!(input("2026-08-29T02:00:00Z", &none), "9.00");
    assert_eq!(input("2026-09-01T11:59:59Z", &none), "9.00");
    let partial = catalog.resolve("acme", "m", "2026-09-02T02:00:00Z".parse().unwrap(), &none);
    assert_eq!(partial.unwrap().card.rates().count(), 1);
    let batch = Served::from([(Dimension::Processing, "batch".to_owned())]);
    assert_eq!(input("2026-08-25T02:00:00Z", &batch), "8.50");
}

#[test]
fn a_later_layer_replaces_models_and_names_and_nothing_else() {
    let base = file("provider = \"acme\"\nchecked = \"2026-01-01\"", &[("m", "1"), ("n", "2")]);
    let base = Catalog::parse(&[("acme.toml", &base)]).unwrap();
    let ours = "provider = \"acme\"\n[[model]]\nid = \"M\"\naliases = [\"n\"]\n\
                [[model.price]]\nrates = { input = \"9\" }\n";
    let other = file("provider = \"own\"", &[("llama", "3")]);
    let both = base.overlaid(&[("ours.toml", ours), ("own.toml", &other)]).unwrap();
    assert_found(&both, ("acme", "m"), "M", FoundBy::Exact, "9.00");
    assert_found(&both, ("acme", "n"), "M", FoundBy::Alias, "9.00");
    assert_found(&both, ("own", "llama"), "llama", FoundBy::Exact, "3.00");
    assert_eq!(both.providers().collect::<Vec<_>>(), ["acme", "own"]);
    // What holds for a whole file is inherited, and the layer below stays as it was.
    assert_eq!(both.models("acme")[0].checked, Some("2026-01-01".parse().unwrap()));
    assert_found(&base, ("acme", "m"), "m", FoundBy::Exact, "1.00");

    let clash = base.overlaid(&[("a.toml", ours), ("b.toml", ours)]).unwrap_err();
    assert_eq!(clash.to_string(), "catalog b.toml: line 3: `m` names both M and M; remove one");
}

#[test]
fn a_layer_over_the_embedded_catalog_leaves_its_other_models_alone() {
    let ours = file("provider = \"openai\"", &[("gpt-4o", "7")]);
    let catalog = Catalog::embedded().unwrap().overlaid(&[("ours.toml", &ours)]).unwrap();
    assert_found(&catalog, ("openai", "gpt-4o-2024-08-06"), "gpt-4o", FoundBy::Snapshot, "7.00");
    assert_found(&catalog, ("openai", "gpt-4.1"), "gpt-4.1", FoundBy::Exact, "2.00");
    assert_found(&catalog, ("azure", "gpt-4o"), "gpt-4o", FoundBy::Fallback, "7.00");
}

#[test]
fn the_dearest_counts_what_other_ways_of_being_served_cost() {
    let acme = format!(
        "{}[[model.price]]\nwhen = {{ service_tier = \"priority\" }}\nrates = {{ input = \"4\", output = \"4\" }}\n",
        "provider = \"acme\"\n[[model]]\nid = \"m\"\n[[model.price]]\nrates = { input = \"1\", output = \"1\" }\n",
    );
    let catalog = Catalog::parse(&[("acme.toml", &acme)]).unwrap();
    let most = WorstCase {
        prompt_tokens: 1_000_000,
        cache_write: None,
        completion_tokens: 0,
        media: false,
    };
    let dearest = catalog.dearest("acme", now(), &most).unwrap();
    assert_eq!(dearest.unwrap().to_string(), "4.00");
}

#[test]
fn the_terms_of_a_prompt_cache_are_those_of_the_model() {
    let catalog = Catalog::embedded().unwrap();
    let caching = |provider: &str, name: &str| {
        let found = catalog.resolve(provider, name, now(), &Served::new()).unwrap();
        found.model.caching.clone()
    };
    let opus = caching("anthropic", "claude-opus-4-5").unwrap();
    assert_eq!(
        (opus.style, opus.min_tokens, opus.max_breakpoints),
        (CacheStyle::Explicit, Some(4096), Some(4))
    );
    assert_eq!(opus.ttls, [CacheTtl::FiveMinutes, CacheTtl::OneHour]);
    assert!(opus.writes_charged && opus.look_back_blocks == Some(20));
    let gpt = caching("openai", "gpt-5").unwrap();
    assert_eq!((gpt.style, gpt.min_tokens), (CacheStyle::Automatic, Some(1024)));
    assert!(!gpt.writes_charged && caching("openai", "gpt-6-sol").unwrap().writes_charged);
    assert_eq!(caching("openai", "gpt-4"), None);
}

#[test]
fn every_embedded_fact_can_be_right() {
    let findings = Catalog::embedded().unwrap().check("2026-11-22".parse().unwrap());
    let errors: Vec<_> = findings
        .iter()
        .filter(|it| it.severity == Severity::Error)
        .map(ToString::to_string)
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

#[test]
fn what_is_doubtful_is_said_with_provider_and_model() {
    let acme = "provider = \"acme\"\n[[model]]\nid = \"m\"\ncontext = 1\nmax_output = 2\n\
                checked = \"2027-01-01\"\n[[model.price]]\n\
                rates = { input = \"1\", cache_read = \"2\", cache_write_5m = \"1\", output = \"2000000\" }\n";
    let catalog = Catalog::parse(&[("acme.toml", acme)]).unwrap();
    let findings = catalog.check("2026-11-22".parse().unwrap());
    let said: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "acme m: has no source, or no day on which it was checked",
            "acme m: was checked on 2027-01-01, which is yet to come",
            "acme m: may answer more than its context holds",
            "acme m: reads its cache at 2, dearer than input at 1",
            "acme m: writes its cache at 1, cheaper than it reads it at 2",
            "acme m: asks 2000000 dollars for a million of output; check the unit",
        ]
    );
}

#[test]
fn a_price_of_nothing_has_to_be_meant() {
    let parse = |free: &str, input: &str| {
        let text = format!(
            "provider = \"own\"\n[[model]]\nid = \"m\"\n{free}\n[[model.price]]\nrates = {{ input = \"{input}\" }}\n"
        );
        Catalog::parse(&[("own.toml", &text)]).map_err(|error| error.to_string())
    };
    assert!(parse("free = true", "0").is_ok());
    let silent = parse("", "0").unwrap_err();
    assert!(silent.contains("line 3: model m: costs nothing; say `free = true`"), "{silent}");
    let both = parse("free = true", "1").unwrap_err();
    assert!(both.contains("is `free` and has a price that is not 0"), "{both}");
}

#[test]
fn hours_that_cannot_be_are_named_with_their_line() {
    let problem = |price: &str| {
        let text = format!(
            "provider = \"acme\"\n[[model]]\nid = \"m\"\n[[model.price]]\nrates = {{ input = \"1\" }}\n[[model.price]]\n{price}\nrates = {{ input = \"2\" }}\n"
        );
        Catalog::parse(&[("acme.toml", &text)]).unwrap_err().to_string()
    };
    assert!(problem("utc = [\"1-4\"]").contains("line 3: model m: `1-4` is not hours of the day"));
    assert!(problem("days = \"monday\"").contains("`monday` is not days of the week"));
    let lonely = problem("from = \"2026-09-01\"\nutc = [\"01:00-04:00\"]");
    assert!(lonely.contains("has hours without a price for the other hours"), "{lonely}");
}
