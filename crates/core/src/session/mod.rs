//! Sessions: the live tally of one conversation or task, from its first call until it is finalized.
//!
//! [`SessionFactory`] finds or makes the [`Session`] of a caller, and gives a [`Summary`] of each that
//! ends, whoever ends it. What they say is for reading; money is decided by
//! [`budget`](crate::budget) alone.

mod factory;
mod groups;
mod summary;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use thiserror::Error;

pub use self::factory::{Opened, SessionFactory, SessionLimits};
use self::groups::Groups;
pub use self::summary::{Ended, Group, Summary};
use crate::entry::Who;
use crate::id::{RunId, TenantId, ThreadId, UserId};
use crate::tally::{Operation, Optimization, Tally};

/// The name of a session, shown as `ses_` and 32 hexadecimal digits. It says nothing about whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(u128);

/// A text is not a session's id.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a session id; it looks like ses_0193f1c2d4e87a6b9c0d1e2f3a4b5c6d")]
pub struct InvalidSessionId(String);

/// What one (tenant, user, thread, run) has used since its first call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    id: SessionId,
    tenant: TenantId,
    user: UserId,
    thread: Option<ThreadId>,
    run: Option<RunId>,
    started_at: Timestamp,
    last_at: Timestamp,
    total: Tally,
    by_agent: Groups,
    by_model: Groups,
}

// === impl SessionId ===

impl SessionId {
    /// The same for the same caller and start, and for no other: nothing needs to be drawn by lot.
    fn of(who: &Who, started_at: Timestamp) -> SessionId {
        let started_at = started_at.as_nanosecond().to_string();
        let thread = who.thread.as_ref().map_or("", |thread| thread.as_str());
        let run = who.run.as_ref().map_or("", |run| run.as_str());
        let mut hasher = blake3::Hasher::new();
        // No name is empty or has a control character, so that the parts cannot run together.
        for part in [who.tenant.as_str(), who.user.as_str(), thread, run, &started_at] {
            hasher.update(part.as_bytes()).update(&[0]);
        }
        let mut id = [0; 16];
        hasher.finalize_xof().fill(&mut id);
        SessionId(u128::from_be_bytes(id))
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ses_{:032x}", self.0)
    }
}

impl FromStr for SessionId {
    type Err = InvalidSessionId;

    fn from_str(text: &str) -> Result<SessionId, InvalidSessionId> {
        let hex = text.strip_prefix("ses_").filter(|hex| hex.len() == 32);
        let digits = hex.filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let id = digits.and_then(|digits| u128::from_str_radix(digits, 16).ok());
        id.map(SessionId).ok_or_else(|| InvalidSessionId(text.chars().take(64).collect()))
    }
}

impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

// === impl Session ===

impl Session {
    /// A session that begins.
    pub fn new(who: &Who, started_at: Timestamp) -> Session {
        Session {
            id: SessionId::of(who, started_at),
            tenant: who.tenant.clone(),
            user: who.user.clone(),
            thread: who.thread.clone(),
            run: who.run.clone(),
            started_at,
            last_at: started_at,
            total: Tally::default(),
            by_agent: Groups::default(),
            by_model: Groups::default(),
        }
    }

    /// Its name.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// When it began.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// What it used so far.
    pub fn total(&self) -> &Tally {
        &self.total
    }

    /// Adds an operation.
    pub fn track(&mut self, operation: &Operation) {
        self.last_at = self.last_at.max(operation.at);
        self.total = self.total.with(operation);
        let agent = operation.agent.as_ref().map(|agent| agent.as_str());
        self.by_agent.add(agent, operation);
        self.by_model.add(Some(operation.model.as_str()), operation);
    }

    /// Adds an optimization.
    pub fn record_optimization(&mut self, optimization: &Optimization) {
        self.total = self.total.with_optimization(optimization);
    }
}

#[cfg(test)]
mod tests;
