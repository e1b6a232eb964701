//! The one registry: values by tenant, user and name, each made when it is first asked for and gone
//! when its time is up. Sessions, provider clients and breakers live in it.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use thiserror::Error;

use crate::id::{TenantId, UserId};

/// Values of type `T`, each at a name of type `N` among those of its owner. Nobody reaches a value
/// without naming its owner.
///
/// It reads no clock: every operation is told the time. Values that expire or give way to others are
/// handed back, so that they can be ended in order.
#[derive(Debug)]
pub struct Registry<N, T> {
    limits: Limits,
    slots: HashMap<Owner, HashMap<N, Slot<T>>>,
    /// What expires first, first; the number tells those apart that expire together.
    queue: BTreeMap<Expiry, (Owner, N)>,
    next_number: u64,
    frozen: bool,
    counters: Counters,
}

type Expiry = (Timestamp, u64);

#[derive(Debug)]
struct Slot<T> {
    value: T,
    made_at: Timestamp,
    used_at: Timestamp,
    expiry: Expiry,
}

/// Whose a value is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Owner {
    /// The tenant.
    pub tenant: TenantId,
    /// The user of the tenant.
    pub user: UserId,
}

/// How many values there may be, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Values in all, at least one. One more takes the place of the one that would expire first.
    pub capacity: usize,
    /// Values of one owner, at least one. One more takes the place of the owner's that was not used
    /// for longest.
    pub per_owner: usize,
    /// How long after it was last asked for a value expires.
    pub idle: SignedDuration,
    /// How long after it was made a value expires in any case.
    pub age: SignedDuration,
}

/// A value that was found or made.
#[derive(Debug)]
pub struct Obtained<'a, N, T> {
    /// The value.
    pub value: &'a mut T,
    /// Whether it was made just now.
    pub is_new: bool,
    /// What had to go: at most two values.
    pub removed: Vec<Removed<N, T>>,
}

/// A value that is no longer in the registry.
#[derive(Debug, PartialEq, Eq)]
pub struct Removed<N, T> {
    /// Whose it was.
    pub owner: Owner,
    /// Its name.
    pub name: N,
    /// The value.
    pub value: T,
    /// Why it went.
    pub why: Why,
}

/// Why a value is no longer in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Its time was up.
    Expired,
    /// Another took its place.
    Displaced,
    /// It was taken out.
    Removed,
}

/// Why there is no value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoValue<E> {
    /// Nothing is made any more.
    #[error("the registry is frozen; nothing new is taken in")]
    Frozen,
    /// It could not be made.
    #[error(transparent)]
    NotMade(E),
}

/// What happened since the registry was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Values that were made.
    pub made: u64,
    /// How often one was found.
    pub found: u64,
    /// Values whose time was up.
    pub expired: u64,
    /// Values that gave way to others.
    pub displaced: u64,
    /// Values that were taken out.
    pub removed: u64,
    /// How often none was made, as the registry was frozen or the factory failed.
    pub refused: u64,
}

/// How a registry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Values in it.
    pub len: usize,
    /// Their owners.
    pub owners: usize,
    /// Whether nothing new is taken in.
    pub frozen: bool,
    /// How much it may hold.
    pub limits: Limits,
    /// What happened.
    pub counters: Counters,
}

// === impl Registry ===

impl<N: Clone + Eq + Hash, T> Registry<N, T> {
    /// An empty registry.
    pub fn new(limits: Limits) -> Registry<N, T> {
        let limits = Limits {
            capacity: limits.capacity.max(1),
            per_owner: limits.per_owner.max(1),
            ..limits
        };
        Registry {
            limits,
            slots: HashMap::new(),
            queue: BTreeMap::new(),
            next_number: 0,
            frozen: false,
            counters: Counters::default(),
        }
    }

    /// The owner's value of this name; made, where there is none.
    ///
    /// # Errors
    /// [`NoValue`] where there is none and none can be made. A value that had expired stays until
    /// the next sweep then.
    pub fn obtain<E>(
        &mut self,
        owner: &Owner,
        name: &N,
        at: Timestamp,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Obtained<'_, N, T>, NoValue<E>> {
        let is_new = !self.has(owner, name, at);
        let mut removed = Vec::new();
        if is_new {
            let value =
                if self.frozen { Err(NoValue::Frozen) } else { make().map_err(NoValue::NotMade) };
            let value = value.inspect_err(|_| count(&mut self.counters.refused))?;
            removed.extend(self.take(owner, name, Why::Expired));
            removed.extend(self.make_room(owner, at));
            self.insert(owner, name, at, value);
        } else {
            count(&mut self.counters.found);
        }
        // It is always there by now.
        let value = self.touch(owner, name, at).ok_or(NoValue::Frozen)?;
        Ok(Obtained { value, is_new, removed })
    }

    /// The owner's value of this name, which lives on for it.
    pub fn get(&mut self, owner: &Owner, name: &N, at: Timestamp) -> Option<&mut T> {
        if !self.has(owner, name, at) {
            return None;
        }
        count(&mut self.counters.found);
        self.touch(owner, name, at)
    }

    /// The owner's values, in no order.
    pub fn of_owner(&self, owner: &Owner, at: Timestamp) -> impl Iterator<Item = (&N, &T)> {
        let slots = self.slots.get(owner).into_iter().flatten();
        slots.filter(move |(_, slot)| slot.expiry.0 > at).map(|(name, slot)| (name, &slot.value))
    }

    /// All values of a tenant, in no order.
    pub fn of_tenant(
        &self,
        tenant: &TenantId,
        at: Timestamp,
    ) -> impl Iterator<Item = (&Owner, &N, &T)> {
        let owners = self.slots.keys().filter(move |owner| owner.tenant == *tenant);
        owners.flat_map(move |owner| {
            self.of_owner(owner, at).map(move |(name, value)| (owner, name, value))
        })
    }

    /// Takes a value out.
    pub fn remove(&mut self, owner: &Owner, name: &N) -> Option<Removed<N, T>> {
        self.take(owner, name, Why::Removed)
    }

    /// Takes out what has expired, at most `most` values: so long a sweep may take.
    pub fn sweep(&mut self, at: Timestamp, most: usize) -> Vec<Removed<N, T>> {
        let expired = self.queue.range(..=(at, u64::MAX)).take(most);
        let expired: Vec<(Owner, N)> = expired.map(|(_, place)| place.clone()).collect();
        expired.iter().filter_map(|(owner, name)| self.take(owner, name, Why::Expired)).collect()
    }

    /// Takes nothing new in from now on. What is there is found, and expires, as before.
    pub fn freeze(&mut self) {
        self.frozen = true;
    }

    /// How it stands.
    pub fn health(&self) -> Health {
        Health {
            len: self.queue.len(),
            owners: self.slots.len(),
            frozen: self.frozen,
            limits: self.limits,
            counters: self.counters,
        }
    }

    fn has(&self, owner: &Owner, name: &N, at: Timestamp) -> bool {
        let slot = self.slots.get(owner).and_then(|slots| slots.get(name));
        slot.is_some_and(|slot| slot.expiry.0 > at)
    }

    /// Makes room for one more of this owner's.
    fn make_room(&mut self, owner: &Owner, at: Timestamp) -> Option<Removed<N, T>> {
        let own = self.slots.get(owner).filter(|slots| slots.len() >= self.limits.per_owner);
        let (expires_at, (owner, name)) = if let Some(own) = own {
            let idle = own.iter().min_by_key(|(_, slot)| (slot.used_at, slot.expiry));
            idle.map(|(name, slot)| (slot.expiry.0, (owner.clone(), name.clone())))?
        } else if self.queue.len() >= self.limits.capacity {
            self.queue.iter().next().map(|(expiry, place)| (expiry.0, place.clone()))?
        } else {
            return None;
        };
        let why = if expires_at <= at { Why::Expired } else { Why::Displaced };
        self.take(&owner, &name, why)
    }

    fn insert(&mut self, owner: &Owner, name: &N, at: Timestamp, value: T) {
        let expiry = (self.expires_at(at, at), self.next_number);
        self.next_number = self.next_number.wrapping_add(1);
        let slots = self.slots.entry(owner.clone()).or_default();
        slots.insert(name.clone(), Slot { value, made_at: at, used_at: at, expiry });
        self.queue.insert(expiry, (owner.clone(), name.clone()));
        count(&mut self.counters.made);
    }

    /// Lets a value live on, as it was asked for.
    fn touch(&mut self, owner: &Owner, name: &N, at: Timestamp) -> Option<&mut T> {
        let made_at = self.slots.get(owner)?.get(name)?.made_at;
        let expires_at = self.expires_at(made_at, at);
        let slot = self.slots.get_mut(owner)?.get_mut(name)?;
        slot.used_at = slot.used_at.max(at);
        if slot.expiry.0 != expires_at
            && let Some(place) = self.queue.remove(&slot.expiry)
        {
            slot.expiry.0 = expires_at;
            self.queue.insert(slot.expiry, place);
        }
        Some(&mut slot.value)
    }

    fn take(&mut self, owner: &Owner, name: &N, why: Why) -> Option<Removed<N, T>> {
        let slots = self.slots.get_mut(owner)?;
        let (name, slot) = slots.remove_entry(name)?;
        if slots.is_empty() {
            self.slots.remove(owner);
        }
        self.queue.remove(&slot.expiry);
        count(match why {
            Why::Expired => &mut self.counters.expired,
            Why::Displaced => &mut self.counters.displaced,
            Why::Removed => &mut self.counters.removed,
        });
        Some(Removed { owner: owner.clone(), name, value: slot.value, why })
    }

    fn expires_at(&self, made_at: Timestamp, used_at: Timestamp) -> Timestamp {
        let after = |at: Timestamp, time| at.checked_add(time).unwrap_or(Timestamp::MAX);
        after(made_at, self.limits.age).min(after(used_at, self.limits.idle))
    }
}

fn count(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}

#[cfg(test)]
#[path = "registry_tests.rs"]
mod tests;
