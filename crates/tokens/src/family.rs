//! What a family of models adds to the texts of a request.

use std::sync::Arc;

use farthing_tokenizer::Encoding;
use serde::{Deserialize, Deserializer, de};

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
    /// What a request may hold for its count to be exact.
    #[serde(default)]
    pub(crate) proven: Vec<Proven>,
    /// Delimiters and role of each message.
    pub(crate) per_message: u32,
    /// On top of a name's own tokens.
    #[serde(default)]
    pub(crate) per_name: u32,
    /// On top, for each message of the system.
    #[serde(default)]
    pub(crate) per_system_message: u32,
    /// On top, for each message of the model.
    #[serde(default)]
    pub(crate) per_assistant_message: u32,
    /// Of a message of the model that says and calls nothing: all that it costs.
    pub(crate) per_empty_assistant: Option<u32>,
    /// The start of the reply, once a request.
    pub(crate) priming: u32,
    /// Once, where no message is of the system.
    #[serde(default)]
    pub(crate) without_system: u32,
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
    pub(crate) image: Image,
    /// Audio, files and whatever else there is of no known kind, each.
    pub(crate) other: Guess,
    /// What only the provider has: an earlier response, cached content.
    pub(crate) unseen: Guess,
    /// What is known of tools, parts and types of files, before what is known of the provider's.
    #[serde(default)]
    pub(crate) kinds: Vec<Kind>,
    /// What is known of tools and parts of its provider's own.
    #[serde(skip)]
    pub(crate) provider_kinds: Arc<[Kind]>,
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
    /// Functions whose parameters are plain.
    Tools,
    /// Calls and their results.
    Calls,
}

/// What tools add to their definitions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToolRules {
    /// How models are shown them.
    #[serde(default)]
    pub(crate) rendering: Rendering,
    /// Once, where there are any.
    #[serde(default)]
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
    /// For each further array of tools, such as those that a search found: they are shown where they
    /// came up.
    #[serde(default)]
    pub(crate) per_further_array: u32,
    /// For each call in the history, on top of its arguments and twice its name (call and result).
    pub(crate) per_call: u32,
    /// Whether each call is a message of its own, with its frame.
    #[serde(default)]
    pub(crate) calls_apart: bool,
    /// Once for the calls of a message that makes several, where they are shown as one call that
    /// wraps them.
    pub(crate) wrapped: Option<u32>,
}

/// How models are shown the definitions of tools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Rendering {
    /// As declarations, in the manner of GPT-4.
    #[default]
    TypeScript,
    /// As declarations, in the manner of GPT-5.
    Harmony,
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
    #[serde(default = "whole")]
    pub(crate) schema: u32,
    /// Whether only its name and what is left of the schema without what strictness implies count.
    #[serde(default)]
    pub(crate) bare: bool,
}

/// The tokens of something whose size the request does not show.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Guess {
    pub(crate) typical: u32,
    pub(crate) most: u32,
}

/// The tokens of an image: by its size where the request shows that.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Image {
    /// Where the size is not known.
    pub(crate) typical: u32,
    /// The most that any can be.
    pub(crate) most: u32,
    /// How a known size counts.
    pub(crate) by_size: Option<BySize>,
}

/// How the size of an image becomes tokens.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum BySize {
    /// `base`, and `each` for each tile of 512 pixels, after the image was made to fit a square of
    /// 2,048 and its shorter side 768; in low detail only the base.
    Tiles { base: u32, each: u32 },
    /// Patches of 32 pixels, at most so many, each for so many hundredths of a token.
    Patches { most: u32, hundredths: u32 },
    /// A token for so many pixels, after its longer side was made to fit `side`; and `base`.
    Pixels { per_token: u32, side: u32, base: u32 },
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
    /// Whether one that is not sealed is read as the text that it is.
    #[serde(default)]
    pub(crate) spoken: bool,
}

/// What is known of one kind of tool or part.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kind {
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

impl Default for ResponseFormat {
    fn default() -> ResponseFormat {
        ResponseFormat { once: 0, schema: whole(), bare: false }
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
    /// What is known of a tool of the provider's, a part or a type of files, by its kind: the longest
    /// beginning counts, and of the same the family's own.
    pub(crate) fn kind(&self, kind: &str) -> Guess {
        self.known_kind(kind).unwrap_or(self.other)
    }

    /// The same, where anything is known of it.
    pub(crate) fn known_kind(&self, kind: &str) -> Option<Guess> {
        let known = self.provider_kinds.iter().chain(&self.kinds);
        let known = known.filter(|known| kind.starts_with(&known.name));
        let nearest = known.max_by_key(|known| known.name.len())?;
        Some(Guess { typical: nearest.typical, most: nearest.most })
    }
}

fn whole() -> u32 {
    100
}

fn encoding_by_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Encoding, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}
