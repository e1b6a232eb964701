//! Names that were found before.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// Clients send few names, but may send any: beyond this many, all are forgotten.
const MOST: usize = 4_096;

/// What names led to, so that the rules need not be gone through again. Bounded.
#[derive(Debug)]
pub(super) struct Memory<T>(RwLock<HashMap<String, T>>);

// === impl Memory ===

impl<T> Default for Memory<T> {
    fn default() -> Memory<T> {
        Memory(RwLock::default())
    }
}

impl<T: Clone> Memory<T> {
    /// What the name led to before, or what `find` says now. A name that leads nowhere is not kept.
    pub(super) fn recall(&self, name: &str, find: impl FnOnce() -> Option<T>) -> Option<T> {
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Some(known.clone());
        }
        let found = find()?;
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= MOST {
            names.clear();
        }
        names.insert(name.to_owned(), found.clone());
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_looked_for_once_and_one_that_is_not_found_again_and_again() {
        let memory = Memory::default();
        assert_eq!(memory.recall("a", || Some(1)), Some(1));
        assert_eq!(memory.recall("a", || panic!("it is known")), Some(1));
        assert_eq!(memory.recall("b", || None), None);
        assert_eq!(memory.recall("b", || Some(2)), Some(2));
    }

    #[test]
    fn memory_is_bounded() {
        let memory = Memory::default();
        (0..3 * MOST).for_each(|n| _ = memory.recall(&n.to_string(), || Some(n)));
        assert!(memory.0.read().unwrap().len() <= MOST);
    }
}
