//! What an answer is billed for, and how its numbers are reported.

use std::ops::AddAssign;

use serde::Serialize;

use crate::UsageFault;

/// Tokens of one exchange, or of many; the same for all dialects, whatever they report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// All tokens of the prompt, those read from the cache and written to it included.
    pub prompt_tokens: u64,
    /// Those of the prompt that were read from the cache.
    pub cached_tokens: u64,
    /// Those of the prompt that were written to the cache for five minutes. OpenAI bills none.
    pub cache_write_5m_tokens: u64,
    /// Those of the prompt that were written to the cache for an hour. OpenAI bills none.
    pub cache_write_1h_tokens: u64,
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
        self.cache_write_5m_tokens += more.cache_write_5m_tokens;
        self.cache_write_1h_tokens += more.cache_write_1h_tokens;
        self.completion_tokens += more.completion_tokens;
        self.reasoning_tokens += more.reasoning_tokens;
    }
}

/// A number as it is reported, which a fault can spoil.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Count {
    Right(u64),
    Negative(i64),
    Text(String),
    Null(()),
}

impl Count {
    pub(crate) fn of(tokens: u64, fault: Option<UsageFault>) -> Self {
        match fault {
            Some(UsageFault::Text) => Self::Text(tokens.to_string()),
            Some(UsageFault::Zero) => Self::Right(0),
            Some(UsageFault::Null) => Self::Null(()),
            _ => Self::Right(tokens),
        }
    }
}
