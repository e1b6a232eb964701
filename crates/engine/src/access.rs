//! Who may call: the keys, and what goes without one.
//!
//! Keys are documents of the ledger, so every change of one is durable and written down. They are read
//! once; a look-up is a hash and a look into a map.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use farthing_core::id::{KeyId, TenantId};
use farthing_core::identity::{Denied, Grant, Key, KeyHash, KeySecret, Pepper, Principal};
use farthing_ledger::Ledger;
use farthing_ledger::error::Unavailable;
use farthing_ledger::item::DocumentId;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

/// What keys are among the documents.
const KIND: &str = "key";

/// Who may call.
#[derive(Debug)]
pub struct Access {
    ledger: Ledger,
    pepper: Pepper,
    /// What whoever reaches the gateway may do while there are no keys; `None` where keys are wanted
    /// in any case.
    open: Option<Arc<Grant>>,
    keys: RwLock<Keys>,
}

#[derive(Debug, Default)]
struct Keys {
    by_id: HashMap<KeyId, Arc<Key>>,
    by_hash: HashMap<KeyHash, KeyId>,
}

/// A caller is not let in.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoAccess {
    /// Nothing was shown that could be a key.
    #[error(
        "a key is needed; send it as `Authorization: Bearer fk_...`, `x-api-key` or \
         `x-farthing-key`, or have one made with `farthing keys create`"
    )]
    Missing,
    /// What was shown does not allow it.
    #[error("{0}")]
    Denied(#[from] Denied),
}

/// A key cannot be changed.
#[derive(Debug, Error)]
pub enum KeyError {
    /// There is none of this name within reach.
    #[error("there is no key `{0}` within your reach; check the id")]
    NotThere(KeyId),
    /// There is one already.
    #[error("there is a key `{0}` already; choose another id, or rotate it")]
    Taken(KeyId),
    /// What is kept is no key: the store is damaged.
    #[error("key `{0}` cannot be read; revoke it and make a new one")]
    Damaged(KeyId),
    /// It cannot be recorded.
    #[error("{0}")]
    Unavailable(#[from] Unavailable),
}

// === impl Access ===

impl Access {
    /// Reads the keys of a ledger.
    pub fn new(ledger: Ledger, pepper: Pepper, open: Option<Grant>) -> Access {
        let mut keys = Keys::default();
        for document in ledger.documents_at_open(KIND) {
            match serde_json::from_str::<Key>(&document.json) {
                Ok(key) => keys.insert(key),
                Err(error) => tracing::error!(key = document.id.id, "key cannot be read: {error}"),
            }
        }
        Access { ledger, pepper, open: open.map(Arc::new), keys: RwLock::new(keys) }
    }

    /// Whether whoever reaches the gateway may call, for there are no keys.
    pub fn is_open(&self) -> bool {
        self.open.is_some() && self.read().by_id.is_empty()
    }

    /// The caller who shows this; in open access, whoever it is.
    ///
    /// # Errors
    /// [`NoAccess`] where a key is missing, not known, or accepted no more.
    pub fn admit(&self, shown: Option<&str>, at: Timestamp) -> Result<Principal, NoAccess> {
        let keys = self.read();
        if let Some(grant) = self.open.as_ref().filter(|_| keys.by_id.is_empty()) {
            return Ok(Principal::new(None, Arc::clone(grant)));
        }
        let shown = shown.ok_or(NoAccess::Missing)?;
        let hash = shown.parse::<KeySecret>().map_err(|_| Denied::Unknown)?.hash(&self.pepper);
        let key = keys.by_hash.get(&hash).and_then(|id| keys.by_id.get(id));
        Ok(key.ok_or(Denied::Unknown)?.admit(&hash, at)?)
    }

    /// The keys of a tenant, in order of their ids.
    pub fn list(&self, tenant: &TenantId) -> Vec<Arc<Key>> {
        let keys = self.read();
        let mut keys: Vec<_> =
            keys.by_id.values().filter(|key| key.grant.tenant == *tenant).map(Arc::clone).collect();
        keys.sort_by(|a, b| a.id.cmp(&b.id));
        keys
    }

    /// Makes a key of these 256 random bits.
    ///
    /// # Errors
    /// [`KeyError`] where its id is taken, or it cannot be recorded.
    pub async fn create(
        &self,
        actor: &str,
        id: KeyId,
        grant: Grant,
        expires_at: Option<Timestamp>,
        random: [u8; 32],
        now: Timestamp,
    ) -> Result<(Arc<Key>, KeySecret), KeyError> {
        // Ids name keys in every tenant, so that a budget's scope is one key's.
        if self.read().by_id.contains_key(&id) {
            return Err(KeyError::Taken(id));
        }
        let (secret, grant) = (KeySecret::new(random), Arc::new(grant));
        let tenant = grant.tenant.clone();
        let key = Key {
            id: id.clone(),
            hash: secret.hash(&self.pepper),
            former: None,
            grant,
            created_at: now,
            expires_at,
            revoked_at: None,
        };
        let key = self.change(actor, &tenant, &id, |before| match before {
            None => Ok(key),
            Some(_) => Err(KeyError::Taken(id.clone())),
        });
        Ok((key.await?, secret))
    }

    /// Gives a key another secret. The one before is accepted for `overlap` more.
    ///
    /// # Errors
    /// [`KeyError`] where there is no such key, or it cannot be recorded.
    pub async fn rotate(
        &self,
        actor: &str,
        tenant: &TenantId,
        id: &KeyId,
        overlap: SignedDuration,
        random: [u8; 32],
        now: Timestamp,
    ) -> Result<(Arc<Key>, KeySecret), KeyError> {
        let secret = KeySecret::new(random);
        let hash = secret.hash(&self.pepper);
        let rotated = self.change(actor, tenant, id, |before| {
            let key = before.ok_or_else(|| KeyError::NotThere(id.clone()))?;
            Ok(key.rotated(hash, now, overlap))
        });
        Ok((rotated.await?, secret))
    }

    /// Accepts a key no more.
    ///
    /// # Errors
    /// [`KeyError`] where there is no such key, or it cannot be recorded.
    pub async fn revoke(
        &self,
        actor: &str,
        tenant: &TenantId,
        id: &KeyId,
        now: Timestamp,
    ) -> Result<Arc<Key>, KeyError> {
        let revoked = self.change(actor, tenant, id, |before| {
            Ok(before.ok_or_else(|| KeyError::NotThere(id.clone()))?.revoked(now))
        });
        revoked.await
    }

    /// Records a key as `change` makes it of what it was, and lets it hold from then on.
    async fn change(
        &self,
        actor: &str,
        tenant: &TenantId,
        id: &KeyId,
        change: impl FnOnce(Option<Key>) -> Result<Key, KeyError>,
    ) -> Result<Arc<Key>, KeyError> {
        let document =
            DocumentId { tenant: tenant.clone(), kind: KIND.to_owned(), id: id.to_string() };
        let damaged = || KeyError::Damaged(id.clone());
        let mut changed = None;
        let recorded = self.ledger.change(document, actor.to_owned(), |before| {
            let before = before.map(serde_json::from_str).transpose().map_err(|_| damaged())?;
            let key = change(before)?;
            let json = serde_json::to_string(&key).map_err(|_| damaged())?;
            changed = Some(key);
            Ok::<_, KeyError>(Some(json))
        });
        recorded.await?;
        let key = Arc::new(changed.ok_or_else(damaged)?);
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.insert(Key::clone(&key));
        Ok(key)
    }

    fn read(&self) -> RwLockReadGuard<'_, Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Keys ===

impl Keys {
    fn insert(&mut self, key: Key) {
        if let Some(before) = self.by_id.get(&key.id) {
            let former = before.former.as_ref().map(|(hash, _)| *hash);
            for hash in former.into_iter().chain([before.hash]) {
                self.by_hash.remove(&hash);
            }
        }
        let former = key.former.as_ref().map(|(hash, _)| *hash);
        for hash in former.into_iter().chain([key.hash]) {
            self.by_hash.insert(hash, key.id.clone());
        }
        self.by_id.insert(key.id.clone(), Arc::new(key));
    }
}
