//! What settled calls teach about estimates.
//!
//! A vocabulary that is not published is estimated by another one; how far off that is differs by
//! model and by what its users write, and shows in the usage that the provider reports.

use std::collections::BTreeMap;

/// Models that are remembered.
const MODELS: usize = 1_024;
/// Calls before a factor is believed.
const ENOUGH: u32 = 8;
/// The share of what is remembered that each new call replaces: one in so many.
const MEMORY: u128 = 64;
/// Fractions of a token that sums are kept in.
const SCALE: u128 = 1 << 20;

/// How predictions compare with what was reported, by model: newer calls count more.
#[derive(Clone, Debug, Default)]
pub struct Calibration {
    models: BTreeMap<String, Running>,
}

/// Decaying sums of one model.
#[derive(Clone, Copy, Debug, Default)]
struct Running {
    calls: u32,
    predicted: u128,
    reported: u128,
    /// Of how far each corrected prediction was off.
    missed: u128,
}

/// What a model's estimates are to be multiplied by, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Correction {
    /// The factor.
    pub factor: u32,
    /// How far corrected estimates were off on average, of what was reported.
    pub error: u32,
    /// How many calls it was learned from.
    pub calls: u32,
}

// === impl Calibration ===

impl Calibration {
    /// Learns from a call: what was predicted without any correction, and what was reported.
    ///
    /// A call that is off by more than a factor of two teaches nothing: it read what its request
    /// did not show. Beyond 1,024 models the one with the fewest calls is forgotten.
    pub fn observe(&mut self, model: &str, predicted: u64, reported: u64) {
        let is_telling = predicted.saturating_mul(2) >= reported
            && reported.saturating_mul(2) >= predicted
            && predicted > 0;
        if !is_telling {
            return;
        }
        if !self.models.contains_key(model) && self.models.len() >= MODELS {
            let least = self.models.iter().min_by_key(|(_, running)| running.calls);
            if let Some(least) = least.map(|(model, _)| model.clone()) {
                self.models.remove(&least);
            }
        }
        let running = self.models.entry(model.to_owned()).or_default();
        let corrected = running.correct(predicted);
        let missed = corrected.abs_diff(reported);
        running.calls = running.calls.saturating_add(1);
        for (sum, new) in [
            (&mut running.predicted, predicted),
            (&mut running.reported, reported),
            (&mut running.missed, missed),
        ] {
            *sum = *sum - *sum / MEMORY + u128::from(new) * SCALE;
        }
    }

    /// The correction for a model, once eight calls taught one.
    pub fn correction(&self, model: &str) -> Option<Correction> {
        let running = self.models.get(model).filter(|running| running.calls >= ENOUGH)?;
        let thousandths = |of: u128, whole: u128| {
            u32::try_from((of * 1_000 + whole / 2) / whole.max(1)).unwrap_or(u32::MAX)
        };
        Some(Correction {
            factor: thousandths(running.reported, running.predicted),
            error: thousandths(running.missed, running.reported),
            calls: running.calls,
        })
    }
}

// === impl Running ===

impl Running {
    fn correct(&self, predicted: u64) -> u64 {
        if self.predicted == 0 {
            return predicted;
        }
        let (predicted_before, reported) = (self.predicted / SCALE, self.reported / SCALE);
        let corrected = u128::from(predicted).saturating_mul(reported) / predicted_before.max(1);
        u64::try_from(corrected).unwrap_or(u64::MAX)
    }
}

// === impl Correction ===

impl Correction {
    /// What was corrected to so many tokens.
    pub(crate) fn undo(&self, tokens: u64) -> u64 {
        let factor = u128::from(self.factor.max(1));
        let before = (u128::from(tokens) * 1_000 + factor / 2) / factor;
        u64::try_from(before).unwrap_or(u64::MAX)
    }

    /// A corrected number of tokens, rounded.
    pub fn apply(&self, tokens: u64) -> u64 {
        let corrected = (u128::from(tokens) * u128::from(self.factor) + 500) / 1_000;
        u64::try_from(corrected).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_ratio_becomes_the_factor_after_a_few_calls() {
        let mut calibration = Calibration::default();
        for call in 0..20 {
            let known = calibration.correction("m").is_some();
            assert_eq!(known, call >= 8, "{call}");
            calibration.observe("m", 1_000 + call, (1_000 + call) * 13 / 10);
        }
        let correction = calibration.correction("m").unwrap();
        assert!((1_298..=1_301).contains(&correction.factor), "{correction:?}");
        assert_eq!(correction.apply(1_000), u64::from(correction.factor));
        assert_eq!(calibration.correction("n"), None);
    }

    #[test]
    fn a_changed_vocabulary_is_learned_and_the_old_one_forgotten() {
        let mut calibration = Calibration::default();
        for _ in 0..500 {
            calibration.observe("m", 1_000, 1_000);
        }
        assert_eq!(calibration.correction("m").map(|c| (c.factor, c.error)), Some((1_000, 0)));
        for _ in 0..500 {
            calibration.observe("m", 1_000, 1_350);
        }
        let learned = calibration.correction("m").unwrap();
        assert!((1_345..=1_350).contains(&learned.factor) && learned.error < 10, "{learned:?}");
    }

    #[test]
    fn what_no_request_shows_teaches_nothing() {
        let mut calibration = Calibration::default();
        for reported in [0, 1, 499, 2_001, u64::MAX] {
            (0..20).for_each(|_| calibration.observe("m", 1_000, reported));
        }
        calibration.observe("m", 0, 0);
        assert_eq!(calibration.correction("m"), None);
    }

    #[test]
    fn no_number_overflows_and_no_number_of_models_grows_it() {
        let mut calibration = Calibration::default();
        for model in 0..3_000 {
            calibration.observe(&model.to_string(), u64::MAX, u64::MAX);
        }
        (0..2_000).for_each(|_| calibration.observe("m", u64::MAX, u64::MAX));
        assert_eq!(calibration.models.len(), MODELS);
        assert_eq!(calibration.correction("m").map(|c| c.factor), Some(1_000));
    }
}
