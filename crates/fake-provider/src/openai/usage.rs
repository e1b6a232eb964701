//! Usage as OpenAI reports it, right or wrong.

use serde::Serialize;

use crate::{Usage, UsageFault, usage::Count};

/// The `usage` member of an answer.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    prompt_tokens: Count,
    completion_tokens: Count,
    total_tokens: Count,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Debug, Serialize)]
struct PromptDetails {
    cached_tokens: Count,
    audio_tokens: Count,
}

#[derive(Debug, Serialize)]
struct CompletionDetails {
    reasoning_tokens: Count,
    audio_tokens: Count,
    accepted_prediction_tokens: Count,
    rejected_prediction_tokens: Count,
}

impl Report {
    /// What is said of `usage`; `None` if a fault keeps it back.
    pub(super) fn of(usage: Usage, fault: Option<UsageFault>) -> Option<Self> {
        let count = |tokens| Count::of(tokens, fault);
        let mut report = Self {
            prompt_tokens: count(usage.prompt_tokens),
            completion_tokens: count(usage.completion_tokens),
            total_tokens: count(usage.total_tokens()),
            prompt_tokens_details: PromptDetails {
                cached_tokens: count(usage.cached_tokens),
                audio_tokens: count(0),
            },
            completion_tokens_details: CompletionDetails {
                reasoning_tokens: count(usage.reasoning_tokens),
                audio_tokens: count(0),
                accepted_prediction_tokens: count(0),
                rejected_prediction_tokens: count(0),
            },
        };
        match fault {
            None | Some(UsageFault::Text | UsageFault::Zero | UsageFault::Null) => {}
            Some(UsageFault::Missing) => return None,
            Some(UsageFault::Negative) => report.completion_tokens = Count::Negative(-1),
            Some(UsageFault::CachedAbovePrompt) => {
                report.prompt_tokens_details.cached_tokens = count(usage.prompt_tokens + 1);
            }
            Some(UsageFault::WrongTotal) => report.total_tokens = count(usage.total_tokens() + 1),
        }
        Some(report)
    }
}
