//! Courtesies, fillers, hedges and wordy phrases taken out of prose.

use std::collections::BTreeSet;

use super::phrases::{self, Cut, Phrase, Phrases};
use super::words::{Word, ends_sentence, words};

/// Taking something out may bring together what can go too; so often it is looked again.
const ROUNDS_MAX: usize = 8;

/// Words after which what is left would be no sentence.
const NO_OPENERS_BEFORE: [&str; 8] = ["and", "or", "but", "und", "oder", "et", "ou", "y"];

/// Shortens `text` by the phrases of its language, and says what was cut.
pub(super) fn concise(text: &str) -> (String, BTreeSet<Cut>) {
    let mut text = text.to_owned();
    let mut cuts = BTreeSet::new();
    for _ in 0..ROUNDS_MAX {
        let words = words(&text);
        let free = words.iter().filter(|word| word.free).map(|word| &*word.lower);
        let Some(phrases) = phrases::of_language(free) else { break };
        let mut round = Round {
            text: &text,
            words: &words,
            phrases,
            written: String::with_capacity(text.len()),
            between: String::new(),
            cuts: BTreeSet::new(),
            capitalize: false,
            asks: false,
        };
        round.run();
        if round.cuts.is_empty() {
            break;
        }
        cuts.append(&mut round.cuts);
        text = round.written;
    }
    (text, cuts)
}

/// One pass over the words.
struct Round<'t> {
    text: &'t str,
    words: &'t [Word],
    phrases: &'static Phrases,
    written: String,
    /// What is to stand between what is written and the next word.
    between: String,
    cuts: BTreeSet<Cut>,
    /// The next word begins a sentence whose first words went.
    capitalize: bool,
    /// An opener went that made a question of a request: the mark at its end becomes a full stop.
    asks: bool,
}

// === impl Round ===

impl<'t> Round<'t> {
    fn run(&mut self) {
        let mut at = 0;
        self.between.push_str(self.gap(0));
        while at < self.words.len() {
            let found = self.find(at);
            at = match found {
                Some(phrase) if self.replace(at, phrase) => at + phrase.words.len(),
                _ => {
                    self.keep(at);
                    at + 1
                }
            };
        }
        let ended = !self.text.ends_with(char::is_whitespace);
        self.written.push_str(if ended { self.between.trim_end() } else { &self.between });
    }

    /// What stands before a word; behind the last one, the end of the text.
    fn gap(&self, word: usize) -> &'t str {
        let start = word.checked_sub(1).map_or(0, |before| self.words[before].span.end);
        let end = self.words.get(word).map_or(self.text.len(), |word| word.span.start);
        &self.text[start..end]
    }

    fn keep(&mut self, at: usize) {
        let word = &self.words[at];
        let spelled = &self.text[word.span.clone()];
        self.written.push_str(&self.between);
        if std::mem::take(&mut self.capitalize) && word.free {
            push_capitalized(spelled, &mut self.written);
        } else {
            self.written.push_str(spelled);
        }
        self.between = self.gap(at + 1).to_owned();
        if self.asks && ends_sentence(&self.between) {
            self.asks = false;
            let mark = if self.between.starts_with(" ?") { " ?" } else { "?" };
            self.between = self.between.replacen(mark, ".", 1);
        }
    }

    /// The longest phrase that stands here and may be cut.
    fn find(&self, at: usize) -> Option<&'static Phrase> {
        let phrases = self.phrases.beginning_with(&self.words[at].lower);
        phrases.iter().find(|phrase| self.stands(at, phrase) && self.may_go(at, phrase))
    }

    fn stands(&self, at: usize, phrase: &Phrase) -> bool {
        phrase.words.iter().enumerate().all(|(offset, wanted)| {
            // German nouns have a capital letter within a phrase too.
            let Some(word) = self.words.get(at + offset).filter(|word| word.free || offset > 0)
            else {
                return false;
            };
            let (bare, comma) = match wanted.strip_suffix(',') {
                Some(bare) => (bare, ","),
                None => (&**wanted, ""),
            };
            let last = offset + 1 == phrase.words.len();
            let gap = self.gap(at + offset + 1);
            let joined = gap
                .strip_prefix(comma)
                .is_some_and(|gap| !gap.is_empty() && gap.trim().is_empty() && !gap.contains('\n'));
            word.lower == bare && (last || joined)
        })
    }

    /// Whether what is left would be a sentence that says the same.
    fn may_go(&self, at: usize, phrase: &Phrase) -> bool {
        let starts = self.starts();
        let end = at + phrase.words.len();
        let after = self.gap(end);
        let next = self.words.get(end);
        match phrase.cut {
            Cut::Opener => {
                let follows = next.is_some_and(|next| {
                    next.free
                        && !phrases::is_kept(&next.lower)
                        && !NO_OPENERS_BEFORE.contains(&&*next.lower)
                });
                starts && follows && after.trim_matches([' ', ',']).is_empty()
            }
            Cut::Greeting => {
                let stop = after.trim_start_matches([' ', '\u{a0}', '\u{202f}']);
                starts
                    && (next.is_none()
                        || after.starts_with('\n')
                        || stop.starts_with(['.', ',', '!']))
            }
            Cut::Wordy => true,
            _ if !phrase.becomes.is_empty() => true,
            _ => {
                let before = at.checked_sub(1).map(|before| &self.words[before]);
                let follows = starts
                    || before.is_none_or(|before| {
                        self.phrases.may_cut_after(&before.lower)
                            && self.article_fits(before, at, end)
                    });
                let kept = starts && next.is_some_and(|next| phrases::is_kept(&next.lower));
                follows && !kept && self.merged_gap(end).is_some()
            }
        }
    }

    fn starts(&self) -> bool {
        self.written.is_empty() || self.capitalize || ends_sentence(&self.between)
    }

    /// English: "a" stays before a consonant, "an" before a vowel.
    fn article_fits(&self, before: &Word, at: usize, end: usize) -> bool {
        let vowel = |word: &Word| word.lower.starts_with(['a', 'e', 'i', 'o', 'u', 'h']);
        let is_article = matches!(&*before.lower, "a" | "an");
        !is_article || self.words.get(end).is_some_and(|next| vowel(next) == vowel(&self.words[at]))
    }

    /// What stands between the words before and behind a phrase that goes from within a sentence.
    fn merged_gap(&self, end: usize) -> Option<String> {
        let (before, after) = (&*self.between, self.gap(end));
        let blank = |gap: &str| !gap.is_empty() && gap.trim().is_empty();
        let comma = |gap: &str| gap.strip_prefix(',').is_some_and(blank);
        let stop = after.is_empty() || after.starts_with(['.', '!', '?', ';', ':', ',', ')', '\n']);
        if self.starts() {
            return (blank(after) || comma(after) || after.is_empty() || stop)
                .then(|| before.to_owned());
        }
        match (blank(before), comma(before)) {
            (true, _) if blank(after) => Some(before.to_owned()),
            (true, _) | (_, true) if stop && !comma(after) => Some(after.to_owned()),
            (true, _) if comma(after) => Some(after.to_owned()),
            (_, true) if comma(after) => Some(" ".to_owned()),
            (_, true) if blank(after) => Some(before.to_owned()),
            _ => None,
        }
    }

    /// Writes what a phrase becomes in its place, and what is to stand behind it.
    fn replace(&mut self, at: usize, phrase: &'static Phrase) -> bool {
        let end = at + phrase.words.len();
        let starts = self.starts();
        let after = self.gap(end);
        let capital = self.text[self.words[at].span.clone()].starts_with(char::is_uppercase);
        if phrase.cut == Cut::Opener {
            self.asks = true;
            self.between = self.between.replace('¿', "");
        }
        if !phrase.becomes.is_empty() {
            self.written.push_str(&self.between);
            if (starts && capital) || std::mem::take(&mut self.capitalize) {
                push_capitalized(&phrase.becomes, &mut self.written);
            } else {
                self.written.push_str(&phrase.becomes);
            }
            after.clone_into(&mut self.between);
        } else if starts {
            self.capitalize =
                (self.capitalize || capital) && !after.contains(['.', '!', '?', '\n']);
            // A sentence that is gone takes its full stop along, but no line end.
            let french = after.strip_prefix([' ', '\u{a0}', '\u{202f}']);
            let rest = french.filter(|rest| rest.starts_with(['!', '?'])).unwrap_or(after);
            let rest = rest.trim_start_matches(['.', ',', '!', '?']);
            let rest =
                if rest.contains('\n') { rest } else { rest.trim_start_matches([' ', '\t']) };
            self.between.push_str(rest);
        } else {
            let Some(between) = self.merged_gap(end) else { return false };
            self.between = between;
        }
        self.cuts.insert(phrase.cut);
        true
    }
}

fn push_capitalized(word: &str, into: &mut String) {
    let mut chars = word.chars();
    let plain = word.chars().all(|c| c.is_lowercase() || !c.is_alphabetic());
    match chars.next() {
        Some(first) if plain || word.contains(' ') => {
            into.extend(first.to_uppercase());
            into.push_str(chars.as_str());
        }
        _ => into.push_str(word),
    }
}
