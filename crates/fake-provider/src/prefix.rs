//! Prompt caching that nobody asks for, as OpenAI's and Gemini's: what an earlier prompt began
//! with is cheaper the second time.
//!
//! A prompt is remembered as a chain of block hashes, so that a block is known only after all
//! that stood before it. Rules: <https://platform.openai.com/docs/guides/prompt-caching>; Gemini
//! publishes none but the least length, which is the same.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::cache::PromptCache;

/// A prefix shorter than this is not cached.
const TOKENS_MIN: usize = 1_024;
/// Prefixes are remembered in steps of this many tokens.
const BLOCK_TOKENS: usize = 128;

/// How many tokens of `prompt` an earlier prompt for `model` began with: a multiple of 128, or 0
/// below 1,024. From now on all of `prompt` is known.
pub(crate) fn admit(cache: &mut PromptCache, model: &str, prompt: &[u32]) -> u64 {
    let blocks = chain(model, prompt);
    let known = blocks.iter().take_while(|block| cache.contains(**block));
    let cached = known.count() * BLOCK_TOKENS;
    cache.insert(&blocks);
    if cached < TOKENS_MIN { 0 } else { cached as u64 }
}

fn chain(model: &str, prompt: &[u32]) -> Vec<u64> {
    let mut hasher = DefaultHasher::new();
    model.hash(&mut hasher);
    let blocks = prompt.chunks_exact(BLOCK_TOKENS);
    let hashes = blocks.map(|block| {
        block.hash(&mut hasher);
        hasher.finish()
    });
    hashes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(tokens: u32) -> Vec<u32> {
        (0..tokens).collect()
    }

    #[test]
    fn a_repeated_prompt_is_cached_in_steps_of_128() {
        for (tokens, cached) in [(1_023, 0), (1_024, 1_024), (1_151, 1_024), (1_152, 1_152)] {
            let mut cache = PromptCache::default();
            assert_eq!(admit(&mut cache, "m", &prompt(tokens)), 0);
            assert_eq!(admit(&mut cache, "m", &prompt(tokens)), cached, "{tokens} tokens");
        }
    }

    #[test]
    fn a_change_at_the_start_leaves_nothing_cached() {
        let mut cache = PromptCache::default();
        admit(&mut cache, "m", &prompt(4_096));
        let mut changed = prompt(4_096);
        changed[0] = 7;
        assert_eq!(admit(&mut cache, "m", &changed), 0);
    }

    #[test]
    fn a_change_in_the_middle_keeps_what_stands_before_it() {
        let mut cache = PromptCache::default();
        admit(&mut cache, "m", &prompt(4_096));
        let mut changed = prompt(4_096);
        changed[2_050] = 7;
        assert_eq!(admit(&mut cache, "m", &changed), 2_048);
    }

    #[test]
    fn models_do_not_share_a_cache() {
        let mut cache = PromptCache::default();
        admit(&mut cache, "m", &prompt(2_048));
        assert_eq!(admit(&mut cache, "n", &prompt(2_048)), 0);
    }
}
