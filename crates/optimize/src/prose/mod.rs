//! The prose optimizer: says the same in fewer words.
//!
//! Whatever the level, these stay: numbers, names, quoted text, code, addresses, placeholders,
//! negations and constraints. What may go is in reviewed tables, one per language
//! (`phrases/*.toml`); text of no known language only loses white space and duplicate sentences.
//! It never touches what a person typed unless the caller hands it over.

mod concise;
mod phrases;
mod protect;
mod sentences;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeSet;

pub use self::phrases::Cut;

/// How much may be changed. Each level does all that the one before it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// White space and duplicate sentences.
    Lossless,
    /// Courtesies, fillers, hedges and wordy phrases too.
    #[default]
    Concise,
    /// Whole sentences too, those that have least to do with the question first, and no more than
    /// the target takes. Doing it again cuts again.
    Extractive,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Options<'q> {
    /// The tokens to save, in percent; brought within [`TARGET_PERCENT`].
    pub target_percent: u32,
    /// How far to go for it.
    pub level: Level,
    /// What the text is to answer, for [`Level::Extractive`]; without it, the questions in the text.
    pub question: Option<&'q str>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prose {
    /// The text; as it was, where nothing made it cheaper.
    pub text: String,
    /// Tokens of the text that was given.
    pub tokens_before: u64,
    /// Tokens of [`text`](Self::text), never more.
    pub tokens_after: u64,
    /// Tokens saved, in percent, rounded down.
    pub percent: u32,
    /// What was cut.
    pub applied: Vec<Cut>,
    /// Whether the target was reached.
    pub target_reached: bool,
}

/// The targets that can be asked for.
pub const TARGET_PERCENT: std::ops::RangeInclusive<u32> = 5..=50;

/// The target where none is asked for.
pub const DEFAULT_TARGET_PERCENT: u32 = 20;

/// Shortens `text`; `count` gives the tokens of a text. A pure function of its arguments.
pub fn shorten(text: &str, options: &Options<'_>, count: &dyn Fn(&str) -> u64) -> Prose {
    let target = options.target_percent.clamp(*TARGET_PERCENT.start(), *TARGET_PERCENT.end());
    let tokens_before = count(text);
    let mut applied = BTreeSet::new();
    let mut short = lossless(text, &mut applied);
    if options.level >= Level::Concise {
        let (concise, mut cuts) = concise::concise(&short);
        short = concise;
        applied.append(&mut cuts);
        if !applied.is_empty() {
            short = lossless(&short, &mut applied);
        }
    }
    let goal = tokens_before - tokens_before * u64::from(target) / 100;
    if options.level == Level::Extractive && count(&short) > goal {
        let extracted = extract(&short, options.question, goal, count);
        if extracted != short {
            applied.insert(Cut::Sentence);
            short = extracted;
        }
    }
    let tokens_after = count(&short);
    if tokens_after >= tokens_before {
        return Prose::unchanged(text, tokens_before);
    }
    let saved = tokens_before - tokens_after;
    Prose {
        text: short,
        tokens_before,
        tokens_after,
        percent: (saved * 100 / tokens_before) as u32,
        applied: applied.into_iter().collect(),
        target_reached: saved * 100 >= tokens_before * u64::from(target),
    }
}

/// Takes out as many of the least relevant sentences as it takes to come down to `goal` tokens: few
/// counts, by halving.
fn extract(text: &str, question: Option<&str>, goal: u64, count: &dyn Fn(&str) -> u64) -> String {
    let ranked = sentences::least_relevant(text, question);
    let (mut enough, mut less) = (ranked.len(), 0);
    while less < enough {
        let half = less.midpoint(enough);
        match count(&sentences::cut(text, ranked[..half].to_vec())) <= goal {
            true => enough = half,
            false => less = half + 1,
        }
    }
    sentences::cut(text, ranked[..enough].to_vec())
}

fn lossless(text: &str, applied: &mut BTreeSet<Cut>) -> String {
    let tidied = tidy(text);
    if tidied != text {
        applied.insert(Cut::WhiteSpace);
    }
    let single = sentences::without_duplicates(&tidied);
    if single == tidied {
        return tidied;
    }
    applied.insert(Cut::DuplicateSentence);
    tidy(&single)
}

/// `text` without blanks at the ends of lines, runs of blanks within them and more than one empty
/// line in a row. Indentation, and whatever is protected, stays.
fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    let (mut at, mut indented) = (0, true);
    for span in protect::spans(text).into_iter().chain(std::iter::once(text.len()..text.len())) {
        for c in text[at..span.start].chars() {
            match c {
                ' ' if !indented && tidy.ends_with(' ') => continue,
                '\n' => {
                    tidy.truncate(tidy.trim_end_matches([' ', '\t', '\r']).len());
                    if !tidy.ends_with("\n\n") {
                        tidy.push('\n');
                    }
                }
                _ => tidy.push(c),
            }
            indented = c == '\n' || (indented && matches!(c, ' ' | '\t'));
        }
        tidy.push_str(&text[span.clone()]);
        indented &= span.is_empty();
        at = span.end;
    }
    tidy
}

// === impl Options ===

impl Default for Options<'_> {
    fn default() -> Self {
        Self { target_percent: DEFAULT_TARGET_PERCENT, level: Level::default(), question: None }
    }
}

// === impl Prose ===

impl Prose {
    fn unchanged(text: &str, tokens: u64) -> Self {
        Self {
            text: text.to_owned(),
            tokens_before: tokens,
            tokens_after: tokens,
            percent: 0,
            applied: Vec::new(),
            target_reached: false,
        }
    }
}
