//! What a call takes of budgets, in every unit that they may limit.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::money::{Overflow, Usd};

/// The most tokens of one call that are believed. Nine million calls of that many add up to no more
/// than stores keep.
const CALL_TOKENS_MAX: u64 = 1_000_000_000_000;

/// The highest count that a store's signed 64-bit column holds; counts stay at it.
const COUNT_MAX: u64 = i64::MAX.unsigned_abs();

/// Dollars, tokens and requests together: budgets in different units see the same calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Dollars.
    pub usd: Usd,
    /// Tokens, of prompts and answers.
    pub tokens: u64,
    /// Attempts that were billed or may be.
    pub requests: u64,
}

/// So much of one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Dollars.
    Usd(Usd),
    /// Tokens, of prompts and answers.
    Tokens(u64),
    /// Calls.
    Requests(u64),
}

// === impl Amount ===

impl Amount {
    /// Nothing.
    pub const NONE: Amount = Amount { usd: Usd::ZERO, tokens: 0, requests: 0 };

    /// What one call takes. A count of tokens that is absurd is cut to a trillion.
    pub fn of_call(usd: Usd, tokens: u64) -> Amount {
        Amount { usd, tokens: tokens.min(CALL_TOKENS_MAX), requests: 1 }
    }

    /// The sum. Counts stay at the highest that stores keep.
    ///
    /// # Errors
    /// [`Overflow`] where the dollars leave 128 bits.
    pub fn plus(self, other: Amount) -> Result<Amount, Overflow> {
        let sum = |mine: u64, theirs: u64| mine.saturating_add(theirs).min(COUNT_MAX);
        Ok(Amount {
            usd: self.usd.plus(other.usd)?,
            tokens: sum(self.tokens, other.tokens),
            requests: sum(self.requests, other.requests),
        })
    }

    /// The difference. Counts do not fall below zero.
    ///
    /// # Errors
    /// [`Overflow`] where the dollars leave 128 bits.
    pub fn minus(self, other: Amount) -> Result<Amount, Overflow> {
        Ok(Amount {
            usd: self.usd.minus(other.usd)?,
            tokens: self.tokens.saturating_sub(other.tokens),
            requests: self.requests.saturating_sub(other.requests),
        })
    }
}

// === impl Quantity ===

impl Quantity {
    /// The unit as configuration and refusals spell it.
    pub const fn unit(self) -> &'static str {
        match self {
            Quantity::Usd(_) => "usd",
            Quantity::Tokens(_) => "tokens",
            Quantity::Requests(_) => "requests",
        }
    }

    /// How much of this quantity's unit an amount has.
    #[must_use]
    pub const fn of(self, amount: &Amount) -> Quantity {
        match self {
            Quantity::Usd(_) => Quantity::Usd(amount.usd),
            Quantity::Tokens(_) => Quantity::Tokens(amount.tokens),
            Quantity::Requests(_) => Quantity::Requests(amount.requests),
        }
    }

    /// What is left of it, never less than nothing, when so much is used up.
    #[must_use]
    pub fn less(self, used: &Amount) -> Quantity {
        match self {
            Quantity::Usd(limit) => {
                Quantity::Usd(limit.minus(used.usd).unwrap_or(Usd::ZERO).max(Usd::ZERO))
            }
            Quantity::Tokens(limit) => Quantity::Tokens(limit.saturating_sub(used.tokens)),
            Quantity::Requests(limit) => Quantity::Requests(limit.saturating_sub(used.requests)),
        }
    }

    /// So many percent of it, rounded down; beyond what can be counted, the most that can.
    #[must_use]
    pub fn percent(self, percent: u8) -> Quantity {
        let part = self.number().saturating_mul(percent.into()) / 100;
        let count = || u64::try_from(part).unwrap_or(u64::MAX);
        match self {
            Quantity::Usd(_) => Quantity::Usd(Usd::from_pico(part)),
            Quantity::Tokens(_) => Quantity::Tokens(count()),
            Quantity::Requests(_) => Quantity::Requests(count()),
        }
    }

    /// The bare number: pico-dollars, tokens, requests.
    pub fn number(self) -> i128 {
        match self {
            Quantity::Usd(usd) => usd.pico(),
            Quantity::Tokens(count) | Quantity::Requests(count) => i128::from(count),
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Quantity::Usd(usd) => write!(f, "${usd}"),
            Quantity::Tokens(1) => f.write_str("1 token"),
            Quantity::Tokens(count) => write!(f, "{count} tokens"),
            Quantity::Requests(1) => f.write_str("1 request"),
            Quantity::Requests(count) => write!(f, "{count} requests"),
        }
    }
}
