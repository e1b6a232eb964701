//! Parts of a text that are left out and kept under a handle: blobs, the middle of large outputs,
//! the frames of stack traces.
//!
//! These are reversible only by the handle: whoever uses them keeps the original and can give it
//! back. What is left in its place says how much was taken out and how to get it. They are pure
//! functions; what the handle is, and where the original is kept, is not their business.

mod blob;
mod excerpt;
#[cfg(test)]
mod tests;
mod trace;

pub use self::blob::{Blob, BlobKind, find_blobs};
pub use self::excerpt::{Excerpt, excerpt};
pub use self::trace::fold_traces;
use super::marker::{OPEN, Verb};

/// The marker in the place of what was taken out; `what` says it in words, as in `40 lines`.
pub fn left_out(what: &str, handle: &str) -> String {
    format!("{OPEN}{}{what} left out, fetch with handle {handle}]", Verb::Kept.word())
}
