//! The authenticated caller.

use std::sync::Arc;

use super::key::{Denied, Grant, Holder, Permission, Role};
use crate::entry::Who;
use crate::id::{KeyId, ModelId, PlanId, ProviderId, TenantId, UserId};
use crate::scope::Scope;

/// The authenticated caller. What a request says about itself cannot widen it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    key: Option<KeyId>,
    grant: Arc<Grant>,
}

// === impl Principal ===

impl Principal {
    /// A caller with a key, or without one where access is open.
    pub const fn new(key: Option<KeyId>, grant: Arc<Grant>) -> Principal {
        Principal { key, grant }
    }

    /// The tenant that it belongs to.
    pub fn tenant(&self) -> &TenantId {
        &self.grant.tenant
    }

    /// The key that was shown.
    pub fn key(&self) -> Option<&KeyId> {
        self.key.as_ref()
    }

    /// The plan whose limits hold.
    pub fn plan(&self) -> Option<&PlanId> {
        self.grant.plan.as_ref()
    }

    /// Whether something may be done.
    ///
    /// # Errors
    /// [`Denied`] where it may not.
    pub fn may(&self, permission: Permission) -> Result<(), Denied> {
        if !self.grant.permissions.contains(&permission) {
            return Err(Denied::Permission(permission));
        }
        match permission {
            Permission::Manage if self.grant.role != Role::Admin => Err(Denied::AdminsOnly),
            Permission::Call | Permission::Read | Permission::Manage => Ok(()),
        }
    }

    /// Whether a model of a provider may be called.
    ///
    /// # Errors
    /// [`Denied`] where it may not.
    pub fn may_call(&self, provider: &ProviderId, model: &ModelId) -> Result<(), Denied> {
        self.may(Permission::Call)?;
        if !self.grant.providers.allows(provider.as_str()) {
            return Err(Denied::Provider(provider.clone()));
        }
        if !self.grant.models.allows(model.as_str()) {
            return Err(Denied::Model(model.clone()));
        }
        Ok(())
    }

    /// On whose account a call is that names this user, or none. Its labels are not set.
    ///
    /// # Errors
    /// [`Denied`] where the key may not act for that user.
    pub fn who(&self, named: Option<UserId>) -> Result<Who, Denied> {
        let user = self.user(named)?;
        let (team, key) = (self.grant.team.clone(), self.key.clone());
        Ok(Who { team, key, ..Who::new(self.grant.tenant.clone(), user) })
    }

    /// What a query may see that names this user, or none: an administrator who names none sees all
    /// users of the tenant.
    ///
    /// # Errors
    /// [`Denied`] where the key may not read, or not that user's data.
    pub fn scope(&self, named: Option<UserId>) -> Result<Scope, Denied> {
        self.may(Permission::Read)?;
        let tenant = self.grant.tenant.clone();
        match (self.grant.role, named) {
            (Role::Admin, None) => Ok(Scope::all_users(tenant)),
            (Role::Admin, Some(user)) => Ok(Scope::user(tenant, user)),
            (Role::User, named) => Ok(Scope::user(tenant, self.user(named)?)),
        }
    }

    fn user(&self, named: Option<UserId>) -> Result<UserId, Denied> {
        match (&self.grant.holder, named) {
            (Holder::User(own), Some(named)) if named != *own => Err(Denied::AnotherUser(named)),
            (Holder::User(own), _) => Ok(own.clone()),
            (Holder::Service(_), Some(named)) => Ok(named),
            (Holder::Service(default), None) => Ok(default.clone()),
        }
    }
}
