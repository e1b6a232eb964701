//! What a family of models adds to the texts of a request.
//!
//! Rules choose a *counter* by the model's name, never a price.

use std::sync::Arc;

use farthing_tokenizer::Encoding;
use serde::{Deserialize, Deserializer, de};

/// The files that are compiled in.
const FILES: &[&str] = &[
    include_str!("../../../catalog/tokens/anthropic.toml"),
    include_str!("../../../catalog/tokens/google.toml"),
    include_str!("../../../catalog/tokens/openai.toml"),
];

/// The rules of all known families, and those that stand in for an unknown one.
#[derive(Clone, Debug)]
pub struct Rules {
    families: Vec<Family>,
    fallback: Family,
}

/// One file of `catalog/tokens/`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "family")]
    families: Vec<Family>,
    fallback: Option<Family>,
    #[serde(default)]
    kinds: Vec<Kind>,
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
    /// Not exactly one of the files says what holds for unknown models.
    #[error("token rules have {0} fallbacks for unknown models: keep one")]
    Fallbacks(usize),
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
    /// Where the encoding only stands in for the models' own.
    pub(crate) scale: Option<Scale>,
    /// What a text-only request may hold for its count to be exact.
    #[serde(default)]
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
    /// Once, where the model is asked to think.
    #[serde(default)]
    pub(crate) thinking: u32,
    /// The schema that the answer must follow.
    #[serde(default)]
    pub(crate) response_format: ResponseFormat,
    /// What the model thought in earlier turns.
    #[serde(default)]
    pub(crate) thought: Thought,
    pub(crate) tools: ToolRules,
    pub(crate) image: Guess,
    /// Audio, files and whatever else there is of no known kind, each.
    other: Guess,
    /// What is known of tools and parts of its provider's own.
    #[serde(skip)]
    kinds: Arc<[Kind]>,
    pub(crate) margin: Margin,
    #[expect(dead_code, reason = "provenance, kept beside the facts")]
    source: String,
    #[expect(dead_code, reason = "provenance, kept beside the facts")]
    checked: String,
}

/// Tokens of an unpublished vocabulary for each hundred of the encoding that stands in for it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scale {
    /// In what is said and called.
    pub(crate) text: u32,
    /// In results of tools, which are more often code than prose.
    pub(crate) results: u32,
    /// In definitions of tools.
    pub(crate) tools: u32,
}

/// What a text is for: vocabularies differ more in some contents than in others.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Content {
    Text,
    Results,
    Tools,
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

/// What tools add to their definitions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToolRules {
    /// How models are shown them.
    #[serde(default)]
    pub(crate) rendering: Rendering,
    /// Once, where there are any.
    pub(crate) base: i32,
    /// Once, where the model is made to call one.
    #[serde(default)]
    pub(crate) forced: i32,
    /// Whether the provider may write out what a schema refers to.
    #[serde(default)]
    pub(crate) references: bool,
    /// Once, where a system message stands before them.
    #[serde(default)]
    pub(crate) with_system: i32,
    /// For each function.
    #[serde(default)]
    pub(crate) per_function: i32,
    /// For each function that takes parameters.
    #[serde(default)]
    pub(crate) per_parameters: i32,
    /// For each call in the history, on top of its arguments and twice its name (call and result).
    pub(crate) per_call: u32,
    /// On top, for each call of a message that makes several.
    #[serde(default)]
    pub(crate) per_parallel_call: u32,
}

/// How models are shown the definitions of tools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Rendering {
    /// As declarations.
    #[default]
    TypeScript,
    /// As they are sent.
    Json,
}

/// What a schema for the answer adds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResponseFormat {
    /// Once, where there is one.
    pub(crate) once: u32,
    /// Of each hundred tokens of its JSON, so many.
    pub(crate) schema: u32,
}

/// The tokens of something whose size the request does not show.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Guess {
    pub(crate) typical: u32,
    pub(crate) most: u32,
}

/// The tokens of thoughts, by their size in the request.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Thought {
    /// Bytes that stand for nothing.
    pub(crate) envelope_bytes: u32,
    /// Tokens of a thousand bytes beyond them.
    pub(crate) typical: u32,
    /// The most that they can be.
    pub(crate) most: u32,
}

/// What is known of one kind of tool or part.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    /// The beginning of its `type`, or of its only member's name.
    name: String,
    typical: u32,
    most: u32,
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
    /// Reads and checks rules in the format of `catalog/tokens/openai.toml`, given as the texts of
    /// files. One of them has the fallback for models of no known family.
    ///
    /// # Errors
    /// Where a text is not of that format, or they contradict each other.
    pub fn from_toml(files: &[&str]) -> Result<Self, RulesError> {
        let mut families = Vec::new();
        let mut fallbacks = Vec::new();
        for text in files {
            let File { families: own, fallback, kinds } = toml::from_str(text)?;
            let kinds: Arc<[Kind]> = kinds.into();
            families
                .extend(own.into_iter().map(|family| Family { kinds: kinds.clone(), ..family }));
            fallbacks.extend(fallback);
        }
        let mut models: Vec<&String> = families.iter().flat_map(|f| &f.models).collect();
        models.sort();
        if let Some([model, _]) = models.array_windows().find(|[a, b]| a == b) {
            return Err(RulesError::Repeated((*model).clone()));
        }
        match <[Family; 1]>::try_from(fallbacks) {
            Ok([fallback]) => Ok(Self { families, fallback }),
            Err(fallbacks) => Err(RulesError::Fallbacks(fallbacks.len())),
        }
    }

    /// The rules that come with this crate.
    ///
    /// # Errors
    /// None that this crate's tests let through.
    pub fn embedded() -> Result<Self, RulesError> {
        Self::from_toml(FILES)
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

impl Default for ResponseFormat {
    fn default() -> ResponseFormat {
        ResponseFormat { once: 0, schema: 100 }
    }
}

// === impl Scale ===

impl Scale {
    /// `count` tokens of the encoding in the models' own, rounded.
    pub(crate) fn apply(self, count: u64, content: Content) -> u64 {
        let percent = match content {
            Content::Text => self.text,
            Content::Results => self.results,
            Content::Tools => self.tools,
        };
        percentage(count, percent)
    }
}

/// So many per cent of `count`, rounded.
pub(crate) fn percentage(count: u64, percent: u32) -> u64 {
    count.saturating_mul(u64::from(percent)).saturating_add(50) / 100
}

// === impl Family ===

impl Family {
    /// What is known of a tool of the provider's or a part, by its kind: the longest beginning
    /// counts.
    pub(crate) fn kind(&self, kind: &str) -> Guess {
        let known = self.kinds.iter().filter(|known| kind.starts_with(&known.name));
        let nearest = known.max_by_key(|known| known.name.len());
        nearest.map_or(self.other, |known| Guess { typical: known.typical, most: known.most })
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
#[path = "rules_tests.rs"]
mod tests;
