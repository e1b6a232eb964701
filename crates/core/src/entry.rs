//! The ledger's immutable records. A correction is a new record.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use crate::anatomy::Anatomy;
use crate::budget::{Amount, Claim};
use crate::id::{
    AgentId, CauseId, KeyId, ModelId, ProviderId, RequestId, RunId, TeamId, TenantId, ThreadId,
    UserId,
};
use crate::money::Usd;
use crate::pricing::{Cost, FoundBy, RateCard, Resolved, Served};
use crate::usage::Usage;

/// One try at a provider, within a request by a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId {
    /// The client's request.
    pub request: RequestId,
    /// Counts from 1; a retry or a fallback is the next attempt.
    pub attempt: u32,
}

/// On whose account a call is. Tenant, team, user and key are authenticated, the rest are labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// Who pays.
    pub tenant: TenantId,
    /// Who belongs together.
    #[serde(default)]
    pub team: Option<TeamId>,
    /// Who acts.
    pub user: UserId,
    /// What proves it.
    #[serde(default)]
    pub key: Option<KeyId>,
    /// The program that acts.
    pub agent: Option<AgentId>,
    /// The conversation.
    pub thread: Option<ThreadId>,
    /// The task within it.
    pub run: Option<RunId>,
}

/// A move of money, recorded once and never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which try at a provider.
    pub id: AttemptId,
    /// When it was decided.
    pub at: Timestamp,
    /// On whose account.
    pub who: Arc<Who>,
    /// What happened.
    pub what: Move,
}

/// The moves of money: an attempt begins with a hold and ends once. What it was charged may be
/// corrected afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// The most that the call can cost is set aside.
    Hold(Arc<Hold>),
    /// The hold is replaced by what the call came to.
    End(Arc<Hold>, Ending),
    /// What the call was charged is corrected, in the budgets of its hold.
    Adjust(Arc<Hold>, Adjustment),
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was answered: its cost is charged.
    Settle(Arc<Bill>),
    /// Nothing was billed, for this reason: the hold is released.
    Void(String),
    /// Nobody knows how it ended: the whole hold is charged, as an estimate.
    Expire,
}

/// A correction of what an ended attempt was charged: its price was wrong, or the provider's
/// invoice says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// What led to it. Of one attempt each cause corrects once.
    pub cause: CauseId,
    /// What is added to the charge; negative where it was too high.
    pub delta: Usd,
    /// Why, in words.
    pub reason: String,
    /// The bill that holds instead, where a cost that nobody knew is known by now.
    pub rebilled: Option<Rebilled>,
}

/// A bill that was drawn up after its attempt had ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebilled {
    /// When the attempt ended: it is there that sums by the hour are corrected.
    pub ended_at: Timestamp,
    /// The bill. What it charges is its cost.
    pub bill: Arc<Bill>,
}

/// Money set aside for a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The most that the call can cost.
    pub amount: Usd,
    /// The most tokens that it can take, prompt and answers together.
    pub tokens: u64,
    /// When it expires, should the call never end.
    pub deadline: Timestamp,
    /// The budgets that it counts against.
    pub claims: Vec<Claim>,
    /// What was asked for.
    pub asked: Asked,
}

/// What a call asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The configured provider that is called.
    pub provider: ProviderId,
    /// The model, as the client names it.
    pub model: ModelId,
    /// Whether the answer is streamed.
    pub streamed: bool,
    /// Our own count of the prompt.
    pub anatomy: Anatomy,
}

/// What a call consumed and cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bill {
    /// The model that answered, as the provider names it.
    pub model: ModelId,
    /// What was consumed, by all models together.
    pub usage: Usage,
    /// Who counted it.
    pub origin: Origin,
    /// How it was served, as far as that selects prices.
    pub served: Served,
    /// What it cost.
    pub cost: Cost,
    /// What it costs by the price list, where the cost is the provider's own figure.
    pub listed: Option<Usd>,
    /// What budgets are charged: the cost, or where that is unknown a conservative figure.
    pub charged: Usd,
    /// The prices that were applied to what the answering model consumed.
    pub priced_by: Option<PricedBy>,
    /// What other models consumed that took part.
    pub others: Vec<Part>,
}

/// What a model consumed that took part in a call and did not answer it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The model, as the provider names it.
    pub model: String,
    /// What it consumed; it is within the bill's usage.
    pub usage: Usage,
    /// The prices that were applied.
    pub priced_by: Option<PricedBy>,
}

/// The prices behind a cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedBy {
    /// The rate card. The ledger keeps each once, by its hash.
    pub card: Arc<RateCard>,
    /// How the model's name led to it.
    pub rule: FoundBy,
}

/// Who counted a usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The provider.
    Measured,
    /// We did, for want of a usable count by the provider.
    Estimated,
}

// === impl AttemptId ===

impl Serialize for AttemptId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.request, self.attempt)
    }
}

// === impl Who ===

impl Who {
    /// A user of a tenant, and nothing more.
    pub const fn new(tenant: TenantId, user: UserId) -> Who {
        Who { tenant, team: None, user, key: None, agent: None, thread: None, run: None }
    }
}

// === impl Bill ===

impl Bill {
    /// What the answering model consumed itself.
    pub fn own_usage(&self) -> Usage {
        self.others.iter().fold(self.usage, |own, part| own.minus(&part.usage))
    }

    /// All prices that were applied.
    pub fn prices(&self) -> impl Iterator<Item = &PricedBy> {
        self.priced_by.iter().chain(self.others.iter().filter_map(|part| part.priced_by.as_ref()))
    }
}

// === impl Hold ===

impl Hold {
    /// What is set aside, in every unit.
    pub fn takes(&self) -> Amount {
        Amount::of_call(self.amount, self.tokens)
    }
}

// === impl Move ===

impl Move {
    /// The move's name in the ledger.
    pub const fn name(&self) -> &'static str {
        match self {
            Move::Hold(_) => "hold",
            Move::End(_, Ending::Settle(_)) => "settle",
            Move::End(_, Ending::Void(_)) => "void",
            Move::End(_, Ending::Expire) => "expire",
            Move::Adjust(..) => "adjust",
        }
    }

    /// The hold that this move makes, ends or corrects.
    pub fn hold(&self) -> &Arc<Hold> {
        match self {
            Move::Hold(hold) | Move::End(hold, _) | Move::Adjust(hold, _) => hold,
        }
    }

    /// The bill that it brings.
    pub fn bill(&self) -> Option<&Arc<Bill>> {
        match self {
            Move::End(_, Ending::Settle(bill)) => Some(bill),
            Move::Adjust(_, Adjustment { rebilled, .. }) => {
                rebilled.as_ref().map(|rebilled| &rebilled.bill)
            }
            Move::Hold(_) | Move::End(..) => None,
        }
    }

    /// When the attempt ended whose bill it replaces.
    pub fn ended_at(&self) -> Option<Timestamp> {
        match self {
            Move::Adjust(_, Adjustment { rebilled, .. }) => {
                rebilled.as_ref().map(|rebilled| rebilled.ended_at)
            }
            Move::Hold(_) | Move::End(..) => None,
        }
    }

    /// What budgets are charged by it; negative where too much was charged before.
    pub fn charged(&self) -> Usd {
        self.spends().usd
    }

    /// What it adds to what is spent, in every unit. A call that came to nothing counts in none.
    pub fn spends(&self) -> Amount {
        match self {
            Move::Hold(_) | Move::End(_, Ending::Void(_)) => Amount::NONE,
            Move::End(_, Ending::Settle(bill)) => {
                let tokens = bill.usage.prompt().saturating_add(bill.usage.completion());
                Amount::of_call(bill.charged, tokens)
            }
            Move::End(hold, Ending::Expire) => hold.takes(),
            Move::Adjust(_, adjustment) => Amount { usd: adjustment.delta, ..Amount::NONE },
        }
    }

    /// Whether more is charged than was set aside: the provider did not keep to the limits that
    /// the hold was reckoned from.
    pub fn is_overrun(&self) -> bool {
        matches!(self, Move::End(hold, _) if self.charged() > hold.amount)
    }
}

// === impl Entry ===

impl Entry {
    /// Names the entry; no two have the same: `req_….1.hold`, `req_….1.adjust.reprice:2026-11-01`.
    pub fn name(&self) -> String {
        let name = format!("{}.{}", self.id, self.what.name());
        match &self.what {
            Move::Adjust(_, adjustment) => format!("{name}.{}", adjustment.cause),
            Move::Hold(_) | Move::End(..) => name,
        }
    }
}

// === impl PricedBy ===

impl From<Resolved> for PricedBy {
    fn from(found: Resolved) -> PricedBy {
        PricedBy { card: found.card, rule: found.rule }
    }
}

// === impl Origin ===

impl Origin {
    /// The origin as the ledger spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Origin::Measured => "measured",
            Origin::Estimated => "estimated",
        }
    }
}
