//! A map that remembers what was used lately.

use std::collections::HashMap;
use std::hash::Hash;

/// Keeps between `capacity` and twice as many entries: whenever the younger half is full, it becomes
/// the older one, and what was not used since is forgotten.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    capacity: usize,
}

// === impl Recent ===

impl<K: Hash + Eq, V> Recent<K, V> {
    pub(crate) fn new(capacity: usize) -> Recent<K, V> {
        Recent { young: HashMap::new(), old: HashMap::new(), capacity }
    }

    /// What is known of a key; it is used by that.
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V>
    where
        K: Clone,
    {
        if let Some(value) = self.old.remove(key) {
            self.insert(key.clone(), value);
        }
        self.young.get_mut(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.capacity && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&key);
        self.young.insert(key, value);
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.young.remove(key).or_else(|| self.old.remove(key))
    }

    /// Removes and gives what `is_over` says of every entry.
    pub(crate) fn extract(&mut self, mut is_over: impl FnMut(&V) -> bool) -> Vec<V> {
        let mut over: Vec<V> = Vec::new();
        for half in [&mut self.young, &mut self.old] {
            over.extend(half.extract_if(|_, value| is_over(value)).map(|(_, value)| value));
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_is_bounded() {
        let mut recent = Recent::new(100);
        for number in 0..10_000 {
            recent.insert(number, number);
            assert_eq!(recent.get_mut(&0), Some(&mut 0), "after {number}");
            assert!(recent.young.len() + recent.old.len() <= 200);
        }
        assert_eq!(recent.get_mut(&5_000), None);
        assert_eq!(recent.remove(&9_999), Some(9_999));
        assert_eq!(recent.extract(|number| *number == 0), [0]);
    }
}
