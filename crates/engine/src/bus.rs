//! Live events to those who listen.

use farthing_core::event::Event;
use tokio::sync::broadcast;

/// How many events a slow listener may lag behind before it misses the oldest.
const BACKLOG: usize = 1_024;

/// Hands every event to every listener. Nobody waits for a slow one: it misses the oldest events
/// and is told how many. What must not be lost is in the ledger.
#[derive(Clone, Debug)]
pub struct Bus(broadcast::Sender<Event>);

// === impl Bus ===

impl Bus {
    /// A bus without listeners.
    pub fn new() -> Bus {
        Bus(broadcast::Sender::new(BACKLOG))
    }

    /// Listens to all events from now on. Whoever shows them to a user keeps to that user's own.
    pub fn listen(&self) -> broadcast::Receiver<Event> {
        self.0.subscribe()
    }

    /// Hands an event to whoever listens.
    pub fn emit(&self, event: Event) {
        // An error says only that nobody listens.
        let _ = self.0.send(event);
    }
}

impl Default for Bus {
    fn default() -> Bus {
        Bus::new()
    }
}
