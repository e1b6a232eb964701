//! Prompt caching as Anthropic's: what a client marks is written for a surcharge, and read cheaply
//! the next time. Rules: <https://docs.claude.com/en/docs/build-with-claude/prompt-caching>.

use super::{
    prompt::{End, Prompt},
    request::Ttl,
};
use crate::{Usage, cache::PromptCache};

/// A breakpoint before so many tokens does nothing. Some models ask for more.
const TOKENS_MIN: u64 = 1_024;
/// Ends of blocks that are looked up for one breakpoint, its own included.
const LOOKBACK: usize = 20;

/// What `prompt` is billed: up to the last breakpoint, what an earlier prompt has written is read
/// and the rest is written, first for an hour and then for five minutes. From now on all its
/// breakpoints are known.
pub(super) fn admit(cache: &mut PromptCache, prompt: &Prompt) -> Usage {
    let ends = prompt.ends.iter().enumerate();
    let breakpoints: Vec<(usize, &End)> =
        ends.filter(|(_, end)| end.breakpoint.is_some() && end.tokens >= TOKENS_MIN).collect();
    let found = breakpoints.iter().filter_map(|(position, _)| {
        let mut looked_up = prompt.ends.iter().take(position + 1).rev().take(LOOKBACK);
        looked_up.find(|end| cache.contains(end.prefix))
    });
    let read = found.map(|end| end.tokens).max().unwrap_or(0);
    let marked = |ttl| {
        let ends = breakpoints.iter().filter(|(_, end)| end.breakpoint == Some(ttl));
        ends.map(|(_, end)| end.tokens).max().unwrap_or(0)
    };
    let hour = marked(Ttl::OneHour).max(read);
    let five_minutes = marked(Ttl::FiveMinutes).max(hour);

    let prefixes: Vec<u64> = breakpoints.iter().map(|(_, end)| end.prefix).collect();
    cache.insert(&prefixes);
    Usage {
        prompt_tokens: prompt.tokens(),
        cached_tokens: read,
        cache_write_5m_tokens: five_minutes - hour,
        cache_write_1h_tokens: hour - read,
        ..Usage::default()
    }
}

#[cfg(test)]
#[path = "caching_tests.rs"]
mod tests;
