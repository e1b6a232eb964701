//! The five live events.
//!
//! There are exactly five types, and no sixth will join them: whatever else is worth saying (cost,
//! alerts, savings) rides inside them.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use crate::entry::{Bill, Who};
use crate::id::RequestId;
use crate::money::Usd;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EventType {
    /// A run began.
    AgentStarted,
    /// A model was called.
    AgentThinking,
    /// The model called a tool.
    ToolExecuting,
    /// The tool's result came back.
    ToolCompleted,
    /// The run ended.
    AgentCompleted,
}

/// Something that happened, with what it cost.
#[derive(Clone, Debug)]
pub struct Event {
    /// What happened.
    pub kind: EventType,
    /// When.
    pub at: Timestamp,
    /// On whose account; an event is only ever shown to its own tenant and user.
    pub who: Arc<Who>,
    /// The request that it belongs to.
    pub request: RequestId,
    /// What the call consumed and cost, where the event is about a call.
    pub bill: Option<Arc<Bill>>,
    /// What the caller's tightest budget has left; `None` without a budget.
    pub room: Option<Usd>,
}
