//! What an answer is billed for.

use std::ops::AddAssign;

/// Tokens of one exchange, or of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// All tokens of the prompt, those read from the cache included.
    pub prompt_tokens: u64,
    /// Those of the prompt that were read from the cache.
    pub cached_tokens: u64,
    /// All tokens of the answer, reasoning included.
    pub completion_tokens: u64,
    /// Those of the answer that were spent on reasoning, which no client sees.
    pub reasoning_tokens: u64,
}

impl Usage {
    /// Prompt and completion together.
    pub fn total_tokens(&self) -> u64 {
        self.prompt_tokens + self.completion_tokens
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, more: Self) {
        self.prompt_tokens += more.prompt_tokens;
        self.cached_tokens += more.cached_tokens;
        self.completion_tokens += more.completion_tokens;
        self.reasoning_tokens += more.reasoning_tokens;
    }
}
