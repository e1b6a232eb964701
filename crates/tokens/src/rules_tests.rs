//! Names to families, and what is said where rules are wrong.

use farthing_tokenizer::Encoding;

use super::*;

fn rules() -> Rules {
    Rules::embedded().unwrap()
}

fn encoding_of(model: &str) -> Option<Encoding> {
    rules().family(model.into()).map(|family| family.encoding)
}

#[test]
fn the_longest_whole_beginning_of_a_name_chooses_the_family() {
    let o200k = [
        "gpt-4o",
        "gpt-4o-mini-2024-07-18",
        "gpt-4.1-nano",
        "chatgpt-4o-latest",
        "gpt-5",
        "gpt-5.6-sol",
        "o1-preview",
        "o3-mini-2025-01-31",
        "o4-mini",
        "openai/gpt-5-mini",
        "ft:gpt-4o-mini-2024-07-18:me::1",
        "openai.gpt-5.5",
        "us.meta.llama4-maverick-17b-instruct-v1:0",
        "Qwen/Qwen3-32B",
    ];
    for model in o200k {
        assert_eq!(encoding_of(model), Some(Encoding::O200kBase), "{model}");
    }
    for model in ["gpt-4", "gpt-4-turbo-2024-04-09", "gpt-3.5-turbo", "azure/gpt-35-turbo"] {
        assert_eq!(encoding_of(model), Some(Encoding::Cl100kBase), "{model}");
    }
    for model in ["", "/", "gpt", "gpt-50", "gpt-4x", "o30", "llamas", "my-gpt-4o"] {
        assert_eq!(encoding_of(model), None, "{model}");
    }

    let rules = rules();
    let priming = |model: &str| rules.family(model.into()).unwrap().priming;
    assert!(priming("gpt-5.1-codex-mini") > priming("gpt-5.1-mini"));
}

#[test]
fn claude_and_gemini_have_a_family_for_each_generation() {
    let rules = rules();
    let text = |model: &str| rules.family(model.into()).unwrap().scale.unwrap().text;
    for (older, newer) in [
        ("claude-opus-4-6", "claude-opus-4-7"),
        ("claude-haiku-4-5-20251001", "claude-haiku-5-5"),
        ("claude-sonnet-4-20250514", "anthropic/claude-sonnet-5"),
        ("claude-3-5-haiku-latest", "claude-fable-5-1"),
    ] {
        assert!(text(older) < text(newer), "{older} {newer}");
    }
    let base = |model: &str| rules.family(model.into()).unwrap().tools.base;
    assert!(base("claude-sonnet-4-20250514") < base("claude-sonnet-4-5"));
    for model in ["gemini-2.0-flash", "publishers/google/models/gemini-2.5-pro", "gemini-3.8-flash"]
    {
        assert!(rules.family(model.into()).is_some(), "{model}");
    }
}

#[test]
fn a_family_says_what_differs_from_another_and_on_an_api() {
    let rules = rules();
    let on = |model, api| rules.family(Target { model, api }).unwrap();
    let (chat, responses) = (on("gpt-5", None), on("gpt-5", Some(Api::Responses)));
    assert!(chat.tools.base > responses.tools.base);
    assert_eq!(chat.priming, responses.priming);
    assert_eq!(on("gpt-5", Some(Api::Vertex)).tools.base, chat.tools.base);
    assert_eq!(on("gpt-4.1-mini", None).tools.base, on("gpt-4o", None).tools.base);
}

#[test]
fn contradictory_or_misspelt_rules_are_refused() {
    let [openai, anthropic, google, _] = FILES else { panic!("a file for each provider") };
    let twice = Rules::from_toml(&[openai, google, google]).unwrap_err();
    assert!(twice.to_string().starts_with("token rules name `gemini"), "{twice}");
    for (files, fallbacks) in [(&[*anthropic, *google][..], 0), (&[], 0)] {
        let error = Rules::from_toml(files).unwrap_err().to_string();
        let expected =
            format!("token rules have {fallbacks} fallbacks for unknown models: keep one");
        assert_eq!(error, expected);
    }
    let openai_with = |from: &str, to: &str| {
        assert!(openai.contains(from), "{from}");
        Rules::from_toml(&[&openai.replacen(from, to, 1)]).unwrap_err().to_string()
    };
    let error = openai_with("\"o1\", \"o4\"", "\"o1\", \"o3\"");
    assert_eq!(error, "token rules name `o3` in more than one place: keep one");
    let error = openai_with("like = \"gpt-4\"", "like = \"gpt-3\"");
    assert!(error.contains("`gpt-4o` are like those of `gpt-3`"), "{error}");
    for (from, to) in [("\npriming", "\nprimer"), ("cl100k", "cl1"), ("= 3\n", "= -3\n")] {
        let error = openai_with(from, to);
        assert!(error.starts_with("token rules of the family `gpt-4` cannot"), "{to}: {error}");
    }
}
