//! What calls used and saved, one by one and added up.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use crate::entry::Bill;
use crate::id::{AgentId, ModelId};
use crate::money::{Usd, div_half_even};
use crate::pricing::Cost;
use crate::usage::Usage;

/// One use of a model, after it was billed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Operation {
    /// When it ended.
    pub at: Timestamp,
    /// The program that acted.
    pub agent: Option<AgentId>,
    /// The model that answered.
    pub model: ModelId,
    /// What was consumed.
    pub usage: Usage,
    /// What it cost.
    pub cost: Cost,
}

/// What was done to make a call cheaper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Optimization {
    /// The pass that did it.
    pub pass: Arc<str>,
    /// Tokens of the prompt before.
    pub tokens_before: u64,
    /// Tokens of the prompt after.
    pub tokens_after: u64,
    /// What that saved, net; negative where it cost more. `None` where nobody knows.
    pub saved: Option<Usd>,
}

/// What could be changed to spend less.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recommendation {
    /// The rule that found it.
    pub rule: Arc<str>,
    /// What to do, in words.
    pub text: Arc<str>,
    /// What it would save; `None` where nobody knows.
    pub saves: Option<Usd>,
}

/// What operations and optimizations come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// How many operations.
    pub operations: u64,
    /// What they consumed.
    pub usage: Usage,
    /// What they cost, as far as it is known.
    pub cost: Usd,
    /// How many of them have a cost that nobody knows.
    pub unknown_cost: u64,
    /// Tokens that optimizations took out of prompts.
    pub tokens_saved: u64,
    /// What that saved, as far as it is known.
    pub saved: Usd,
}

// === impl Operation ===

impl Operation {
    /// The operation that a bill is for.
    pub fn of(bill: &Bill, agent: Option<AgentId>, at: Timestamp) -> Operation {
        Operation { at, agent, model: bill.model.clone(), usage: bill.usage, cost: bill.cost }
    }
}

// === impl Optimization ===

impl Optimization {
    /// How many tokens fewer there are; zero where there are more.
    pub const fn tokens_saved(&self) -> u64 {
        self.tokens_before.saturating_sub(self.tokens_after)
    }
}

// === impl Tally ===

impl Tally {
    /// With an operation more. Absurd amounts stay at the last that could be added up.
    #[must_use]
    pub fn with(self, operation: &Operation) -> Tally {
        let cost = operation.cost.usd.unwrap_or_default();
        Tally {
            operations: self.operations.saturating_add(1),
            usage: self.usage.plus(&operation.usage),
            cost: self.cost.plus(cost).unwrap_or(self.cost),
            unknown_cost: self.unknown_cost.saturating_add(operation.cost.usd.is_none().into()),
            ..self
        }
    }

    /// With an optimization more.
    #[must_use]
    pub fn with_optimization(self, optimization: &Optimization) -> Tally {
        let saved = optimization.saved.unwrap_or_default();
        Tally {
            tokens_saved: self.tokens_saved.saturating_add(optimization.tokens_saved()),
            saved: self.saved.plus(saved).unwrap_or(self.saved),
            ..self
        }
    }

    /// All tokens, of prompts and answers.
    pub fn tokens(&self) -> u64 {
        self.usage.prompt().saturating_add(self.usage.completion())
    }

    /// Tokens of an operation on average, rounded; `None` without any.
    pub fn mean_tokens(&self) -> Option<u64> {
        self.tokens().checked_add(self.operations / 2)?.checked_div(self.operations)
    }

    /// Cost of an operation whose cost is known, on average, rounded; `None` without any.
    pub fn mean_cost(&self) -> Option<Usd> {
        let known = self.operations.saturating_sub(self.unknown_cost);
        (known > 0).then(|| Usd::from_pico(div_half_even(self.cost.pico(), known.into())))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::pricing::CostStatus;
    use crate::usage::Bucket;

    /// An operation of a hundred tokens.
    pub(crate) fn operation(agent: &str, model: &str, pico: Option<i128>) -> Operation {
        let status = if pico.is_some() { CostStatus::Priced } else { CostStatus::Unpriced };
        Operation {
            at: "2026-11-22T12:00:00Z".parse().unwrap(),
            agent: AgentId::new(agent).ok(),
            model: ModelId::new(model).unwrap(),
            usage: Usage::NONE.with(Bucket::Input, 90).with(Bucket::Output, 10),
            cost: Cost { usd: pico.map(Usd::from_pico), ..Cost::unknown(status) },
        }
    }

    #[test]
    fn averages_leave_out_what_nobody_knows() {
        let operations = [Some(30), Some(11), None].map(|pico| operation("", "m", pico));
        let tally = operations.iter().fold(Tally::default(), Tally::with);
        assert_eq!((tally.operations, tally.unknown_cost, tally.tokens()), (3, 1, 300));
        assert_eq!((tally.mean_tokens(), tally.mean_cost()), (Some(100), Some(Usd::from_pico(20))));
        let none = Tally::default();
        assert_eq!((none.mean_tokens(), none.mean_cost()), (None, None));
    }

    #[test]
    fn an_optimization_that_added_tokens_saved_none() {
        let optimization = |before, after, saved| Optimization {
            pass: "dedup".into(),
            tokens_before: before,
            tokens_after: after,
            saved,
        };
        let tally = Tally::default()
            .with_optimization(&optimization(100, 60, Some(Usd::from_pico(9))))
            .with_optimization(&optimization(60, 70, Some(Usd::from_pico(-2))))
            .with_optimization(&optimization(70, 65, None));
        assert_eq!((tally.tokens_saved, tally.saved), (45, Usd::from_pico(7)));
    }
}
