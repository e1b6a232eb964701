//! Names of who and what, validated once and cheap to hand around.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;
use uuid::Uuid;

/// Stands for any text in a [`Pattern`].
const ANY: &str = "*";

/// The longest identifier, in bytes.
pub const MAX_LEN: usize = 256;

/// What clients send when a variable was never filled.
const PLACEHOLDERS: &[&str] = &[
    "null",
    "(null)",
    "nil",
    "none",
    "nan",
    "n/a",
    "undefined",
    "placeholder",
    "changeme",
    "todo",
    "tbd",
    "[object object]",
];

/// How a template begins that was never filled, as in `${USER}` and `{{ user }}`.
const TEMPLATES: &[&str] = &["${", "{{"];

/// An identifier was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{field} {reason}; send a name of 1 to {MAX_LEN} printable characters")]
pub struct InvalidId {
    /// Which identifier.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with an identifier.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Reason {
    /// Nothing but white space.
    #[error("is empty")]
    Empty,
    /// More than [`MAX_LEN`] bytes.
    #[error("is {0} bytes long")]
    TooLong(usize),
    /// A control character, which would end up in logs and terminals.
    #[error("has the control character {0:?}")]
    Control(char),
    /// A word that stands for a forgotten value.
    #[error("is the placeholder `{0}`")]
    Placeholder(String),
}

/// Refuses what cannot be a name.
fn validate(field: &'static str, text: &str) -> Result<Arc<str>, InvalidId> {
    let refused = |reason| Err(InvalidId { field, reason });
    let name = text.trim();
    if name.is_empty() {
        return refused(Reason::Empty);
    }
    if name.len() > MAX_LEN {
        return refused(Reason::TooLong(name.len()));
    }
    if let Some(control) = name.chars().find(|c| c.is_control()) {
        return refused(Reason::Control(control));
    }
    let is_placeholder = PLACEHOLDERS.iter().any(|word| name.eq_ignore_ascii_case(word));
    if is_placeholder || TEMPLATES.iter().any(|begin| name.starts_with(begin)) {
        return refused(Reason::Placeholder(name.to_owned()));
    }
    Ok(Arc::from(name))
}

macro_rules! names {
    ($($(#[$doc:meta])* $type:ident = $field:literal,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Arc<str>);

        impl $type {
            /// Validates a name; white space around it is not part of it.
            ///
            /// # Errors
            /// [`InvalidId`] where it is empty, too long, unprintable or a placeholder.
            pub fn new(text: &str) -> Result<$type, InvalidId> {
                validate($field, text).map($type)
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $type {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<$type, InvalidId> {
                $type::new(text)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                $type::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

names! {
    /// Who pays.
    TenantId = "tenant",
    /// Who belongs together.
    TeamId = "team",
    /// Who acts.
    UserId = "user",
    /// What proves it: a key's public name, not its secret.
    KeyId = "key",
    /// A conversation.
    ThreadId = "thread",
    /// One task of an agent within a conversation.
    RunId = "run",
    /// The program that acts for a user.
    AgentId = "agent",
    /// A configured provider.
    ProviderId = "provider",
    /// A model, as a client or a provider names it.
    ModelId = "model",
    /// What a key allows.
    PlanId = "plan",
    /// What a caller wants to find a call again by.
    LabelId = "label",
    /// Why a charge was corrected, as in `reprice:2026-11-01`.
    CauseId = "cause",
    /// A name, or with `*` for any text all names that look like it.
    Pattern = "pattern",
}

// === impl Pattern ===

impl Pattern {
    /// The pattern that every name matches.
    pub fn any() -> Pattern {
        Pattern(Arc::from(ANY))
    }

    /// Whether every name matches.
    pub fn is_any(&self) -> bool {
        &*self.0 == ANY
    }

    /// Whether a name looks like the pattern. Time grows with the product of both lengths at most.
    pub fn matches(&self, name: &str) -> bool {
        let Some((start, rest)) = self.0.split_once(ANY) else { return *self.0 == *name };
        let Some(mut name) = name.strip_prefix(start) else { return false };
        let (middle, end) = rest.rsplit_once(ANY).unwrap_or(("", rest));
        for part in middle.split(ANY).filter(|part| !part.is_empty()) {
            // The first place is the best one: it leaves most for the parts that follow.
            let Some((_, after)) = name.split_once(part) else { return false };
            name = after;
        }
        name.ends_with(end)
    }
}

impl ThreadId {
    /// The conversation that a request begins, where nobody named it.
    pub fn of(request: RequestId) -> ThreadId {
        ThreadId(format!("thr_{}", request.0.simple()).into())
    }
}

impl RunId {
    /// The run that a request begins, where nobody named it.
    pub fn of(request: RequestId) -> RunId {
        RunId(format!("run_{}", request.0.simple()).into())
    }
}

impl KeyId {
    /// A key that nobody named, by an id that was made for it.
    pub fn of(id: RequestId) -> KeyId {
        KeyId(format!("key_{}", id.0.simple()).into())
    }
}

/// One call by a client: a version 7 UUID, shown as `req_` and 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(Uuid);

/// A text is not a request's id.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a request id; it looks like req_0193f1c2d4e87a6b9c0d1e2f3a4b5c6d")]
pub struct InvalidRequestId(String);

// === impl RequestId ===

impl RequestId {
    /// Names a request by a UUID that the caller made.
    pub const fn new(uuid: Uuid) -> RequestId {
        RequestId(uuid)
    }

    /// A number by chance, the same each time for the same request: ids end in random bits.
    pub const fn chance(self) -> u8 {
        let [.., last] = *self.0.as_bytes();
        last
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "req_{}", self.0.as_simple())
    }
}

impl FromStr for RequestId {
    type Err = InvalidRequestId;

    fn from_str(text: &str) -> Result<RequestId, InvalidRequestId> {
        text.strip_prefix("req_")
            .filter(|hex| hex.len() == 32)
            .and_then(|hex| Uuid::try_parse(hex).ok())
            .map(RequestId)
            .ok_or_else(|| InvalidRequestId(text.chars().take(64).collect()))
    }
}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RequestId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RequestId, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_otherwise_kept() {
        assert_eq!(UserId::new(" Ada Lövelace ").unwrap().as_str(), "Ada Lövelace");
    }

    #[test]
    fn what_cannot_be_a_name_is_refused_with_field_and_reason() {
        let reason = |text: &str| ThreadId::new(text).unwrap_err().reason;
        assert_eq!(reason("  "), Reason::Empty);
        assert_eq!(reason(&"x".repeat(257)), Reason::TooLong(257));
        assert_eq!(reason("a\u{1b}[31m"), Reason::Control('\u{1b}'));
        for word in ["Undefined", "NULL", "${USER}", "{{ user }}", "[object Object]"] {
            assert_eq!(reason(word), Reason::Placeholder(word.into()));
        }
        assert_eq!(
            ThreadId::new("null").unwrap_err().to_string(),
            "thread is the placeholder `null`; send a name of 1 to 256 printable characters"
        );
    }

    #[test]
    fn a_star_stands_for_any_text_also_none() {
        let matches = |pattern: &str, name: &str| Pattern::new(pattern).unwrap().matches(name);
        for (pattern, name) in [
            ("*", "ann"),
            ("ann", "ann"),
            ("claude-*", "claude-opus-4-1"),
            ("claude-*", "claude-"),
            ("*-mini", "gpt-5-mini"),
            ("gpt-*-mini", "gpt-5-mini-mini"),
            ("a*b*c", "a-b-b-c"),
            ("**", "ann"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("ann", "anna"),
            ("claude-*", "claude"),
            ("claude-*", "my-claude-1"),
            ("a*a", "a"),
            ("gpt-*-mini", "gpt-mini"),
            ("a*b*c", "a-c-b"),
            ("Claude-*", "claude-1"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn request_ids_round_trip() {
        let id = RequestId::new(Uuid::from_u128(7));
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("req_7".parse::<RequestId>().is_err());
        assert!("00000000000000000000000000000007".parse::<RequestId>().is_err());
    }
}
