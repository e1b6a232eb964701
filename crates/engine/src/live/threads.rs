//! Which conversation a request goes on with, where it does not say.

use std::sync::{Mutex, PoisonError};

use farthing_core::id::{RequestId, TenantId, ThreadId, UserId};
use farthing_core::prompt::{Message, Part, Prompt, Role};

use super::recent::Recent;

/// Conversations that are remembered at least.
const REMEMBERED: usize = 50_000;

/// Finds conversations by the chain of their messages: a request that begins with all that an earlier
/// one of the same user said goes on with it.
#[derive(Debug)]
pub(crate) struct Threads(Mutex<Recent<Link, ThreadId>>);

/// The hash of a user's messages up to one.
pub(crate) type Link = [u8; 16];

/// Where a request stands in its conversation, by what was said up to there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trail {
    /// The first message.
    pub first: Option<Link>,
    /// All that was said.
    pub latest: Option<Link>,
    /// Where earlier requests may have stood, newest first.
    pub earlier: Vec<Link>,
}

/// Earlier places of a conversation that are worth a look.
const EARLIER_MAX: usize = 8;

// === impl Threads ===

impl Threads {
    pub(crate) fn new() -> Threads {
        Threads(Mutex::new(Recent::new(REMEMBERED)))
    }

    /// The conversation that this prompt goes on with, or a new one named for the request; and where
    /// it stands in it.
    pub(crate) fn find(
        &self,
        tenant: &TenantId,
        user: &UserId,
        prompt: &Prompt,
        request: RequestId,
    ) -> (ThreadId, Trail) {
        let chain = chain(tenant, user, prompt);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What goes on with a request has its answer, at least, behind all of its messages.
        let answered = conversation(prompt).skip(1).map(|next| next.role == Role::Assistant);
        let answered: Vec<_> =
            chain.iter().zip(answered).filter(|(_, answered)| *answered).collect();
        let earlier = || answered.iter().rev().map(|(link, _)| *link);
        let found = earlier().find_map(|link| known.get_mut(link).cloned());
        let thread = found.unwrap_or_else(|| ThreadId::of(request));
        if let Some(whole) = chain.last() {
            known.insert(*whole, thread.clone());
        }
        let trail = Trail {
            first: chain.first().copied(),
            latest: chain.last().copied(),
            earlier: earlier().take(EARLIER_MAX).copied().collect(),
        };
        (thread, trail)
    }
}

/// What was said, without instructions: programs put the time and the like into those.
fn conversation(prompt: &Prompt) -> impl Iterator<Item = &Message> {
    prompt.messages.iter().filter(|message| message.role != Role::System)
}

/// The hash of all messages up to each. Markers for the cache are not part of it: they move.
fn chain(tenant: &TenantId, user: &UserId, prompt: &Prompt) -> Vec<Link> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(tenant.as_str().as_bytes()).update(&[0]).update(user.as_str().as_bytes());
    let link = |message: &Message| {
        hasher.update(&[0, message.role as u8]);
        for part in &message.parts {
            let span = match part {
                Part::Text(text) => &text.0,
                Part::Image(span) | Part::Thought(span) | Part::Other(span) => span,
            };
            hasher.update(prompt.raw(span).as_bytes()).update(&[1]);
        }
        for call in &message.tool_calls {
            hasher.update(prompt.raw(&call.name.0).as_bytes()).update(&[2]);
            hasher.update(prompt.raw(&call.arguments.0).as_bytes()).update(&[3]);
        }
        let mut link = Link::default();
        hasher.finalize_xof().fill(&mut link);
        link
    };
    conversation(prompt).map(link).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test, helpers included")]

    use bytes::Bytes;
    use farthing_wire::Dialect;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn find(threads: &Threads, user: &str, number: u128, said: &[(&str, &str)]) -> ThreadId {
        let said = said.iter().map(|(role, content)| json!({ "role": role, "content": content }));
        let body = json!({ "model": "m", "messages": said.collect::<Vec<_>>() }).to_string();
        let request = Dialect::OpenAiChat.parse(Bytes::from(body)).unwrap();
        let (tenant, user) = (TenantId::new("t").unwrap(), UserId::new(user).unwrap());
        let id = RequestId::new(Uuid::from_u128(number));
        threads.find(&tenant, &user, &request.prompt, id).0
    }

    #[test]
    fn a_request_goes_on_with_the_conversation_that_it_begins_with() {
        let threads = Threads::new();
        let system = ("system", "Be kind.");
        let first = find(&threads, "ann", 1, &[system, ("user", "one")]);
        let other = find(&threads, "ann", 2, &[system, ("user", "two")]);
        assert_ne!(first, other);
        let said = [system, ("user", "one"), ("assistant", "1"), ("user", "more")];
        assert_eq!(find(&threads, "ann", 3, &said), first);
        let more = [&said[..], &[("assistant", "2"), ("user", "even more")]].concat();
        assert_eq!(find(&threads, "ann", 4, &more), first);
        assert_ne!(find(&threads, "bob", 5, &more), first, "nobody goes on with another's");
        assert_ne!(find(&threads, "ann", 6, &[system, ("user", "one")]), first, "it begins anew");
    }
}
