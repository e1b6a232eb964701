//! JSON lines of usage, as providers report it, to JSON lines of costs.

use std::borrow::Cow;

use farthing_core::Usd;
use farthing_core::pricing::{Catalog, Cost, CostStatus, FoundBy, Resolved, Served, Unresolved};
use farthing_core::usage::{Bucket, Usage};
use farthing_wire::{Flavor, ModelUsage, Payload, Reported};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::cli::lines::Unanswered;

/// A line of input.
#[derive(Deserialize)]
struct Case<'l> {
    #[serde(borrow)]
    provider: Cow<'l, str>,
    #[serde(borrow)]
    api_flavor: Cow<'l, str>,
    #[serde(borrow)]
    model: Cow<'l, str>,
    timestamp: Timestamp,
    #[serde(borrow)]
    price_context: Option<&'l RawValue>,
    #[serde(borrow)]
    usage_payload: &'l RawValue,
}

/// A line of output, behind the id.
#[derive(Serialize)]
pub(super) struct Priced {
    status: CostStatus,
    cost_usd: Usd,
    pico_usd: i128,
    /// The cost by the price list, where the provider says itself what it charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    list_cost_usd: Option<Usd>,
    model: String,
    /// `None` where nobody but the provider knows the price.
    rule: Option<FoundBy>,
    /// `None` likewise, and where several models took part, each at its own rates.
    rate_card: Option<String>,
}

/// What was consumed: by the model that answered, and by others.
struct Consumed {
    own: Usage,
    others: Vec<ModelUsage>,
}

/// Prices one line.
pub(super) fn price(catalog: &Catalog, line: &str) -> Result<Priced, Unanswered> {
    let case: Case<'_> = serde_json::from_str(line)?;
    let unread = |reason: String| Unanswered::Because(None, reason);
    let flavor = Flavor::of(&case.provider, &case.api_flavor);
    let flavor = flavor.map_err(|unknown| unread(format!("api_flavor: {unknown}")))?;
    let context = context(case.price_context).map_err(unread)?;
    let payload = flavor.read_payload(case.usage_payload.get(), &context);
    let payload = payload.map_err(|error| unread(error.to_string()))?;
    let consumed = Consumed::of(&payload.usage)
        .map_err(|reason| Unanswered::Because(Some(CostStatus::InvalidUsage), reason))?;

    let resolve =
        |model: &str| catalog.resolve(&case.provider, model, case.timestamp, &payload.served);
    let answered = payload.model.as_deref().and_then(|model| resolve(model).ok());
    let found = answered.map_or_else(|| resolve(&case.model), Ok);
    let card = |found: &Resolved| found.card.clone();
    let mut cost = Cost::of(found.as_ref().ok().map(card).as_deref(), &consumed.own);
    for other in &consumed.others {
        let theirs = resolve(&other.model).ok().map(|found| card(&found));
        cost = cost.and(Cost::of(theirs.as_deref(), &other.usage));
    }
    let several = !consumed.others.is_empty();
    Priced::new(&case, &payload, found, cost, several)
}

// === impl Priced ===

impl Priced {
    /// The provider's own figure, where it has one, else that of the price list.
    fn new(
        case: &Case<'_>,
        payload: &Payload,
        found: Result<Resolved, Unresolved>,
        listed: Cost,
        several: bool,
    ) -> Result<Priced, Unanswered> {
        let (status, cost_usd) = match (payload.charged, listed.usd) {
            (Some(charged), _) => (CostStatus::ProviderReported, charged),
            (None, Some(usd)) if found.is_ok() => (listed.status, usd),
            _ => {
                let reason = match &found {
                    Err(missed) => super::unpriced(&case.model, &case.provider, missed),
                    Ok(_) => "the counts are beyond all amounts of money".to_owned(),
                };
                return Err(Unanswered::Because(Some(listed.status), reason));
            }
        };
        let asked = || payload.model.clone().unwrap_or_else(|| case.model.clone().into_owned());
        let found = found.ok();
        Ok(Priced {
            status,
            cost_usd,
            pico_usd: cost_usd.pico(),
            list_cost_usd: listed.usd.filter(|_| payload.charged.is_some()),
            model: found.as_ref().map_or_else(asked, |found| found.model.id.clone()),
            rule: found.as_ref().map(|found| found.rule),
            rate_card: found.filter(|_| !several).map(|found| found.card.hash().to_string()),
        })
    }
}

// === impl Consumed ===

impl Consumed {
    fn of(reported: &Reported) -> Result<Consumed, String> {
        let (own, others) = match reported {
            Reported::Valid(usage) | Reported::NoPrompt(usage) => (*usage, Vec::new()),
            Reported::Joint { own, others } => (*own, others.clone()),
            Reported::PromptOnly(_) => {
                return Err("the payload ends before the answer does".to_owned());
            }
            Reported::Absent => return Err("the payload has no usage".to_owned()),
            Reported::Invalid(reason) => return Err(reason.clone()),
        };
        // A few providers charge for the request as such.
        let requests = own.get(Bucket::Requests).max(1);
        Ok(Consumed { own: own.with(Bucket::Requests, requests), others })
    }
}

/// What of how a request was served does not stand in the answer.
fn context(context: Option<&RawValue>) -> Result<Served, String> {
    let served = context.map_or(Ok(None), |context| serde_json::from_str(context.get()));
    let served: Option<Served> = served.map_err(|error| format!("price_context: {error}"))?;
    Ok(served.unwrap_or_default())
}
