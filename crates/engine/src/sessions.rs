//! The live sessions of all users: what each (user, conversation, run) has used since its first call.

use std::sync::{Mutex, MutexGuard, PoisonError};

use farthing_core::entry::Who;
use farthing_core::registry::Health;
use farthing_core::scope::Scope;
use farthing_core::session::{SessionFactory, SessionId, SessionLimits, Summary};
use farthing_core::tally::Operation;
use jiff::Timestamp;

/// Sessions that one sweep ends at the most; the next one goes on.
const SWEPT_MAX: usize = 10_000;

/// The live sessions.
#[derive(Debug)]
pub struct Sessions(Mutex<SessionFactory>);

// === impl Sessions ===

impl Sessions {
    /// None yet.
    pub fn new(limits: SessionLimits) -> Sessions {
        Sessions(Mutex::new(SessionFactory::new(limits)))
    }

    /// The caller's session, which begins with the first call: what it has come to, and whether it
    /// begins now. `None` where the gateway is stopping.
    pub fn open(&self, who: &Who, at: Timestamp) -> Option<(Summary, bool)> {
        let mut sessions = self.lock();
        let opened = sessions.open(who, at)?;
        opened.ended.iter().for_each(record);
        Some((Summary::of(opened.session, None, at), opened.is_new))
    }

    /// Adds a call to the caller's session; gives what it has come to.
    pub fn track(&self, who: &Who, operation: &Operation) -> Option<Summary> {
        let mut sessions = self.lock();
        let opened = sessions.open(who, operation.at)?;
        opened.session.track(operation);
        opened.ended.iter().for_each(record);
        Some(Summary::of(opened.session, None, operation.at))
    }

    /// The sessions in scope that go on, the oldest first.
    pub fn list(&self, scope: &Scope, at: Timestamp) -> Vec<Summary> {
        self.lock().list(scope, at)
    }

    /// One session; `None` where it is not in scope, whether or not it exists.
    pub fn get(&self, scope: &Scope, id: SessionId, at: Timestamp) -> Option<Summary> {
        self.lock().get(scope, id, at)
    }

    /// Ends one session; `None` where it is not in scope, whether or not it exists.
    pub fn finalize(&self, scope: &Scope, id: SessionId, at: Timestamp) -> Option<Summary> {
        let summary = self.lock().finalize(scope, id, at);
        summary.iter().for_each(record);
        summary
    }

    /// Ends the sessions whose time is up.
    pub fn sweep(&self, at: Timestamp) {
        self.lock().sweep(at, SWEPT_MAX).iter().for_each(record);
    }

    /// How they stand.
    pub fn health(&self) -> Health {
        self.lock().health()
    }

    fn lock(&self) -> MutexGuard<'_, SessionFactory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a session came to is in the log; each of its calls is in the ledger.
fn record(summary: &Summary) {
    let Summary { id, total, tokens, ended, .. } = summary;
    let (operations, cost) = (total.operations, total.cost);
    tracing::info!(session = %id, operations, tokens, %cost, ?ended, "a session has ended");
}
