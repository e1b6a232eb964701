//! What the models have read before.

use std::collections::HashSet;

/// Beginnings remembered before the store starts over: of OpenAI's prompts, some 134 million
/// tokens.
const PREFIXES_MAX: usize = 1 << 20;

/// Beginnings of prompts that this server has seen, each by a hash of the model and of all that
/// stands in it. Nothing expires: whoever wants a cold cache starts a new server.
#[derive(Debug, Default)]
pub(crate) struct PromptCache {
    prefixes: HashSet<u64>,
}

impl PromptCache {
    pub(crate) fn contains(&self, prefix: u64) -> bool {
        self.prefixes.contains(&prefix)
    }

    pub(crate) fn insert(&mut self, prefixes: &[u64]) {
        if self.prefixes.len() + prefixes.len() > PREFIXES_MAX {
            self.prefixes.clear();
        }
        self.prefixes.extend(prefixes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_store_starts_over() {
        let mut cache = PromptCache::default();
        let all: Vec<_> = (0..PREFIXES_MAX as u64).collect();
        cache.insert(&all);
        assert!(cache.contains(0));
        cache.insert(&[u64::MAX]);
        assert!(cache.contains(u64::MAX) && !cache.contains(0));
    }
}
