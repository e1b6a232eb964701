//! The economics gate: what an edit is expected to save, and whether it may be made.
//!
//! With w the price of writing a token to the provider's cache, r that of reading it, d the tokens
//! that an edit removes, S those that stand behind it, and R the requests still to come:
//!
//! | where the edit is | it gains | it costs |
//! |---|---|---|
//! | in what is sent for the first time, or after the cache has lapsed | d·(w + r·R) | nothing |
//! | in what the cache has | r·d·R | (w − r)·S |

use serde::Serialize;

use crate::caching::BASE;
use crate::outlook::Outlook;

/// Prices and outlook, as they are when a request comes.
#[derive(Clone, Copy, Debug)]
pub struct Gate {
    /// w, in thousandths of the base input price: what a token costs that is not in the cache.
    pub write: i64,
    /// r, in thousandths of the base input price.
    pub read: i64,
    /// What is to come.
    pub outlook: Outlook,
}

/// What the gate thinks of edits that stand or fall together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// d: the tokens removed.
    pub removed: u64,
    /// S: tokens behind the first edited byte that the cache has and would have to write again.
    pub rewritten: u64,
    /// R, in thousandths of a request.
    pub requests_milli: i64,
    /// From how many further requests on it pays, in thousandths of a request; zero where it pays
    /// at once.
    pub break_even_milli: i64,
    /// The expected gain, in thousandths of the price of a base input token; negative is a loss.
    pub gain_milli: i64,
}

// === impl Gate ===

impl Gate {
    /// Weighs edits that remove `removed` tokens and have `rewritten` warm tokens behind them.
    pub fn weigh(&self, removed: u64, rewritten: u64) -> Verdict {
        let (d, s) = (bounded(removed), bounded(rewritten));
        let later = d.saturating_mul(self.read);
        let gained_later = milli(later.saturating_mul(self.outlook.more));
        // What is written anyway is written shorter; what was warm is written once more.
        let (now, requests) = if s == 0 {
            (d.saturating_mul(self.write), 0)
        } else {
            let rewriting = s.saturating_mul(self.write - self.read);
            (-rewriting, rewriting.saturating_mul(BASE) / later.max(1))
        };
        Verdict {
            removed,
            rewritten,
            requests_milli: self.outlook.more,
            break_even_milli: requests,
            gain_milli: now.saturating_add(gained_later),
        }
    }
}

// === impl Verdict ===

impl Verdict {
    /// Whether the edits lower the expected bill.
    pub fn admits(&self) -> bool {
        self.gain_milli > 0
    }
}

/// Sums below stay far within 64 bits.
fn bounded(tokens: u64) -> i64 {
    i64::try_from(tokens.min(1 << 32)).unwrap_or(1 << 32)
}

fn milli(value: i64) -> i64 {
    value / BASE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(write: i64, more: i64) -> Gate {
        Gate { write, read: 100, outlook: Outlook { returns: 900, more } }
    }

    #[test]
    fn what_is_sent_for_the_first_time_always_gains_by_being_shorter() {
        let verdict = gate(1_250, 0).weigh(10, 0);
        assert_eq!((verdict.gain_milli, verdict.break_even_milli), (12_500, 0));
        assert_eq!(gate(1_250, 20_000).weigh(10, 0).gain_milli, 12_500 + 20_000);
    }

    #[test]
    fn warm_history_is_left_alone_until_it_breaks_even() {
        // The example of the formula: 10k tokens with 50k behind them need 57.5 more requests.
        let verdict = gate(1_250, 57_000).weigh(10_000, 50_000);
        assert_eq!(verdict.break_even_milli, 57_500);
        assert!(!verdict.admits());
        assert!(gate(1_250, 58_000).weigh(10_000, 50_000).admits());
        assert_eq!(gate(2_000, 0).weigh(10_000, 50_000).break_even_milli, 95_000);
    }

    #[test]
    fn absurd_counts_do_not_overflow() {
        let verdict = gate(2_000, i64::MAX / 2).weigh(u64::MAX, u64::MAX);
        assert!(verdict.gain_milli > 0);
    }
}
