//! A request, as far as counting, pricing and attributing it needs.

use std::fmt::Display;

use bytes::Bytes;
use farthing_core::id::{InvalidId, ModelId};
use farthing_core::pricing::Served;
use farthing_core::prompt::Prompt;
use farthing_core::usage::CacheTtl;
use thiserror::Error;

use crate::dialect::Dialect;
use crate::json::{InvalidJson, Json};
use crate::splice::{self, Edit};

/// The most messages, parts, tool calls and tools that a request may have, all together: it bounds
/// the memory that a request takes beside its body.
pub const MAX_ELEMENTS: usize = 100_000;

/// The most labels of its own that a request may have; what goes beyond is left out.
pub const MAX_TAGS: usize = 64;

/// A request. Its text stays where it is, in the body that [`Prompt`] holds.
#[derive(Clone, Debug)]
pub struct Request {
    /// The dialect that it is written in.
    pub dialect: Dialect,
    /// The model that it asks for.
    pub model: ModelId,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// What the model will read.
    pub prompt: Prompt,
    /// The most tokens that an answer may have, thinking included, where the request says.
    pub max_output: Option<u64>,
    /// How many answers it asks for: at least 1.
    pub answers: u64,
    /// How it asks to be served; empty for the standard way.
    pub served_asked: Served,
    /// The longest-lived cache write that may come: asked for, or made by the provider unasked.
    pub cache_asked: Option<CacheTtl>,
    /// On whose behalf it says that it is sent.
    pub labels: Labels,
    /// The change that makes a stream report usage, where it would not.
    pub(crate) usage_edit: Option<Edit>,
}

/// What a request's body says about who is behind it. Labels only: they prove nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// The end user.
    pub user: Option<String>,
    /// The end user, for the provider's abuse detection.
    pub safety_identifier: Option<String>,
    /// The client's own name for the conversation.
    pub session: Option<String>,
    /// What else it says, by its own keys: at most [`MAX_TAGS`], in order.
    pub tags: Vec<(String, String)>,
}

/// A request as it goes to the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The body: the client's, byte for byte, but for the member that asks for usage.
    pub body: Bytes,
    /// Whether that was put in, so that what comes of it must be taken out of the answer.
    pub usage_added: bool,
}

/// A request cannot be read. The client is at fault.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RequestError {
    /// Not JSON.
    #[error("the body is not valid JSON: {problem}; send a JSON object")]
    NotJson {
        /// What is wrong, and where.
        problem: String,
    },
    /// JSON, but not an object.
    #[error("the body is {found}; send a JSON object")]
    NotAnObject {
        /// What it is.
        found: String,
    },
    /// A member that must be there is not.
    #[error("`{param}` is missing; add it to the body")]
    Missing {
        /// The member.
        param: &'static str,
    },
    /// A member is not of its type.
    #[error("`{param}` is {found}; send {expected}")]
    WrongType {
        /// The path to it, such as `messages[3].content`.
        param: String,
        /// What it is.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// There are more elements than [`MAX_ELEMENTS`].
    #[error("`{param}` goes beyond {MAX_ELEMENTS} messages, parts and tools; send fewer")]
    TooMany {
        /// The path to the array that goes beyond.
        param: String,
    },
    /// No model can have this name.
    #[error(transparent)]
    Model(#[from] InvalidId),
}

// === impl Request ===

impl Request {
    /// The body for the provider. Only a stream that would not report usage is changed: we ask for
    /// it on the client's behalf.
    pub fn outgoing(&self) -> Outgoing {
        let body = &self.prompt.body;
        let changed = self.usage_edit.as_ref().and_then(|edit| {
            // The edit was made from this very body, so it fits.
            splice::apply(body, std::slice::from_ref(edit)).ok()
        });
        let usage_added = changed.is_some();
        Outgoing { body: changed.unwrap_or_else(|| body.clone()), usage_added }
    }
}

// === impl RequestError ===

impl RequestError {
    /// The member of the body that is to blame, where it is one.
    pub fn param(&self) -> Option<&str> {
        match self {
            RequestError::NotJson { .. } | RequestError::NotAnObject { .. } => None,
            RequestError::Missing { param } => Some(param),
            RequestError::WrongType { param, .. } | RequestError::TooMany { param } => Some(param),
            RequestError::Model(error) => Some(error.field),
        }
    }

    pub(crate) fn wrong(param: impl Display, found: Json, expected: &'static str) -> Self {
        RequestError::WrongType { param: param.to_string(), found: found.to_string(), expected }
    }
}

impl From<InvalidJson> for RequestError {
    fn from(error: InvalidJson) -> RequestError {
        RequestError::NotJson { problem: error.to_string() }
    }
}
