//! A text as words and what stands between them.

use std::ops::Range;

use super::protect;

/// A word, or a protected span.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) span: Range<usize>,
    /// Lower case; empty for a protected span.
    pub(super) lower: String,
    /// Whether phrases may match it: neither protected nor a name.
    pub(super) free: bool,
}

/// The words of `text` in order. A capital letter makes a word a name, but at the start of a
/// sentence and in "I".
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut at = 0;
    let end = text.len();
    let protected = protect::spans(text);
    for span in protected.iter().cloned().chain(std::iter::once(end..end)) {
        plain(text, at..span.start, &mut words);
        if !span.is_empty() {
            words.push(Word { span: span.clone(), lower: String::new(), free: false });
        }
        at = span.end;
    }
    words
}

fn plain(text: &str, range: Range<usize>, words: &mut Vec<Word>) {
    let is_inner = |c: char| c.is_alphanumeric() || matches!(c, '\'' | '’' | '-' | '_');
    let mut at = range.start;
    while let Some(skip) = text[at..range.end].find(char::is_alphanumeric) {
        let start = at + skip;
        let length = text[start..range.end].find(|c| !is_inner(c));
        at = length.map_or(range.end, |length| start + length);
        push(text, start..at, words);
    }
}

fn push(text: &str, span: Range<usize>, words: &mut Vec<Word>) {
    let word = text[span.clone()].trim_end_matches(['\'', '’', '-', '_']);
    let span = span.start..span.start + word.len();
    let gap = words.last().map_or("", |last| &text[last.span.end..span.start]);
    let starts = words.is_empty() || ends_sentence(gap);
    let capital = word.starts_with(char::is_uppercase);
    let shouted = word.chars().count() > 1 && word.chars().skip(1).any(char::is_uppercase);
    let is_i = word == "I" || word.starts_with("I'") || word.starts_with("I’");
    let free = !shouted && (!capital || starts || is_i) && !word.contains(char::is_numeric);
    words.push(Word { span, lower: word.to_lowercase(), free });
}

/// Whether what stands between two words ends a sentence, or a line.
pub(super) fn ends_sentence(gap: &str) -> bool {
    gap.contains(['.', '!', '?', ':', ';', '\n', '¿', '¡', '…'])
}
