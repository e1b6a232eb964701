//! Who works in the demo, and on what.

use super::agent::Job;
use super::speaker::{Anthropic, OpenAi};

/// Mends the checkout.
pub(super) const FIXER: Job = Job {
    user: "ada",
    agent: "shop-fixer",
    thread: "cents-off",
    model: "gpt-4.1",
    speaker: &OpenAi,
    tokens_max: 8_192,
    questions: &[
        "Since February, what we charge for some orders differs from the invoice by a cent. Find \
         out why and fix it.",
        "Does the refund path have the same bug?",
        "Which customers were charged the wrong amount, and what would it take to put that right?",
    ],
};

/// Goes on where the first one stopped.
pub(super) const REFUNDER: Job = Job {
    user: "ben",
    agent: "refund-fixer",
    thread: "refunds",
    model: "claude-sonnet-4-5",
    speaker: &Anthropic,
    tokens_max: 8_192,
    questions: &[
        "`partial_refund` rounds the VAT of every line by itself, so refunds in parts can miss the \
         charge by a cent. Fix that, with a test.",
        "Write the rule down where the others are, and give me a note for the release.",
    ],
};

/// Wants more than a budget has room for: the longest answer of a dear model.
pub(super) const INTERN: Job = Job {
    user: "intern",
    agent: "reviewer",
    thread: "review",
    model: "claude-opus-4-1",
    speaker: &Anthropic,
    tokens_max: 32_000,
    questions: &["Review every file of this project, line by line."],
};
