//! How long replies are, before there is one.

use crate::window::{Windows, percentile};

/// Pairs of an agent and a model that are remembered.
const PAIRS: usize = 4_096;

/// The output tokens of the newest 256 replies of each (agent, model).
#[derive(Clone, Debug)]
pub struct Replies {
    pairs: Windows<(String, String)>,
}

/// What a reply may be expected to have, in tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// How many replies it is drawn from; those forgotten included.
    pub replies: u64,
    /// The mean: what many calls will cost.
    pub mean: u64,
    sorted: Vec<i64>,
}

// === impl Replies ===

impl Replies {
    /// Notes a reply of `tokens`.
    pub fn observe(&mut self, agent: &str, model: &str, tokens: u64) {
        let tokens = i64::try_from(tokens).unwrap_or(i64::MAX);
        self.pairs.add((agent.to_owned(), model.to_owned()), tokens);
    }

    /// What the next reply of `model` to `agent` may be; none where there was none.
    pub fn expected(&self, agent: &str, model: &str) -> Option<Expected> {
        let window = self.pairs.get(&(agent.to_owned(), model.to_owned()))?;
        let sorted = window.sorted();
        let sum: i128 = sorted.iter().map(|tokens| i128::from(*tokens)).sum();
        let mean = sum / i128::try_from(sorted.len().max(1)).unwrap_or(1);
        let mean = u64::try_from(mean).unwrap_or_default();
        Some(Expected { replies: window.seen(), mean, sorted })
    }
}

impl Default for Replies {
    fn default() -> Replies {
        Replies { pairs: Windows::new(PAIRS) }
    }
}

// === impl Expected ===

impl Expected {
    /// What so many per cent of the replies did not exceed.
    pub fn percentile(&self, percent: u8) -> u64 {
        let tokens = percentile(&self.sorted, percent).unwrap_or_default();
        u64::try_from(tokens).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_expected_to_be_like_those_before_it() {
        let mut replies = Replies::default();
        assert_eq!(replies.expected("coder", "m"), None);
        for tokens in 1..=100 {
            replies.observe("coder", "m", tokens);
        }
        replies.observe("writer", "m", 9_000);
        let expected = replies.expected("coder", "m").unwrap();
        assert_eq!((expected.replies, expected.mean), (100, 50));
        assert_eq!([50, 95, 100].map(|p| expected.percentile(p)), [51, 96, 100]);
        assert_eq!(replies.expected("coder", "n"), None);
    }

    #[test]
    fn no_reply_is_too_long() {
        let mut replies = Replies::default();
        (0..300).for_each(|_| replies.observe("a", "m", u64::MAX));
        assert_eq!(replies.expected("a", "m").unwrap().mean, i64::MAX as u64);
    }
}
