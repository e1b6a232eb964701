//! Changing byte ranges of a body and nothing else.

use bytes::{Bytes, BytesMut};
use farthing_core::prompt::Span;
use thiserror::Error;

/// One byte-range change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that go; empty where something is only put in.
    pub at: Span,
    /// The bytes that come in their place.
    pub with: Bytes,
}

/// Edits cannot be applied together.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "edit {index} of bytes {at:?} does not lie between byte {from} and {to}; \
     give edits in order, apart from each other and within the body"
)]
pub struct InvalidEdit {
    /// Which edit, counted from zero.
    pub index: usize,
    /// Its byte range.
    pub at: Span,
    /// The end of the edit before it.
    pub from: usize,
    /// The end of the body.
    pub to: usize,
}

/// The body with these edits; every other byte stays as it is. Without edits it is not copied.
///
/// # Errors
/// [`InvalidEdit`] where they are out of order, overlap or leave the body.
pub fn apply(body: &Bytes, edits: &[Edit]) -> Result<Bytes, InvalidEdit> {
    if edits.is_empty() {
        return Ok(body.clone());
    }
    let added: usize = edits.iter().map(|edit| edit.with.len()).sum();
    let mut changed = BytesMut::with_capacity(body.len() + added);
    let mut done = 0;
    for (index, edit) in edits.iter().enumerate() {
        let kept = body.get(done..edit.at.start).filter(|_| body.get(edit.at.clone()).is_some());
        let kept = kept.ok_or_else(|| InvalidEdit {
            index,
            at: edit.at.clone(),
            from: done,
            to: body.len(),
        })?;
        changed.extend_from_slice(kept);
        changed.extend_from_slice(&edit.with);
        done = edit.at.end;
    }
    changed.extend_from_slice(body.get(done..).unwrap_or_default());
    Ok(changed.freeze())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edit(at: Span, with: &'static str) -> Edit {
        Edit { at, with: Bytes::from_static(with.as_bytes()) }
    }

    #[test]
    fn edits_change_their_bytes_and_no_other() {
        let body = Bytes::from_static(b"0123456789");
        let applied = |edits: &[Edit]| apply(&body, edits).unwrap();
        assert_eq!(applied(&[edit(0..0, "<"), edit(2..4, ""), edit(10..10, ">")]), "<01456789>");
        assert_eq!(applied(&[edit(3..3, "a"), edit(3..5, "b")]), "012ab56789");
        assert_eq!(applied(&[edit(0..10, "")]), "");
    }

    #[test]
    fn a_body_without_edits_is_not_copied() {
        let body = Bytes::from(vec![b'x'; 64]);
        assert_eq!(apply(&body, &[]).unwrap().as_ptr(), body.as_ptr());
    }

    #[test]
    fn edits_that_overlap_or_leave_the_body_are_refused() {
        let body = Bytes::from_static(b"0123");
        #[expect(clippy::reversed_empty_ranges, reason = "what must be refused")]
        let backwards = edit(2..1, "");
        for (edits, index) in [
            (vec![edit(1..3, ""), edit(2..4, "")], 1),
            (vec![edit(2..3, ""), edit(0..1, "")], 1),
            (vec![edit(3..5, "")], 0),
            (vec![edit(5..5, "")], 0),
            (vec![backwards], 0),
        ] {
            assert_eq!(apply(&body, &edits).unwrap_err().index, index, "{edits:?}");
        }
    }

    proptest! {
        #[test]
        fn any_edits_give_a_body_or_an_error(
            body in proptest::collection::vec(any::<u8>(), 0..40),
            edits in proptest::collection::vec((0..50_usize, 0..50_usize, 0..9_usize), 0..6),
        ) {
            let body = Bytes::from(body);
            let edits: Vec<_> = edits
                .into_iter()
                .map(|(start, end, length)| Edit { at: start..end, with: vec![0; length].into() })
                .collect();
            if let Ok(changed) = apply(&body, &edits) {
                let gone: usize = edits.iter().map(|edit| edit.at.len()).sum();
                let come: usize = edits.iter().map(|edit| edit.with.len()).sum();
                prop_assert_eq!(changed.len() + gone, body.len() + come);
            }
        }
    }
}
