//! The published vocabularies, and the one way to count by them.

use std::str::FromStr;

/// Counts the tokens of a text.
pub trait Tokenizer: Send + Sync {
    /// How many tokens `text` has.
    fn count(&self, text: &str) -> u64;
}

/// A published vocabulary together with the rule that splits text into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// OpenAI's, from GPT-4o on.
    O200kBase,
    /// OpenAI's, of GPT-4 and GPT-3.5.
    Cl100kBase,
}

/// No encoding has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown encoding `{0}`: use `o200k_base` or `cl100k_base`")]
pub struct UnknownEncoding(String);

/// The counter of `encoding`: loaded by the first call, shared by all later ones.
pub fn encoding(encoding: Encoding) -> &'static dyn Tokenizer {
    match encoding {
        Encoding::O200kBase => bpe_openai::o200k_base(),
        Encoding::Cl100kBase => bpe_openai::cl100k_base(),
    }
}

// === impl Encoding ===

impl Encoding {
    /// Every encoding.
    pub const ALL: [Self; 2] = [Self::O200kBase, Self::Cl100kBase];

    /// The name that its publisher gave it.
    pub fn name(self) -> &'static str {
        match self {
            Self::O200kBase => "o200k_base",
            Self::Cl100kBase => "cl100k_base",
        }
    }
}

impl FromStr for Encoding {
    type Err = UnknownEncoding;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|encoding| encoding.name() == name);
        found.ok_or_else(|| UnknownEncoding(name.to_owned()))
    }
}

// === impl Tokenizer ===

impl Tokenizer for bpe_openai::Tokenizer {
    fn count(&self, text: &str) -> u64 {
        bpe_openai::Tokenizer::count(self, text) as u64
    }
}
