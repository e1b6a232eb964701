//! Tallies apart, by a name that callers choose.

use std::sync::Arc;

use super::summary::Group;
use crate::tally::{Operation, Tally};

/// Names that are told apart. Callers choose them, so there could be any number.
const NAMES_MAX: usize = 64;

/// A tally for each name, in the order in which they came; few, so that they are searched one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Groups {
    named: Vec<(Arc<str>, Tally)>,
    /// What has no name, or a name beyond the bound.
    others: Option<Box<Tally>>,
}

// === impl Groups ===

impl Groups {
    pub(super) fn add(&mut self, name: Option<&str>, operation: &Operation) {
        let tally = match name.and_then(|name| self.place(name)) {
            Some(place) => &mut self.named[place].1,
            None => &mut **self.others.get_or_insert_default(),
        };
        *tally = tally.with(operation);
    }

    /// Where a name stands, a new one last; `None` for one too many.
    fn place(&mut self, name: &str) -> Option<usize> {
        let found = self.named.iter().position(|(known, _)| **known == *name);
        if found.is_none() && self.named.len() < NAMES_MAX {
            self.named.push((Arc::from(name), Tally::default()));
            return Some(self.named.len() - 1);
        }
        found
    }

    /// What is told apart, and last what is not.
    pub(super) fn rows(&self) -> Vec<Group> {
        let named = self.named.iter();
        let named =
            named.map(|(name, tally)| Group { name: Some(Arc::clone(name)), tally: *tally });
        let others = self.others.iter().map(|tally| Group { name: None, tally: **tally });
        named.chain(others).collect()
    }
}
