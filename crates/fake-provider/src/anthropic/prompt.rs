//! A request as the blocks that the model reads: tools, system, messages. How long they are is
//! what is billed, and where they end is where a cache can end.
//!
//! Claude's tokenizer is not public, so the count is a stand-in. It is plausible, not exact: text
//! is counted in o200k tokens and takes 23/20 (1.15) times as many of Claude's, to which come
//!
//! | part | tokens |
//! |---|---|
//! | tools, if there are any | 346, as [documented] for Claude 4, and their definitions as JSON |
//! | a message | 4, and its text |
//! | a tool call | its name, its input as JSON |
//! | a tool's result | its text |
//! | the reply's beginning | 3 |
//!
//! JSON is counted compact. Images, documents, thinking and the tools that Anthropic runs itself
//! are not counted.
//!
//! [documented]: https://docs.claude.com/en/docs/agents-and-tools/tool-use/overview

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    VOCABULARY, models,
    request::{Block, MessagesRequest, Role, Ttl},
};

const TOOLS: u64 = 346;
const MESSAGE: u64 = 4;
const REPLY: u64 = 3;

/// What the model reads.
#[derive(Debug, Default)]
pub(super) struct Prompt {
    pub(super) ends: Vec<End>,
    /// Tokens of the vocabulary so far.
    vocabulary: u64,
    /// Tokens so far that stand for no text.
    overhead: u64,
    hasher: DefaultHasher,
}

/// Where a block ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    /// The tokens of the prompt up to here.
    pub(super) tokens: u64,
    /// Stands for the model and all of the prompt up to here.
    pub(super) prefix: u64,
    pub(super) breakpoint: Option<Ttl>,
}

/// Where a block stands.
#[derive(Clone, Copy, Hash)]
enum Section {
    Tools,
    System,
    Messages(Role),
}

impl Prompt {
    pub(super) fn new(request: &MessagesRequest) -> Self {
        let mut prompt = Self::default();
        models::snapshot(&request.model).hash(&mut prompt.hasher);
        if !request.tools.is_empty() {
            prompt.overhead += TOOLS;
        }
        for tool in &request.tools {
            prompt.json(&tool.members);
            prompt.end(Section::Tools, tool);
        }
        for block in &request.system {
            prompt.content(&block.members);
            prompt.end(Section::System, block);
        }
        for message in &request.messages {
            prompt.overhead += MESSAGE;
            for block in &message.content {
                prompt.content(&block.members);
                prompt.end(Section::Messages(message.role), block);
            }
        }
        prompt.overhead += REPLY;
        prompt
    }

    /// All tokens of the prompt.
    pub(super) fn tokens(&self) -> u64 {
        self.vocabulary * 23 / 20 + self.overhead
    }

    /// The same for the same prompt to the same model.
    pub(super) fn hash(&self) -> u64 {
        self.hasher.finish()
    }

    fn content(&mut self, block: &Map<String, Value>) {
        let text = |name| block.get(name).and_then(Value::as_str).unwrap_or_default();
        match text("type") {
            "text" => self.text(text("text")),
            "tool_use" => {
                self.text(text("name"));
                self.json(&block.get("input"));
            }
            "tool_result" => {
                self.text(text("content"));
                let parts = block.get("content").and_then(Value::as_array);
                for part in parts.into_iter().flatten().filter_map(Value::as_object) {
                    self.content(part);
                }
            }
            _ => {}
        }
    }

    fn json(&mut self, value: &impl Serialize) {
        self.text(&serde_json::to_string(value).unwrap_or_default());
    }

    fn text(&mut self, text: &str) {
        self.vocabulary += VOCABULARY.encode(text).len() as u64;
    }

    fn end(&mut self, section: Section, block: &Block) {
        (section, &block.members).hash(&mut self.hasher);
        let (tokens, prefix) = (self.tokens(), self.hash());
        self.ends.push(End { tokens, prefix, breakpoint: block.breakpoint });
    }
}

#[cfg(test)]
#[path = "prompt_tests.rs"]
mod tests;
