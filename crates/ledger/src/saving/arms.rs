//! Optimized conversations beside those that were sent as they came, chosen by chance: the proof
//! that a saving is one.

use std::collections::HashMap;

use farthing_core::Usd;
use serde::Serialize;

use super::Saving;

/// Parts of a whole that ratios are counted in.
const PPM: i128 = 1_000_000;

/// So many standard errors to each side hold the truth in 95 of 100 cases, in thousandths.
const Z_95_MILLI: i128 = 1_960;

/// Fewer conversations than this on a side say nothing about their spread.
const CONVERSATIONS_MIN: u64 = 2;

/// What each conversation paid, and what its prompts would have cost without a cache.
#[derive(Debug, Default)]
pub(super) struct Arms([HashMap<String, (i128, i128)>; 2]);

/// Conversations of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Arm {
    /// How many.
    pub conversations: u64,
    /// What a conversation paid for what would have cost a million dollars as it came and without a
    /// cache, on average.
    pub paid_per_million: i128,
}

/// Two sides, and how sure their difference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Those that were optimized.
    pub optimized: Arm,
    /// Those that were held out.
    pub held_out: Arm,
    /// How much less the optimized paid than the held out, in the same measure; negative is more.
    pub saved_per_million: i128,
    /// The ends between which the true difference lies in 95 of 100 cases (a normal distribution of
    /// the means, by the spread of conversations on each side).
    pub confidence_95: [i128; 2],
}

// === impl Arms ===

impl Arms {
    pub(super) fn add(&mut self, saving: &Saving) {
        let (Some(paid), Some(uncached)) = (saving.paid, saving.uncached) else { return };
        let [optimized, held_out] = &mut self.0;
        let arm = if saving.held_out { held_out } else { optimized };
        let (all_paid, all_uncached) = arm.entry(saving.conversation.clone()).or_default();
        *all_paid = all_paid.saturating_add(Usd::pico(paid));
        *all_uncached = all_uncached.saturating_add(Usd::pico(uncached));
    }

    pub(super) fn compared(&self) -> Option<Comparison> {
        let [(optimized, error), (held_out, held_error)] = self.0.each_ref().map(of_arm);
        let enough = |arm: &Arm| arm.conversations >= CONVERSATIONS_MIN;
        if !(enough(&optimized) && enough(&held_out)) {
            return None;
        }
        let saved = held_out.paid_per_million - optimized.paid_per_million;
        let margin = error.saturating_add(held_error).isqrt() * Z_95_MILLI / 1_000;
        let confidence_95 = [saved - margin, saved + margin];
        Some(Comparison { optimized, held_out, saved_per_million: saved, confidence_95 })
    }
}

/// The mean of its conversations, and the square of that mean's standard error.
fn of_arm(arm: &HashMap<String, (i128, i128)>) -> (Arm, i128) {
    let ratios = arm.values().filter_map(|(paid, all)| paid.checked_mul(PPM)?.checked_div(*all));
    // Nobody pays a thousand times the price; so the squares below stay far within 128 bits.
    let ratios: Vec<i128> = ratios.map(|ratio| ratio.clamp(0, 1_000 * PPM)).collect();
    let count = i128::try_from(ratios.len()).unwrap_or(i128::MAX);
    let mean = ratios.iter().sum::<i128>().checked_div(count).unwrap_or(0);
    let squares: i128 = ratios.iter().map(|ratio| (ratio - mean) * (ratio - mean)).sum();
    let error = squares.checked_div((count - 1).max(1) * count.max(1)).unwrap_or(0);
    let conversations = u64::try_from(ratios.len()).unwrap_or(u64::MAX);
    (Arm { conversations, paid_per_million: mean }, error)
}
