//! The one place that turns consumption into money.

use std::sync::Arc;

use farthing_core::Usd;
use farthing_core::entry::{Bill, Hold, Origin, PricedBy};
use farthing_core::id::{ModelId, ProviderId};
use farthing_core::pricing::{Catalog, Cost, Resolved, Served, WorstCase};
use farthing_core::usage::Usage;
use farthing_wire::ModelUsage;
use jiff::Timestamp;
use serde::Deserialize;

use crate::failure::Failure;

/// Prices, and what to do without one.
#[derive(Clone, Debug)]
pub struct Tariff {
    /// The price facts.
    pub catalog: Arc<Catalog>,
    /// What budgets do about models without a price.
    pub unpriced: Unpriced,
}

/// What budgets do about a model without a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unpriced {
    /// Refuse it.
    Block,
    /// Count it at the dearest known rates of its provider.
    ReserveMax,
    /// Let it through, uncounted.
    Allow,
}

/// A model of a provider, in a situation.
#[derive(Clone, Debug)]
pub struct Priced<'a> {
    /// The provider that is called.
    pub provider: &'a ProviderId,
    /// The model, as asked for.
    pub model: &'a ModelId,
    /// How it is served.
    pub served: &'a Served,
    /// The moment.
    pub at: Timestamp,
}

/// What a call consumed, before it is priced.
#[derive(Clone, Debug)]
pub struct Consumption {
    /// The counts of the model that answered.
    pub usage: Usage,
    /// The counts of other models that took part, each at its own price.
    pub others: Vec<ModelUsage>,
    /// Who counted.
    pub origin: Origin,
    /// The model that answered, where the provider named one.
    pub model: Option<ModelId>,
    /// Whether the answer was cut short, so that more may have been billed than was seen.
    pub cut_short: bool,
}

// === impl Tariff ===

impl Tariff {
    /// The most that a call can cost. Without a price, what the policy for that says.
    ///
    /// # Errors
    /// [`Failure::Unpriced`] where the policy refuses, [`Failure::Absurd`] where the limits are.
    pub fn worst_case(&self, what: &Priced, most: &WorstCase) -> Result<Usd, Failure> {
        let found = self.resolve(what, what.model);
        if let Ok(found) = &found
            && let Some(amount) = found.card.worst_case(most)?
        {
            return Ok(amount);
        }
        let dearest = match self.unpriced {
            Unpriced::Allow => return Ok(Usd::ZERO),
            Unpriced::Block => None,
            Unpriced::ReserveMax => self.catalog.dearest(what.provider.as_str(), what.at, most)?,
        };
        dearest.ok_or_else(|| Failure::Unpriced {
            provider: what.provider.to_string(),
            model: what.model.to_string(),
            suggestions: found.err().map(|missed| missed.suggestions).unwrap_or_default(),
        })
    }

    /// The longest answer of a model, where the catalog knows it.
    pub fn longest_answer(&self, what: &Priced) -> Option<u64> {
        self.resolve(what, what.model).ok().and_then(|found| found.model.max_output)
    }

    /// The bill of a call. The model that the provider names sets the price, where it is known.
    ///
    /// A call in which other models took part names no rate card: one could not derive its cost.
    pub fn bill(&self, what: &Priced, consumed: Consumption, hold: &Hold) -> Bill {
        let answered = consumed.model.as_ref().and_then(|model| self.resolve(what, model).ok());
        let found = answered.or_else(|| self.resolve(what, what.model).ok());
        let mut cost = cost_by(found.as_ref(), &consumed.usage);
        let mut charged = self.charge(what, &cost, &consumed.usage, hold);
        let mut usage = consumed.usage;
        for other in &consumed.others {
            let found = ModelId::new(&other.model).ok();
            let found = found.and_then(|model| self.resolve(what, &model).ok());
            let theirs = cost_by(found.as_ref(), &other.usage);
            let theirs_charged = self.charge(what, &theirs, &other.usage, hold);
            charged = charged.plus(theirs_charged).unwrap_or(charged.max(theirs_charged));
            cost = cost.and(theirs);
            usage = usage.plus(&other.usage);
        }
        let one_card = found.filter(|_| consumed.others.is_empty());
        Bill {
            model: consumed.model.unwrap_or_else(|| what.model.clone()),
            usage,
            origin: consumed.origin,
            cost: match consumed.origin {
                _ if consumed.cut_short => cost.partial(),
                Origin::Estimated => cost.estimated(),
                Origin::Measured => cost,
            },
            charged,
            priced_by: one_card.map(|found| PricedBy { card: found.card, rule: found.rule }),
        }
    }

    /// What budgets are charged: the cost, or where it is unknown as much as the policy held for it,
    /// reckoned anew from what was consumed.
    fn charge(&self, what: &Priced, cost: &Cost, usage: &Usage, hold: &Hold) -> Usd {
        if let Some(usd) = cost.usd {
            return usd;
        }
        if self.unpriced == Unpriced::Allow {
            return Usd::ZERO;
        }
        let consumed = WorstCase {
            prompt_tokens: usage.prompt(),
            cache_write: usage.cache_write(),
            completion_tokens: usage.completion(),
            media: false,
        };
        let dearest = self.catalog.dearest(what.provider.as_str(), what.at, &consumed);
        dearest.ok().flatten().unwrap_or(hold.amount)
    }

    fn resolve(
        &self,
        what: &Priced,
        model: &ModelId,
    ) -> Result<Resolved, farthing_core::pricing::Unresolved> {
        self.catalog.resolve(what.provider.as_str(), model.as_str(), what.at, what.served)
    }
}

fn cost_by(found: Option<&Resolved>, usage: &Usage) -> Cost {
    Cost::of(found.map(|found| found.card.as_ref()), usage)
}
