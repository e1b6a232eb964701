//! What the writer records.

use std::sync::Arc;

use farthing_core::entry::Entry;
use farthing_core::event::Event;
use farthing_core::id::TenantId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::saving::{Decided, Saving};

/// Something to record. What one item holds is recorded together or not at all.
#[derive(Clone, Debug)]
pub enum Item {
    /// A move of money, with the events that tell of it.
    Entry(Entry, Vec<Event>),
    /// Events of this tenant's users that tell of no move of money.
    Events(TenantId, Vec<Event>),
    /// A change of what an administrator keeps.
    Change(Arc<Change>),
    /// What optimizing a call came to.
    Saving(Arc<Saving>),
    /// What was decided for a conversation.
    Decided(Decided),
}

/// What a commit came to.
#[derive(Clone, Debug, Default)]
pub struct Committed {
    /// How many items were new.
    pub new: usize,
    /// The events, each at its place in its user's sequence.
    pub posted: Vec<Posted>,
}

/// An event at its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// Whose user's it is.
    pub tenant: TenantId,
    /// Counts from 1 for each user, without gaps.
    pub seq: u64,
    /// The event.
    pub event: Arc<Event>,
}

/// Something that an administrator keeps: a key, a user, a budget. The ledger keeps its text and does
/// not look into it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DocumentId {
    /// To whom it belongs.
    pub tenant: TenantId,
    /// What it is, such as `key`.
    pub kind: String,
    /// Its name among its kind.
    pub id: String,
}

/// A document as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Which.
    pub id: DocumentId,
    /// What it says.
    pub json: String,
}

/// A change of a document: it goes into the audit log as it is, and is never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// Who made it.
    pub actor: String,
    /// What was changed.
    pub document: DocumentId,
    /// What it said before; `None` where it was not there.
    pub before: Option<String>,
    /// What it says now; `None` where it was removed.
    pub after: Option<String>,
}

// === impl Item ===

impl Item {
    /// The events that are recorded with it, and whose they are.
    pub fn events(&self) -> impl Iterator<Item = (&TenantId, &Event)> {
        let (tenant, events) = match self {
            Item::Entry(entry, events) => (Some(&entry.who.tenant), events.as_slice()),
            Item::Events(tenant, events) => (Some(tenant), events.as_slice()),
            Item::Change(_) | Item::Saving(_) | Item::Decided(_) => (None, [].as_slice()),
        };
        tenant.into_iter().flat_map(move |tenant| events.iter().map(move |event| (tenant, event)))
    }

    /// The move of money, where it is one.
    pub fn entry(&self) -> Option<&Entry> {
        match self {
            Item::Entry(entry, _) => Some(entry),
            Item::Events(..) | Item::Change(_) | Item::Saving(_) | Item::Decided(_) => None,
        }
    }
}
