//! The cost of a call in which several models took part, each at its own price.

use super::card::RateCard;
use super::cost::{Cost, CostStatus};
use crate::usage::Usage;

impl Cost {
    /// What `usage` costs at a model's rates; unpriced where those are not known.
    pub fn of(card: Option<&RateCard>, usage: &Usage) -> Cost {
        let invalid = Cost::unknown(CostStatus::InvalidUsage);
        card.map_or(Cost::UNPRICED, |card| card.cost(usage).unwrap_or(invalid))
    }

    /// The cost of both. What is unknown of either is left out, and the status says so.
    #[must_use]
    pub fn and(self, other: Cost) -> Cost {
        let usd = match (self.usd, other.usd) {
            (Some(one), Some(other)) => match one.plus(other) {
                Ok(both) => Some(both),
                Err(_) => return Cost::unknown(CostStatus::InvalidUsage),
            },
            (known, None) | (None, known) => known,
        };
        let both = Cost {
            usd,
            status: self.status,
            inexact: self.inexact || other.inexact,
            assumed_rate: self.assumed_rate || other.assumed_rate,
        };
        let all_priced = [self.status, other.status].iter().all(|it| *it == CostStatus::Priced);
        if all_priced { both } else { both.partial() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Usd;

    #[test]
    fn what_is_unknown_of_either_makes_both_partial() {
        let priced = |pico| Cost {
            usd: Some(Usd::from_pico(pico)),
            status: CostStatus::Priced,
            inexact: false,
            assumed_rate: false,
        };
        assert_eq!(priced(1).and(priced(2)), priced(3));
        let partial = Cost { status: CostStatus::Partial, ..priced(1) };
        assert_eq!(priced(1).and(Cost::UNPRICED), partial);
        assert_eq!(Cost::UNPRICED.and(priced(1)), partial);
        assert_eq!(Cost::UNPRICED.and(Cost::UNPRICED), Cost::UNPRICED);
        let absurd = priced(i128::MAX).and(priced(1));
        assert_eq!((absurd.usd, absurd.status), (None, CostStatus::InvalidUsage));
        assert_eq!(Cost::of(None, &Usage::NONE), Cost::UNPRICED);
    }
}
