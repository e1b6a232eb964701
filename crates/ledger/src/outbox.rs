//! Live events, once they are durable, to those who listen.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use farthing_core::id::{TenantId, UserId};
use tokio::sync::broadcast;

use crate::item::Posted;

/// How many events a slow listener may lag behind. Then it reads the store, which has them all.
const BACKLOG: usize = 256;

/// So often, in users who are listened to, those whom nobody listens to any more are forgotten.
const FORGET_EVERY: usize = 1_024;

/// Hands every committed event to whoever listens to its user. Nobody waits for a slow listener: it
/// is told that it lags, and the store has what it missed.
#[derive(Clone, Debug)]
pub struct Outbox {
    by_user: Arc<Mutex<HashMap<(TenantId, UserId), broadcast::Sender<Posted>>>>,
    all: broadcast::Sender<Posted>,
}

// === impl Outbox ===

impl Outbox {
    pub(crate) fn new() -> Outbox {
        Outbox { by_user: Arc::default(), all: broadcast::Sender::new(BACKLOG) }
    }

    /// Listens to one user's events from now on.
    pub fn listen(&self, tenant: &TenantId, user: &UserId) -> broadcast::Receiver<Posted> {
        let mut by_user = self.lock();
        if by_user.len().is_multiple_of(FORGET_EVERY) {
            by_user.retain(|_, listeners| listeners.receiver_count() > 0);
        }
        let key = (tenant.clone(), user.clone());
        by_user.entry(key).or_insert_with(|| broadcast::Sender::new(BACKLOG)).subscribe()
    }

    /// Listens to everybody's events: for parts of this very program, never for a caller.
    pub fn listen_to_all(&self) -> broadcast::Receiver<Posted> {
        self.all.subscribe()
    }

    /// Hands events to whoever listens, and forgets whom nobody listens to.
    pub(crate) fn publish(&self, posted: Vec<Posted>) {
        if posted.is_empty() {
            return;
        }
        let mut by_user = self.lock();
        for posted in posted {
            let key = (posted.tenant.clone(), posted.event.user_id.clone());
            if let Some(listeners) = by_user.get(&key)
                && listeners.send(posted.clone()).is_err()
            {
                by_user.remove(&key);
            }
            // An error says only that nobody listens.
            let _ = self.all.send(posted);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(TenantId, UserId), broadcast::Sender<Posted>>> {
        self.by_user.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
