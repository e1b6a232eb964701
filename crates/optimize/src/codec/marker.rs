//! How our markers are spelled, and how one is found where it does not belong.
//!
//! A marker says in words what it stands for, so that a model needs no lesson to read it. It opens
//! with `[§ ` and one of a few verbs and ends with `]`. A text that has such an opening of its own
//! is left alone by the codec of that verb, so what a marker means is never in doubt.

use std::borrow::Cow;

use memchr::memmem;

/// What every marker begins with.
pub const OPEN: &str = "[§ ";

/// What a marker says. Its first word tells which codec made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// The line above stands here several times.
    Repeat,
    /// Each of the next lines begins with the same words.
    Prefix,
    /// A listing of a folder without what its lines have in common.
    Listing,
    /// An array of objects, written as a table.
    Table,
    /// Text that stands earlier in the same request.
    Same,
    /// Text that was taken out and can be fetched back by its handle.
    Kept,
}

/// What became of tool arguments that may have had a marker in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restored {
    /// There was none.
    Untouched,
    /// The arguments with the text that the markers stood for.
    Replaced(String),
    /// There is one that nothing is known of: the arguments must not be carried out.
    Refused,
}

/// Whether tool arguments have one of our markers in them, however JSON spells it.
pub fn contains_marker(arguments: &str) -> bool {
    contains_plain(arguments) || contains_plain(&unescaped(arguments))
}

/// Puts the text back that the markers in tool arguments stand for. `arguments` is JSON, or any
/// text; each of its strings that has a marker goes through `decode`, which gives the text or, where
/// it does not know the marker, `None`. All else stays as it is spelled.
pub fn restore(arguments: &str, decode: &dyn Fn(&str) -> Option<String>) -> Restored {
    if !contains_marker(arguments) {
        return Restored::Untouched;
    }
    let restored = if serde_json::from_str::<serde::de::IgnoredAny>(arguments).is_ok() {
        restore_strings(arguments, decode)
    } else {
        decode(arguments)
    };
    match restored {
        Some(text) if !contains_marker(&text) => Restored::Replaced(text),
        _ => Restored::Refused,
    }
}

/// Whether `text` has a marker with one of these verbs.
pub(crate) fn has(text: &str, verbs: &[Verb]) -> bool {
    memmem::find_iter(text.as_bytes(), OPEN.as_bytes()).any(|at| {
        let rest = text.get(at + OPEN.len()..).unwrap_or_default();
        verbs.iter().any(|verb| rest.starts_with(verb.word()))
    })
}

pub(crate) fn contains_plain(text: &str) -> bool {
    has(text, &Verb::ALL)
}

/// `text` with the one character that JSON may spell otherwise in its plain spelling.
fn unescaped(text: &str) -> Cow<'_, str> {
    if text.contains("\\u00") {
        Cow::Owned(text.replace("\\u00a7", "§").replace("\\u00A7", "§"))
    } else {
        Cow::Borrowed(text)
    }
}

/// `arguments` is valid JSON, so a quote outside a string opens one.
fn restore_strings(arguments: &str, decode: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut restored = String::with_capacity(arguments.len());
    let mut rest = arguments;
    while let Some(open) = rest.find('"') {
        let (before, literal) = rest.split_at(open);
        let end = string_end(literal)?;
        let (literal, after) = literal.split_at(end);
        restored.push_str(before);
        let value: String = serde_json::from_str(literal).ok()?;
        if contains_plain(&value) {
            restored.push_str(&serde_json::to_string(&decode(&value)?).ok()?);
        } else {
            restored.push_str(literal);
        }
        rest = after;
    }
    restored.push_str(rest);
    Some(restored)
}

/// Where the string ends that `literal` begins with, its quotes included.
fn string_end(literal: &str) -> Option<usize> {
    let mut escaped = false;
    let quote = literal.bytes().skip(1).position(|byte| {
        let end = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        end
    });
    quote.map(|at| at + 2)
}

// === impl Verb ===

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 6] =
        [Self::Repeat, Self::Prefix, Self::Listing, Self::Table, Self::Same, Self::Kept];

    /// What stands behind [`OPEN`], with the blank that ends it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Repeat => "line above ",
            Self::Prefix => "next ",
            Self::Listing => "listing of ",
            Self::Table => "table ",
            Self::Same => "same ",
            Self::Kept => "kept ",
        }
    }

    /// A marker with this verb on a line of its own, and nothing else on it: what it says.
    pub(crate) fn line(self, line: &str) -> Option<&str> {
        line.strip_prefix(OPEN)?.strip_prefix(self.word())?.strip_suffix(']')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_found_however_json_spells_it() {
        assert!(contains_marker("{\"content\":\"a\\n[§ same as tool result 3]\"}"));
        assert!(contains_marker(r#"{"content":"[\u00a7 same as tool result 3]"}"#));
        assert!(!contains_marker(r#"{"content":"[§ 823 BGB] and [§]"}"#));
        assert!(!contains_marker(""));
    }

    #[test]
    fn strings_are_restored_and_all_else_keeps_its_spelling() {
        let decode = |text: &str| Some(text.replace("[§ same as tool result 3]", "a \"b\"\n"));
        let arguments =
            r#"{ "n": 1.0, "path": "x\u0041", "content": "1\n[\u00a7 same as tool result 3]2" }"#;
        assert_eq!(
            restore(arguments, &decode),
            Restored::Replaced(
                r#"{ "n": 1.0, "path": "x\u0041", "content": "1\na \"b\"\n2" }"#.to_owned()
            )
        );
        assert_eq!(restore("{\"path\":\"x\"}", &decode), Restored::Untouched);
    }

    #[test]
    fn a_marker_that_nobody_knows_is_refused() {
        let arguments = "{\"content\":\"[§ same as tool result 9]\"}";
        assert_eq!(restore(arguments, &|_| None), Restored::Refused);
        assert_eq!(restore(arguments, &|text| Some(text.to_owned())), Restored::Refused);
    }
}
