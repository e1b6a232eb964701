use serde_json::Value;

use crate::support::Folder;

const OLD: &str = r#"
provider = "acme"
sources = ["https://acme.test/prices"]
checked = "2026-01-01"

[[model]]
id = "gone"
[[model.price]]
rates = { input = "1" }

[[model]]
id = "kept"
aliases = ["k"]
context = 1_000
[[model.price]]
rates = { input = "4, above 200000: 8", output = "10" }
[[model.price]]
when = { processing = "batch" }
rates = { input = "2" }
"#;

const NEW: &str = r#"
provider = "acme"
sources = ["https://acme.test/prices"]
checked = "2026-02-01"

[[model]]
id = "kept"
aliases = ["k2"]
context = 2_000
[[model.price]]
rates = { input = "3, above 200000: 6", output = "10" }
[[model.price]]
from = "2026-03-01"
rates = { input = "2" }
[[model.price]]
when = { processing = "batch" }
rates = { input = "2" }

[[model]]
id = "new"
[[model.price]]
rates = { input = "5" }
"#;

#[test]
fn a_model_is_shown_with_every_rate_and_why_it_was_found() {
    let arguments = ["catalog", "show", "gpt-5.6", "--provider", "openai", "--at", "2026-11-22"];
    let out = Folder::new().run(&arguments).ok();
    for part in [
        "gpt-5.6-sol  openai",
        "gpt-5.6, alias",
        "above 272,000",
        "standard   batch   flex   priority   fast   $ per",
        "at 2026-11-22 00:00 UTC",
        "geo=regional × 11/10",
        "thousand searches",
        "automatic, from 1,024 tokens",
        "https://developers.openai.com/api/docs/pricing",
    ] {
        assert!(out.contains(part), "`{part}` is not in: {out}");
    }
}

#[test]
fn a_model_as_json_has_the_rates_of_the_day() {
    let input = |at: &str| {
        let arguments =
            ["catalog", "show", "gpt-5.6", "--provider", "openai", "--at", at, "--json"];
        let shown = Folder::new().run(&arguments).json();
        let standard = shown[0]["prices"].as_array().unwrap().iter();
        let standard = standard.filter(|price| price["when"] == Value::Object(Default::default()));
        let holds: Vec<_> = standard.filter(|price| price["holds"] == true).cloned().collect();
        assert_eq!(holds.len(), 1, "{shown}");
        assert_eq!(shown[0]["rule"], "alias");
        holds[0]["rates"]["input"]["usd"].clone()
    };
    assert_eq!((input("2026-08-20"), input("2026-08-21")), ("5".into(), "4".into()));
}

#[test]
fn a_model_that_is_not_known_comes_with_names_that_are() {
    let folder = Folder::new();
    let err = folder.run(&["catalog", "show", "gpt-4o-foo", "--provider", "openai"]).fails(1);
    assert!(err.contains("no price is known for `gpt-4o-foo` of openai"), "{err}");
    assert!(err.contains("gpt-4o"), "{err}");
    let err = folder.run(&["catalog", "show", "zzz"]).fails(1);
    assert!(err.contains("no price is known for `zzz` of any provider"), "{err}");
}

#[test]
fn the_difference_of_two_folders_is_told_model_by_model() {
    let folder = Folder::new().with("old.toml", OLD).with("new.toml", NEW);
    let out = folder.run(&["catalog", "diff", "old.toml", "new.toml"]).ok();
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(
        lines,
        [
            "- acme gone  input 1",
            "acme kept",
            "  ~ context 1,000 -> 2,000",
            "  + name k2",
            "  - name k",
            "  ~ standard: input 4, above 200,000: 8 -> 3, above 200,000: 6",
            "  + standard from 2026-03-01: input 2",
            "+ acme new  input 5",
            "1 model changed, 1 added, 1 removed",
        ]
    );
    let out = folder.run(&["catalog", "diff", "old.toml", "old.toml"]).ok();
    assert_eq!(out, "0 models changed, 0 added, 0 removed\n");
}

#[test]
fn price_facts_of_ones_own_are_checked() {
    let folder = Folder::new();
    let out = folder.run(&["catalog", "check"]).ok();
    assert!(out.ends_with("notes\n") && out.contains("19 providers: 0 errors"), "{out}");

    let folder = folder.with("ours.toml", OLD).with("odd.toml", OLD.replace("\"10\"", "\"99999\""));
    assert!(folder.run(&["catalog", "check", "ours.toml"]).ok().contains("2 models of 1 provider"));
    let run = folder.run(&["catalog", "check", "odd.toml", "--json"]);
    let json: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!((run.code, &json["ok"]), (Some(1), &Value::Bool(false)));
    assert!(json["findings"][0]["what"].as_str().unwrap().contains("check the unit"), "{json}");

    let folder = folder.with("bad.toml", OLD.replace("\"1\"", "\"-1\""));
    let err = folder.run(&["catalog", "check", "bad.toml"]).fails(1);
    assert!(err.contains("bad.toml") && err.contains("line 9") && err.contains("`-1`"), "{err}");
    let err = folder.run(&["catalog", "check", "nowhere"]).fails(1);
    assert!(err.contains("nowhere cannot be read"), "{err}");
}

#[test]
fn providers_and_models_are_listed() {
    let folder = Folder::new();
    let json = folder.run(&["catalog", "list", "--json"]).json();
    let models = json.as_array().unwrap().iter().map(|it| it["models"].as_u64().unwrap());
    assert!(json.as_array().unwrap().len() == 19 && models.sum::<u64>() > 1_400);
    let out = folder.run(&["catalog", "list", "--provider", "deepseek"]).ok();
    assert!(out.contains("deepseek-v4-pro"), "{out}");
    let err = folder.run(&["catalog", "list", "--provider", "acme"]).fails(1);
    assert!(err.contains("there are no prices of `acme`"), "{err}");
}

#[test]
fn refreshing_without_python_says_what_it_needs() {
    let folder = Folder::new().set("PATH", "");
    let err = folder.run(&["catalog", "refresh", "fresh"]).fails(1);
    assert!(err.contains("python3 is not installed"), "{err}");
    assert!(!folder.path("fresh/.scripts").exists());
}
