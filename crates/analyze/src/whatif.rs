//! What the same usage would have cost in other circumstances.

use std::collections::BTreeSet;
use std::sync::Arc;

use farthing_core::Usd;
use farthing_core::advise::{Basis, Call, Thread};
use farthing_core::pricing::{Catalog, RateCard, Served};
use jiff::Timestamp;
use serde::Serialize;

use crate::anatomy::uncached;
use crate::priced::{Priced, Request, sum};

/// One other way that it could have been.
#[derive(Clone, Debug, Serialize)]
pub struct WhatIf {
    /// What would have been different: `no_cache`, `ttl_1h`, or a model.
    pub policy: Arc<str>,
    /// What the priced requests would have cost.
    pub cost_usd: Usd,
    /// Less than what they did cost; negative where it would have been more.
    pub saves_usd: Usd,
    /// Estimated, for it is not what happened.
    pub basis: Basis,
}

/// Gives other models' rates.
#[derive(Debug)]
pub(crate) struct Alternatives<'c> {
    catalog: &'c Catalog,
    providers: BTreeSet<Arc<str>>,
    pub(crate) models: BTreeSet<Arc<str>>,
    now: Timestamp,
}

// === impl Alternatives ===

impl<'c> Alternatives<'c> {
    /// The models that the requests used, and those that were asked for.
    pub(crate) fn new(
        priced: &Priced,
        asked: &[String],
        catalog: &'c Catalog,
        now: Timestamp,
    ) -> Alternatives<'c> {
        let known = priced.requests.iter().filter(|request| request.call.card.is_some());
        let mut models: BTreeSet<_> =
            known.map(|request| Arc::clone(&request.call.model)).collect();
        models.extend(asked.iter().map(|model| Arc::from(model.as_str())));
        let providers =
            priced.requests.iter().map(|request| Arc::clone(&request.provider)).collect();
        Alternatives { catalog, providers, models, now }
    }

    /// The rates of a model at the time of a call, at its own provider's or any of the others'.
    pub(crate) fn rates(&self, call: &Call, model: &str) -> Option<Arc<RateCard>> {
        let at = call.at.unwrap_or(self.now);
        self.providers.iter().find_map(|provider| {
            let found = self.catalog.resolve(provider, model, at, &Served::new()).ok()?;
            Some(found.card)
        })
    }
}

/// What these requests would have cost otherwise.
pub(crate) fn what_if(requests: &[&Request], alternatives: &Alternatives<'_>) -> Vec<WhatIf> {
    let paid = total(requests.iter().filter_map(|request| request.call.cost.usd));
    let otherwise = |policy: &str, cost_usd: Usd| WhatIf {
        policy: policy.into(),
        cost_usd,
        saves_usd: paid.minus(cost_usd).unwrap_or(Usd::ZERO),
        basis: Basis::Estimated,
    };
    let cost = |request: &Request, saved: Option<Usd>| {
        let paid = request.call.cost.usd?;
        paid.minus(saved.unwrap_or(Usd::ZERO)).ok()
    };
    let no_cache = requests
        .iter()
        .filter_map(|request| cost(request, request.call.saves(&uncached(&request.call.usage))));
    let mut all = vec![otherwise("no_cache", total(no_cache))];
    all.extend(alternatives.models.iter().filter_map(|model| {
        let priced = requests.iter().filter(|request| request.call.cost.usd.is_some());
        let costs = priced.map(|request| {
            if request.call.model == *model {
                return request.call.cost.usd;
            }
            alternatives.rates(&request.call, model)?.cost(&request.call.usage).ok()?.usd
        });
        let costs = costs.collect::<Option<Vec<_>>>()?;
        Some(otherwise(model, total(costs)))
    }));
    all
}

/// What an hour of TTL would have cost, given what these conversations cost.
pub(crate) fn an_hour<'a>(threads: impl Iterator<Item = &'a Thread<'a>>) -> WhatIf {
    let (mut paid, mut saves_usd) = (Usd::ZERO, Usd::ZERO);
    for thread in threads {
        paid = sum(paid, total(thread.calls.iter().filter_map(|call| call.cost.usd)));
        saves_usd = sum(saves_usd, thread.saved_by_an_hour());
    }
    let cost_usd = paid.minus(saves_usd).unwrap_or(paid);
    WhatIf { policy: "ttl_1h".into(), cost_usd, saves_usd, basis: Basis::Estimated }
}

fn total(costs: impl IntoIterator<Item = Usd>) -> Usd {
    costs.into_iter().fold(Usd::ZERO, sum)
}
