//! What the steps of a call hand to one another.

use std::fmt;
use std::sync::Arc;

use farthing_upstream::{Answer, CallError, Route};
use farthing_wire::Request;
use http::{HeaderMap, StatusCode};

use crate::live::Turn;
use crate::savings::Mode;

/// What is asked, of whom.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The request, as parsed.
    pub request: Arc<Request>,
    /// What it is for.
    pub purpose: Purpose,
    /// How far it may be optimized.
    pub mode: Mode,
    /// The endpoint, relative to a provider's base URL, with the client's query.
    pub endpoint: String,
    /// The client's headers.
    pub headers: HeaderMap,
    /// Whom to call, and whom instead.
    pub route: Route,
    /// Its turn in its run; `None` for what is no turn, such as counting tokens.
    pub turn: Option<Turn>,
}

impl Ask {
    /// Whether the client wants to be told within a stream what it costs. Only who asks for it is:
    /// strict parsers have broken on comments that they did not expect.
    pub(crate) fn tells_cost(&self) -> bool {
        self.headers.get("x-farthing-stream-cost").is_some_and(|how| how == "comment")
    }
}

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An answer by the model.
    Answer,
    /// The provider's count of the prompt. It costs nothing, and is recorded all the same.
    CountTokens,
}

/// How a call began, as the step before the meter hands it over.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it is handed over once and never kept")]
pub enum Called {
    /// The provider answers.
    Answering(Answer),
    /// It did not.
    Failed(CallError),
    /// The client went away before it did.
    Abandoned,
}

// === impl Called ===

impl fmt::Display for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Called::Answering(answer) => write!(f, "provider answered {}", answer.status.as_u16()),
            Called::Failed(error) => error.fmt(f),
            Called::Abandoned => f.write_str("client went away"),
        }
    }
}

/// Whether the provider said that it will not serve the call now, and so billed nothing.
pub(crate) fn declined(answer: &Answer) -> bool {
    const OVERLOADED: u16 = 529;
    matches!(answer.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
        || answer.status.as_u16() == OVERLOADED
}
