//! A list that is only ever added to, and shared by all its versions.

use std::fmt;
use std::iter;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// Values in the order in which they were added. Adding one gives a new list and leaves the old as it
/// was; both share what they have in common. It takes constant time and memory.
///
/// Serialised as a sequence, the oldest first.
pub struct Log<T> {
    newest: Link<T>,
    len: usize,
}

type Link<T> = Option<Arc<Node<T>>>;

struct Node<T> {
    value: T,
    older: Link<T>,
}

// === impl Log ===

impl<T> Log<T> {
    /// The same list, and `value` after all others.
    #[must_use]
    pub fn with(&self, value: T) -> Log<T> {
        let older = self.newest.clone();
        Log { newest: Some(Arc::new(Node { value, older })), len: self.len.saturating_add(1) }
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The values, the newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &T> {
        let nodes = iter::successors(self.newest.as_deref(), |node| node.older.as_deref());
        nodes.map(|node| &node.value)
    }

    /// The values, the oldest first. It takes time and memory for all of them at once.
    pub fn oldest_first(&self) -> impl Iterator<Item = &T> {
        let mut values: Vec<&T> = self.newest_first().collect();
        values.reverse();
        values.into_iter()
    }
}

impl<T> Drop for Log<T> {
    fn drop(&mut self) {
        // Left to themselves, nodes would be dropped one within the other, and a long list would
        // overflow the stack. Of several threads that drop the same node, one gets what is in it.
        let mut next = self.newest.take();
        while let Some(mut node) = next.and_then(Arc::into_inner) {
            next = node.older.take();
        }
    }
}

impl<T> Clone for Log<T> {
    fn clone(&self) -> Log<T> {
        Log { newest: self.newest.clone(), len: self.len }
    }
}

impl<T> Default for Log<T> {
    fn default() -> Log<T> {
        Log { newest: None, len: 0 }
    }
}

impl<T: fmt::Debug> fmt::Debug for Log<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.oldest_first()).finish()
    }
}

impl<T: Serialize> Serialize for Log<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.oldest_first())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_share_what_they_have_in_common_and_differ_in_the_rest() {
        let empty = Log::default();
        let one = empty.with(1);
        let (two, other) = (one.with(2), one.with(3));
        let all = |log: &Log<i32>| log.oldest_first().copied().collect::<Vec<_>>();
        assert_eq!([all(&empty), all(&one)], [vec![], vec![1]]);
        assert_eq!([all(&two), all(&other)], [vec![1, 2], vec![1, 3]]);
        assert_eq!((two.len(), empty.is_empty()), (2, true));
        assert_eq!(serde_json::to_string(&other).unwrap(), "[1,3]");

        let shared = two.newest.as_ref().and_then(|node| node.older.as_ref()).unwrap();
        assert!(Arc::ptr_eq(shared, one.newest.as_ref().unwrap()));
        drop((one, two));
        assert_eq!(all(&other), [1, 3], "it outlives the versions that it came from");
    }

    #[test]
    fn a_long_log_does_not_overflow_the_stack_when_it_is_dropped() {
        let log = (0..1_000_000).fold(Log::default(), |log, number| log.with(number));
        let clone = log.clone();
        drop(log);
        assert_eq!(clone.newest_first().next(), Some(&999_999));
        assert_eq!(clone.oldest_first().count(), 1_000_000);
    }
}
