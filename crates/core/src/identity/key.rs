//! Keys, and what they allow.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::principal::Principal;
use super::secret::KeyHash;
use crate::id::{KeyId, ModelId, Pattern, PlanId, ProviderId, TeamId, TenantId, UserId};

/// A key, as it is kept: everything but its secret. A change gives a new value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Its public name. It stays the same when the secret is rotated, and with it the key's budgets.
    pub id: KeyId,
    /// The hash of its secret.
    pub hash: KeyHash,
    /// The secret before the last rotation, and when that ceases to be accepted.
    #[serde(default)]
    pub former: Option<(KeyHash, Timestamp)>,
    /// What it allows, and to whom.
    pub grant: Arc<Grant>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ceases to be accepted; `None` for never.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(default)]
    pub revoked_at: Option<Timestamp>,
}

/// What a key allows, and to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Who pays.
    pub tenant: TenantId,
    /// Who belongs together.
    #[serde(default)]
    pub team: Option<TeamId>,
    /// For whom it acts.
    pub holder: Holder,
    /// How far it sees.
    #[serde(default)]
    pub role: Role,
    /// What may be done with it.
    pub permissions: BTreeSet<Permission>,
    /// The plan whose limits hold for it.
    #[serde(default)]
    pub plan: Option<PlanId>,
    /// The models that may be called.
    #[serde(default)]
    pub models: AllowList,
    /// The providers that may be called.
    #[serde(default)]
    pub providers: AllowList,
}

/// For whom a key acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// For this user and nobody else.
    User(UserId),
    /// For whichever user of its tenant a request names; for this one where none is named.
    Service(UserId),
}

/// How far a key sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Only the data of those for whom it acts.
    #[default]
    User,
    /// The data of all users of its tenant.
    Admin,
}

/// What may be done with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Call models.
    Call,
    /// Read usage, requests, budgets.
    Read,
    /// Change keys, users, budgets; takes the role of an administrator too.
    Manage,
}

/// Names that are allowed, by patterns; all, where nothing else is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AllowList(Vec<Pattern>);

/// A key does not allow it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Denied {
    /// No key has the secret that was shown.
    #[error("the key is not known; check that it was copied whole, or have a new one made")]
    Unknown,
    /// Its time is up.
    #[error("key `{0}` expired at {1}; have a new one made")]
    Expired(KeyId, Timestamp),
    /// Its secret was replaced, and the time in which both were accepted is over.
    #[error("the secret of key `{0}` was replaced and ended at {1}; use the new one")]
    Replaced(KeyId, Timestamp),
    /// It was taken back.
    #[error("key `{0}` was revoked at {1}; have a new one made")]
    Revoked(KeyId, Timestamp),
    /// It was not made for this.
    #[error("this key may not {}; use one that may", .0.verb())]
    Permission(Permission),
    /// The model is not on its list.
    #[error("this key may not call model `{0}`; call one that it allows, or have it added")]
    Model(ModelId),
    /// The provider is not on its list.
    #[error("this key may not call provider `{0}`; call one that it allows, or have it added")]
    Provider(ProviderId),
    /// It acts for another user.
    #[error(
        "this key acts for its own user only, not for `{0}`; leave the user out, or use a service key"
    )]
    AnotherUser(UserId),
    /// Only an administrator may.
    #[error("this takes a key with the role of an administrator")]
    AdminsOnly,
}

// === impl Key ===

impl Key {
    /// The caller who shows a secret with this hash.
    ///
    /// # Errors
    /// [`Denied`] where it is not this key's, or the key is accepted no more. Only who has the secret
    /// learns more than that it is not known.
    pub fn admit(&self, shown: &KeyHash, at: Timestamp) -> Result<Principal, Denied> {
        // Both are compared in any case, and each in constant time.
        let is_current = self.hash == *shown;
        let former_until = self.former.as_ref().filter(|(hash, _)| hash == shown);
        match (is_current, former_until) {
            (false, None) => return Err(Denied::Unknown),
            (false, Some((_, until))) if at >= *until => {
                return Err(Denied::Replaced(self.id.clone(), *until));
            }
            _ => {}
        }
        if let Some(revoked) = self.revoked_at.filter(|revoked| at >= *revoked) {
            return Err(Denied::Revoked(self.id.clone(), revoked));
        }
        if let Some(expired) = self.expires_at.filter(|expires| at >= *expires) {
            return Err(Denied::Expired(self.id.clone(), expired));
        }
        Ok(Principal::new(Some(self.id.clone()), Arc::clone(&self.grant)))
    }

    /// The key with a new secret. The one before is accepted for `overlap` more; one before that is
    /// not.
    #[must_use]
    pub fn rotated(&self, new: KeyHash, at: Timestamp, overlap: SignedDuration) -> Key {
        let until = at.checked_add(overlap).unwrap_or(Timestamp::MAX);
        Key { hash: new, former: Some((self.hash, until)), ..self.clone() }
    }

    /// The key, accepted no more from `at` on.
    #[must_use]
    pub fn revoked(&self, at: Timestamp) -> Key {
        let at = self.revoked_at.map_or(at, |earlier| earlier.min(at));
        Key { revoked_at: Some(at), ..self.clone() }
    }
}

// === impl Permission ===

impl Permission {
    const fn verb(self) -> &'static str {
        match self {
            Permission::Call => "call models",
            Permission::Read => "read usage",
            Permission::Manage => "manage anything",
        }
    }
}

// === impl AllowList ===

impl AllowList {
    /// What these patterns match and nothing else; nothing at all without any.
    pub fn only(patterns: impl IntoIterator<Item = Pattern>) -> AllowList {
        AllowList(patterns.into_iter().collect())
    }

    /// Whether a name is allowed.
    pub fn allows(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(name))
    }
}

impl Default for AllowList {
    fn default() -> AllowList {
        AllowList(vec![Pattern::any()])
    }
}
