//! Data URIs and other blobs that were sent before.

use std::ops::Range;

use memchr::memmem;

use super::reference::Reference;
use super::source::hash;
use super::{Earlier, Place, Spot};
use crate::codec::kept::find_blobs;
use crate::codec::marker::{OPEN, Verb};

// === impl Earlier ===

impl Earlier {
    pub(super) fn add_blobs(&mut self, source: u32, text: &str) {
        for (number, blob) in (0..).zip(blobs(text)) {
            let spot = Spot { source, line: number };
            self.blobs.entry(hash(blob.as_bytes())).or_insert(spot);
        }
    }

    /// `text` with references for the blobs that stand earlier; `None` where there are none.
    pub(super) fn encode_blobs(&self, text: &str) -> Option<String> {
        let mut encoded = String::new();
        let mut copied = 0;
        for span in spans(text) {
            let blob = &text[span.clone()];
            let Some(place) = self.blobs.get(&hash(blob.as_bytes())) else { continue };
            let source = self.sources.get(place.source as usize)?;
            let reference = Reference::Blob { number: place.line + 1, place: source.place };
            if self.blob(place.line + 1, source.place) != Some(blob) {
                continue;
            }
            encoded.push_str(&text[copied..span.start]);
            encoded.push_str(&reference.to_string());
            copied = span.end;
        }
        encoded.push_str(&text[copied..]);
        (copied > 0).then_some(encoded)
    }

    /// `text` with its references to blobs replaced; `None` where one points nowhere.
    pub(super) fn decode_blobs(&self, text: &str) -> Option<String> {
        let open = [OPEN, Verb::Same.word(), "as blob "].concat();
        let mut decoded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = memmem::find(rest.as_bytes(), open.as_bytes()) {
            let end = at + rest[at..].find(']')? + 1;
            let Reference::Blob { number, place } = Reference::parse(&rest[at..end])? else {
                return None;
            };
            decoded.push_str(&rest[..at]);
            decoded.push_str(self.blob(number, place)?);
            rest = &rest[end..];
        }
        decoded.push_str(rest);
        Some(decoded)
    }

    /// The n-th blob of a text, from 1.
    fn blob(&self, number: u32, place: Place) -> Option<&str> {
        blobs(self.at(place)?.text()).nth(number.checked_sub(1)? as usize)
    }
}

/// The blobs of `text` that stand on one line, so that a reference in their place moves no other.
fn spans(text: &str) -> impl Iterator<Item = Range<usize>> {
    let spans = find_blobs(text).into_iter().map(|blob| blob.span);
    spans.filter(|span| !text[span.clone()].contains('\n'))
}

fn blobs(text: &str) -> impl Iterator<Item = &str> {
    spans(text).map(|span| &text[span])
}
