//! What a session came to.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Session, SessionId};
use crate::id::{RunId, TenantId, ThreadId, UserId};
use crate::money::Usd;
use crate::registry::Why;
use crate::tally::Tally;

/// What a session came to, or has come to so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The session.
    pub id: SessionId,
    /// Who paid.
    pub tenant: TenantId,
    /// Who acted.
    pub user: UserId,
    /// The conversation.
    pub thread: Option<ThreadId>,
    /// The task.
    pub run: Option<RunId>,
    /// When it began.
    pub started_at: Timestamp,
    /// When the last operation ended.
    pub last_at: Timestamp,
    /// From its beginning to its end, or to now.
    #[serde(rename = "duration_ms", serialize_with = "milliseconds")]
    pub duration: SignedDuration,
    /// How it ended; `None` while it goes on.
    pub ended: Option<Ended>,
    /// All operations, tokens, costs, savings.
    pub total: Tally,
    /// Prompts and answers together.
    pub tokens: u64,
    /// Tokens of an operation on average; `None` without any.
    pub mean_tokens: Option<u64>,
    /// Cost of an operation on average; `None` where no cost is known.
    pub mean_cost: Option<Usd>,
    /// Apart by agent; what had none, or was one of too many, has no name.
    pub by_agent: Vec<Group>,
    /// Apart by model.
    pub by_model: Vec<Group>,
}

/// A part of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The agent or the model.
    pub name: Option<Arc<str>>,
    /// What it used.
    pub tally: Tally,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It was finalized.
    Finalized,
    /// It was as old as sessions get, or nobody used it.
    Expired,
    /// Its user, or all together, had more sessions than are kept.
    Displaced,
}

// === impl Summary ===

impl Summary {
    /// The summary of a session that ends, or that goes on, at `at`.
    pub fn of(session: &Session, ended: Option<Ended>, at: Timestamp) -> Summary {
        Summary {
            id: session.id,
            tenant: session.tenant.clone(),
            user: session.user.clone(),
            thread: session.thread.clone(),
            run: session.run.clone(),
            started_at: session.started_at,
            last_at: session.last_at,
            duration: at.duration_since(session.started_at).max(SignedDuration::ZERO),
            ended,
            total: session.total,
            tokens: session.total.tokens(),
            mean_tokens: session.total.mean_tokens(),
            mean_cost: session.total.mean_cost(),
            by_agent: session.by_agent.rows(),
            by_model: session.by_model.rows(),
        }
    }
}

// === impl Ended ===

impl From<Why> for Ended {
    fn from(why: Why) -> Ended {
        match why {
            Why::Expired => Ended::Expired,
            Why::Displaced => Ended::Displaced,
            Why::Removed => Ended::Finalized,
        }
    }
}

fn milliseconds<S: serde::Serializer>(time: &SignedDuration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_i128(time.as_millis())
}
