//! The reviewed tables of what prose can do without, one per language.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;

/// What kind of phrase was cut, in the order in which receipts list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cut {
    /// White space that means nothing in prose.
    WhiteSpace,
    /// A sentence that stands in the text already.
    DuplicateSentence,
    /// The words by which a request begins: "I would like you to".
    Opener,
    /// A greeting or thanks that stands alone.
    Greeting,
    /// "please"
    Courtesy,
    /// "basically"
    Filler,
    /// "in some sense"
    Hedge,
    /// "in order to"
    Wordy,
    /// A sentence that has little to do with the question.
    Sentence,
}

/// What may be done in one language.
#[derive(Debug, Default)]
pub(super) struct Phrases {
    words: HashSet<String>,
    kept: HashSet<String>,
    not_after: HashSet<String>,
    /// By their first word, longest first.
    by_first: HashMap<String, Vec<Phrase>>,
}

/// A phrase and what it becomes.
#[derive(Debug)]
pub(super) struct Phrase {
    pub(super) cut: Cut,
    /// Lower case; a comma behind a word belongs to it.
    pub(super) words: Vec<String>,
    /// Empty where the phrase goes.
    pub(super) becomes: String,
}

/// A table as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    words: Vec<String>,
    kept: Vec<String>,
    not_after: Vec<String>,
    #[serde(default)]
    opener: BTreeMap<String, String>,
    #[serde(default)]
    alone: BTreeMap<String, String>,
    courtesy: BTreeMap<String, String>,
    filler: BTreeMap<String, String>,
    hedge: BTreeMap<String, String>,
    wordy: BTreeMap<String, String>,
}

/// English, German, French, Spanish.
const FILES: [&str; 4] = [
    include_str!("phrases/en.toml"),
    include_str!("phrases/de.toml"),
    include_str!("phrases/fr.toml"),
    include_str!("phrases/es.toml"),
];

/// A table that cannot be read has no phrases; a test sees to it that there is none.
static LANGUAGES: LazyLock<Vec<Phrases>> =
    LazyLock::new(|| FILES.iter().map(|file| read(file).unwrap_or_default()).collect());

/// The table of the language that most of `words` (in lower case) speak for; of none, where none is
/// recognised.
pub(super) fn of_language<'w>(words: impl Iterator<Item = &'w str>) -> Option<&'static Phrases> {
    let mut votes = vec![0_usize; LANGUAGES.len()];
    for word in words {
        for (votes, language) in votes.iter_mut().zip(LANGUAGES.iter()) {
            *votes += usize::from(language.words.contains(word));
        }
    }
    let most = votes.iter().copied().max().filter(|most| *most > 0)?;
    let language = votes.iter().position(|votes| *votes == most)?;
    LANGUAGES.get(language)
}

/// Whether a word (in lower case) is a negation or a constraint in any of the languages.
pub(super) fn is_kept(word: &str) -> bool {
    LANGUAGES.iter().any(|language| language.kept.contains(word))
}

fn read(file: &str) -> Result<Phrases, toml::de::Error> {
    let file: File = toml::from_str(file)?;
    let mut phrases = Phrases {
        words: file.words.into_iter().collect(),
        kept: file.kept.into_iter().collect(),
        not_after: file.not_after.into_iter().collect(),
        by_first: HashMap::new(),
    };
    let tables = [
        (Cut::Opener, file.opener),
        (Cut::Greeting, file.alone),
        (Cut::Courtesy, file.courtesy),
        (Cut::Filler, file.filler),
        (Cut::Hedge, file.hedge),
        (Cut::Wordy, file.wordy),
    ];
    for (cut, table) in tables {
        for (phrase, becomes) in table {
            let words: Vec<String> = phrase.split_whitespace().map(str::to_owned).collect();
            let first = words.first().map(|word| word.trim_end_matches(',').to_owned());
            let list = phrases.by_first.entry(first.unwrap_or_default()).or_default();
            list.push(Phrase { cut, words, becomes });
        }
    }
    for list in phrases.by_first.values_mut() {
        list.sort_by_key(|phrase| (std::cmp::Reverse(phrase.words.len()), phrase.cut));
    }
    Ok(phrases)
}

// === impl Phrases ===

impl Phrases {
    /// The phrases that begin with this word (in lower case), longest first.
    pub(super) fn beginning_with(&self, word: &str) -> &[Phrase] {
        self.by_first.get(word).map_or(&[], Vec::as_slice)
    }

    /// Whether a word (in lower case) is one of those that tell the language.
    pub(super) fn is_frequent(&self, word: &str) -> bool {
        self.words.contains(word)
    }

    /// Whether a phrase may go behind this word (in lower case): "not really" and "to please" stay.
    pub(super) fn may_cut_after(&self, word: &str) -> bool {
        !self.kept.contains(word) && !self.not_after.contains(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_readable_and_hold_no_negation_constraint_or_number() {
        for file in FILES {
            let phrases = read(file).unwrap();
            for phrase in phrases.by_first.values().flatten() {
                let becomes = phrase.becomes.split_whitespace().map(str::to_lowercase);
                for word in phrase.words.iter().cloned().chain(becomes) {
                    let word = word.trim_end_matches(',');
                    assert!(!phrases.kept.contains(word), "{word} in {phrase:?}");
                    assert!(!word.contains(char::is_numeric), "{phrase:?}");
                    assert_eq!(word.to_lowercase(), word, "{phrase:?}");
                }
            }
        }
    }

    #[test]
    fn no_phrase_becomes_longer() {
        for phrase in LANGUAGES.iter().flat_map(|language| language.by_first.values().flatten()) {
            assert!(phrase.becomes.len() < phrase.words.join(" ").len(), "{phrase:?}");
        }
    }

    #[test]
    fn languages_are_told_by_their_frequent_words() {
        let language = |text: &str| {
            let words = text.to_lowercase();
            let found = of_language(words.split_whitespace())?;
            LANGUAGES.iter().position(|language| std::ptr::eq(language, found))
        };
        assert_eq!(language("Please could you help me to understand the weather"), Some(0));
        assert_eq!(language("Bitte erkläre mir den Fehler in der Datei"), Some(1));
        assert_eq!(language("Pourriez-vous expliquer la raison de ce message"), Some(2));
        assert_eq!(language("Podrías explicar el error que está en la salida"), Some(3));
        assert_eq!(language("xyzzy"), None);
    }
}
