//! One configured address and key.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use farthing_core::id::ProviderId;
use farthing_wire::Dialect;
use thiserror::Error;

use crate::breaker::{Breaker, BreakerLimits};

/// A provider's API at one address, with one key.
#[derive(Debug)]
pub struct Deployment {
    /// The name that it has in the configuration.
    pub provider: ProviderId,
    /// The provider in the catalog whose prices it has.
    pub prices: ProviderId,
    /// What it speaks.
    pub dialect: Dialect,
    /// Where it is, without a slash at the end: `https://api.openai.com/v1`.
    pub base_url: String,
    /// The provider's key; without one the client's own credential is passed on.
    pub key: Option<Secret>,
    /// Whether it has failed so often that it is left alone.
    pub breaker: Breaker,
    /// Whether it once refused to be asked for a stream's usage.
    refuses_usage: AtomicBool,
}

/// Whom to call, and whom instead, in this order. It is never empty.
#[derive(Clone, Debug)]
pub struct Route {
    first: Arc<Deployment>,
    others: Vec<Arc<Deployment>>,
}

/// A fallback without a key of its own would be called with the client's credential for another.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "fallback `{0}` has no key of its own, and a client's key must not go to another provider; \
     set the variable that its `api_key_env` names"
)]
pub struct KeylessFallback(ProviderId);

/// A text that is never shown, logged or serialised.
#[derive(Clone)]
pub struct Secret(String);

// === impl Deployment ===

impl Deployment {
    /// A deployment without a key of its own, whose prices are those of its name.
    pub fn new(
        provider: ProviderId,
        dialect: Dialect,
        base_url: String,
        limits: BreakerLimits,
    ) -> Deployment {
        Deployment {
            prices: provider.clone(),
            provider,
            dialect,
            base_url,
            key: None,
            breaker: Breaker::new(limits),
            refuses_usage: AtomicBool::new(false),
        }
    }

    /// The same deployment with another provider's prices.
    #[must_use]
    pub fn priced_as(self, prices: ProviderId) -> Deployment {
        Deployment { prices, ..self }
    }

    /// The same deployment with a key, where there is one.
    #[must_use]
    pub fn with_key(self, key: Option<Secret>) -> Deployment {
        Deployment { key, ..self }
    }

    /// Whether a stream's usage may be asked for on a client's behalf.
    pub fn may_ask_usage(&self) -> bool {
        !self.refuses_usage.load(Ordering::Relaxed)
    }

    /// Remembers that it refuses to be asked for a stream's usage.
    pub fn refused_usage(&self) {
        self.refuses_usage.store(true, Ordering::Relaxed);
    }

    /// The address of an endpoint, given as the dialect names it (`/chat/completions`).
    pub fn url(&self, endpoint: &str) -> String {
        format!("{}{endpoint}", self.base_url.trim_end_matches('/'))
    }
}

// === impl Route ===

impl Route {
    /// A route to one deployment, and to others where it fails.
    ///
    /// # Errors
    /// [`KeylessFallback`]: a client's own credential is for the provider that it had in mind.
    pub fn new(
        first: Arc<Deployment>,
        others: Vec<Arc<Deployment>>,
    ) -> Result<Route, KeylessFallback> {
        match others.iter().find(|other| other.key.is_none()) {
            Some(keyless) => Err(KeylessFallback(keyless.provider.clone())),
            None => Ok(Route { first, others }),
        }
    }

    /// How many deployments it has.
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        1 + self.others.len()
    }

    /// The deployment at a position, counted from 0; beyond the last the first comes again.
    pub fn at(&self, position: usize) -> &Arc<Deployment> {
        let other = (position % self.len()).checked_sub(1).and_then(|other| self.others.get(other));
        other.unwrap_or(&self.first)
    }
}

// === impl Secret ===

impl Secret {
    /// Takes a text into custody.
    pub fn new(text: String) -> Secret {
        Secret(text)
    }

    /// The text, to be sent to the provider and nowhere else.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
