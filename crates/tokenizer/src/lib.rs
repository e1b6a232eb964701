//! Text to a number of tokens, exact and fast.
//!
//! Counting never panics, needs no recursion and takes time linear in the text, also where the text
//! was made to hurt: a gateway counts what strangers send. Prose and code take some 40 ns a byte; the
//! dearest input known, one punctuation mark repeated, takes a microsecond. The longest word (for
//! such a text, all of it) needs one and a half times its size in memory.
//!
//! Not here: messages, roles and tools (crate `farthing-tokens`), token ids, decoding, and special
//! tokens: their spelling inside a text counts as the ordinary text that it is.
//!
//! ```
//! use farthing_tokenizer::{Encoding, encoding};
//!
//! assert_eq!(encoding(Encoding::O200kBase).count("hello world"), 2);
//! ```

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
