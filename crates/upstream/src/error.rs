//! What can go wrong on the way to a provider and back.

use farthing_core::id::ProviderId;
use thiserror::Error;

/// A call did not bring a whole answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("provider `{provider}` {stage}: {reason}")]
pub struct CallError {
    /// Which provider.
    pub provider: ProviderId,
    /// How far the call came.
    pub stage: Stage,
    /// What the network said.
    pub reason: String,
}

/// How far a call came before it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Stage {
    /// It has failed so often that it is left alone: nothing was sent.
    #[error("has failed repeatedly and is left alone for a moment")]
    Resting,
    /// No connection: nothing was sent, nothing can have been billed.
    #[error("cannot be reached")]
    Connect,
    /// The request was sent, and no answer began in time.
    #[error("did not begin to answer in time")]
    FirstByte,
    /// The answer had begun, and nothing more came in time.
    #[error("fell silent in the middle of its answer")]
    Idle,
    /// The connection broke before the answer was whole.
    #[error("broke off before its answer was whole")]
    Broken,
    /// The call took longer than any may.
    #[error("did not come to the end of its answer in time")]
    TooLate,
    /// The answer is longer than is allowed.
    #[error("sent a longer answer than is allowed")]
    TooLong,
}

// === impl Stage ===

impl Stage {
    /// The stable code of this failure.
    pub const fn code(self) -> &'static str {
        match self {
            Stage::Resting => "upstream_resting",
            Stage::Connect => "upstream_unreachable",
            Stage::FirstByte => "upstream_first_byte_timeout",
            Stage::Idle => "upstream_idle_timeout",
            Stage::Broken => "upstream_broken",
            Stage::TooLate => "upstream_call_timeout",
            Stage::TooLong => "upstream_answer_too_long",
        }
    }

    /// Whether it is certain that the provider billed nothing.
    pub const fn nothing_billed(self) -> bool {
        matches!(self, Stage::Resting | Stage::Connect)
    }
}
