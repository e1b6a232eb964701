//! The immutable value that travels with a call.

use std::sync::Arc;

use jiff::Timestamp;

use crate::anatomy::Anatomy;
use crate::entry::{Bill, Who};
use crate::id::RequestId;

/// Who calls, which request, and what has been learned about it so far.
///
/// No operation changes a context: each returns a new one and the old one stays valid. Copies
/// share what they hold.
#[derive(Clone, Debug)]
pub struct Context {
    who: Arc<Who>,
    request: RequestId,
    created_at: Timestamp,
    forwarded_at: Option<Timestamp>,
    anatomy: Option<Arc<Anatomy>>,
    bill: Option<Arc<Bill>>,
}

// === impl Context ===

impl Context {
    /// The context of a new request.
    pub fn new(who: Who, request: RequestId, created_at: Timestamp) -> Context {
        let who = Arc::new(who);
        Context { who, request, created_at, forwarded_at: None, anatomy: None, bill: None }
    }

    /// On whose account the call is.
    pub fn who(&self) -> &Arc<Who> {
        &self.who
    }

    /// The request.
    pub fn request(&self) -> RequestId {
        self.request
    }

    /// When the request came.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When a provider was first asked; the time before that is ours.
    pub fn forwarded_at(&self) -> Option<Timestamp> {
        self.forwarded_at
    }

    /// Our count of the prompt, once it was taken.
    pub fn anatomy(&self) -> Option<&Anatomy> {
        self.anatomy.as_deref()
    }

    /// What the call cost, once it has ended.
    pub fn bill(&self) -> Option<&Arc<Bill>> {
        self.bill.as_ref()
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
}
