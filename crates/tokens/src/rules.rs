//! What a family of models adds to the texts of a request.
//!
//! Rules choose a *counter* by the model's name, never a price.

use farthing_tokenizer::Encoding;
use serde::{Deserialize, Deserializer, de};

const EMBEDDED: &str = include_str!("../../../catalog/tokens/openai.toml");

/// The rules of all known families, and those that stand in for an unknown one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    #[serde(rename = "family")]
    families: Vec<Family>,
    fallback: Family,
}

/// Rules that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// Not TOML, or not of this shape.
    #[error("token rules cannot be read: {0}")]
    Syntax(#[from] toml::de::Error),
    /// A model name begins two families.
    #[error("token rules name `{0}` in more than one place: keep one")]
    Repeated(String),
}

/// How one family of models counts. All figures are tokens unless they say otherwise, and 32 bits
/// wide, so that no sum of them overflows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Family {
    /// Beginnings of the names of its models.
    pub(crate) models: Vec<String>,
    #[serde(deserialize_with = "encoding_by_name")]
    pub(crate) encoding: Encoding,
    /// What a text-only request may hold for its count to be exact.
    pub(crate) proven: Vec<Proven>,
    /// Delimiters and role of each message.
    pub(crate) per_message: u32,
    /// On top of a name's own tokens.
    pub(crate) per_name: u32,
    /// On top, for each message of the system.
    pub(crate) per_system_message: u32,
    /// On top, for each message of the model.
    pub(crate) per_assistant_message: u32,
    /// The start of the reply, once a request.
    pub(crate) priming: u32,
    pub(crate) tools: ToolRules,
    pub(crate) image: Guess,
    /// Audio, files and whatever else there is, each.
    pub(crate) other: Guess,
    pub(crate) margin: Margin,
    #[expect(dead_code, reason = "provenance, kept beside the facts")]
    source: String,
    #[expect(dead_code, reason = "provenance, kept beside the facts")]
    checked: String,
}

/// A part of a request whose rule has been found right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Proven {
    System,
    User,
    Assistant,
    Name,
}

/// What tools add to their rendered definitions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToolRules {
    /// Once, where there are any.
    pub(crate) base: i32,
    /// Once, where a system message stands before them.
    pub(crate) with_system: i32,
    /// For each tool that takes parameters.
    pub(crate) per_parameters: i32,
    /// For each call in the history, on top of its arguments and twice its name (call and result).
    pub(crate) per_call: u32,
    /// On top, for each call of a message that makes several.
    pub(crate) per_parallel_call: u32,
}

/// The tokens of something whose size the request does not show.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Guess {
    pub(crate) typical: u32,
    pub(crate) most: u32,
}

/// How far an estimate may be below the truth.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Margin {
    pub(crate) percent: u32,
    pub(crate) tokens: u32,
}

// === impl Rules ===

impl Rules {
    /// Reads and checks rules in the format of `catalog/tokens/openai.toml`.
    ///
    /// # Errors
    /// Where the text is not of that format or contradicts itself.
    pub fn from_toml(text: &str) -> Result<Self, RulesError> {
        let rules: Self = toml::from_str(text)?;
        let mut models: Vec<&String> = rules.families.iter().flat_map(|f| &f.models).collect();
        models.sort();
        if let Some([model, _]) = models.array_windows().find(|[a, b]| a == b) {
            return Err(RulesError::Repeated((*model).clone()));
        }
        Ok(rules)
    }

    /// The rules that come with this crate.
    ///
    /// # Errors
    /// None that this crate's tests let through.
    pub fn embedded() -> Result<Self, RulesError> {
        Self::from_toml(EMBEDDED)
    }

    /// The family with the longest beginning of `model`'s name.
    ///
    /// What stands before the last `/` is a router's name of the provider and does not count, nor
    /// does the `ft:` of a fine-tuned model.
    pub(crate) fn family(&self, model: &str) -> Option<&Family> {
        let model = model.rsplit('/').next().unwrap_or(model);
        let model = model.strip_prefix("ft:").unwrap_or(model);
        let matches = self.families.iter().filter_map(|family| {
            let begins = family.models.iter().filter(|prefix| begins(model, prefix));
            begins.map(String::len).max().map(|length| (length, family))
        });
        matches.max_by_key(|(length, _)| *length).map(|(_, family)| family)
    }

    /// The rules that are nearest to a model of no known family.
    pub(crate) fn fallback(&self) -> &Family {
        &self.fallback
    }
}

/// Whether `prefix` is the first word or words of `model`: `gpt-4` begins `gpt-4-turbo`, not
/// `gpt-4o`.
fn begins(model: &str, prefix: &str) -> bool {
    let rest = model.strip_prefix(prefix);
    rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphanumeric()))
}

fn encoding_by_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Encoding, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding_of(model: &str) -> Option<Encoding> {
        Rules::embedded().unwrap().family(model).map(|family| family.encoding)
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
        for model in ["", "/", "gpt", "gpt-50", "gpt-4x", "o30", "claude-sonnet-4-5", "my-gpt-4o"] {
            assert_eq!(encoding_of(model), None, "{model}");
        }

        let rules = Rules::embedded().unwrap();
        let priming = |model| rules.family(model).unwrap().priming;
        assert!(priming("gpt-5.1-codex-mini") > priming("gpt-5.1-mini"));
    }

    #[test]
    fn contradictory_or_misspelt_rules_are_refused() {
        let repeated = EMBEDDED.replacen("\"o1\", \"o4\"", "\"o1\", \"o3\"", 1);
        let error = Rules::from_toml(&repeated).unwrap_err();
        assert_eq!(error.to_string(), "token rules name `o3` in more than one place: keep one");

        for (from, to) in [("\npriming", "\nprimer"), ("cl100k", "cl1"), ("= 3\n", "= -3\n")] {
            let text = EMBEDDED.replacen(from, to, 1);
            assert!(matches!(Rules::from_toml(&text), Err(RulesError::Syntax(_))), "{to}");
        }
    }
}
