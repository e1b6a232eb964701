//! Prose as sentences: the same one twice, and those that have little to do with the question.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::phrases;
use super::words::{Word, words};

/// A sentence with fewer words never goes: "Yes." may be an answer twice, "Anna." is one.
const WORDS_MIN: usize = 4;

/// Where the sentences of `text` are, without the blanks around them. A line ends one too.
pub(super) fn sentences(text: &str, words: &[Word]) -> Vec<Range<usize>> {
    let mut sentences = Vec::new();
    let mut start = 0;
    let mut word = 0;
    for (at, c) in text.char_indices() {
        while words.get(word).is_some_and(|word| word.span.end <= at) {
            word += 1;
        }
        // What a protected span holds ends nothing.
        if words.get(word).is_some_and(|word| word.span.contains(&at)) {
            continue;
        }
        let next = at + c.len_utf8();
        let blank_follows = text[next..].chars().next().is_none_or(char::is_whitespace);
        if c == '\n' || (matches!(c, '.' | '!' | '?' | '。' | '！' | '？') && blank_follows) {
            push(text, start..next, &mut sentences);
            start = next;
        }
    }
    push(text, start..text.len(), &mut sentences);
    sentences
}

fn push(text: &str, range: Range<usize>, sentences: &mut Vec<Range<usize>>) {
    let trimmed = text[range.clone()].trim();
    if !trimmed.is_empty() {
        let start = range.start + text[range.clone()].len() - text[range].trim_start().len();
        sentences.push(start..start + trimmed.len());
    }
}

/// `text` without the sentences that stand in it before, word for word.
pub(super) fn without_duplicates(text: &str) -> String {
    let words = words(text);
    let mut seen = HashSet::new();
    let mut at = 0;
    let doubles = sentences(text, &words).into_iter().filter(|sentence| {
        let within = within(&words, sentence, &mut at);
        let is_prose = text[sentence.clone()].ends_with(['.', '!', '?']);
        is_prose && within.len() >= WORDS_MIN && !seen.insert(&text[sentence.clone()])
    });
    cut(text, doubles.collect())
}

/// The sentences that may go, the one that has least to do with `question` first. A sentence stays
/// that asks, that begins the text, that is very short, that stands in a list, table or heading, or that has a number, a
/// name, a negation, a constraint or a protected span in it.
pub(super) fn least_relevant(text: &str, question: Option<&str>) -> Vec<Range<usize>> {
    let all = words(text);
    let sentences = sentences(text, &all);
    let asked = asked(text, &all, &sentences, question);
    let mut frequency: HashMap<&str, usize> = HashMap::new();
    let mut at = 0;
    let parts: Vec<&[Word]> =
        sentences.iter().map(|sentence| within(&all, sentence, &mut at)).collect();
    for part in &parts {
        let stems: HashSet<&str> = part.iter().map(|word| stem(&word.lower)).collect();
        stems.into_iter().for_each(|stem| *frequency.entry(stem).or_default() += 1);
    }
    let names = names(text, &all);
    let mut ranked: Vec<(usize, std::cmp::Reverse<usize>, Range<usize>)> = Vec::new();
    for (index, (sentence, part)) in sentences.iter().zip(&parts).enumerate().skip(1) {
        if part.iter().any(|word| names.contains(&*word.lower)) || !may_go(text, sentence, part) {
            continue;
        }
        let shared: HashSet<&str> = part
            .iter()
            .map(|word| stem(&word.lower))
            .filter(|stem| asked.contains(*stem))
            .collect();
        // A word that few sentences have says more about what they are about.
        let score = shared.iter().map(|stem| 1000 * sentences.len() / frequency[*stem]).sum();
        ranked.push((score, std::cmp::Reverse(index), sentence.clone()));
    }
    ranked.sort_unstable_by_key(|(score, index, _)| (*score, *index));
    ranked.into_iter().map(|(_, _, sentence)| sentence).collect()
}

/// `text` without these spans and the blanks that stood before them.
pub(super) fn cut(text: &str, mut spans: Vec<Range<usize>>) -> String {
    spans.sort_unstable_by_key(|span| span.start);
    let mut left = String::with_capacity(text.len());
    let mut at = 0;
    for span in spans {
        left.push_str(text.get(at..span.start).unwrap_or_default().trim_end_matches([' ', '\t']));
        at = span.end;
        if left.is_empty() || left.ends_with('\n') {
            at += text[at..].len() - text[at..].trim_start_matches([' ', '\t']).len();
        }
    }
    left.push_str(&text[at..]);
    left
}

/// The stems of the question; without one, of the sentences that ask.
fn asked(
    text: &str,
    all: &[Word],
    sentences: &[Range<usize>],
    question: Option<&str>,
) -> HashSet<String> {
    let stems = |words: &[Word]| -> Vec<String> {
        words.iter().map(|word| stem(&word.lower).to_owned()).collect()
    };
    if let Some(question) = question {
        return stems(&words(question)).into_iter().collect();
    }
    let mut at = 0;
    let asking = sentences.iter().map(|sentence| (sentence, within(all, sentence, &mut at)));
    asking
        .filter(|(sentence, _)| text[(*sentence).clone()].ends_with('?'))
        .flat_map(|(_, words)| stems(words))
        .collect()
}

/// Words (in lower case) that are names, or may be: what begins a sentence has a capital letter in any
/// case, so it is none only if it stands in the text without one or is a frequent word.
fn names<'w>(text: &str, words: &'w [Word]) -> HashSet<&'w str> {
    let capital = |word: &Word| text[word.span.clone()].starts_with(char::is_uppercase);
    let small: HashSet<&str> =
        words.iter().filter(|word| !capital(word)).map(|word| &*word.lower).collect();
    let language = phrases::of_language(words.iter().map(|word| &*word.lower));
    let frequent = |word: &str| language.is_some_and(|language| language.is_frequent(word));
    let names = words.iter().filter(|word| {
        !word.free || (capital(word) && !small.contains(&*word.lower) && !frequent(&word.lower))
    });
    names.map(|word| &*word.lower).collect()
}

fn may_go(text: &str, sentence: &Range<usize>, words: &[Word]) -> bool {
    let spelled = &text[sentence.clone()];
    let line = text[..sentence.start].rsplit('\n').next().unwrap_or_default().trim_start();
    let starts_line = if line.is_empty() { spelled } else { line };
    let listed = starts_line.starts_with(['-', '*', '#', '|', '>', '+', '•']);
    let plain = words.iter().all(|word| !phrases::is_kept(&word.lower));
    plain && !listed && spelled.ends_with(['.', '!']) && words.len() >= WORDS_MIN
}

/// The words of a sentence; sentences are asked for in order.
fn within<'w>(words: &'w [Word], sentence: &Range<usize>, at: &mut usize) -> &'w [Word] {
    while words.get(*at).is_some_and(|word| word.span.start < sentence.start) {
        *at += 1;
    }
    let start = *at;
    while words.get(*at).is_some_and(|word| word.span.start < sentence.end) {
        *at += 1;
    }
    &words[start..*at]
}

/// The first letters of a word, which its forms have in common.
fn stem(word: &str) -> &str {
    word.char_indices().nth(5).map_or(word, |(end, _)| &word[..end])
}
