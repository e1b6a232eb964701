//! Our own count of a conversation, where its log has no usage.

use std::borrow::Cow;
use std::sync::LazyLock;

use farthing_core::usage::{Bucket, Usage};
use farthing_tokens::Counter;
use serde_json::value::RawValue;

use crate::chat::Message;

/// Whose vocabulary counts: which model answered, such a log does not say.
const VOCABULARY: &str = "gpt-4.1";
/// What frames a message, in tokens.
const FRAME_TOKENS: u64 = 4;

/// The tokens of each message of a conversation.
#[derive(Debug)]
pub(crate) struct Counts {
    tools: u64,
    messages: Vec<u64>,
}

// === impl Counts ===

impl Counts {
    /// Counts the messages, and the definitions of tools that stand before them.
    pub(crate) fn new(messages: &[Message<'_>], tools: Option<&RawValue>) -> Counts {
        let of = |message: &Message<'_>| {
            let said = message.content.map_or(0, |content| tokens(content.get()));
            let called = message.tool_calls.iter().flatten();
            let called = called.map(|call| tokens(call.arguments())).sum::<u64>();
            said + called
        };
        Counts {
            tools: tools.map_or(0, |tools| tokens(tools.get())),
            messages: messages.iter().map(of).collect(),
        }
    }

    /// What the answer at this place took, had nothing been cached.
    pub(crate) fn usage(&self, at: usize) -> Usage {
        let before = self.messages.iter().take(at).map(|said| FRAME_TOKENS + said).sum::<u64>();
        let said = self.messages.get(at).copied().unwrap_or_default();
        Usage::NONE.with(Bucket::Input, self.tools + before).with(Bucket::Output, said)
    }
}

/// The tokens of a JSON value as the model sees it: a string without its escapes.
fn tokens(raw: &str) -> u64 {
    static COUNTER: LazyLock<Option<Counter>> = LazyLock::new(|| Counter::embedded().ok());
    let text = serde_json::from_str::<Cow<'_, str>>(raw).unwrap_or(Cow::Borrowed(raw));
    COUNTER.as_ref().map_or(0, |counter| counter.count_text(VOCABULARY, &text).0)
}
