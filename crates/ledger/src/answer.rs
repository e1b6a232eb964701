//! Answers of a ledger, ready to be shown: money is a decimal string, and beside each cost stands
//! the same in pico-dollars.

use std::sync::Arc;

use farthing_core::Usd;
use farthing_core::entry::{Asked, Bill, Ending, Hold, Origin, Who};
use farthing_core::id::{ModelId, RequestId};
use farthing_core::money::Overflow;
use farthing_core::pricing::{Cost, FoundBy};
use farthing_core::usage::Usage;
use jiff::Timestamp;
use serde::Serialize;

use crate::batch::Tally;
use crate::record::{Cards, Record, Recorded};
use crate::saving::Saving;

/// Requests, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestPage {
    /// The requests.
    pub requests: Vec<RequestRow>,
    /// The page goes on after this request; `None` where it is the last.
    pub next: Option<RequestId>,
}

/// A request in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestRow {
    /// The request.
    pub request: RequestId,
    /// When its first attempt was held.
    pub at: Timestamp,
    /// On whose account.
    pub who: Arc<Who>,
    /// How many attempts there were.
    pub attempts: usize,
    /// What the last of them asked for.
    pub asked: Asked,
    /// How the last of them stands.
    pub status: Status,
    /// What all of them consumed.
    pub usage: Usage,
    /// What all of them cost.
    pub cost: TotalCost,
    /// What budgets were charged for them.
    pub charged: Usd,
}

/// A request with all its attempts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestDetail {
    /// The request.
    pub request: RequestId,
    /// On whose account.
    pub who: Arc<Who>,
    /// Its attempts, in order; never empty.
    pub attempts: Vec<AttemptDetail>,
    /// What all of them cost.
    pub cost: TotalCost,
    /// What budgets were charged for them.
    pub charged: Usd,
    /// What optimizing it came to; `None` where it was not, or is still running.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub savings: Option<Saving>,
}

/// One try at a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AttemptDetail {
    /// Counts from 1.
    pub attempt: u32,
    /// How it stands.
    pub status: Status,
    /// When it was held.
    pub held_at: Timestamp,
    /// What was set aside.
    pub held: Usd,
    /// When the hold expires.
    pub deadline: Timestamp,
    /// What was asked for, with the prompt's tokens by kind.
    pub asked: Asked,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it was voided.
    pub reason: Option<String>,
    /// The model that answered.
    pub model_served: Option<ModelId>,
    /// What was consumed.
    pub usage: Option<Usage>,
    /// Who counted that.
    pub origin: Option<Origin>,
    /// What it cost.
    pub cost: Option<ShownCost>,
    /// The hash of the rate card.
    pub rate_card: Option<String>,
    /// How the model's name led to the rate card.
    pub rule: Option<FoundBy>,
    /// What budgets were charged.
    pub charged: Usd,
    /// Whether that is more than was held.
    pub overrun: bool,
}

/// How an attempt, or a request by its last one, stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is running, or will expire.
    Open,
    /// It was answered and billed.
    Settled,
    /// Nothing was billed.
    Voided,
    /// Nobody knows how it ended; the whole hold was charged.
    Expired,
}

/// The cost of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ShownCost {
    /// The amount and how sure it is.
    #[serde(flatten)]
    pub cost: Cost,
    /// The amount in pico-dollars.
    pub pico_usd: Option<i128>,
    /// What it costs by the price list, where the amount is the provider's own figure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list_usd: Option<Usd>,
    /// By how much the provider's own figure is higher.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference_usd: Option<Usd>,
}

/// The known costs of several attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TotalCost {
    /// Their sum; `None` where none of them is known, for unknown is never zero.
    pub usd: Option<Usd>,
    /// Their sum in pico-dollars.
    pub pico_usd: Option<i128>,
    /// How many attempts cost something that is not in the sum, because nobody knows how much.
    pub unknown: u64,
}

/// What the calls of one group came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UsageRow {
    /// The group's name; `None` for calls without an agent, or where nothing was told apart.
    pub group: Option<String>,
    /// Attempts that were billed or may have been.
    pub requests: u64,
    /// Prompt tokens at the full price.
    pub input: u64,
    /// Prompt tokens that a provider had in its cache.
    pub cache_read: u64,
    /// Prompt tokens written to a provider's cache.
    pub cache_write: u64,
    /// Answer tokens, thinking included.
    pub output: u64,
    /// Those of them that the model thought and did not say.
    pub reasoning: u64,
    /// What they cost.
    pub cost: TotalCost,
    /// Requests whose usage or cost is our own estimate.
    pub estimated: u64,
    /// What budgets were charged.
    pub charged: Usd,
}

// === impl RequestDetail ===

impl RequestDetail {
    /// Puts together the entries of one request, in their order; `None` without any.
    pub(crate) fn of(records: &[Record]) -> Result<Option<RequestDetail>, Overflow> {
        let Some(first) = records.first() else { return Ok(None) };
        let mut attempts = Vec::new();
        for record in records {
            match &record.what {
                Recorded::Hold(hold) => attempts.push(AttemptDetail::of(record, hold)),
                Recorded::End(ending, cards) => {
                    let mut open = attempts.iter_mut();
                    if let Some(attempt) = open.find(|held| held.attempt == record.id.attempt) {
                        attempt.end(record, ending, cards);
                    }
                }
                Recorded::Adjust(_, adjustment, cards) => {
                    let mut ended = attempts.iter_mut();
                    if let Some(attempt) = ended.find(|held| held.attempt == record.id.attempt) {
                        let charged = attempt.charged.plus(adjustment.delta)?;
                        if let Some(rebilled) = &adjustment.rebilled {
                            attempt.bill(&rebilled.bill, cards);
                        }
                        attempt.charged = charged;
                    }
                }
            }
        }
        let (request, who) = (first.id.request, Arc::clone(&first.who));
        let cost = TotalCost::of(&attempts)?;
        let charged = Usd::sum(attempts.iter().map(|attempt| attempt.charged))?;
        Ok(Some(RequestDetail { request, who, attempts, cost, charged, savings: None }))
    }
}

// === impl RequestRow ===

impl RequestRow {
    pub(crate) fn of(detail: RequestDetail) -> Option<RequestRow> {
        let RequestDetail { request, who, attempts, cost, charged, .. } = detail;
        let usages = attempts.iter().filter_map(|attempt| attempt.usage.as_ref());
        let usage = usages.fold(Usage::NONE, Usage::plus);
        let (at, count) = (attempts.first()?.held_at, attempts.len());
        let AttemptDetail { asked, status, .. } = attempts.into_iter().next_back()?;
        Some(RequestRow { request, at, who, attempts: count, asked, status, usage, cost, charged })
    }
}

// === impl AttemptDetail ===

impl AttemptDetail {
    fn of(record: &Record, hold: &Hold) -> AttemptDetail {
        AttemptDetail {
            attempt: record.id.attempt,
            status: Status::Open,
            held_at: record.at,
            held: record.held,
            deadline: hold.deadline,
            asked: hold.asked.clone(),
            ended_at: None,
            reason: None,
            model_served: None,
            usage: None,
            origin: None,
            cost: None,
            rate_card: None,
            rule: None,
            charged: Usd::ZERO,
            overrun: false,
        }
    }

    fn end(&mut self, record: &Record, ending: &Ending, cards: &Cards) {
        self.ended_at = Some(record.at);
        self.charged = record.charged;
        self.overrun = record.overrun;
        match ending {
            Ending::Void(reason) => {
                self.status = Status::Voided;
                self.reason = Some(reason.clone());
            }
            Ending::Expire => {
                self.status = Status::Expired;
                self.origin = Some(Origin::Estimated);
            }
            Ending::Settle(bill) => self.bill(bill, cards),
        }
    }

    fn bill(&mut self, bill: &Bill, cards: &Cards) {
        self.status = Status::Settled;
        self.model_served = Some(bill.model.clone());
        self.usage = Some(bill.usage);
        self.origin = Some(bill.origin);
        self.cost = Some(ShownCost::of(bill));
        self.rate_card = cards.own.as_ref().map(|card| card.hash.clone());
        self.rule = cards.own.as_ref().map(|card| card.rule);
    }

    /// Whether it cost something, though nobody knows how much.
    fn has_unknown_cost(&self) -> bool {
        match self.status {
            Status::Open | Status::Voided => false,
            Status::Expired => true,
            Status::Settled => self.cost.is_none_or(|shown| shown.cost.usd.is_none()),
        }
    }
}

// === impl ShownCost ===

impl ShownCost {
    fn of(bill: &Bill) -> ShownCost {
        let Bill { cost, listed, .. } = bill;
        let difference = cost.usd.zip(*listed).and_then(|(cost, listed)| cost.minus(listed).ok());
        ShownCost {
            cost: *cost,
            pico_usd: cost.usd.map(Usd::pico),
            list_usd: *listed,
            difference_usd: difference,
        }
    }
}

// === impl TotalCost ===

impl TotalCost {
    fn new(sum: Usd, known: u64, unknown: u64) -> TotalCost {
        let usd = (known > 0 || unknown == 0).then_some(sum);
        TotalCost { usd, pico_usd: usd.map(Usd::pico), unknown }
    }

    fn of(attempts: &[AttemptDetail]) -> Result<TotalCost, Overflow> {
        let known = || attempts.iter().filter_map(|attempt| attempt.cost?.cost.usd);
        let unknown = attempts.iter().filter(|attempt| attempt.has_unknown_cost());
        Ok(TotalCost::new(Usd::sum(known())?, known().map(|_| 1).sum(), unknown.map(|_| 1).sum()))
    }
}

// === impl UsageRow ===

impl UsageRow {
    pub(crate) fn of(group: Option<String>, tally: &Tally) -> UsageRow {
        let unknown = u64::try_from(tally.unknown_cost).unwrap_or_default();
        UsageRow {
            group,
            requests: tally.requests,
            input: tally.input,
            cache_read: tally.cache_read,
            cache_write: tally.cache_write,
            output: tally.output,
            reasoning: tally.reasoning,
            cost: TotalCost::new(tally.cost, tally.requests.saturating_sub(unknown), unknown),
            estimated: tally.estimated,
            charged: tally.charged,
        }
    }
}
