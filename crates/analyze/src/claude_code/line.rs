//! The members of a line that are looked at; the rest is walked over.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

#[derive(Deserialize)]
pub(super) struct Line<'l> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Option<Cow<'l, str>>,
    #[serde(borrow, default, rename = "sessionId")]
    pub(super) session_id: Option<Cow<'l, str>>,
    #[serde(borrow, default, rename = "agentId")]
    pub(super) agent_id: Option<Cow<'l, str>>,
    #[serde(default, rename = "isSidechain")]
    pub(super) is_sidechain: Option<bool>,
    #[serde(borrow, default, rename = "requestId")]
    pub(super) request_id: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    pub(super) uuid: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    pub(super) cwd: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    pub(super) timestamp: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    pub(super) message: Option<Message<'l>>,
    #[serde(borrow, default, rename = "toolUseResult")]
    pub(super) tool_use_result: Option<&'l RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Message<'l> {
    #[serde(borrow, default)]
    pub(super) id: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    pub(super) model: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    pub(super) content: Content<'l>,
    #[serde(default)]
    pub(super) stop_reason: Option<IgnoredAny>,
    #[serde(borrow, default)]
    pub(super) usage: Option<&'l RawValue>,
}

/// What a message says: a text, or blocks.
#[derive(Default)]
pub(super) enum Content<'l> {
    #[default]
    Nothing,
    /// A text of so many bytes.
    Text(u64),
    Blocks(Vec<Block<'l>>),
}

#[derive(Deserialize)]
pub(super) struct Block<'l> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    pub(super) text: Option<&'l RawValue>,
    #[serde(borrow, default)]
    pub(super) id: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    pub(super) name: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    pub(super) input: Option<&'l RawValue>,
    #[serde(borrow, default)]
    pub(super) tool_use_id: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    pub(super) content: Option<&'l RawValue>,
    #[serde(default)]
    pub(super) is_error: Option<bool>,
}

/// What the tool that starts a sub-agent tells of it.
#[derive(Deserialize)]
pub(super) struct ToolUseResult<'l> {
    #[serde(borrow, rename = "agentId")]
    pub(super) agent_id: Cow<'l, str>,
    #[serde(rename = "totalTokens")]
    pub(super) total_tokens: u64,
}

// === impl Content ===

impl<'l> Content<'l> {
    pub(super) fn blocks(&self) -> &[Block<'l>] {
        match self {
            Content::Blocks(blocks) => blocks,
            _ => &[],
        }
    }
}

impl<'de: 'l, 'l> Deserialize<'de> for Content<'l> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Content<'l>, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Content<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of blocks")
            }

            fn visit_str<E>(self, text: &str) -> Result<Content<'de>, E> {
                Ok(Content::Text(text.len() as u64))
            }

            fn visit_unit<E>(self) -> Result<Content<'de>, E> {
                Ok(Content::Nothing)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, blocks: A) -> Result<Content<'de>, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(blocks)).map(Content::Blocks)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content<'de>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Content::Nothing)
            }
        }

        deserializer.deserialize_any(Any)
    }
}

// === impl ToolUseResult ===

impl<'l> ToolUseResult<'l> {
    /// What `raw` tells of a sub-agent; `None` where it is another tool's.
    pub(super) fn of_agent(raw: &'l RawValue) -> Option<ToolUseResult<'l>> {
        let tells = memchr::memmem::find(raw.get().as_bytes(), b"\"totalTokens\"").is_some();
        tells.then(|| serde_json::from_str(raw.get()).ok())?
    }
}
