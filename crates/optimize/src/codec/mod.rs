//! Lossless codecs: a text that costs fewer tokens and says the same.
//!
//! | module | shortens | canonical form |
//! |---|---|---|
//! | [`terminal`] | control sequences, progress bars, blanks at the ends of lines | the screen's final state |
//! | [`terminal`] | repeated lines, the path of search results, listings | the text itself |
//! | [`json`] | white space between tokens | compact JSON, spelled as it was |
//! | [`json`] | arrays and objects of objects alike, as tables | the text itself |
//! | [`earlier`] | what stands earlier in the same request, as a reference | the text itself |
//! | [`kept`] | large outputs, blobs, stack traces: only with a handle to fetch them back | – |
//!
//! [`marker`] holds how all of them spell what they put in the place of text, and how a marker is
//! found that a model copied. What takes a codec more than a few readings of a text made to hurt is a
//! bug: all take time linear in the text, and decoding has a bound on what it writes.

pub mod earlier;
pub mod json;
pub mod kept;
mod line_numbers;
pub mod marker;
mod source;
pub mod terminal;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub(crate) use self::source::is_source;

/// A lossless way to write a text in fewer tokens. A pure function of the text, linear in its size.
pub trait Codec: Sync {
    /// The name in receipts.
    fn name(&self) -> &'static str;

    /// The text, written shorter; `None` where the codec has nothing to shorten.
    fn encode(&self, text: &str) -> Option<String>;

    /// What [`encode`](Codec::encode) was given, in its canonical form; `None` where `text` was not
    /// made by this codec.
    fn decode(&self, text: &str) -> Option<String>;

    /// The form that survives the round trip: `decode(encode(text)) == canonical(text)`.
    fn canonical<'t>(&self, text: &'t str) -> Cow<'t, str>;
}

/// Every codec, in the order in which they are applied.
pub static CODECS: &[&dyn Codec] = &[
    &terminal::Screen,
    &terminal::Repeats,
    &terminal::Paths,
    &terminal::Listing,
    &line_numbers::LineNumbers,
    &json::Minify,
    &json::Table,
];

/// Those that leave the lines of a text as they are spelled: for results of tools that may show a file
/// which the agent goes on to edit. Its edit tool has to find them, and nobody can tell the JSON of a
/// file from the JSON of an answer.
pub static CODECS_FOR_FILES: &[&dyn Codec] =
    &[&terminal::Screen, &terminal::Repeats, &terminal::Paths, &terminal::Listing];

/// A text after the codecs that pay for it.
#[derive(Clone)]
pub struct Shortened {
    /// The text to send.
    pub text: String,
    /// The codecs that made it, in their order.
    pub codecs: Vec<&'static dyn Codec>,
    /// Tokens of the original.
    pub tokens_before: u64,
    /// Tokens of [`text`](Self::text); always fewer.
    pub tokens_after: u64,
}

/// Puts `text` through all of `codecs` that make it cheaper; `None` where none does.
///
/// `count` gives the tokens of a text. What a codec made counts only where it has fewer tokens and
/// decodes to its canonical form. A text that has one of our markers already is left alone: it was
/// shortened before, or says what only looks like it.
pub fn shorten(
    text: &str,
    codecs: &[&'static dyn Codec],
    count: &dyn Fn(&str) -> u64,
) -> Option<Shortened> {
    if marker::has(text, &marker::Verb::ALL) {
        return None;
    }
    let mut short: Option<Shortened> = None;
    for codec in codecs {
        let current = short.as_ref().map_or(text, |short| &short.text);
        let Some(encoded) = codec.encode(current) else { continue };
        let tokens = short.as_ref().map_or_else(|| count(text), |short| short.tokens_after);
        let tokens_after = count(&encoded);
        if tokens_after >= tokens
            || codec.decode(&encoded).as_deref() != Some(&*codec.canonical(current))
        {
            continue;
        }
        let short = short.get_or_insert_with(|| Shortened {
            text: String::new(),
            codecs: Vec::new(),
            tokens_before: tokens,
            tokens_after,
        });
        (short.text, short.tokens_after) = (encoded, tokens_after);
        short.codecs.push(*codec);
    }
    short
}

/// What [`shorten`] was given, in the canonical forms of `codecs`, which it named; `None` where one of
/// them did not make this text.
pub fn decode(text: &str, codecs: &[&dyn Codec]) -> Option<String> {
    codecs.iter().rev().try_fold(text.to_owned(), |text, codec| codec.decode(&text))
}

/// About how many tokens `text` has: good enough to choose between two ways to write it.
pub(crate) fn estimate(text: &str) -> usize {
    let class = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => Class::Letter,
        b'0'..=b'9' => Class::Digit,
        b' ' => Class::Blank,
        _ => Class::Mark,
    };
    let (mut total, mut run, mut before) = (0, 0_usize, b' ');
    for byte in text.bytes() {
        if class(byte) != class(before) {
            total += class(before).tokens(run);
            run = 0;
        }
        // A row of one mark, as in a ruled line, is a token or two however long it is.
        run += usize::from(class(byte) != Class::Mark || byte != before);
        before = byte;
    }
    total + class(before).tokens(run)
}

/// What stands together in a token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    Blank,
    Mark,
}

// === impl Class ===

impl Class {
    fn tokens(self, run: usize) -> usize {
        match self {
            Self::Letter => run.div_ceil(6),
            Self::Digit | Self::Mark => run.div_ceil(3),
            Self::Blank => 0,
        }
    }
}
