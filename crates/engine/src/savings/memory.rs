//! What is remembered of conversations: in memory, and in the ledger for whoever comes after.

use std::sync::{Arc, Mutex};

use farthing_core::entry::Who;
use farthing_core::id::{ModelId, ProviderId, TenantId};
use farthing_core::prompt::{Prompt, Role};
use farthing_ledger::saving::Decided;
use farthing_optimize::{Habits, Thread};

use super::lock;
use crate::engine::Engine;
use crate::live::{Link, Recent, Turn};

/// Conversations that are remembered at least.
const REMEMBERED: usize = 20_000;

/// Agents whose habits are remembered at least.
const AGENTS: usize = 5_000;

/// What is remembered.
#[derive(Debug)]
pub(super) struct Memory {
    threads: Mutex<Recent<Key, Thread>>,
    habits: Mutex<Recent<Key, Habits>>,
    /// Models of providers that refused what was optimized.
    left_alone: Mutex<Recent<Key, ()>>,
}

pub(super) type Key = [u8; 16];

/// Where a conversation stands, with one model of one provider: each has a cache of its own.
#[derive(Debug)]
pub(super) struct Place {
    /// The conversation.
    key: Key,
    /// The model of the provider.
    deployed: Key,
    /// The hash of its first message, by which lots are drawn.
    first: Link,
    /// Its places so far, with all that was said up to each: where it stands now.
    now: String,
    /// And where it may have stood before, newest first.
    before: Vec<String>,
    owner: String,
}

// === impl Place ===

impl Place {
    /// `None` where nothing is said.
    pub(super) fn of(turn: &Turn, provider: &ProviderId, model: &ModelId) -> Option<Place> {
        let of_model = [provider.as_str(), model.as_str()];
        let with = |what: &[u8]| hash(&[what, of_model[0].as_bytes(), of_model[1].as_bytes()]);
        let named = |link: &Link| hex(&with(link));
        let trail = turn.trail();
        let who = &turn.who;
        Some(Place {
            deployed: with(b"model"),
            key: with(turn.conversation().as_bytes()),
            first: trail.first?,
            now: named(&trail.latest?),
            before: trail.earlier.iter().map(named).collect(),
            owner: format!("{}/{}", who.tenant, who.user),
        })
    }

    /// What is remembered of the conversation by, and of the model.
    pub(super) fn keys(&self) -> [Key; 2] {
        [self.key, self.deployed]
    }

    /// Whose it is.
    pub(super) fn owner(&self) -> String {
        self.owner.clone()
    }

    /// The conversation's lot, below a hundred: the same for each of its requests, on any node.
    pub(super) fn lot(&self) -> u8 {
        let [high, low, ..] = hash(&[b"holdout", &self.first]);
        u8::try_from(u16::from_be_bytes([high, low]) % 100).unwrap_or_default()
    }

    /// The conversation's name in receipts.
    pub(super) fn conversation(&self) -> String {
        hex(&self.first)
    }

    /// What is to be recorded.
    pub(super) fn decided(self, who: Arc<Who>, thread: &Thread) -> Decided {
        // Numbers and names always serialise.
        Decided { who, link: self.now, json: serde_json::to_string(thread).unwrap_or_default() }
    }
}

// === impl Memory ===

impl Memory {
    pub(super) fn new() -> Memory {
        Memory {
            threads: Mutex::new(Recent::new(REMEMBERED)),
            habits: Mutex::new(Recent::new(AGENTS)),
            left_alone: Mutex::new(Recent::new(AGENTS)),
        }
    }

    /// The conversation as its latest request left it.
    pub(super) async fn find(&self, place: &Place, engine: &Engine, who: &Who) -> Thread {
        if let Some(known) = lock(&self.threads).get_mut(&place.key) {
            return known.clone();
        }
        if place.before.is_empty() {
            return Thread::default();
        }
        let (tenant, user) = (who.tenant.clone(), who.user.clone());
        let found = engine.parts.ledger.decided(tenant, user, place.before.clone()).await;
        let found = found.ok().flatten().and_then(|json| serde_json::from_str(&json).ok());
        found.unwrap_or_default()
    }

    pub(super) fn put(&self, place: &Place, thread: Thread) {
        lock(&self.threads).insert(place.key, thread);
    }

    /// Notes that all of a conversation was sent as it came.
    pub(super) fn came_unchanged(&self, conversation: &Key) {
        if let Some(thread) = lock(&self.threads).get_mut(conversation) {
            thread.plain = thread.messages;
        }
    }

    /// Changes nothing any more for a model of a provider, until the next start.
    pub(super) fn leave_alone(&self, deployed: Key) {
        lock(&self.left_alone).insert(deployed, ());
    }

    pub(super) fn is_left_alone(&self, place: &Place) -> bool {
        lock(&self.left_alone).get_mut(&place.deployed).is_some()
    }

    /// What the agent's earlier conversations did; this one is taken up among them. One that has
    /// not come back yet counts as one that does not.
    pub(super) fn habits(
        &self,
        place: &Place,
        prompt: &Prompt,
        who: &Who,
        thread: &Thread,
    ) -> Habits {
        let key = agent(place, prompt, who);
        let mut all = lock(&self.habits);
        let habits = all.get_mut(&key).copied().unwrap_or_default();
        let next = match thread.requests {
            0 => Habits { threads: habits.threads.saturating_add(1), ..habits },
            1 => Habits { returned: habits.returned.saturating_add(1), ..habits },
            _ => return habits,
        };
        all.insert(key, next);
        habits
    }
}

/// The program that speaks: by its name, or for want of one by its instructions.
fn agent(place: &Place, prompt: &Prompt, who: &Who) -> Key {
    let tenant = TenantId::as_str(&who.tenant).as_bytes();
    if let Some(agent) = &who.agent {
        return hash(&[b"agent", tenant, agent.as_str().as_bytes()]);
    }
    let system = prompt.messages.iter().take_while(|message| message.role == Role::System);
    let system: Vec<&[u8]> = system.map(|it| prompt.raw(&it.span).as_bytes()).collect();
    let said = system.concat();
    hash(&[b"instructions", tenant, place.owner.as_bytes(), &said])
}

fn hash(parts: &[&[u8]]) -> Key {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&part.len().to_le_bytes()).update(part);
    }
    let mut key = Key::default();
    hasher.finalize_xof().fill(&mut key);
    key
}

fn hex(key: &Key) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}
