//! The one place that turns consumption into money.

use std::sync::{Arc, PoisonError, RwLock};

use farthing_core::Usd;
use farthing_core::entry::{Bill, Hold, Origin, Part, PricedBy};
use farthing_core::id::{ModelId, ProviderId};
use farthing_core::pricing::{Catalog, Cost, Resolved, Served, WorstCase};
use farthing_core::usage::{Bucket, Usage};
use farthing_wire::ModelUsage;
use jiff::Timestamp;
use serde::Deserialize;

use crate::failure::Failure;

/// Prices, and what to do without one.
#[derive(Clone, Debug)]
pub struct Tariff {
    /// The price facts.
    pub prices: Prices,
    /// What budgets do about models without a price.
    pub unpriced: Unpriced,
}

/// The price facts that hold now. They may be replaced while calls run; a call is billed by those that
/// hold at its end. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Prices(Arc<RwLock<Arc<Catalog>>>);

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
    /// What the provider says that it charged, where it says so.
    pub charged: Option<Usd>,
    /// The model that answered, where the provider named one.
    pub model: Option<ModelId>,
    /// Whether the answer was cut short, so that more may have been billed than was seen.
    pub cut_short: bool,
}

// === impl Prices ===

impl Prices {
    /// These facts, to begin with.
    pub fn new(catalog: Arc<Catalog>) -> Prices {
        Prices(Arc::new(RwLock::new(catalog)))
    }

    /// The facts that hold now.
    pub fn current(&self) -> Arc<Catalog> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on these facts hold.
    pub fn replace(&self, catalog: Arc<Catalog>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = catalog;
    }
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
            Unpriced::ReserveMax => {
                self.prices.current().dearest(what.provider.as_str(), what.at, most)?
            }
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

    /// The longest prompt and answer together of a model, in tokens; for one that the catalog does not
    /// know, that of its provider's models that takes most.
    pub fn context(&self, what: &Priced) -> Option<u64> {
        let known = self.resolve(what, what.model).ok().and_then(|found| found.model.context);
        known.or_else(|| {
            let catalog = self.prices.current();
            catalog.models(what.provider.as_str()).iter().filter_map(|model| model.context).max()
        })
    }

    /// The bill of a call. The model that the provider names sets the price, where it is known. What
    /// the provider says that it charged goes before all reckoning, which is kept beside it.
    pub fn bill(&self, what: &Priced, consumed: Consumption, hold: &Hold) -> Bill {
        let model = consumed.model.unwrap_or_else(|| what.model.clone());
        let (own, priced_by) = self.price_own(what, &model, consumed.usage);
        let mut cost = cost_by(priced_by.as_ref(), &own);
        let mut charged = self.charge(what, &cost, &own, hold);
        let (mut usage, mut others) = (own, Vec::new());
        for ModelUsage { model, usage: theirs } in consumed.others {
            let found = ModelId::new(&model).ok();
            let found = found.and_then(|model| self.resolve(what, &model).ok());
            let priced_by = found.map(PricedBy::from);
            let their_cost = cost_by(priced_by.as_ref(), &theirs);
            let more = self.charge(what, &their_cost, &theirs, hold);
            charged = charged.plus(more).unwrap_or(charged.max(more));
            cost = cost.and(their_cost);
            usage = usage.plus(&theirs);
            others.push(Part { model, usage: theirs, priced_by });
        }
        let ours = match consumed.origin {
            _ if consumed.cut_short => cost.partial(),
            Origin::Estimated => cost.estimated(),
            Origin::Measured => cost,
        };
        Bill {
            model,
            usage,
            origin: consumed.origin,
            served: what.served.clone(),
            cost: consumed.charged.map_or(ours, Cost::reported),
            listed: ours.usd.filter(|_| consumed.charged.is_some()),
            charged: consumed.charged.unwrap_or(charged),
            priced_by,
            others,
        }
    }

    /// The bill of a call that was billed without a price, where there is one by now; `what` is as it
    /// was then. `None` where any of its models still has none.
    pub fn rebill(&self, what: &Priced, unpriced: &Bill) -> Option<Bill> {
        let (own, priced_by) = self.price_own(what, &unpriced.model, unpriced.own_usage());
        let mut bill = Bill { usage: own, priced_by, others: Vec::new(), ..unpriced.clone() };
        bill.cost = cost_by(bill.priced_by.as_ref(), &own);
        for part in &unpriced.others {
            let model = ModelId::new(&part.model).ok()?;
            let priced_by = Some(PricedBy::from(self.resolve(what, &model).ok()?));
            bill.cost = bill.cost.and(cost_by(priced_by.as_ref(), &part.usage));
            bill.usage = bill.usage.plus(&part.usage);
            bill.others.push(Part { priced_by, ..part.clone() });
        }
        if unpriced.origin == Origin::Estimated {
            bill.cost = bill.cost.estimated();
        }
        bill.priced_by.as_ref()?;
        bill.charged = bill.cost.usd?;
        Some(bill)
    }

    /// The prices of the model that answered or else of the one that was asked for, and what it
    /// consumed, the request itself with it where there is a price for that.
    fn price_own(&self, what: &Priced, model: &ModelId, usage: Usage) -> (Usage, Option<PricedBy>) {
        let found = self.resolve(what, model).or_else(|_| self.resolve(what, what.model)).ok();
        let priced_by = found.map(PricedBy::from);
        let per_request = priced_by.as_ref().and_then(|by| by.card.rate(Bucket::Requests));
        let requests = usage.get(Bucket::Requests).max(per_request.is_some().into());
        (usage.with(Bucket::Requests, requests), priced_by)
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
        let dearest = self.prices.current().dearest(what.provider.as_str(), what.at, &consumed);
        dearest.ok().flatten().unwrap_or(hold.amount)
    }

    fn resolve(
        &self,
        what: &Priced,
        model: &ModelId,
    ) -> Result<Resolved, farthing_core::pricing::Unresolved> {
        self.prices.current().resolve(what.provider.as_str(), model.as_str(), what.at, what.served)
    }
}

fn cost_by(priced_by: Option<&PricedBy>, usage: &Usage) -> Cost {
    Cost::of(priced_by.map(|by| by.card.as_ref()), usage)
}
