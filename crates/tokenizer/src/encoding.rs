//! The published vocabularies, and the one way to count by them.

use std::str::FromStr;
use std::sync::LazyLock;

use crate::counter::Counter;
use crate::split::{Cl100k, O200k, P50k};

/// Counts the tokens of a text.
pub trait Tokenizer: Send + Sync {
    /// How many tokens `text` has.
    fn count(&self, text: &str) -> u64;
}

/// A published vocabulary together with the rule that splits text into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// OpenAI's, from GPT-4o on.
    O200kBase,
    /// OpenAI's, of the open gpt-oss: o200k_base with more special tokens, so ordinary text counts
    /// the same.
    O200kHarmony,
    /// OpenAI's, of GPT-4 and GPT-3.5.
    Cl100kBase,
    /// OpenAI's, of the text-davinci and code models before those.
    P50kBase,
}

/// No encoding has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown encoding `{0}`: use `o200k_base`, `o200k_harmony`, `cl100k_base` or `p50k_base`")]
pub struct UnknownEncoding(String);

/// The counter of `encoding`: loaded by the first call, shared by all later ones.
pub fn encoding(encoding: Encoding) -> &'static dyn Tokenizer {
    static O200K: LazyLock<Counter<O200k>> =
        LazyLock::new(|| Counter::new(include_bytes!("../vocabulary/o200k_base.merges")));
    static CL100K: LazyLock<Counter<Cl100k>> =
        LazyLock::new(|| Counter::new(include_bytes!("../vocabulary/cl100k_base.merges")));
    static P50K: LazyLock<Counter<P50k>> =
        LazyLock::new(|| Counter::new(include_bytes!("../vocabulary/p50k_base.merges")));
    match encoding {
        Encoding::O200kBase | Encoding::O200kHarmony => &*O200K,
        Encoding::Cl100kBase => &*CL100K,
        Encoding::P50kBase => &*P50K,
    }
}

// === impl Encoding ===

impl Encoding {
    /// Every encoding.
    pub const ALL: [Self; 4] =
        [Self::O200kBase, Self::O200kHarmony, Self::Cl100kBase, Self::P50kBase];

    /// The name that its publisher gave it.
    pub fn name(self) -> &'static str {
        match self {
            Self::O200kBase => "o200k_base",
            Self::O200kHarmony => "o200k_harmony",
            Self::Cl100kBase => "cl100k_base",
            Self::P50kBase => "p50k_base",
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
