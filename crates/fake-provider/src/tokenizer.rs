//! Text to tokens, with a tokenizer that shares no code with the one under test.

use std::sync::LazyLock;

use tiktoken::CoreBpe;

static O200K: LazyLock<CoreBpe> = LazyLock::new(tiktoken::encoding::o200k_base);
static CL100K: LazyLock<CoreBpe> = LazyLock::new(tiktoken::encoding::cl100k_base);

/// One of OpenAI's published vocabularies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// GPT-4o and everything after it.
    O200k,
    /// GPT-4, GPT-4 Turbo and GPT-3.5.
    Cl100k,
}

/// Text that leaves in one chunk, and how many tokens it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) tokens: u64,
}

impl Encoding {
    /// The tokens of `text`; text that spells a special token is ordinary text.
    pub(crate) fn encode(self, text: &str) -> Vec<u32> {
        self.vocabulary().encode(text)
    }

    /// The first `limit` tokens of `text`, one piece a token. Tokens that hold a part of a
    /// character are joined until it is whole; if the limit cuts it, its piece has no text.
    pub(crate) fn pieces(self, text: &str, limit: u64) -> Vec<Piece> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut pieces = Vec::new();
        let mut bytes = Vec::new();
        let mut tokens = 0;
        for token in self.encode(text).into_iter().take(limit) {
            bytes.extend(self.vocabulary().decode(&[token]));
            tokens += 1;
            if let Ok(text) = str::from_utf8(&bytes) {
                let text = text.to_owned();
                pieces.push(Piece { text, tokens });
                bytes.clear();
                tokens = 0;
            }
        }
        if tokens > 0 {
            let text = String::new();
            pieces.push(Piece { text, tokens });
        }
        pieces
    }

    fn vocabulary(self) -> &'static CoreBpe {
        match self {
            Self::O200k => &O200K,
            Self::Cl100k => &CL100K,
        }
    }
}

/// What `pieces` say together.
pub(crate) fn text(pieces: &[Piece]) -> String {
    pieces.iter().map(|piece| piece.text.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Grüße, 世界! 👩‍🚀 flies; 0123456789\n\n  done.";

    #[test]
    fn pieces_are_the_whole_text_and_all_its_tokens() {
        for encoding in [Encoding::O200k, Encoding::Cl100k] {
            let pieces = encoding.pieces(TEXT, u64::MAX);
            let tokens: u64 = pieces.iter().map(|piece| piece.tokens).sum();
            assert_eq!(text(&pieces), TEXT);
            assert_eq!(tokens, encoding.encode(TEXT).len() as u64);
        }
    }

    #[test]
    fn a_limit_inside_a_character_still_counts_its_tokens() {
        let total = Encoding::Cl100k.encode(TEXT).len() as u64;
        for limit in 0..=total {
            let pieces = Encoding::Cl100k.pieces(TEXT, limit);
            assert_eq!(pieces.iter().map(|piece| piece.tokens).sum::<u64>(), limit);
            assert!(TEXT.starts_with(&text(&pieces)));
        }
    }

    #[test]
    fn a_megabyte_of_one_character_is_counted() {
        assert!(!Encoding::O200k.encode(&" ".repeat(1 << 20)).is_empty());
    }
}
