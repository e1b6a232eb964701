//! JSON lines of usage, as providers report it, to JSON lines of costs.

use std::borrow::Cow;

use bytes::Bytes;
use farthing_core::Usd;
use farthing_core::money::Overflow;
use farthing_core::pricing::{Catalog, Cost, CostStatus, FoundBy, Served};
use farthing_core::usage::Usage;
use farthing_wire::{Dialect, ModelUsage, Reported};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::cli::dialects;
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
    model: String,
    rule: FoundBy,
    /// `None` where several models took part, each at its own rates.
    rate_card: Option<String>,
}

/// What a payload says.
struct Said {
    model: Option<String>,
    served: Served,
    usage: Reported,
}

/// A stream, put down as the list of its events.
#[derive(Deserialize)]
struct Events<'p> {
    #[serde(borrow)]
    events: Vec<&'p RawValue>,
}

/// Prices one line.
pub(super) fn price(catalog: &Catalog, line: &str) -> Result<Priced, Unanswered> {
    let case: Case<'_> = serde_json::from_str(line)?;
    let because = |status| move |reason| Unanswered::Because(status, reason);
    let dialect = dialects::of_flavor(&case.provider, &case.api_flavor).map_err(because(None))?;
    let said = read(dialect, case.usage_payload.get()).map_err(because(None))?;
    let invalid = Some(CostStatus::InvalidUsage);
    let (usage, others) = usable(said.usage).map_err(because(invalid))?;

    let mut served = context(case.price_context).map_err(because(None))?;
    served.extend(said.served);
    let resolve = |model: &str| catalog.resolve(&case.provider, model, case.timestamp, &served);
    let answered = said.model.as_deref().and_then(|model| resolve(model).ok());
    let found = answered.map_or_else(|| resolve(&case.model), Ok).map_err(|missed| {
        let reason = super::unpriced(&case.model, &case.provider, &missed);
        Unanswered::Because(Some(CostStatus::Unpriced), reason)
    })?;
    let cost = others.iter().try_fold(found.card.cost(&usage)?, |cost, other| {
        match resolve(&other.model) {
            Ok(found) => both(cost, found.card.cost(&other.usage)?),
            Err(_) => Ok(cost.partial()),
        }
    })?;
    let cost_usd = cost.usd.ok_or(Overflow)?;
    Ok(Priced {
        status: cost.status,
        cost_usd,
        pico_usd: cost_usd.pico(),
        model: found.model.id.clone(),
        rule: found.rule,
        rate_card: others.is_empty().then(|| found.card.hash().to_string()),
    })
}

impl From<Overflow> for Unanswered {
    fn from(overflow: Overflow) -> Unanswered {
        Unanswered::Because(Some(CostStatus::InvalidUsage), overflow.to_string())
    }
}

/// The cost of both.
fn both(one: Cost, other: Cost) -> Result<Cost, Overflow> {
    let usd = match (one.usd, other.usd) {
        (Some(one), Some(other)) => Some(one.plus(other)?),
        _ => return Ok(one.partial()),
    };
    let status = if other.status == CostStatus::Priced { one.status } else { other.status };
    Ok(Cost { usd, status, ..one })
}

/// What of how a request was served does not stand in the answer.
fn context(context: Option<&RawValue>) -> Result<Served, String> {
    let served = context.map_or(Ok(None), |context| serde_json::from_str(context.get()));
    let served: Option<Served> = served.map_err(|error| format!("price_context: {error}"))?;
    Ok(served.unwrap_or_default())
}

/// Reads a payload: an answer, its usage alone, or the events of a stream.
fn read(dialect: Dialect, payload: &str) -> Result<Said, String> {
    if let Ok(stream) = serde_json::from_str::<Events<'_>>(payload) {
        return Ok(read_stream(dialect, &stream));
    }
    let read = |body: String| {
        let answer = dialect.read_answer(&Bytes::from(body)).map_err(|error| error.to_string())?;
        Ok(Said { model: answer.model, served: answer.served, usage: answer.usage })
    };
    let said: Said = read(payload.to_owned())?;
    match said.usage {
        Reported::Absent => read(format!("{{\"usage\":{payload}}}")),
        _ => Ok(said),
    }
}

fn read_stream(dialect: Dialect, stream: &Events<'_>) -> Said {
    let mut reader = dialect.stream_reader(false);
    for event in &stream.events {
        // A line break would end the frame's line; JSON needs none.
        let data = event.get().replace(['\n', '\r'], " ");
        reader.push(format!("data: {data}\n\n").into(), &mut |_| {});
    }
    reader.finish(&mut |_| {});
    Said {
        model: reader.model().map(str::to_owned),
        served: reader.served().clone(),
        usage: reader.usage().clone(),
    }
}

/// What the model consumed that answered, and what others did.
fn usable(reported: Reported) -> Result<(Usage, Vec<ModelUsage>), String> {
    match reported {
        Reported::Valid(usage) | Reported::NoPrompt(usage) => Ok((usage, Vec::new())),
        Reported::Joint { own, others } => Ok((own, others)),
        Reported::PromptOnly(_) => Err("the payload ends before the answer does".to_owned()),
        Reported::Absent => Err("the payload has no usage".to_owned()),
        Reported::Invalid(reason) => Err(reason),
    }
}
