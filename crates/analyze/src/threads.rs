//! Requests as conversations.

use std::collections::HashMap;
use std::sync::Arc;

use farthing_core::advise::Thread;

use crate::log::hash;
use crate::priced::{Priced, Request};

/// Bytes and tokens of a text where nothing was observed.
const USUAL_BYTES_PER_TOKENS: (u64, u64) = (4, 1);
/// Fewer tokens prove nothing.
const TOKENS_MIN: u64 = 2_000;

/// The requests of one conversation, in order.
#[derive(Debug)]
pub(crate) struct Conversation<'p> {
    pub(crate) requests: Vec<&'p Request>,
}

// === impl Conversation ===

impl<'p> Conversation<'p> {
    /// All conversations: by session and sub-agent, or where a log names no session by prompts that
    /// continue each other.
    pub(crate) fn all(priced: &'p Priced) -> Vec<Conversation<'p>> {
        let mut all: Vec<Conversation<'p>> = Vec::new();
        let mut named: HashMap<(u64, Option<&str>), usize> = HashMap::new();
        let mut by_prompt: HashMap<u64, usize> = HashMap::new();
        for request in &priced.requests {
            let hashes = request.prompt.as_ref().map(|prompt| &prompt.hashes);
            let known = match (request.names_session, hashes) {
                (true, _) => {
                    let session = hash((request.source, &request.session));
                    let named = named.entry((session, request.agent.as_deref()));
                    Some(*named.or_insert(all.len()))
                }
                (false, Some(hashes)) => {
                    hashes.iter().rev().find_map(|hash| by_prompt.get(hash).copied())
                }
                (false, None) => None,
            };
            let at = known.unwrap_or(all.len());
            if at == all.len() {
                all.push(Conversation { requests: Vec::new() });
            }
            all[at].requests.push(request);
            if let Some(whole) = hashes.and_then(|hashes| hashes.last()) {
                by_prompt.insert(*whole, at);
            }
        }
        all
    }

    pub(crate) fn thread(&self) -> Thread<'p> {
        let first = self.requests.first();
        Thread {
            session: first.map_or_else(|| "".into(), |first| Arc::clone(&first.session)),
            agent: first.and_then(|first| first.agent.clone()),
            calls: self.requests.iter().map(|request| &request.call).collect(),
        }
    }
}

/// How many bytes of logged text the provider counted as how many tokens: by how much prompts grew
/// from one request to the next, the answer between them taken off.
pub(crate) fn bytes_per_tokens(conversations: &[Conversation<'_>]) -> (u64, u64) {
    let (mut bytes, mut tokens) = (0_u64, 0_u64);
    for pair in conversations.iter().flat_map(|one| one.requests.windows(2)) {
        let [before, after] = pair else { continue };
        if before.estimated || after.estimated {
            continue;
        }
        let (said, prompt) = (before.call.usage.completion(), before.call.usage.prompt());
        let grown = after.call.usage.prompt().checked_sub(prompt.saturating_add(said));
        let added = after.added.user.saturating_add(after.added.results);
        if let Some(grown) = grown.filter(|grown| *grown > 0 && added > 0) {
            bytes = bytes.saturating_add(added);
            tokens = tokens.saturating_add(grown);
        }
    }
    // No text has ten bytes a token throughout, nor one: what was counted was something else.
    let plausible = tokens >= TOKENS_MIN && (tokens..=tokens.saturating_mul(10)).contains(&bytes);
    if plausible { (bytes, tokens) } else { USUAL_BYTES_PER_TOKENS }
}
