//! The immutable value that travels with a call.

mod log;
mod metadata;

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use thiserror::Error;

pub use self::log::Log;
pub use self::metadata::{InvalidMetadata, Metadata};
use crate::anatomy::Anatomy;
use crate::entry::{Bill, Who};
use crate::id::{AgentId, RequestId};
use crate::tally::{Operation, Optimization, Recommendation, Tally};

/// How many contexts one may lie within: agents that call each other without end spend without end.
pub const DEPTH_MAX: u32 = 64;

/// Who calls, which request, and what has been learned about it so far.
///
/// No operation changes a context: each returns a new one and the old one stays valid. Copies
/// share what they hold, so each operation takes the same time and memory, however many came before.
///
/// ```
/// # use farthing_core::context::Context;
/// # use farthing_core::entry::Who;
/// # use farthing_core::id::RequestId;
/// # use uuid::Uuid;
/// # let who = Who::new("acme".parse().unwrap(), "ada".parse().unwrap());
/// let ctx = Context::new(who, RequestId::new(Uuid::from_u128(1)), "2026-11-22T12:00Z".parse().unwrap());
/// let labelled = ctx.label("ticket", "4711").unwrap();
/// assert_eq!((ctx.metadata().get("ticket"), labelled.metadata().get("ticket")), (None, Some("4711")));
/// ```
///
/// What it holds cannot be reached from outside but for reading:
///
/// ```compile_fail,E0616
/// # use farthing_core::context::Context;
/// # use farthing_core::entry::Who;
/// # use farthing_core::id::RequestId;
/// # use uuid::Uuid;
/// # let who = Who::new("acme".parse().unwrap(), "ada".parse().unwrap());
/// let mut ctx = Context::new(who, RequestId::new(Uuid::from_u128(1)), "2026-11-22T12:00Z".parse().unwrap());
/// ctx.depth = 1;
/// ```
///
/// nor can what it hands out be changed:
///
/// ```compile_fail,E0596
/// # use farthing_core::context::Context;
/// # use farthing_core::entry::Who;
/// # use farthing_core::id::RequestId;
/// # use uuid::Uuid;
/// # let who = Who::new("acme".parse().unwrap(), "ada".parse().unwrap());
/// let mut ctx = Context::new(who, RequestId::new(Uuid::from_u128(1)), "2026-11-22T12:00Z".parse().unwrap());
/// ctx.who().agent.take();
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct Context {
    who: Arc<Who>,
    request: RequestId,
    parent: Option<RequestId>,
    depth: u32,
    created_at: Timestamp,
    forwarded_at: Option<Timestamp>,
    metadata: Metadata,
    anatomy: Option<Arc<Anatomy>>,
    #[serde(skip)]
    bill: Option<Arc<Bill>>,
    total: Arc<Tally>,
    usage: Log<Operation>,
    optimizations: Log<Optimization>,
    recommendations: Log<Recommendation>,
}

/// A context would lie within too many others.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "request {0} lies within {DEPTH_MAX} others already; let agents call each other less deeply"
)]
pub struct TooDeep(RequestId);

// === impl Context ===

impl Context {
    /// The context of a new request.
    pub fn new(who: Who, request: RequestId, created_at: Timestamp) -> Context {
        Context {
            who: Arc::new(who),
            request,
            parent: None,
            depth: 0,
            created_at,
            forwarded_at: None,
            metadata: Metadata::default(),
            anatomy: None,
            bill: None,
            total: Arc::default(),
            usage: Log::default(),
            optimizations: Log::default(),
            recommendations: Log::default(),
        }
    }

    /// On whose account the call is.
    pub fn who(&self) -> &Arc<Who> {
        &self.who
    }

    /// The request.
    pub fn request(&self) -> RequestId {
        self.request
    }

    /// The request that this one serves, where an agent calls another.
    pub fn parent(&self) -> Option<RequestId> {
        self.parent
    }

    /// How many requests this one lies within.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// When the request came.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When a provider was first asked; the time before that is ours.
    pub fn forwarded_at(&self) -> Option<Timestamp> {
        self.forwarded_at
    }

    /// The caller's own labels.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Our count of the prompt, once it was taken.
    pub fn anatomy(&self) -> Option<&Anatomy> {
        self.anatomy.as_deref()
    }

    /// What the call cost, once it has ended.
    pub fn bill(&self) -> Option<&Arc<Bill>> {
        self.bill.as_ref()
    }

    /// What all tracked operations and recorded optimizations come to.
    pub fn total(&self) -> &Tally {
        &self.total
    }

    /// The tracked operations.
    pub fn usage(&self) -> &Log<Operation> {
        &self.usage
    }

    /// The recorded optimizations.
    pub fn optimizations(&self) -> &Log<Optimization> {
        &self.optimizations
    }

    /// What was recommended.
    pub fn recommendations(&self) -> &Log<Recommendation> {
        &self.recommendations
    }

    /// The same call, counted.
    #[must_use]
    pub fn counted(&self, anatomy: Anatomy) -> Context {
        Context { anatomy: Some(Arc::new(anatomy)), ..self.clone() }
    }

    /// The same call, on its way to a provider. Of several attempts the first counts.
    #[must_use]
    pub fn forwarded(&self, at: Timestamp) -> Context {
        Context { forwarded_at: self.forwarded_at.or(Some(at)), ..self.clone() }
    }

    /// The same call, billed.
    #[must_use]
    pub fn billed(&self, bill: Arc<Bill>) -> Context {
        Context { bill: Some(bill), ..self.clone() }
    }

    /// With one operation more.
    #[must_use]
    pub fn track_usage(&self, operation: Operation) -> Context {
        let total = Arc::new(self.total.with(&operation));
        Context { total, usage: self.usage.with(operation), ..self.clone() }
    }

    /// With one optimization more.
    #[must_use]
    pub fn record_optimization(&self, optimization: Optimization) -> Context {
        let total = Arc::new(self.total.with_optimization(&optimization));
        Context { total, optimizations: self.optimizations.with(optimization), ..self.clone() }
    }

    /// With these recommendations more.
    #[must_use]
    pub fn add_suggestions(&self, more: impl IntoIterator<Item = Recommendation>) -> Context {
        let recommendations =
            more.into_iter().fold(self.recommendations.clone(), |log, one| log.with(one));
        Context { recommendations, ..self.clone() }
    }

    /// With a label more, or with another value of it.
    ///
    /// # Errors
    /// [`InvalidMetadata`] where the name or the value cannot be kept.
    pub fn label(&self, name: &str, value: &str) -> Result<Context, InvalidMetadata> {
        Ok(Context { metadata: self.metadata.with(name, value)?, ..self.clone() })
    }

    /// The context of a request that serves this one, by another agent if one is named. It has the
    /// same account and labels, and nothing of what was learned.
    ///
    /// # Errors
    /// [`TooDeep`] beyond a depth of 64.
    pub fn child(
        &self,
        request: RequestId,
        agent: Option<AgentId>,
        created_at: Timestamp,
    ) -> Result<Context, TooDeep> {
        if self.depth >= DEPTH_MAX {
            return Err(TooDeep(self.request));
        }
        let agent = agent.or_else(|| self.who.agent.clone());
        let who = Who { agent, ..Who::clone(&self.who) };
        Ok(Context {
            parent: Some(self.request),
            depth: self.depth + 1,
            metadata: self.metadata.clone(),
            ..Context::new(who, request, created_at)
        })
    }
}

#[cfg(test)]
mod tests;
