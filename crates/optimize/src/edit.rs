//! Changing byte ranges of a request and nothing else.

use bytes::Bytes;
use farthing_core::prompt::Span;
use serde::{Deserialize, Serialize};

/// How safe a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Class {
    /// No model can see it.
    L0,
    /// Lossless up to a stated canonical form; there is a decoder.
    L1,
    /// Reversible: the original can be fetched back by its handle.
    L2,
    /// Lossy.
    L3,
}

/// Bytes of the body that go, and what comes in their place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The bytes that go; empty where something is only put in.
    pub at: Span,
    /// What comes.
    pub with: String,
}

/// What a pass proposes, or what it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What is changed.
    pub edit: Edit,
    /// Who proposes it.
    pub pass: &'static str,
    /// How safe it is.
    pub class: Class,
    /// The message it is in; `None` outside of all.
    pub message: Option<usize>,
    /// d: the tokens that it removes.
    pub removed: u64,
}

/// The body with these edits; every other byte stays as it is. They are in order and apart from
/// each other; one that is not, or that leaves the body, is left out.
pub fn apply<'e>(body: &Bytes, edits: impl IntoIterator<Item = &'e Edit>) -> Bytes {
    let mut changed: Option<Vec<u8>> = None;
    let mut done = 0;
    for Edit { at, with } in edits {
        let Some(kept) = body.get(done..at.start).filter(|_| body.get(at.clone()).is_some()) else {
            continue;
        };
        let changed = changed.get_or_insert_with(|| Vec::with_capacity(body.len()));
        changed.extend_from_slice(kept);
        changed.extend_from_slice(with.as_bytes());
        done = at.end;
    }
    let Some(mut changed) = changed else { return body.clone() };
    changed.extend_from_slice(body.get(done..).unwrap_or_default());
    changed.into()
}

/// Takes an edit back: where it stands in the changed body, and what stood there before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    /// The bytes of the changed body that the edit put there.
    pub at: Span,
    /// What they say, to be sure.
    pub now: String,
    /// What stood there before.
    pub before: String,
}

/// What takes these edits of `body` back again.
pub fn undos(body: &Bytes, edits: &[Edit]) -> Vec<Undo> {
    let (mut added, mut removed) = (0, 0);
    let undo = |edit: &Edit| {
        let start = edit.at.start + added - removed;
        added += edit.with.len();
        removed += edit.at.len();
        let before = body.get(edit.at.clone()).unwrap_or_default();
        let before = String::from_utf8_lossy(before).into_owned();
        Undo { at: start..start + edit.with.len(), now: edit.with.clone(), before }
    };
    edits.iter().map(undo).collect()
}

/// The body as it was before; `None` where these undos are of another one.
pub fn undone(body: &Bytes, undos: Vec<Undo>) -> Option<Bytes> {
    let stands = |undo: &Undo| body.get(undo.at.clone()) == Some(undo.now.as_bytes());
    if !undos.iter().all(stands) {
        return None;
    }
    let edits = undos.into_iter().map(|undo| Edit { at: undo.at, with: undo.before });
    Some(apply(body, &edits.collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_no_edit_touches_stays_as_it_is() {
        let body = Bytes::from_static(b"0123456789");
        let edit = |at: Span, with: &str| Edit { at, with: with.to_owned() };
        let edits = [edit(0..0, "<"), edit(2..4, ""), edit(10..10, ">")];
        assert_eq!(apply(&body, &edits), "<01456789>");
        let wrong = [edit(3..5, "a"), edit(4..6, "b"), edit(9..12, "c")];
        assert_eq!(apply(&body, &wrong), "012a56789");
        assert_eq!(apply(&body, &[]).as_ptr(), body.as_ptr());
    }

    #[test]
    fn undos_of_another_body_are_refused() {
        let body = Bytes::from_static(b"0123456789");
        let undos = undos(&body, &[Edit { at: 2..4, with: "x".to_owned() }]);
        assert_eq!(undone(&body, undos), None);
    }

    proptest! {
        #[test]
        fn every_edit_can_be_taken_back(
            body in "[a-z]{0,40}",
            cuts in proptest::collection::vec((0..5_usize, 0..5_usize, "[A-Z]{0,6}"), 0..6),
        ) {
            let body = Bytes::from(body);
            let (mut edits, mut from) = (Vec::new(), 0);
            for (gap, length, with) in cuts {
                let at = from + gap..from + gap + length;
                if at.end > body.len() {
                    break;
                }
                from = at.end;
                edits.push(Edit { at, with });
            }
            let undos = undos(&body, &edits);
            prop_assert_eq!(undone(&apply(&body, &edits), undos), Some(body));
        }
    }
}
