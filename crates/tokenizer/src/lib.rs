//! Text to a number of tokens, exact and fast.
//!
//! The counter is our own: a splitter by hand for each published pattern, the tables of Unicode 16, a
//! cache from a piece's bytes to its count, and merges for what is in neither cache nor vocabulary.
//! Tests compare it with the publisher's tiktoken and two other implementations.
//!
//! Counting never panics, needs no recursion and takes time linear in the text, also where the text
//! was made to hurt: a gateway counts what strangers send. Memory does not depend on the text's length.
//! An encoding is loaded when it is first asked for: some 13 MB for o200k_base, half of it for
//! cl100k_base, and 1.75 MB for each thread that counts at the same time. docs/tokens.md has figures.
//!
//! Not here: messages, roles and tools (crate `farthing-tokens`), token ids, decoding, and special
//! tokens: their spelling inside a text counts as the ordinary text that it is.
//!
//! ```
//! use farthing_tokenizer::{Encoding, encoding};
//!
//! assert_eq!(encoding(Encoding::O200kBase).count("hello world"), 2);
//! ```

mod cache;
mod counter;
mod encoding;
#[cfg(feature = "files")]
mod file;
mod key;
mod merge;
mod split;
mod unicode;
mod vocabulary;

pub use encoding::{Encoding, Tokenizer, UnknownEncoding, encoding};
#[cfg(feature = "files")]
pub use file::{VocabularyError, from_file};
