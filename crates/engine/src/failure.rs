//! What can go wrong with a call, whose fault it is, and what to do.

use farthing_core::budget::Refusal;
use farthing_core::money::Overflow;
use farthing_core::ratelimit::Limited;
use farthing_ledger::HoldError;
use farthing_upstream::CallError;
use http::StatusCode;
use thiserror::Error;

/// A call that brought no answer. Each kind has a stable code, explained in `docs/errors.md`.
#[derive(Debug, Error)]
pub enum Failure {
    /// A budget said no.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// A budget applies and nobody knows what the call may cost.
    #[error(
        "no price is known for model `{model}` of provider `{provider}`, and a budget applies{}; \
         add its price to the catalog, or set `unpriced = \"allow\"` in the configuration",
        suggested(suggestions)
    )]
    Unpriced {
        /// The provider.
        provider: String,
        /// The model.
        model: String,
        /// Models with a price whose names look similar.
        suggestions: Vec<String>,
    },
    /// The call's limits are absurd: no amount of money holds what it may cost.
    #[error("the most that this call may cost is beyond reckoning; lower its limit on tokens")]
    Absurd(#[from] Overflow),
    /// Counting did not come to an end: a fault of ours.
    #[error("the prompt could not be counted; please report this with the request")]
    Uncountable,
    /// The hold was not durable within the time for a call.
    #[error("the ledger did not record the call in time; try again in a moment")]
    Overdue,
    /// The client went away before there was an answer: nobody will read this.
    #[error("the client went away before there was an answer")]
    Abandoned,
    /// A rate has no room now.
    #[error("{0}")]
    Limited(Box<Limited>),
    /// As many calls are under way as are allowed.
    #[error("{limit} calls are under way, which is the limit; try again in a moment")]
    Overloaded {
        /// The limit.
        limit: usize,
    },
    /// The ledger cannot record a hold, so no budget can be kept.
    #[error("the ledger cannot be written, so no call is let through: {0}")]
    Ledger(HoldError),
    /// The provider brought no answer, or not a whole one.
    #[error("{0}; try again, and see the provider's status page if it goes on")]
    Upstream(#[from] CallError),
    /// The provider answered something that is not its own API's language.
    #[error(
        "provider `{provider}` answered {status} with something that is not its API's JSON \
         ({reason}); check the provider's `base_url` in the configuration"
    )]
    NotTheApi {
        /// The provider.
        provider: String,
        /// Its status.
        status: StatusCode,
        /// What came instead.
        reason: String,
    },
}

// === impl Failure ===

impl Failure {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Failure::Refused(_) => "budget_exceeded",
            Failure::Unpriced { .. } => "unpriced_model",
            Failure::Absurd(_) => "absurd_limits",
            Failure::Uncountable => "internal",
            Failure::Overdue => "ledger_unavailable",
            Failure::Abandoned => "abandoned",
            Failure::Limited(_) => "rate_limit_exceeded",
            Failure::Overloaded { .. } => "overloaded",
            Failure::Ledger(_) => "ledger_unavailable",
            Failure::Upstream(error) => error.stage.code(),
            Failure::NotTheApi { .. } => "upstream_invalid_answer",
        }
    }
}

impl From<HoldError> for Failure {
    fn from(error: HoldError) -> Failure {
        match error {
            HoldError::Refused(refusal) => Failure::Refused(refusal),
            HoldError::Overflow(overflow) => Failure::Absurd(overflow),
            other => Failure::Ledger(other),
        }
    }
}

fn suggested(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!(" (similar: {})", names.join(", ")) }
}
