//! Walking JSON without building trees.
//!
//! A document is validated once, by `serde_json`; after that, walking it cannot fail and copies
//! nothing. Neither step recurses, so depth of nesting costs no stack. Where a key is given twice,
//! the last one wins, as it does in the parsers of providers.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use farthing_core::prompt::{JsonStr, Span};
use memchr::memchr;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::splice::Edit;

const WHITE_SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// A value in a valid document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'a> {
    text: &'a str,
    start: usize,
}

/// A document is not JSON, for this reason, with its place.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub(crate) struct InvalidJson(String);

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    String,
    Number,
    Bool,
    Null,
}

/// A key and its value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member<'a> {
    pub(crate) key: Json<'a>,
    pub(crate) value: Json<'a>,
}

/// The values between two brackets, keys included.
#[derive(Clone, Debug)]
struct Values<'a> {
    inside: &'a str,
    start: usize,
    at: usize,
}

/// `pick!(json => model, usage)` binds each name to the value of the member of that name.
macro_rules! pick {
    ($json:expr => $($name:ident),+ $(,)?) => {
        let [$($name),+] = $json.pick([$(stringify!($name)),+]);
    };
}
pub(crate) use pick;

// === impl Json ===

impl<'a> Json<'a> {
    /// Validates a document.
    pub(crate) fn parse(document: &'a [u8]) -> Result<Json<'a>, InvalidJson> {
        let text = str::from_utf8(document).map_err(|error| InvalidJson(error.to_string()))?;
        serde_json::from_str::<&RawValue>(text).map_err(|error| InvalidJson(error.to_string()))?;
        let value = text.trim_start_matches(WHITE_SPACE);
        let start = text.len() - value.len();
        Ok(Json { text: value.trim_end_matches(WHITE_SPACE), start })
    }

    /// The value as it is spelled.
    pub(crate) fn text(self) -> &'a str {
        self.text
    }

    /// Where it stands in the document.
    pub(crate) fn span(self) -> Span {
        self.start..self.end()
    }

    /// Where it ends in the document.
    pub(crate) fn end(self) -> usize {
        self.start + self.text.len()
    }

    pub(crate) fn kind(self) -> Kind {
        match self.text.as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') => Kind::Null,
            _ => Kind::Number,
        }
    }

    pub(crate) fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The members of an object, in order; of anything else, none.
    pub(crate) fn members(self) -> impl Iterator<Item = Member<'a>> {
        let mut values = self.values(Kind::Object);
        std::iter::from_fn(move || Some(Member { key: values.next()?, value: values.next()? }))
    }

    /// The elements of an array, in order; of anything else, none.
    pub(crate) fn elements(self) -> impl Iterator<Item = Json<'a>> {
        self.values(Kind::Array)
    }

    /// The values of an object's members by these names; of anything else, none.
    pub(crate) fn pick<const N: usize>(self, names: [&str; N]) -> [Option<Json<'a>>; N] {
        let mut picked = [None; N];
        for Member { key, value } in self.members() {
            let key = decode(key.text);
            if let Some(slot) = names.iter().position(|name| *name == key) {
                picked[slot] = Some(value);
            }
        }
        picked
    }

    /// The decoded text of a string.
    pub(crate) fn as_str(self) -> Option<Cow<'a, str>> {
        (self.kind() == Kind::String).then(|| decode(self.text))
    }

    /// Where a string stands.
    pub(crate) fn as_literal(self) -> Option<JsonStr> {
        (self.kind() == Kind::String).then(|| JsonStr(self.span()))
    }

    pub(crate) fn as_bool(self) -> Option<bool> {
        self.text.parse().ok()
    }

    /// A whole number from zero up to 64 bits; `12.0` is one.
    pub(crate) fn as_count(self) -> Option<u64> {
        let (whole, decimals) = self.text.split_once('.').unwrap_or((self.text, "0"));
        decimals.bytes().all(|digit| digit == b'0').then(|| whole.parse().ok()).flatten()
    }

    /// The change that adds a member, given as it is spelled, to the end of an object.
    pub(crate) fn append(self, member: &'static str) -> Edit {
        match self.members().last() {
            Some(last) => Edit {
                at: last.value.end()..last.value.end(),
                with: Bytes::from([",", member].concat()),
            },
            None => Edit {
                at: self.start + 1..self.start + 1,
                with: Bytes::from_static(member.as_bytes()),
            },
        }
    }

    /// What to cut out of an object so that it looks as if it had never had this member.
    pub(crate) fn cut(self, name: &str) -> Option<Span> {
        let mut members = self.members().peekable();
        let (mut before, mut cut) = (None, None);
        while let Some(Member { key, value }) = members.next() {
            if decode(key.text) == name {
                // The comma before it goes too, or where it is the first, the one behind.
                let next = members.peek().map_or(value.end(), |next| next.key.start);
                cut = Some(before.map_or(key.start..next, |before| before..value.end()));
            }
            before = Some(value.end());
        }
        cut
    }

    fn values(self, kind: Kind) -> Values<'a> {
        let inside = self.text.get(1..self.text.len() - 1).filter(|_| self.kind() == kind);
        Values { inside: inside.unwrap_or_default(), start: self.start + 1, at: 0 }
    }
}

/// As an error message calls it: `a string`, `the number -1`.
impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            Kind::Object => f.write_str("an object"),
            Kind::Array => f.write_str("an array"),
            Kind::String => f.write_str("a string"),
            Kind::Number => write!(f, "the number {:.40}", self.text),
            Kind::Bool | Kind::Null => f.write_str(self.text),
        }
    }
}

// === impl Values ===

impl<'a> Iterator for Values<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Json<'a>> {
        let bytes = self.inside.as_bytes();
        let gap = bytes.get(self.at..)?.iter().position(|byte| !is_between(*byte))?;
        let start = self.at + gap;
        self.at = value_end(bytes, start);
        Some(Json { text: self.inside.get(start..self.at)?, start: self.start + start })
    }
}

/// What a block, an event or anything else with a `type` is; empty where it does not say.
pub(crate) fn type_of(value: Json<'_>) -> Cow<'_, str> {
    value.pick(["type"])[0].and_then(Json::as_str).unwrap_or_default()
}

/// The text of a string literal, borrowed where it has no escapes.
///
/// A literal that no decoder accepts (half of a surrogate pair) is given as it is spelled.
pub(crate) fn decode(literal: &str) -> Cow<'_, str> {
    let inside = literal.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let inside = inside.unwrap_or(literal);
    if memchr(b'\\', inside.as_bytes()).is_none() {
        return Cow::Borrowed(inside);
    }
    serde_json::from_str(literal).map_or(Cow::Borrowed(inside), Cow::Owned)
}

/// Whether a byte between two brackets belongs to no value.
fn is_between(byte: u8) -> bool {
    matches!(byte, b',' | b':' | b' ' | b'\t' | b'\n' | b'\r')
}

/// Where the value that starts at `start` ends.
fn value_end(bytes: &[u8], start: usize) -> usize {
    match bytes.get(start) {
        Some(b'"') => string_end(bytes, start),
        Some(b'{' | b'[') => container_end(bytes, start),
        _ => {
            let mut rest = bytes.iter().skip(start);
            rest.position(|byte| is_between(*byte)).map_or(bytes.len(), |length| start + length)
        }
    }
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut from = start + 1;
    while let Some(found) = memchr(b'"', bytes.get(from..).unwrap_or_default()) {
        let quote = from + found;
        let inside = bytes.get(from..quote).unwrap_or_default();
        let escapes = inside.iter().rev().take_while(|byte| **byte == b'\\').count();
        if escapes % 2 == 0 {
            return quote + 1;
        }
        from = quote + 1;
    }
    bytes.len()
}

fn container_end(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return at + 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
