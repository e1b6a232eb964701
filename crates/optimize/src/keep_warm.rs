//! Whether an idle prompt is worth keeping in the provider's cache.

use jiff::SignedDuration;

use crate::caching::{BASE, Caching};
use crate::thread::Thread;

/// How long before the cache lapses it is to be used again.
const MARGIN: SignedDuration = SignedDuration::from_secs(20);

/// Fewer requests do not show that a thread goes on.
const REQUESTS_MIN: u64 = 3;

/// When the provider's cache is to be read once more for a thread that has been idle for `idle`,
/// counted from its latest request; `None` where that costs more than it is expected to save.
///
/// A reading costs r for each token. It saves w − r if the client returns before the cache would
/// lapse again. A client that has been away for t comes back within the next ttl with a likelihood
/// of ttl / (t + ttl), by the rule that what lasted t lasts t more.
pub fn next_ping(
    caching: &Caching,
    thread: &Thread,
    tokens: u64,
    idle: SignedDuration,
) -> Option<SignedDuration> {
    let lifetime = caching.lifetime(thread.kept?)?;
    if thread.requests < REQUESTS_MIN || tokens < caching.min_tokens {
        return None;
    }
    let seconds = lifetime.lasts.as_secs();
    let due = idle.as_secs().max(0) / (seconds - MARGIN.as_secs()).max(1) + 1;
    let due = SignedDuration::from_secs((seconds - MARGIN.as_secs()).max(1).saturating_mul(due));
    let returns = BASE.saturating_mul(seconds) / due.as_secs().saturating_add(seconds).max(1);
    (returns * (lifetime.write - caching.read) > caching.read * BASE).then_some(due)
}
