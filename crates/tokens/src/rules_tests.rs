//! Names to families, and what is said where rules are wrong.

use super::*;

fn rules() -> Rules {
    Rules::embedded().unwrap()
}

fn encoding_of(model: &str) -> Option<Encoding> {
    rules().family(model).map(|family| family.encoding)
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
    ];
    for model in o200k {
        assert_eq!(encoding_of(model), Some(Encoding::O200kBase), "{model}");
    }
    for model in ["gpt-4", "gpt-4-turbo-2024-04-09", "gpt-3.5-turbo", "azure/gpt-35-turbo"] {
        assert_eq!(encoding_of(model), Some(Encoding::Cl100kBase), "{model}");
    }
    for model in ["", "/", "gpt", "gpt-50", "gpt-4x", "o30", "llama-4", "my-gpt-4o"] {
        assert_eq!(encoding_of(model), None, "{model}");
    }

    let rules = rules();
    let priming = |model| rules.family(model).unwrap().priming;
    assert!(priming("gpt-5.1-codex-mini") > priming("gpt-5.1-mini"));
}

#[test]
fn claude_and_gemini_have_a_family_for_each_generation() {
    let rules = rules();
    let text = |model| rules.family(model).unwrap().scale.unwrap().text;
    for (older, newer) in [
        ("claude-opus-4-6", "claude-opus-4-7"),
        ("claude-haiku-4-5-20251001", "claude-haiku-5-5"),
        ("claude-sonnet-4-20250514", "anthropic/claude-sonnet-5"),
        ("claude-3-5-haiku-latest", "claude-fable-5-1"),
    ] {
        assert!(text(older) < text(newer), "{older} {newer}");
    }
    let base = |model| rules.family(model).unwrap().tools.base;
    assert!(base("claude-sonnet-4-20250514") < base("claude-sonnet-4-5"));
    for model in ["gemini-2.0-flash", "publishers/google/models/gemini-2.5-pro", "gemini-3.8-flash"]
    {
        assert!(rules.family(model).is_some(), "{model}");
    }
}

#[test]
fn contradictory_or_misspelt_rules_are_refused() {
    let [anthropic, google, openai] = FILES else { panic!("a file for each provider") };
    let twice = Rules::from_toml(&[openai, google, google]).unwrap_err();
    assert!(twice.to_string().starts_with("token rules name `gemini"), "{twice}");
    for (files, fallbacks) in [(&[*anthropic, *google][..], 0), (&[], 0)] {
        let error = Rules::from_toml(files).unwrap_err().to_string();
        let expected =
            format!("token rules have {fallbacks} fallbacks for unknown models: keep one");
        assert_eq!(error, expected);
    }

    let repeated = openai.replacen("\"o1\", \"o4\"", "\"o1\", \"o3\"", 1);
    let error = Rules::from_toml(&[&repeated]).unwrap_err();
    assert_eq!(error.to_string(), "token rules name `o3` in more than one place: keep one");

    for (from, to) in [("\npriming", "\nprimer"), ("cl100k", "cl1"), ("= 3\n", "= -3\n")] {
        let text = openai.replacen(from, to, 1);
        assert!(matches!(Rules::from_toml(&[&text]), Err(RulesError::Syntax(_))), "{to}");
    }
}
