//! The gateway: an engine, and whom it may call.

use std::fmt;
use std::sync::Arc;

use farthing_core::id::RequestId;
use farthing_engine::{Engine, Route};
use farthing_ledger::vault::Vault;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
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
    listeners: Arc<Semaphore>,
    stopping: watch::Sender<bool>,
}

/// What the gateway is told by the configuration.
#[derive(Debug)]
pub struct Settings {
    /// Whom it may call, the preferred one of each dialect first, each with whom to call instead.
    pub routes: Vec<Route>,
    /// The longest body of a request, in bytes.
    pub max_body_bytes: usize,
    /// How many may listen to events at once.
    pub max_listeners: usize,
    /// Makes ids.
    pub ids: Ids,
    /// Makes secrets.
    pub random: Random,
}

/// Makes the ids of requests. The binary hands in a real source, tests one that can be foreseen.
#[derive(Clone)]
pub struct Ids(Arc<dyn Fn() -> Uuid + Send + Sync>);

/// Makes secrets of 256 bits. The binary hands in a real source.
#[derive(Clone)]
pub struct Random(Arc<dyn Fn() -> [u8; 32] + Send + Sync>);

// === impl Gateway ===

impl Gateway {
    /// A gateway before an engine, with a place to keep answers for requests that repeat.
    pub fn new(engine: Arc<Engine>, vault: Vault, settings: Settings) -> Gateway {
        let listeners = Arc::new(Semaphore::new(settings.max_listeners));
        let (repeats, stopping) = (Repeats::new(vault), watch::Sender::new(false));
        Gateway(Arc::new(Inner { engine, settings, repeats, listeners, stopping }))
    }

    /// The engine.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.0.engine
    }

    /// A place among those who listen to events, given back when it is dropped.
    pub(crate) fn listener(&self) -> Result<OwnedSemaphorePermit, String> {
        Arc::clone(&self.0.listeners).try_acquire_owned().map_err(|_| {
            let limit = self.0.settings.max_listeners;
            format!("{limit} programs listen to events, which is the limit; try again later")
        })
    }

    /// Tells those who listen that the gateway is told to stop.
    pub(crate) fn stop(&self) {
        self.0.stopping.send_replace(true);
    }

    /// Returns once the gateway is told to stop.
    pub(crate) async fn stopping(&self) {
        // It ends in an error only when there is no gateway any more.
        let _ = self.0.stopping.subscribe().wait_for(|stopping| *stopping).await;
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

// === impl Random ===

impl Random {
    /// Secrets from `next`, which nobody else can foresee.
    pub fn new(next: impl Fn() -> [u8; 32] + Send + Sync + 'static) -> Random {
        Random(Arc::new(next))
    }

    pub(crate) fn next(&self) -> [u8; 32] {
        (self.0)()
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}
