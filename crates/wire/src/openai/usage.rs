//! The `usage` object: from counts that contain each other to disjoint buckets.
//!
//! | count | contains |
//! |---|---|
//! | `prompt_tokens`, elsewhere `input_tokens` | cache reads, cache writes, audio, images, video |
//! | `completion_tokens`, elsewhere `output_tokens` | thinking, audio, images, predictions whether accepted or not |
//!
//! Who follows OpenAI's shape has habits of its own. None needs to be known by name: what is sent
//! tells.
//!
//! | habit | whose |
//! |---|---|
//! | thinking is not in `completion_tokens`, as `total_tokens` shows | xAI |
//! | `prompt_cache_hit_tokens` and `prompt_cache_miss_tokens` | DeepSeek |
//! | `cached_tokens` beside `prompt_tokens` | Moonshot, DeepSeek's models elsewhere |
//! | `num_cached_tokens` | Mistral |
//! | `cached_prompt_text_tokens`, `reasoning_tokens` beside the counts | xAI, earlier |
//! | `cache_read_input_tokens` within the prompt | Databricks, LiteLLM |
//! | `cache_creation_tokens` for cache writes | LiteLLM |
//! | no details of the output, which is images | OpenAI's images |
//! | `citation_tokens` and `num_search_queries`, and with them thinking that no total contains | Perplexity |

use farthing_core::usage::{Bucket, Usage};

use crate::answer::Reported;
use crate::json::Json;
use crate::usage::{self, count, required};

/// How an API names its counts, which mean the same in all of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    prompt: &'static str,
    prompt_details: &'static str,
    completion: &'static str,
    completion_details: &'static str,
    /// Whether there is an answer that takes tokens.
    answers: bool,
    /// What an answer is where it is not said.
    output: Bucket,
}

/// Of chat completions, and of the completions before them.
pub(crate) const CHAT: Names = Names {
    prompt: "prompt_tokens",
    prompt_details: "prompt_tokens_details",
    completion: "completion_tokens",
    completion_details: "completion_tokens_details",
    answers: true,
    output: Bucket::Output,
};

/// Of embeddings: whoever sends `completion_tokens` as well sends 0.
pub(crate) const EMBEDDINGS: Names = Names { answers: false, ..CHAT };

/// Of responses.
pub(crate) const RESPONSES: Names = Names {
    prompt: "input_tokens",
    prompt_details: "input_tokens_details",
    completion: "output_tokens",
    completion_details: "output_tokens_details",
    answers: true,
    output: Bucket::Output,
};

/// Of images.
pub(crate) const IMAGES: Names = Names { output: Bucket::OutputImage, ..RESPONSES };

/// Of the realtime API.
pub(crate) const REALTIME: Names = Names {
    prompt_details: "input_token_details",
    completion_details: "output_token_details",
    ..RESPONSES
};

/// Kinds of input: where they go, and where if they came from the cache.
const INPUT_KINDS: [(&str, Bucket, Bucket); 3] = [
    ("audio_tokens", Bucket::InputAudio, Bucket::CacheReadAudio),
    ("image_tokens", Bucket::InputImage, Bucket::CacheReadImage),
    ("video_tokens", Bucket::InputVideo, Bucket::CacheRead),
];

/// Reads a `usage` member.
pub(crate) fn reported(usage: Option<Json>, names: Names) -> Reported {
    usage::reported(usage, |usage| read(usage, names).map(usage::agreed))
}

fn read(usage: Json, names: Names) -> Result<Usage, String> {
    let prompt = required(usage, names.prompt)?;
    let buckets = prompt_buckets(usage, names, prompt)?;
    let research = Research::read(usage)?;
    let completion = completion(usage, names, prompt, &research)?;
    let buckets = completion_buckets(usage, names, completion, buckets)?;
    Ok(buckets
        .with(Bucket::Citation, research.cited.unwrap_or(0))
        .with(Bucket::WebSearch, research.searches.unwrap_or(0)))
}

/// What a provider looked up before its model answered.
struct Research {
    cited: Option<u64>,
    searches: Option<u64>,
}

// === impl Research ===

impl Research {
    fn read(usage: Json) -> Result<Research, String> {
        Ok(Research {
            cited: count(Some(usage), "citation_tokens")?,
            searches: count(Some(usage), "num_search_queries")?,
        })
    }

    /// Whether thinking is counted apart from the answer, whatever the total says.
    fn thinks_apart(&self) -> bool {
        self.cited.is_some() || self.searches.is_some()
    }
}

/// The buckets of the prompt.
fn prompt_buckets(usage: Json, names: Names, prompt: u64) -> Result<Usage, String> {
    let [details] = usage.pick([names.prompt_details]);
    let excess =
        |what: &str| format!("{what} exceed the {prompt} {} that contain them", names.prompt);
    let cached = cached(usage, details, prompt)?;
    let written = match count(details, "cache_write_tokens")? {
        Some(written) => written,
        None => count(details, "cache_creation_tokens")?.unwrap_or(0),
    };
    let fresh = prompt.checked_sub(cached).and_then(|rest| rest.checked_sub(written));
    let mut fresh = fresh.ok_or_else(|| excess("cached_tokens and cache_write_tokens"))?;
    let mut buckets =
        Usage::NONE.with(Bucket::CacheRead, cached).with(Bucket::CacheWrite5m, written);
    let cached_details = details.and_then(|details| details.pick(["cached_tokens_details"])[0]);
    for (name, plain, from_cache) in INPUT_KINDS {
        let tokens = count(details, name)?.unwrap_or(0);
        let uncached = match count(cached_details, name)? {
            Some(reread) => tokens.checked_sub(reread).ok_or_else(|| excess(name))?,
            // Those that have no room beside the cached tokens were among them.
            None => tokens.min(fresh),
        };
        let reread = tokens - uncached;
        let text = buckets.get(Bucket::CacheRead).checked_sub(reread);
        let text = text.ok_or_else(|| excess(name))?;
        buckets = buckets.with(plain, uncached).with(Bucket::CacheRead, text);
        buckets = buckets.with(from_cache, buckets.get(from_cache) + reread);
        fresh = fresh.checked_sub(uncached).ok_or_else(|| excess(name))?;
    }
    Ok(buckets.with(Bucket::Input, fresh))
}

/// The tokens of the answer, thinking included, once the total agrees.
fn completion(usage: Json, names: Names, prompt: u64, research: &Research) -> Result<u64, String> {
    let said = match names.answers {
        true => required(usage, names.completion)?,
        false => count(Some(usage), names.completion)?.unwrap_or(0),
    };
    let with_thought = said + thought(usage, names)?;
    let assumed = if research.thinks_apart() { with_thought } else { said };
    match count(Some(usage), "total_tokens")? {
        None => Ok(assumed),
        Some(total) if total == prompt + said => Ok(assumed),
        Some(total) if total == prompt + with_thought => Ok(with_thought),
        Some(total) => Err(format!(
            "total_tokens is {total}, but {} and {} are {prompt} and {said}",
            names.prompt, names.completion
        )),
    }
}

/// Adds the buckets of the answer.
fn completion_buckets(
    usage: Json,
    names: Names,
    completion: u64,
    mut buckets: Usage,
) -> Result<Usage, String> {
    let [details] = usage.pick([names.completion_details]);
    let said = details.filter(|details| !details.is_null());
    let exceeds = |name: &str| {
        format!("{name} exceed the {completion} {} that contain them", names.completion)
    };
    let kinds = [
        (thought(usage, names)?, "reasoning_tokens", Bucket::OutputReasoning),
        (count(said, "audio_tokens")?.unwrap_or(0), "audio_tokens", Bucket::OutputAudio),
        (count(said, "image_tokens")?.unwrap_or(0), "image_tokens", Bucket::OutputImage),
    ];
    for guessed in ["accepted_prediction_tokens", "rejected_prediction_tokens"] {
        if count(said, guessed)? > Some(completion) {
            return Err(exceeds(guessed));
        }
    }
    let mut rest = completion;
    for (tokens, name, bucket) in kinds {
        rest = rest.checked_sub(tokens).ok_or_else(|| exceeds(name))?;
        buckets = buckets.with(bucket, tokens);
    }
    let unsaid = if said.is_some() { Bucket::Output } else { names.output };
    Ok(buckets.with(unsaid, buckets.get(unsaid) + rest))
}

/// The tokens that the model thought and did not say.
fn thought(usage: Json, names: Names) -> Result<u64, String> {
    let [details] = usage.pick([names.completion_details]);
    let thought = match count(details, "reasoning_tokens")? {
        Some(thought) => Some(thought),
        None => count(Some(usage), "reasoning_tokens")?,
    };
    Ok(thought.unwrap_or(0))
}

/// The cached tokens, in whichever place they are told.
fn cached(usage: Json, details: Option<Json>, prompt: u64) -> Result<u64, String> {
    let hits = count(Some(usage), "prompt_cache_hit_tokens")?;
    let misses = count(Some(usage), "prompt_cache_miss_tokens")?;
    if let (Some(hits), Some(misses)) = (hits, misses)
        && hits + misses != prompt
    {
        return Err(format!("{hits} cache hits and {misses} misses are not {prompt} tokens"));
    }
    let places = [
        count(details, "cached_tokens")?,
        hits,
        count(Some(usage), "cached_tokens")?,
        count(Some(usage), "num_cached_tokens")?,
        count(Some(usage), "cached_prompt_text_tokens")?,
        count(Some(usage), "cache_read_input_tokens")?,
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
