//! How far counts are from what providers report.

use crate::window::{Window, Windows, percentile};

/// Models that are remembered.
const MODELS: usize = 1_024;
/// The newest calls, by which drift is told.
const RECENT: usize = 32;

/// Reported minus predicted, by model, in thousandths of what was reported: of each model's newest
/// 256 calls.
#[derive(Clone, Debug)]
pub struct Residuals {
    models: Windows<String>,
}

/// The residuals of one model, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// How many calls there have been.
    pub calls: u64,
    /// How many of those kept were predicted to the token.
    pub exact: u64,
    /// The middle one: above zero where too little is predicted.
    pub bias: i64,
    /// How far off half of them are at most, in either direction.
    pub median: u64,
    /// How far off 95 of a hundred are at most.
    pub p95: u64,
    /// The middle of the newest 32, where there are as many.
    pub recent: Option<u64>,
}

// === impl Residuals ===

impl Residuals {
    /// Notes a call: what was predicted and what was reported. One that reports nothing says
    /// nothing.
    pub fn observe(&mut self, model: &str, predicted: u64, reported: u64) {
        if reported > 0 {
            self.models.add(model.to_owned(), error(predicted, reported));
        }
    }

    /// What is known of a model.
    pub fn of(&self, model: &str) -> Option<Spread> {
        self.models.get(&model.to_owned()).and_then(spread)
    }

    /// All models, by name.
    pub fn models(&self) -> impl Iterator<Item = (&str, Spread)> {
        self.models.iter().filter_map(|(model, window)| Some((model.as_str(), spread(window)?)))
    }
}

impl Default for Residuals {
    fn default() -> Residuals {
        Residuals { models: Windows::new(MODELS) }
    }
}

// === impl Spread ===

impl Spread {
    /// Whether the newest calls are off by more than so many thousandths: a tokenizer or a
    /// provider's rules have changed, or were never right.
    pub fn drifts(&self, threshold: u64) -> bool {
        self.recent.is_some_and(|recent| recent > threshold)
    }
}

/// Reported minus predicted, in thousandths of what was reported. A count that is off is off by at
/// least one.
fn error(predicted: u64, reported: u64) -> i64 {
    let difference = i128::from(reported) - i128::from(predicted);
    let thousandths = difference * 1_000 / i128::from(reported.max(1));
    let thousandths = if thousandths == 0 { difference.signum() } else { thousandths };
    i64::try_from(thousandths).unwrap_or(i64::MIN + 1)
}

fn spread(window: &Window) -> Option<Spread> {
    let sorted = window.sorted();
    let mut sizes: Vec<i64> = sorted.iter().map(|error| error.abs()).collect();
    sizes.sort_unstable();
    let mut recent: Vec<i64> = window.newest(RECENT).map(i64::abs).collect();
    recent.sort_unstable();
    let recent = Some(&recent).filter(|recent| recent.len() == RECENT);
    Some(Spread {
        calls: window.seen(),
        exact: sizes.iter().take_while(|size| **size == 0).count() as u64,
        bias: percentile(&sorted, 50)?,
        median: percentile(&sizes, 50)?.unsigned_abs(),
        p95: percentile(&sizes, 95)?.unsigned_abs(),
        recent: recent.and_then(|recent| percentile(recent, 50)).map(i64::unsigned_abs),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_tells_bias_and_size_apart() {
        let mut residuals = Residuals::default();
        for reported in [1_000, 1_000, 1_010, 990, 1_100] {
            residuals.observe("m", 1_000, reported);
        }
        residuals.observe("m", 1_000, 0);
        let expected = Spread { calls: 5, exact: 2, bias: 0, median: 9, p95: 90, recent: None };
        assert_eq!(residuals.of("m"), Some(expected));
        assert_eq!(residuals.models().collect::<Vec<_>>(), [("m", expected)]);
        assert_eq!(residuals.of("n"), None);
    }

    #[test]
    fn a_changed_tokenizer_shows_within_its_first_calls() {
        let mut residuals = Residuals::default();
        (0..200).for_each(|_| residuals.observe("m", 1_000, 1_003));
        assert!(!residuals.of("m").unwrap().drifts(20));
        (0..16).for_each(|_| residuals.observe("m", 1_000, 1_300));
        let spread = residuals.of("m").unwrap();
        assert!(spread.drifts(20) && spread.median <= 3, "{spread:?}");
    }

    #[test]
    fn errors_of_any_size_are_told() {
        for (predicted, reported, expected) in [
            (1_000_000, 1_000_001, 1),
            (u64::MAX, 1, i64::MIN + 1),
            (0, u64::MAX, 1_000),
            (7, 7, 0),
        ] {
            assert_eq!(error(predicted, reported), expected, "{predicted} {reported}");
        }
    }
}
