//! JSON without its white space, and arrays of objects as tables.

mod read;
mod scan;
mod shape;
mod table;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

pub use self::table::Table;
use super::{Codec, source};

/// Takes out the white space between the tokens of JSON documents.
///
/// A document is an object or array that begins and ends with a line: the whole text, a part of it,
/// or one of several. Numbers, strings, duplicate keys and their order stay as they are spelled.
/// Where what stands around them looks like source code, they are left alone.
///
/// Canonical form: each document as compact JSON.
#[derive(Clone, Copy, Debug)]
pub struct Minify;

/// `text` with each document through `rewrite`; `None` where that changes nothing.
fn each_document(text: &str, mut rewrite: impl FnMut(&str, &mut String)) -> Option<String> {
    let documents = scan::documents(text);
    if documents.is_empty() || source::is_source(&outside(text, &documents)) {
        return None;
    }
    let mut rewritten = String::with_capacity(text.len());
    let mut copied = 0;
    for document in documents {
        rewritten.push_str(&text[copied..document.start]);
        copied = document.end;
        rewrite(&text[document], &mut rewritten);
    }
    rewritten.push_str(&text[copied..]);
    (rewritten != text).then_some(rewritten)
}

fn outside(text: &str, documents: &[Range<usize>]) -> String {
    let ends = documents.iter().map(|document| document.start).chain([text.len()]);
    let starts = [0].into_iter().chain(documents.iter().map(|document| document.end));
    starts.zip(ends).map(|(start, end)| &text[start..end]).collect()
}

// === impl Minify ===

impl Codec for Minify {
    fn name(&self) -> &'static str {
        "json"
    }

    fn encode(&self, text: &str) -> Option<String> {
        each_document(text, scan::minify)
    }

    fn decode(&self, text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn canonical<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.encode(text).map_or(Cow::Borrowed(text), Cow::Owned)
    }
}
