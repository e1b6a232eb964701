//! When an edit is made, and when it is left.

use farthing_optimize::caching::Placement;
use farthing_optimize::{Caching, Mode, Observations, Optimized, Optimizer, Situation, Thread};
use farthing_wire::Dialect;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::conversations::{Conversation, caching, optimizer, situation};

/// A conversation whose first result could be shorter, with much behind it.
fn conversation(behind: usize) -> Conversation {
    let rows: Vec<_> = (0..40).map(|n| json!({"name": "row", "number": n})).collect();
    let result = |text: String| json!({"role": "tool", "tool_call_id": "c", "content": text});
    let messages = vec![
        json!({"role": "user", "content": "Look."}),
        result(format!("{:#}", json!(rows))),
        json!({"role": "assistant", "content": "All of it is needed. ".repeat(behind)}),
        json!({"role": "user", "content": "Go on."}),
    ];
    let observations = Observations::Tool;
    Conversation { dialect: Dialect::OpenAiChat, tools: None, messages, observations }
}

fn sent(
    optimizer: &Optimizer,
    conversation: &Conversation,
    mode: Mode,
    thread: &Thread,
    at_minute: i64,
) -> Optimized {
    let caching = caching();
    let now = Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_mins(at_minute)).unwrap();
    let prompt = conversation.request(conversation.messages.len());
    let tokens = prompt.body.len() as u64 / 4;
    let situation = Situation { mode, tokens, now: Some(now), ..situation(&caching, thread) };
    optimizer.optimize(&prompt, &situation)
}

#[test]
fn history_that_the_cache_has_is_left_alone_until_it_lapses() {
    let (optimizer, conversation) = (optimizer(), conversation(500));
    let mut came = sent(&optimizer, &conversation, Mode::Off, &Thread::default(), 0);
    came.thread.kept = caching().lifetimes.first().map(|lifetime| lifetime.ttl);
    let warm = sent(&optimizer, &conversation, Mode::Safe, &came.thread, 1);
    assert!(warm.edits.is_empty());
    assert!(!warm.receipt.refused.is_empty());
    let verdict = warm.receipt.refused[0].verdict;
    assert!(verdict.gain_milli < 0 && verdict.break_even_milli > verdict.requests_milli);
    // What was left once stays as it is while the cache is warm: its prefix is stable.
    let still = sent(&optimizer, &conversation, Mode::Safe, &warm.thread, 2);
    assert!(still.edits.is_empty());
    let cold = sent(&optimizer, &conversation, Mode::Safe, &still.thread, 60);
    assert!(!cold.edits.is_empty());
    // And what was optimized once is never sent otherwise.
    let again = sent(&optimizer, &conversation, Mode::Safe, &cold.thread, 61);
    assert_eq!(again.edits, cold.edits);
}

#[test]
fn warm_history_with_little_behind_it_is_rewritten_where_that_pays() {
    let (optimizer, conversation) = (optimizer(), conversation(1));
    let mut came = sent(&optimizer, &conversation, Mode::Off, &Thread::default(), 0);
    came.thread.kept = caching().lifetimes.first().map(|lifetime| lifetime.ttl);
    came.thread.requests = 60;
    let warm = sent(&optimizer, &conversation, Mode::Safe, &came.thread, 1);
    assert!(!warm.edits.is_empty(), "{:?}", warm.receipt);
}

#[test]
fn a_shadow_changes_nothing_and_says_what_it_would() {
    let (optimizer, conversation) = (optimizer(), conversation(1));
    let shadow = sent(&optimizer, &conversation, Mode::Shadow, &Thread::default(), 0);
    let safe = sent(&optimizer, &conversation, Mode::Safe, &Thread::default(), 0);
    assert!(shadow.edits.is_empty() && !safe.edits.is_empty());
    assert_eq!(shadow.receipt, safe.receipt);
}

#[test]
fn what_an_automatic_cache_has_as_it_came_is_not_rewritten_either() {
    let conversation = conversation(500);
    let prompt = conversation.request(conversation.messages.len());
    let tokens = prompt.body.len() as u64 / 4;
    let caching = Caching { placement: Placement::Automatic, ..caching() };
    let optimizer = optimizer();
    let thread = Thread::default();
    let off = Situation { mode: Mode::Off, tokens, ..situation(&caching, &thread) };
    let thread = optimizer.optimize(&prompt, &off).thread;
    assert_eq!(thread.kept, caching.unasked());
    let safe = Situation { tokens, ..situation(&caching, &thread) };
    assert!(optimizer.optimize(&prompt, &safe).edits.is_empty());
}
