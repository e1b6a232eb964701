//! Whether what a model used is still there in what was sent to it.

use std::borrow::Cow;
use std::collections::HashSet;

use farthing_core::prompt::{Part, Prompt, Role};
use farthing_optimize::handles::Original;
use memchr::memmem;
use serde::Serialize;
use serde_json::Value;

/// How many there are, and how many are still there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Count {
    pub(super) kept: u64,
    pub(super) total: u64,
}

/// What the answers of a conversation used of what tools gave back.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Words that were looked for before.
    seen: HashSet<String>,
    needles: Count,
    edits: Count,
}

/// Shorter words are found everywhere.
const NEEDLE_BYTES_MIN: usize = 4;

/// By what names edit tools call the text that they replace.
const REPLACED: &[&str] = &["old_str", "old_string", "old_text", "search", "search_block"];

// === impl Kept ===

impl Kept {
    /// Looks for all that `answer` used of the results in `prompt` in what was `sent` instead;
    /// what it needs to know may also be one handle away.
    pub(super) fn note(
        &mut self,
        prompt: &Prompt,
        sent: &Prompt,
        originals: &[Original],
        answer: &str,
    ) {
        let mut used = Used::default();
        used.read(&serde_json::from_str(answer).unwrap_or_else(|_| Value::from(answer)));
        let shown = texts(prompt, |role| matches!(role, Role::Tool | Role::User));
        let stands = texts(sent, |_| true);
        for word in used.words {
            if self.seen.contains(&word) || !contains(&shown, &word) {
                continue;
            }
            self.needles.total += 1;
            let one_away = || originals.iter().any(|original| original.text.contains(&word));
            self.needles.kept += u64::from(contains(&stands, &word) || one_away());
            self.seen.insert(word);
        }
        for replaced in used.replaced {
            // A view with line numbers shows every line of it, and never the whole.
            let lines = || replaced.lines().filter(|line| !line.trim().is_empty());
            let whole = contains(&shown, &replaced);
            if !whole && !lines().all(|line| contains(&shown, line)) {
                continue;
            }
            self.edits.total += 1;
            let kept = contains(&stands, &replaced)
                || (!whole && lines().all(|line| contains(&stands, line)));
            self.edits.kept += u64::from(kept);
        }
    }

    /// Needles and edits.
    pub(super) fn counts(&self) -> (Count, Count) {
        (self.needles, self.edits)
    }
}

impl Count {
    pub(super) fn add(&mut self, other: Count) {
        self.kept += other.kept;
        self.total += other.total;
    }
}

/// What an answer says.
#[derive(Default)]
struct Used {
    words: Vec<String>,
    replaced: Vec<String>,
}

impl Used {
    fn read(&mut self, value: &Value) {
        match value {
            Value::String(text) => match serde_json::from_str(text) {
                // Arguments are JSON within a string.
                Ok(inner @ (Value::Object(_) | Value::Array(_))) => self.read(&inner),
                _ => self.read_text(text),
            },
            Value::Array(values) => values.iter().for_each(|value| self.read(value)),
            Value::Object(members) => {
                for (name, value) in members {
                    let replaces = REPLACED.contains(&name.as_str());
                    let replaced = value.as_str().filter(|text| replaces && !text.is_empty());
                    self.replaced.extend(replaced.map(str::to_owned));
                    self.read(value);
                }
            }
            Value::Number(number) => self.read_text(&number.to_string()),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn read_text(&mut self, text: &str) {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && !"_./-".contains(c));
        let words = words.map(|word| word.trim_matches(['.', '-', '/']));
        self.words.extend(words.filter(|word| is_needle(word)).map(str::to_owned));
        self.words.extend(quoted(text).map(str::to_owned));
        let blocks = text.split("<<<<<<< SEARCH\n").skip(1);
        let blocks = blocks.filter_map(|block| Some(block.split_once("\n=======")?.0.to_owned()));
        self.replaced.extend(blocks);
    }
}

/// Identifiers, paths and numbers; not words of a language.
fn is_needle(word: &str) -> bool {
    let is_inner_upper = |pair: &[u8]| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase();
    word.len() >= NEEDLE_BYTES_MIN
        && (word.bytes().any(|byte| byte.is_ascii_digit() || b"_/.".contains(&byte))
            || word.as_bytes().windows(2).any(is_inner_upper))
}

/// What stands between quotation marks on one line.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let inside = text.lines().flat_map(|line| line.split(['"', '`']).skip(1).step_by(2));
    inside.filter(|inside| (NEEDLE_BYTES_MIN..200).contains(&inside.len()))
}

fn texts(prompt: &Prompt, wanted: fn(Role) -> bool) -> Vec<Cow<'_, str>> {
    let messages = prompt.messages.iter().filter(|message| wanted(message.role));
    let parts = messages.flat_map(|message| &message.parts);
    let texts = parts.filter_map(|part| match part {
        Part::Text(literal) => Some(prompt.text(literal)),
        _ => None,
    });
    texts.collect()
}

fn contains(texts: &[Cow<'_, str>], wanted: &str) -> bool {
    let finder = memmem::Finder::new(wanted);
    texts.iter().any(|text| finder.find(text.as_bytes()).is_some())
}
