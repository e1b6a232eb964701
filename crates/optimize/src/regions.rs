//! The texts of a request that may be edited, and where they stand.

use std::borrow::Cow;
use std::ops::Range;

use farthing_core::prompt::{Message, Part, Prompt, Role, Span};
use memchr::memmem;
use serde::{Deserialize, Serialize};

/// How a scaffold tells the model what it sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observations {
    /// As results of tools.
    #[default]
    Tool,
    /// In messages of the user, all but the first.
    UserAfterFirst,
}

/// A text that may be edited: the inside of a string literal, or a part of it.
#[derive(Clone, Debug)]
pub(crate) struct Region<'p> {
    /// Its bytes in the body, as JSON spells them.
    pub(crate) at: Span,
    /// What it says.
    pub(crate) text: Cow<'p, str>,
    /// Whether it is a retrieved document within a text that somebody typed.
    pub(crate) is_document: bool,
}

/// Elements around documents that were retrieved, not typed.
const DOCUMENT_TAGS: &[&str] =
    &["document", "doc", "passage", "chunk", "search_result", "context", "file", "source"];

/// The texts of a message that nobody typed: what tools gave back, and retrieved documents in
/// known tags. `first_user` is the index of the first message of a user.
pub(crate) fn regions<'p>(
    prompt: &'p Prompt,
    index: usize,
    message: &Message,
    first_user: Option<usize>,
    observations: Observations,
) -> Vec<Region<'p>> {
    let whole = match (message.role, observations) {
        (Role::Tool, _) => true,
        (Role::User, Observations::UserAfterFirst) => first_user.is_some_and(|first| index > first),
        (Role::User, Observations::Tool) => false,
        (Role::System | Role::Assistant, _) => return Vec::new(),
    };
    let literals = message.parts.iter().filter_map(|part| match part {
        // Some dialects send JSON in place of a string; it is not edited.
        Part::Text(literal) => Some(literal).filter(|text| prompt.raw(&text.0).starts_with('"')),
        _ => None,
    });
    let of_literal = |literal| {
        let text = prompt.text(literal);
        let inside = literal.0.start + 1..literal.0.end.saturating_sub(1);
        if whole {
            vec![Region { at: inside, text, is_document: false }]
        } else {
            documents(prompt.raw(&inside), inside.start, &text)
        }
    };
    literals.flat_map(of_literal).collect()
}

/// `text` as the inside of a JSON string.
pub(crate) fn escaped(text: &str) -> String {
    let mut literal = serde_json::to_string(text).unwrap_or_default();
    literal.pop();
    if !literal.is_empty() {
        literal.remove(0);
    }
    literal
}

/// The insides of document elements in `text`, which is spelled `raw` at `start`.
fn documents<'p>(raw: &str, start: usize, text: &str) -> Vec<Region<'p>> {
    let insides = elements(text);
    let bounds: Vec<usize> = insides.iter().flat_map(|inside| [inside.start, inside.end]).collect();
    let spelled = spelled_at(raw, &bounds);
    let regions = insides.iter().zip(spelled.chunks_exact(2)).filter_map(|(inside, at)| {
        let text = text.get(inside.clone())?.to_owned();
        Some(Region {
            at: start + at.first()?..start + at.last()?,
            text: Cow::Owned(text),
            is_document: true,
        })
    });
    regions.collect()
}

/// The insides of document elements. An element opens and closes at the beginning of a line; one
/// within another is part of it.
fn elements(text: &str) -> Vec<Range<usize>> {
    let mut insides = Vec::new();
    let mut from = 0;
    while let Some(found) = memmem::find(text.as_bytes().get(from..).unwrap_or_default(), b"<") {
        let open = from + found;
        from = open + 1;
        let at_line_start = open == 0 || text.as_bytes().get(open - 1) == Some(&b'\n');
        let Some(inside) = at_line_start.then(|| element(text, open)).flatten() else { continue };
        from = inside.end;
        insides.push(inside);
    }
    insides
}

fn element(text: &str, open: usize) -> Option<Range<usize>> {
    let rest = text.get(open + 1..)?;
    let name_end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    let name = DOCUMENT_TAGS.iter().find(|tag| rest.get(..name_end) == Some(**tag))?;
    let tag_end = rest.find('>').filter(|end| !rest[..*end].contains('\n'))?;
    let start = open + 1 + tag_end + 1;
    let close = ["\n</", name, ">"].concat();
    let length = text.get(start..)?.find(&close)?;
    Some(start..start + length + 1)
}

/// Where decoded offsets, in order, stand in a string's inside as JSON spells it. What is not
/// spelled as its decoder would read it gives offsets at its end, so nothing is cut apart.
fn spelled_at(raw: &str, offsets: &[usize]) -> Vec<usize> {
    let (mut at, mut decoded) = (0, 0);
    let bytes = raw.as_bytes();
    let to = |offset: &usize| {
        while decoded < *offset && at < bytes.len() {
            let (spelled, means) = character(bytes, at);
            at += spelled;
            decoded += means;
        }
        at.min(bytes.len())
    };
    offsets.iter().map(to).collect()
}

/// How many bytes the character at `at` is spelled in, and how many it is in UTF-8.
fn character(bytes: &[u8], at: usize) -> (usize, usize) {
    if bytes.get(at) != Some(&b'\\') {
        return (1, 1);
    }
    let unit = |at: usize| {
        let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    match unit(at) {
        None => (2, 1),
        Some(0xD800..=0xDBFF) if unit(at + 6).is_some() => (12, 4),
        Some(code) => (6, char::from_u32(code).map_or(3, char::len_utf8)),
    }
}
