//! Tokens of a prompt, by kind.

use serde::{Deserialize, Serialize};

/// What the tokens of a prompt are spent on. Each token counts for one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByKind {
    /// Instructions.
    pub system: u64,
    /// Definitions of tools and of the answer's format.
    pub tools: u64,
    /// What was said earlier, by either side.
    pub history: u64,
    /// Results of tool calls.
    pub tool_results: u64,
    /// The newest message of a person.
    pub user: u64,
    /// Images, audio and files.
    pub media: u64,
    /// What the provider adds to frame messages and tools.
    pub overhead: u64,
}

/// How many tokens a prompt has, and how sure that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anatomy {
    /// The tokens, by kind.
    pub by_kind: ByKind,
    /// How they were counted.
    pub method: Method,
    /// No provider will report more than this; equal to the total where the count is exact.
    pub upper_bound: u64,
}

/// How a count came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// By the model's own vocabulary and published message rules.
    Exact,
    /// By the nearest known vocabulary, or with parts whose rules are not published.
    Estimated,
}

// === impl ByKind ===

impl ByKind {
    /// All tokens of the prompt.
    pub fn total(&self) -> u64 {
        let kinds = [
            self.system,
            self.tools,
            self.history,
            self.tool_results,
            self.user,
            self.media,
            self.overhead,
        ];
        kinds.into_iter().fold(0, u64::saturating_add)
    }
}
