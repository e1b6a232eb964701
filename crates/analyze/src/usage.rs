//! From a `usage` as it stands in a log to what was consumed.

use bytes::Bytes;
use farthing_core::pricing::Served;
use farthing_core::usage::{Bucket, Usage};
use farthing_wire::{Dialect, Reported};
use serde::Deserialize;
use serde_json::Value;

use crate::log::Billed;

/// A count of OpenAI's that contains others, by whatever names a program logs them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
pub(crate) struct Counts {
    /// The prompt, cached tokens included.
    #[serde(default)]
    pub(crate) input_tokens: u64,
    #[serde(default)]
    pub(crate) cached_input_tokens: u64,
    /// The answer, thinking included.
    #[serde(default)]
    pub(crate) output_tokens: u64,
    #[serde(default)]
    pub(crate) reasoning_output_tokens: u64,
}

// === impl Counts ===

impl Counts {
    /// In disjoint buckets.
    ///
    /// # Errors
    /// Which part exceeds the count that contains it.
    pub(crate) fn usage(self) -> Result<Usage, String> {
        let part = |whole: u64, part: u64, what: &str| {
            let rest = whole.checked_sub(part);
            rest.ok_or_else(|| format!("{part} {what} exceed the {whole} that contain them"))
        };
        let input = part(self.input_tokens, self.cached_input_tokens, "cached_input_tokens")?;
        let output =
            part(self.output_tokens, self.reasoning_output_tokens, "reasoning_output_tokens")?;
        Ok(Usage::NONE
            .with(Bucket::Input, input)
            .with(Bucket::CacheRead, self.cached_input_tokens)
            .with(Bucket::Output, output)
            .with(Bucket::OutputReasoning, self.reasoning_output_tokens))
    }
}

/// Reads a `usage` of a dialect; `None` where nothing was consumed.
///
/// # Errors
/// How it contradicts itself.
pub(crate) fn billed(
    dialect: Dialect,
    model: &str,
    usage: &str,
    tier: Option<&str>,
) -> Result<Option<Billed>, String> {
    let (model, tier) = (Value::from(model), Value::from(tier));
    let member = if dialect == Dialect::Gemini { "usageMetadata" } else { "usage" };
    let body = format!("{{\"model\":{model},\"service_tier\":{tier},\"{member}\":{usage}}}");
    let answer = dialect.read_answer(&Bytes::from(body)).map_err(|error| error.to_string())?;
    let (reported, served) = match answer.usage {
        // The split of the cache writes may be from a stream's beginning, its total from the end.
        Reported::Invalid(_) if dialect == Dialect::Anthropic => streamed(&model, usage),
        reported => (reported, answer.served),
    };
    let (usage, others) = match reported {
        Reported::Valid(usage) | Reported::NoPrompt(usage) | Reported::PromptOnly(usage) => {
            (usage, Vec::new())
        }
        Reported::Joint { own, others } => (own, others),
        Reported::Absent => return Ok(None),
        Reported::Invalid(problem) => return Err(problem),
    };
    let billed = Billed { usage, served, others, estimated: false };
    Ok((billed.usage.iter().next().is_some() || !billed.others.is_empty()).then_some(billed))
}

/// Reads a `usage` as that of a stream, whose parts were told at different times.
fn streamed(model: &Value, usage: &str) -> (Reported, Served) {
    let usage = usage.replace(['\n', '\r'], " ");
    let message = format!("{{\"model\":{model},\"usage\":{usage}}}");
    let mut reader = Dialect::Anthropic.stream_reader(false);
    for event in [
        format!("data: {{\"type\":\"message_start\",\"message\":{message}}}\n\n"),
        format!("data: {{\"type\":\"message_delta\",\"delta\":{{}},\"usage\":{usage}}}\n\n"),
    ] {
        reader.push(event.into(), &mut |_| {});
    }
    reader.finish(&mut |_| {});
    (reader.usage().clone(), reader.served().clone())
}
