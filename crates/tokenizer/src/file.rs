//! Vocabularies that the operator has as files: open models.

use std::panic::catch_unwind;
use std::sync::Arc;

use kitoken::Kitoken;

use crate::encoding::Tokenizer;

/// The file cannot be counted by.
#[derive(Debug, thiserror::Error)]
#[error(
    "not a vocabulary that can be read ({0}): give the model's `tokenizer.json`, `tekken.json` or \
     `tokenizer.model` in tiktoken's format"
)]
pub struct VocabularyError(String);

/// A counter by a vocabulary file as models are published with: Hugging Face's `tokenizer.json`,
/// Mistral's `tekken.json`, or a list of tokens as tiktoken reads it (Llama 3 and Kimi call theirs
/// `tokenizer.model`). Special tokens that the file would add around a text are not counted; spelled
/// in a text, they are ordinary text.
///
/// Exact as far as the crate `kitoken` is. Only where that crate gives up on a text, because the file's
/// pattern backtracks too far, the count is the number of bytes, which no count exceeds.
///
/// # Errors
/// If the file is in none of these formats, or asks for something that is not supported.
pub fn from_file(bytes: &[u8]) -> Result<Arc<dyn Tokenizer>, VocabularyError> {
    let is_json = bytes.trim_ascii_start().starts_with(b"{");
    let read = || match is_json {
        true => Kitoken::from_tokenizers_slice(bytes)
            .or_else(|error| Kitoken::from_tekken_slice(bytes).map_err(|_| error)),
        false => Kitoken::from_tiktoken_slice(bytes),
    };
    // The crate panics on some files that are none of these.
    match catch_unwind(read) {
        Ok(Ok(tokenizer)) => Ok(Arc::new(FileTokenizer(tokenizer))),
        Ok(Err(error)) => Err(VocabularyError(error.to_string())),
        Err(_) => Err(VocabularyError("it holds no tokens".to_owned())),
    }
}

struct FileTokenizer(Kitoken);

impl Tokenizer for FileTokenizer {
    fn count(&self, text: &str) -> u64 {
        self.0.encode(text, false).map_or(text.len(), |tokens| tokens.len()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Byte-level, as most are; two merges.
    const FILE: &str = r#"{
        "version": "1.0", "truncation": null, "padding": null, "normalizer": null,
        "added_tokens": [{"id": 5, "content": "<s>", "single_word": false, "lstrip": false,
                          "rstrip": false, "normalized": false, "special": true}],
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
        "post_processor": null, "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "fuse_unk": false, "byte_fallback": false,
                  "vocab": {"a": 0, "b": 1, "Ġ": 2, "ab": 3, "Ġab": 4}, "merges": [["a", "b"], ["Ġ", "ab"]]}
    }"#;

    #[test]
    fn a_file_of_hugging_face_is_counted_by() {
        let tokenizer = from_file(FILE.as_bytes()).unwrap();
        for (text, count) in [("", 0), ("ab", 1), ("ab ab", 2), ("ba ab", 3), ("abab a", 4)] {
            assert_eq!(tokenizer.count(text), count, "{text}");
        }
    }

    #[test]
    fn a_megabyte_of_one_character_is_counted() {
        let tokenizer = from_file(FILE.as_bytes()).unwrap();
        assert_eq!(tokenizer.count(&"ab".repeat(500_000)), 500_000);
        assert_eq!(tokenizer.count(&" ".repeat(1_000_000)), 1_000_000);
    }

    #[test]
    fn a_file_of_another_kind_is_refused_with_the_kinds_that_are_read() {
        for file in ["", "{}", "not a vocabulary"] {
            let error = from_file(file.as_bytes()).err().unwrap().to_string();
            assert!(error.contains("give the model's `tokenizer.json`"), "{error}");
        }
    }
}
