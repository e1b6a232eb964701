//! The reversible passes: what is left out of a text, and kept under a handle.
//!
//! A pure function of the text, made when it is first sent: blobs, the frames between the ends of
//! stack traces, and the middle of large outputs. Code is left whole: an edit tool has to find what
//! it replaces.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::codec::is_source;
use crate::codec::kept::{Excerpt, excerpt, find_blobs, fold_traces, left_out};
use crate::edit::Class;

/// An output that is longer is cut down to its ends and errors.
const OUTPUT_BYTES_MAX: usize = 16 << 10;

/// A shorter blob is not worth a marker.
const BLOB_BYTES_MIN: usize = 256;

/// What is left of a large output.
const EXCERPT: Excerpt =
    Excerpt { head_lines: 40, tail_lines: 40, error_lines: 20, line_bytes_max: 2_000 };

/// A text that something was left out of. Whoever sends the rest keeps it, for its owner alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Original {
    /// Under what it can be fetched back.
    pub handle: String,
    /// The whole text.
    pub text: Arc<str>,
}

/// What is left of a text, and who made it so.
pub(crate) struct Left {
    pub(crate) text: String,
    pub(crate) pass: &'static str,
    pub(crate) class: Class,
    pub(crate) original: Original,
}

/// A text without what can be fetched back; `None` where there is nothing of the kind.
pub(crate) fn left(text: &str, owner: &str) -> Option<Left> {
    let handle = handle(text, owner);
    let without = without_blobs(text, &handle).map(|text| (text, "blobs"));
    let current = without.as_ref().map_or(text, |(text, _)| text);
    let folded = fold_traces(current, &handle).map(|text| (text, "stack_traces"));
    let without = folded.or(without);
    let current = without.as_ref().map_or(text, |(text, _)| text);
    let is_large = current.len() > OUTPUT_BYTES_MAX && !is_source(current);
    let cut = is_large.then(|| excerpt(current, EXCERPT, &handle)).flatten();
    let (left, pass) = cut.map(|text| (text, "large_outputs")).or(without)?;
    let class = Class::L2;
    Some(Left { text: left, pass, class, original: Original { handle, text: text.into() } })
}

/// What a whole result is replaced by that nobody is expected to look at again.
pub(crate) fn masked(text: &str, owner: &str) -> Left {
    let handle = handle(text, owner);
    let lines = text.lines().count();
    let left = left_out(&format!("{lines} lines of an older result"), &handle);
    let original = Original { handle, text: text.into() };
    Left { text: left, pass: "masking", class: Class::L3, original }
}

fn without_blobs(text: &str, handle: &str) -> Option<String> {
    let mut without = String::new();
    let mut done = 0;
    for blob in find_blobs(text).into_iter().filter(|blob| blob.span.len() >= BLOB_BYTES_MIN) {
        without.push_str(text.get(done..blob.span.start)?);
        without.push_str(&left_out(&format!("{} bytes", blob.span.len()), handle));
        done = blob.span.end;
    }
    without.push_str(text.get(done..)?);
    (done > 0).then_some(without)
}

/// A hash of the text and its owner: no node needs to ask another, and nobody can guess those of
/// somebody else's texts.
fn handle(text: &str, owner: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&owner.len().to_le_bytes()).update(owner.as_bytes()).update(text.as_bytes());
    hasher.finalize().to_hex().chars().take(16).collect()
}
