//! A stream that is one JSON array: where its elements end, in bytes that arrive in pieces of any
//! size.

use bytes::{Bytes, BytesMut};
use memchr::{memchr2, memchr3};

/// Finds the objects of an array while it passes.
#[derive(Debug)]
pub(crate) struct Elements {
    partial: BytesMut,
    depth: usize,
    in_string: bool,
    escaped: bool,
    bytes_max: usize,
    oversized: bool,
}

/// A part of the stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Element {
    /// An object, whole.
    Whole(Bytes),
    /// An object of this many bytes that arrived in pieces and is too long to be put together.
    Oversized(usize),
}

// === impl Elements ===

impl Elements {
    /// Objects that arrive in pieces are put together up to this size.
    pub(crate) fn new(bytes_max: usize) -> Elements {
        Elements {
            partial: BytesMut::new(),
            depth: 0,
            in_string: false,
            escaped: false,
            bytes_max,
            oversized: false,
        }
    }

    /// Takes what arrived, gives what is complete. An object that lies within the chunk is a slice
    /// of it; only one that does not is copied.
    pub(crate) fn push(&mut self, chunk: &Bytes, give: &mut impl FnMut(Element)) {
        let mut at = 0;
        while at < chunk.len() {
            let start = match self.depth {
                0 => match chunk.get(at..).and_then(|rest| memchr::memchr(b'{', rest)) {
                    Some(found) => at + found,
                    None => return,
                },
                _ => at,
            };
            let end = self.object_end(chunk, start);
            let bytes = chunk.slice(start..end);
            at = end;
            self.take(bytes, give);
        }
    }

    /// Takes a piece of an object, up to its end or to that of the chunk.
    fn take(&mut self, bytes: Bytes, give: &mut impl FnMut(Element)) {
        let whole = self.depth == 0;
        if self.oversized {
            give(Element::Oversized(bytes.len()));
            self.oversized = !whole;
        } else if whole && self.partial.is_empty() {
            give(Element::Whole(bytes));
        } else if self.partial.len() + bytes.len() > self.bytes_max {
            give(Element::Oversized(self.partial.split().len() + bytes.len()));
            self.oversized = !whole;
        } else {
            self.partial.extend_from_slice(&bytes);
            if whole {
                give(Element::Whole(self.partial.split().freeze()));
            }
        }
    }

    /// Moves over `bytes` from `at` up to the end of the object that is open, or of the bytes.
    fn object_end(&mut self, bytes: &[u8], mut at: usize) -> usize {
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if std::mem::take(&mut self.escaped) {
                at += 1;
                continue;
            }
            let found = match self.in_string {
                true => memchr2(b'"', b'\\', rest),
                false => memchr3(b'"', b'{', b'}', rest),
            };
            let Some(found) = found else { return bytes.len() };
            at += found + 1;
            match rest.get(found) {
                Some(b'"') => self.in_string = !self.in_string,
                Some(b'\\') => self.escaped = true,
                Some(b'{') => self.depth += 1,
                _ => self.depth = self.depth.saturating_sub(1),
            }
            if self.depth == 0 {
                return at;
            }
        }
        bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(stream: &str, size: usize, bytes_max: usize) -> Vec<String> {
        let mut elements = Elements::new(bytes_max);
        let mut found = Vec::new();
        for chunk in stream.as_bytes().chunks(size) {
            elements.push(&Bytes::copy_from_slice(chunk), &mut |element| {
                found.push(match element {
                    Element::Whole(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
                    Element::Oversized(bytes) => format!("{bytes} bytes"),
                });
            });
        }
        found
    }

    #[test]
    fn objects_are_whole_however_they_arrive() {
        let objects = [r#"{"a":"}]{\"\\"}"#, r#"{"b":{"c":[{},{}]}}"#, "{}"];
        let stream = format!("[{}\n,\r\n{},{}]\n", objects[0], objects[1], objects[2]);
        for size in [1, 2, 3, 7, stream.len()] {
            assert_eq!(split(&stream, size, 99), objects, "pieces of {size}");
        }
    }

    #[test]
    fn an_object_that_is_too_long_is_left_out_and_the_next_is_not() {
        let found = split(r#"[{"long":"xxxxxxxx"},{"b":1}]"#, 5, 9);
        assert_eq!(found, ["14 bytes", "5 bytes", r#"{"b":1}"#]);
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_give_the_same(bytes in any::<Vec<u8>>(), size in 1..9_usize) {
            let text = String::from_utf8_lossy(&bytes);
            prop_assert_eq!(split(&text, size, 9_999), split(&text, 9_999, 9_999));
        }
    }
}
