//! A messages request, read and checked as Anthropic checks it.

use std::num::NonZeroU64;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, error::Category};

use super::{error::ApiError, models};

/// The most blocks that one request may mark for the cache.
const BREAKPOINTS_MAX: usize = 4;

/// A request that can be counted, and answered if it has `max_tokens`.
#[derive(Debug)]
pub(super) struct MessagesRequest {
    pub(super) model: String,
    pub(super) tools: Vec<Block>,
    pub(super) system: Vec<Block>,
    pub(super) messages: Vec<Message>,
    pub(super) streamed: bool,
    pub(super) max_tokens: Option<NonZeroU64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Message {
    pub(super) role: Role,
    #[serde(deserialize_with = "text_or_blocks")]
    pub(super) content: Vec<Block>,
}

#[derive(Clone, Copy, Debug, Deserialize, Hash, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    Assistant,
    System,
    User,
}

/// A tool, or a block of content.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub(super) struct Block {
    /// All members but `cache_control`, which the model does not see.
    pub(super) members: Map<String, Value>,
    /// Whether the prompt is to be cached up to here, and for how long.
    pub(super) breakpoint: Option<Ttl>,
}

/// How long the cache keeps a prefix; the longer one has to come first in a prompt.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ttl {
    #[serde(rename = "1h")]
    OneHour,
    #[default]
    #[serde(rename = "5m")]
    FiveMinutes,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum CacheControl {
    Ephemeral {
        #[serde(default)]
        ttl: Ttl,
    },
}

/// The body as it came, before what must hold between its members was checked.
#[derive(Debug, Deserialize)]
struct Body {
    model: Option<String>,
    messages: Option<Vec<Message>>,
    #[serde(default, deserialize_with = "text_or_blocks")]
    system: Vec<Block>,
    #[serde(default)]
    tools: Vec<Block>,
    stream: Option<bool>,
    max_tokens: Option<NonZeroU64>,
    cache_control: Option<CacheControl>,
}

impl MessagesRequest {
    /// Reads `body`, or says what Anthropic would say of it.
    pub(super) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let body: Body = serde_json::from_slice(body).map_err(|error| {
            let what = match error.classify() {
                Category::Data => "a messages request",
                Category::Eof | Category::Io | Category::Syntax => "valid JSON",
            };
            ApiError::invalid(format!("the body is not {what}: {error}"))
        })?;
        let model = body.model.ok_or_else(|| ApiError::missing("model"))?;
        let messages = body.messages.filter(|messages| !messages.is_empty());
        let messages = messages.ok_or_else(|| ApiError::missing("messages"))?;
        if !models::is_known(&model) {
            return Err(ApiError::unknown_model(&model));
        }
        let mut request = Self {
            model,
            tools: body.tools,
            system: body.system,
            messages,
            streamed: body.stream == Some(true),
            max_tokens: body.max_tokens,
        };
        if let Some(CacheControl::Ephemeral { ttl }) = body.cache_control {
            request.break_at_end(ttl);
        }
        request.check_breakpoints()?;
        Ok(request)
    }

    /// How many turns the assistant has had in this conversation.
    pub(super) fn assistant_turns(&self) -> usize {
        let roles = self.messages.iter().map(|message| message.role);
        roles.filter(|role| *role == Role::Assistant).count()
    }

    /// Caches all of the prompt, as `cache_control` beside the messages asks for.
    fn break_at_end(&mut self, ttl: Ttl) {
        let blocks = self.messages.iter_mut().flat_map(|message| &mut message.content);
        if let Some(block) = blocks.last() {
            block.breakpoint.get_or_insert(ttl);
        }
    }

    fn check_breakpoints(&self) -> Result<(), ApiError> {
        let content = self.messages.iter().flat_map(|message| &message.content);
        let blocks = self.tools.iter().chain(&self.system).chain(content);
        let breakpoints: Vec<Ttl> = blocks.filter_map(|block| block.breakpoint).collect();
        let count = breakpoints.len();
        if count > BREAKPOINTS_MAX {
            let message = format!("{count} blocks have cache_control: mark {BREAKPOINTS_MAX}");
            return Err(ApiError::invalid(message));
        }
        if !breakpoints.is_sorted() {
            let message = "a cache_control of 1h follows one of 5m: put it before".to_owned();
            return Err(ApiError::invalid(message));
        }
        Ok(())
    }
}

impl Block {
    /// The name of a tool.
    pub(super) fn name(&self) -> Option<&str> {
        self.members.get("name")?.as_str()
    }

    fn of_text(text: String) -> Self {
        let members = [("type".to_owned(), "text".into()), ("text".to_owned(), text.into())];
        Self { members: members.into_iter().collect(), breakpoint: None }
    }
}

impl TryFrom<Map<String, Value>> for Block {
    type Error = serde_json::Error;

    fn try_from(mut members: Map<String, Value>) -> Result<Self, Self::Error> {
        let control = members.remove("cache_control").unwrap_or_default();
        let control: Option<CacheControl> = serde_json::from_value(control)?;
        let breakpoint = control.map(|CacheControl::Ephemeral { ttl }| ttl);
        Ok(Self { members, breakpoint })
    }
}

/// Text stands for one block of it.
fn text_or_blocks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Block>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Content {
        Text(String),
        Blocks(Vec<Block>),
    }
    Ok(match Content::deserialize(deserializer)? {
        Content::Text(text) => vec![Block::of_text(text)],
        Content::Blocks(blocks) => blocks,
    })
}
