//! A call's money while it runs, and the one way in which it ends.

use std::sync::Arc;

use farthing_core::budget::NoRoom;
use farthing_core::entry::{Bill, Ending, Entry};
use farthing_core::event::Event;
use tokio::sync::mpsc::OwnedPermit;

use crate::error::Unavailable;
use crate::item::Item;
use crate::ledger::{Ledger, is_plausible};

/// The longest reason that is kept for a void, in characters.
const REASON_MAX: usize = 256;

/// Money held for one attempt. It ends once: [`settle`](Held::settle), [`void`](Held::void), or,
/// when it is dropped (a cancelled future, a panic), expired. None of them waits or fails, even
/// while the store is failing: the place in the queue was reserved with the hold.
#[derive(Debug)]
#[must_use = "a hold that is dropped is charged in full, for nobody knows how its call ended"]
pub struct Held {
    ledger: Ledger,
    entry: Entry,
    warnings: Vec<NoRoom>,
    /// How many entries were decided when this one was.
    number: u64,
    /// For the ending; taken by it.
    place: Option<OwnedPermit<Item>>,
    /// What is told with the ending.
    events: Vec<Event>,
}

// === impl Held ===

impl Held {
    pub(crate) fn new(
        ledger: Ledger,
        entry: Entry,
        warnings: Vec<NoRoom>,
        number: u64,
        place: OwnedPermit<Item>,
    ) -> Held {
        Held { ledger, entry, warnings, number, place: Some(place), events: Vec::new() }
    }

    /// The hold, as it was recorded.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The soft and shadow budgets that had no room for it.
    pub fn warnings(&self) -> &[NoRoom] {
        &self.warnings
    }

    /// Waits until the hold is durable: from then on no crash can make the call free. While the
    /// store is failing it goes on waiting, as the store may come back; a caller that would rather
    /// give up sets a timeout around it. It may be dropped and called again.
    ///
    /// # Errors
    /// [`Unavailable`] where it will never be durable: the ledger was closed while its store was
    /// failing.
    pub async fn committed(&self) -> Result<(), Unavailable> {
        self.ledger.committed(self.number).await
    }

    /// Events that are recorded with the ending, whatever it will be.
    pub fn tell(&mut self, events: Vec<Event>) {
        self.events.extend(events);
    }

    /// Charges what the call came to, and gives the entry that records it. A bill above the hold is
    /// recorded in full, as an overrun.
    ///
    /// A bill of negative or absurd amounts (above a billion dollars) is not believed: the hold
    /// expires instead, which the entry and the log say.
    pub fn settle(mut self, bill: Arc<Bill>) -> Entry {
        let (id, charged) = (self.entry.id, bill.charged);
        let mut amounts = std::iter::once(charged).chain(bill.cost.usd);
        if !amounts.all(is_plausible) {
            tracing::error!(%id, %charged, "bill is absurd; the hold is charged instead");
            return self.end(Ending::Expire);
        }
        let ended = self.end(Ending::Settle(bill));
        if ended.what.is_overrun() {
            let held = self.entry.what.hold().amount;
            tracing::warn!(%id, %held, %charged, "call cost more than its worst case");
        }
        ended
    }

    /// Releases the hold, as certainly nothing was billed, and gives the entry that records it. The
    /// reason is cut at 256 characters.
    pub fn void(mut self, reason: &str) -> Entry {
        self.end(Ending::Void(reason.chars().take(REASON_MAX).collect()))
    }

    fn end(&mut self, ending: Ending) -> Entry {
        let place = self.place.take();
        let events = std::mem::take(&mut self.events);
        let ended = place.map(|place| self.ledger.end(self.entry.id, ending, events, place));
        if let Some(Ok(ending)) = ended {
            return ending;
        }
        // It cannot be: the place is there until the first ending, and plausible amounts add up.
        tracing::error!(id = %self.entry.id, ?ended, "hold could not be ended");
        self.entry.clone()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.place.is_some() {
            tracing::warn!(id = %self.entry.id, "call was abandoned; its whole hold is charged");
            self.end(Ending::Expire);
        }
    }
}
