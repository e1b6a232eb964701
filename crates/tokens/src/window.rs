//! The newest of what was observed, of each of many, in bounded memory.

use std::collections::BTreeMap;

/// Values of each that are kept.
const NEWEST: usize = 256;

/// The newest values observed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    values: Vec<i64>,
    seen: u64,
    /// When a value was last added, on the clock of all windows.
    touched: u64,
}

/// A window for each of a bounded number of keys: of too many, the one that rested longest goes.
#[derive(Clone, Debug)]
pub(crate) struct Windows<K> {
    most: usize,
    clock: u64,
    windows: BTreeMap<K, Window>,
}

// === impl Window ===

impl Window {
    fn add(&mut self, value: i64) {
        let place = usize::try_from(self.seen % NEWEST as u64).unwrap_or_default();
        match self.values.get_mut(place) {
            Some(oldest) => *oldest = value,
            None => self.values.push(value),
        }
        self.seen = self.seen.saturating_add(1);
    }

    /// How many values there have been, those forgotten included.
    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }

    /// The newest values, at most so many, in no order.
    pub(crate) fn newest(&self, most: usize) -> impl Iterator<Item = i64> {
        let end = usize::try_from(self.seen % NEWEST as u64).unwrap_or_default();
        let (newer, older) = self.values.split_at_checked(end).unwrap_or((&self.values, &[]));
        newer.iter().rev().chain(older.iter().rev()).take(most).copied()
    }

    /// All values that are kept, ascending.
    pub(crate) fn sorted(&self) -> Vec<i64> {
        let mut values = self.values.clone();
        values.sort_unstable();
        values
    }
}

/// The value that so many per cent of `sorted` do not exceed.
pub(crate) fn percentile(sorted: &[i64], percent: u8) -> Option<i64> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get((last * usize::from(percent.min(100))).div_ceil(100)).copied()
}

// === impl Windows ===

impl<K: Ord + Clone> Windows<K> {
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.max(1), clock: 0, windows: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, key: K, value: i64) {
        if self.windows.len() >= self.most && !self.windows.contains_key(&key) {
            let rested = self.windows.iter().min_by_key(|(_, window)| window.touched);
            if let Some(rested) = rested.map(|(key, _)| key.clone()) {
                self.windows.remove(&rested);
            }
        }
        self.clock = self.clock.saturating_add(1);
        let window = self.windows.entry(key).or_default();
        window.touched = self.clock;
        window.add(value);
    }

    pub(crate) fn get(&self, key: &K) -> Option<&Window> {
        self.windows.get(key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &Window)> {
        self.windows.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_keeps_the_newest_values() {
        let mut windows = Windows::new(1);
        for value in 0..1_000 {
            windows.add("k", value);
        }
        let window = windows.get(&"k").unwrap();
        assert_eq!(window.seen(), 1_000);
        assert_eq!(window.sorted(), (744..1_000).collect::<Vec<_>>());
        assert_eq!(window.newest(3).collect::<Vec<_>>(), [999, 998, 997]);
    }

    #[test]
    fn of_too_many_keys_the_one_that_rested_longest_goes() {
        let mut windows = Windows::new(2);
        for key in ["a", "b", "a", "c"] {
            windows.add(key, 1);
        }
        let kept: Vec<_> = windows.iter().map(|(key, window)| (*key, window.seen())).collect();
        assert_eq!(kept, [("a", 2), ("c", 1)]);
    }

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let values: Vec<i64> = (1..=20).collect();
        let of = |percent| percentile(&values, percent);
        assert_eq!([of(0), of(50), of(95), of(100)], [Some(1), Some(11), Some(20), Some(20)]);
        assert_eq!(percentile(&[], 50), None);
    }
}
