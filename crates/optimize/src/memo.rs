//! What was worked out before, so that a message seen before is not worked on again.

use std::collections::{BTreeMap, HashMap};

/// Identifies a value: a hash of all that it depends on.
pub(crate) type Key = [u8; 32];

/// Values by key; those not used for longest go first when together they are too large.
#[derive(Debug)]
pub(crate) struct Memo<T> {
    values: HashMap<Key, Held<T>>,
    /// Keys by when they were last used.
    order: BTreeMap<u64, Key>,
    clock: u64,
    bytes: usize,
    bytes_max: usize,
}

#[derive(Debug)]
struct Held<T> {
    value: T,
    bytes: usize,
    used: u64,
}

// === impl Memo ===

impl<T: Clone> Memo<T> {
    pub(crate) fn new(bytes_max: usize) -> Memo<T> {
        Memo { values: HashMap::new(), order: BTreeMap::new(), clock: 0, bytes: 0, bytes_max }
    }

    pub(crate) fn get(&mut self, key: &Key) -> Option<T> {
        let held = self.values.get_mut(key)?;
        self.order.remove(&held.used);
        self.clock += 1;
        held.used = self.clock;
        self.order.insert(self.clock, *key);
        Some(held.value.clone())
    }

    /// Keeps a value that takes about `bytes`; one that is larger than all may be is not kept.
    pub(crate) fn put(&mut self, key: Key, value: T, bytes: usize) {
        self.remove(&key);
        self.clock += 1;
        self.bytes += bytes;
        self.order.insert(self.clock, key);
        self.values.insert(key, Held { value, bytes, used: self.clock });
        while self.bytes > self.bytes_max {
            let Some((_, oldest)) = self.order.pop_first() else { return };
            self.remove(&oldest);
        }
    }

    pub(crate) fn remove(&mut self, key: &Key) {
        if let Some(held) = self.values.remove(key) {
            self.order.remove(&held.used);
            self.bytes -= held.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let mut memo = Memo::new(20);
        memo.put([1; 32], "one", 10);
        memo.put([2; 32], "two", 10);
        assert_eq!(memo.get(&[1; 32]), Some("one"));
        memo.put([3; 32], "three", 10);
        assert_eq!(memo.get(&[2; 32]), None);
        assert_eq!((memo.get(&[1; 32]), memo.get(&[3; 32])), (Some("one"), Some("three")));
        memo.put([4; 32], "too large", 21);
        assert_eq!((memo.get(&[4; 32]), memo.bytes), (None, 0));
    }
}
