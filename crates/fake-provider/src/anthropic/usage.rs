//! Usage as Anthropic reports it, right or wrong.

use serde::Serialize;

use crate::{Usage, UsageFault, usage::Count};

const SERVICE_TIER: &str = "standard";

/// The `usage` member of a message, or of the event that ends its stream.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    input_tokens: Count,
    cache_creation_input_tokens: Count,
    cache_read_input_tokens: Count,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_creation: Option<CacheCreation>,
    output_tokens: Count,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens_details: Option<OutputDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct CacheCreation {
    ephemeral_5m_input_tokens: Count,
    ephemeral_1h_input_tokens: Count,
}

#[derive(Debug, Serialize)]
struct OutputDetails {
    thinking_tokens: Count,
}

impl Report {
    /// What is said of `usage`; `None` if a fault keeps it back.
    pub(super) fn of(usage: Usage, fault: Option<UsageFault>) -> Option<Self> {
        let count = |tokens| Count::of(tokens, fault);
        let written = usage.cache_write_5m_tokens + usage.cache_write_1h_tokens;
        let thinking_tokens = Some(usage.reasoning_tokens).filter(|tokens| *tokens > 0);
        let mut report = Self {
            input_tokens: count(usage.prompt_tokens - usage.cached_tokens - written),
            cache_creation_input_tokens: count(written),
            cache_read_input_tokens: count(usage.cached_tokens),
            cache_creation: Some(CacheCreation {
                ephemeral_5m_input_tokens: count(usage.cache_write_5m_tokens),
                ephemeral_1h_input_tokens: count(usage.cache_write_1h_tokens),
            }),
            output_tokens: count(usage.completion_tokens),
            output_tokens_details: thinking_tokens
                .map(|tokens| OutputDetails { thinking_tokens: count(tokens) }),
            service_tier: Some(SERVICE_TIER),
        };
        match fault {
            None
            | Some(
                UsageFault::Text
                | UsageFault::CachedAbovePrompt
                | UsageFault::Zero
                | UsageFault::Null,
            ) => {}
            Some(UsageFault::Missing) => return None,
            Some(UsageFault::Negative) => report.output_tokens = Count::Negative(-1),
            Some(UsageFault::WrongTotal) => report.cache_creation_input_tokens = count(written + 1),
        }
        Some(report)
    }

    /// The same without what only a message has.
    pub(super) fn of_stream_end(usage: Usage, fault: Option<UsageFault>) -> Option<Self> {
        let report = Self::of(usage, fault)?;
        Some(Self { cache_creation: None, service_tier: None, ..report })
    }
}
