//! The `usage` object: from counts that contain each other to disjoint buckets.
//!
//! | count | contains |
//! |---|---|
//! | `prompt_tokens` | cache reads, cache writes, audio, images, video |
//! | `completion_tokens` | thinking, audio, images, predictions whether accepted or not |
//!
//! xAI leaves thinking out of `completion_tokens`; its `total_tokens` then shows that.

use farthing_core::usage::{Bucket, Usage};

use crate::answer::Reported;
use crate::json::Json;
use crate::usage::{self, count, required};

/// Kinds of input: where they go, and where if they came from the cache.
const INPUT_KINDS: [(&str, Bucket, Bucket); 3] = [
    ("audio_tokens", Bucket::InputAudio, Bucket::CacheReadAudio),
    ("image_tokens", Bucket::InputImage, Bucket::CacheReadImage),
    ("video_tokens", Bucket::InputVideo, Bucket::CacheRead),
];

const OUTPUT_KINDS: [(&str, Bucket); 3] = [
    ("reasoning_tokens", Bucket::OutputReasoning),
    ("audio_tokens", Bucket::OutputAudio),
    ("image_tokens", Bucket::OutputImage),
];

/// Reads a `usage` member.
pub(super) fn reported(usage: Option<Json>) -> Reported {
    usage::reported(usage, |usage| {
        let (prompt, buckets) = prompt(usage)?;
        completion(usage, prompt, buckets).map(usage::agreed)
    })
}

/// The tokens of the prompt, and their buckets.
fn prompt(usage: Json) -> Result<(u64, Usage), String> {
    let prompt = required(usage, "prompt_tokens")?;
    let [details] = usage.pick(["prompt_tokens_details"]);
    let cached = cached(usage, details)?;
    let written = match count(details, "cache_write_tokens")? {
        Some(written) => written,
        None => count(details, "cache_creation_tokens")?.unwrap_or(0),
    };
    let excess = |what: &str| format!("{what} exceed the {prompt} prompt_tokens that contain them");
    let fresh = prompt.checked_sub(cached).and_then(|rest| rest.checked_sub(written));
    let mut fresh = fresh.ok_or_else(|| excess("cached_tokens and cache_write_tokens"))?;
    let buckets = Usage::NONE.with(Bucket::CacheRead, cached);
    let mut buckets = buckets.with(Bucket::CacheWrite5m, written);
    for (name, plain, from_cache) in INPUT_KINDS {
        let tokens = count(details, name)?.unwrap_or(0);
        // Those that have no room beside the cached tokens were among them.
        let uncached = tokens.min(fresh);
        let reread = tokens - uncached;
        let text =
            buckets.get(Bucket::CacheRead).checked_sub(reread).ok_or_else(|| excess(name))?;
        buckets = buckets.with(plain, uncached).with(Bucket::CacheRead, text);
        buckets = buckets.with(from_cache, buckets.get(from_cache) + reread);
        fresh -= uncached;
    }
    Ok((prompt, buckets.with(Bucket::Input, fresh)))
}

/// Adds the buckets of the completion, and checks the total.
fn completion(usage: Json, prompt: u64, mut buckets: Usage) -> Result<Usage, String> {
    let mut completion = required(usage, "completion_tokens")?;
    let [details] = usage.pick(["completion_tokens_details"]);
    let thought = count(details, "reasoning_tokens")?.unwrap_or(0);
    match count(Some(usage), "total_tokens")? {
        Some(total) if total == prompt + completion => {}
        Some(total) if total == prompt + completion + thought => completion += thought,
        Some(total) => {
            return Err(format!(
                "total_tokens is {total}, but prompt_tokens and completion_tokens are {prompt} and \
                 {completion}"
            ));
        }
        None => {}
    }
    let mut rest = completion;
    for (name, bucket) in OUTPUT_KINDS {
        let tokens = count(details, name)?.unwrap_or(0);
        rest = rest.checked_sub(tokens).ok_or_else(|| {
            format!("{name} exceed the {completion} completion_tokens that contain them")
        })?;
        buckets = buckets.with(bucket, tokens);
    }
    Ok(buckets.with(Bucket::Output, rest))
}

/// The cached tokens: where OpenAI puts them, or DeepSeek, or Moonshot.
fn cached(usage: Json, details: Option<Json>) -> Result<u64, String> {
    let places = [
        count(details, "cached_tokens")?,
        count(Some(usage), "prompt_cache_hit_tokens")?,
        count(Some(usage), "cached_tokens")?,
    ];
    let mut given = places.into_iter().flatten();
    let first = given.next().unwrap_or(0);
    match given.find(|other| *other != first) {
        Some(other) => Err(format!("cached tokens are said to be {first} and {other}")),
        None => Ok(first),
    }
}

#[cfg(test)]
#[path = "usage_tests.rs"]
mod tests;
