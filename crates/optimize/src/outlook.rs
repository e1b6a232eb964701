//! What is still to come of a conversation: all that the gate has to guess.

use farthing_core::prompt::{Prompt, Role};

use crate::caching::{BASE, Caching, Lifetime};
use crate::thread::{Habits, Thread};

/// No conversation is believed to have more requests before it than this.
const REQUESTS_MAX: i64 = 64;

/// How much a guess from the shape of a first request weighs against what was seen, in threads.
const GUESS_WEIGHT: i64 = 2;

/// A guess at the future, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// How likely it is that another request comes at all, in thousandths.
    pub returns: i64,
    /// R: how many more requests are expected, in thousandths of a request.
    pub more: i64,
}

// === impl Outlook ===

impl Outlook {
    /// The outlook of a thread whose request `prompt` has just come.
    ///
    /// What lasted long will last long (Lindy's law): after n requests n more are expected. A
    /// first request has only its shape and what the agent's earlier threads did; that it brings a
    /// history says little, for examples look the same.
    pub fn of(prompt: &Prompt, thread: &Thread, habits: Habits) -> Outlook {
        let turns = i64::try_from(thread.requests).unwrap_or(REQUESTS_MAX).min(REQUESTS_MAX);
        if turns > 0 {
            return Outlook { returns: BASE * (turns + 2) / (turns + 3), more: BASE * (turns + 1) };
        }
        let seen = |count: u64| i64::try_from(count.min(1_000)).unwrap_or_default();
        let guess = if speaks_as_agent(prompt) { BASE * 3 / 5 } else { BASE / 10 };
        let returns = (guess * GUESS_WEIGHT + BASE * seen(habits.returned))
            / (GUESS_WEIGHT + seen(habits.threads));
        Outlook { returns, more: 2 * returns }
    }

    /// How likely it is that the next gap outlasts `lifetime`, in thousandths.
    pub fn lapses(thread: &Thread, lifetime: &Lifetime) -> i64 {
        let (gaps, beyond) = thread.gaps_beyond(lifetime.lasts);
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX / BASE);
        // One gap in fifty, where nothing was seen.
        (BASE * count(beyond) + BASE / 50) / (count(gaps) + 1)
    }

    /// Whether writing to the cache now is expected to cost less than not to: a token that is
    /// written costs w now and r later, one that is not costs the base price now and w later.
    pub fn worth_writing(&self, caching: &Caching, lifetime: &Lifetime) -> bool {
        self.returns * (lifetime.write - caching.read) > (lifetime.write - BASE) * BASE
    }
}

/// Whether a first request looks like the beginning of more: one-shots rarely bring so many
/// instructions (in bytes).
fn speaks_as_agent(prompt: &Prompt) -> bool {
    const INSTRUCTIONS_MIN: usize = 1_000;
    let system = prompt.messages.iter().filter(|message| message.role == Role::System);
    system.map(|message| message.span.len()).sum::<usize>() >= INSTRUCTIONS_MIN
}
