//! One configured address and key.

use std::fmt;

use farthing_core::id::ProviderId;
use farthing_wire::Dialect;

/// A provider's API at one address, with one key.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The name that it has in the configuration, and in the catalog of prices.
    pub provider: ProviderId,
    /// What it speaks.
    pub dialect: Dialect,
    /// Where it is, without a slash at the end: `https://api.openai.com/v1`.
    pub base_url: String,
    /// The provider's key; without one the client's own credential is passed on.
    pub key: Option<Secret>,
}

/// A text that is never shown, logged or serialised.
#[derive(Clone)]
pub struct Secret(String);

// === impl Deployment ===

impl Deployment {
    /// The address of an endpoint, given as the dialect names it (`/chat/completions`).
    pub fn url(&self, endpoint: &str) -> String {
        format!("{}{endpoint}", self.base_url.trim_end_matches('/'))
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
