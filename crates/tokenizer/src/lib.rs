//! Text to a number of tokens, exact and fast.
//!
//! Counting never panics, needs no recursion and takes time linear in the text, also where the text
//! was made to hurt: a gateway counts what strangers send.
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
