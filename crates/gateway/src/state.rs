//! The gateway: an engine, and whom it may call.

use std::fmt;
use std::sync::Arc;

use farthing_core::id::{RequestId, TenantId};
use farthing_engine::{Engine, Route};
use farthing_ledger::vault::Vault;
use uuid::Uuid;

use crate::repeats::Repeats;

/// The gateway: an engine, and whom it may call. Copies share both.
#[derive(Clone, Debug)]
pub struct Gateway(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Arc<Engine>,
    settings: Settings,
    repeats: Repeats,
}

/// What the gateway is told by the configuration.
#[derive(Debug)]
pub struct Settings {
    /// The tenant on whose account everything is while there are no keys.
    pub tenant: TenantId,
    /// Whom it may call, the preferred one of each dialect first, each with whom to call instead.
    pub routes: Vec<Route>,
    /// The longest body of a request, in bytes.
    pub max_body_bytes: usize,
    /// Makes ids.
    pub ids: Ids,
}

/// Makes the ids of requests. The binary hands in a real source, tests one that can be foreseen.
#[derive(Clone)]
pub struct Ids(Arc<dyn Fn() -> Uuid + Send + Sync>);

// === impl Gateway ===

impl Gateway {
    /// A gateway before an engine, with a place to keep answers for requests that repeat.
    pub fn new(engine: Arc<Engine>, vault: Vault, settings: Settings) -> Gateway {
        Gateway(Arc::new(Inner { engine, settings, repeats: Repeats::new(vault) }))
    }

    /// The engine.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.0.engine
    }

    pub(crate) fn repeats(&self) -> &Repeats {
        &self.0.repeats
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn new_request_id(&self) -> RequestId {
        self.0.settings.ids.next()
    }
}

// === impl Ids ===

impl Ids {
    /// Ids from `next`, which must never give the same one twice.
    pub fn new(next: impl Fn() -> Uuid + Send + Sync + 'static) -> Ids {
        Ids(Arc::new(next))
    }

    fn next(&self) -> RequestId {
        RequestId::new((self.0)())
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ids")
    }
}
