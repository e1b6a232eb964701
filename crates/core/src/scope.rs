//! Whose data a query may see.

use crate::id::{TenantId, UserId};

/// The part of the ledger that a query sees. No query can be made without one.
///
/// It comes from the authenticated caller, never from what a request says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    tenant: TenantId,
    user: Option<UserId>,
}

// === impl Scope ===

impl Scope {
    /// One user's own data.
    pub fn user(tenant: TenantId, user: UserId) -> Scope {
        Scope { tenant, user: Some(user) }
    }

    /// Every user's data of one tenant: for administrators only.
    pub fn all_users(tenant: TenantId) -> Scope {
        Scope { tenant, user: None }
    }

    /// The tenant.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The only user, or none where all of the tenant's users are in scope.
    pub fn only_user(&self) -> Option<&UserId> {
        self.user.as_ref()
    }
}
