//! Breakpoints: where they go, how they are written, and when there are none.

use farthing_core::prompt::Prompt;
use farthing_core::usage::CacheTtl;
use farthing_optimize::breakpoints::Place;
use farthing_optimize::{Habits, Optimized, Situation, Syntax, Thread};
use farthing_wire::Dialect;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::conversations::{caching, optimizer, situation};

fn prompt(body: &Value) -> Prompt {
    Dialect::Anthropic.parse(body.to_string().into()).unwrap().prompt
}

fn body(messages: Value) -> Value {
    let system = "You fix bugs. ".repeat(500);
    let tools = json!([{"name": "run", "input_schema": {"type": "object"}}]);
    json!({"model": "m", "max_tokens": 9, "system": system, "tools": tools, "messages": messages})
}

fn optimize(body: &Value, change: impl Fn(Situation) -> Situation) -> (Prompt, Optimized) {
    let (prompt, caching, thread) = (prompt(body), caching(), Thread::default());
    let tokens = prompt.body.len() as u64 / 4;
    let situation =
        Situation { syntax: Syntax::CacheControl, tokens, ..situation(&caching, &thread) };
    let optimized = optimizer().optimize(&prompt, &change(situation));
    (prompt, optimized)
}

fn markers(prompt: &Prompt, optimized: &Optimized) -> Vec<String> {
    let sent = Dialect::Anthropic.parse(optimized.apply(&prompt.body)).unwrap().prompt;
    let before = |at: usize| {
        let text = &sent.body[..at];
        String::from_utf8_lossy(&text[text.len().saturating_sub(40)..]).into_owned()
    };
    sent.cache_markers.iter().map(|marker| before(marker.span.start)).collect()
}

#[test]
fn a_prompt_is_broken_after_its_instructions_and_behind_its_newest_message() {
    let messages = json!([
        {"role": "user", "content": "Fix it."},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "run", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "ok"}]},
    ]);
    let (prompt, optimized) = optimize(&body(messages), |situation| situation);
    assert_eq!(optimized.plan.places, [Place::Message(0), Place::Message(3)]);
    let markers = markers(&prompt, &optimized);
    assert_eq!(markers.len(), 2, "{markers:?}");
    let after = |text: &str| markers.iter().any(|marker| marker.contains(text));
    assert!(after("You fix bugs. \",\"cache_control\":"), "{markers:?}");
    assert!(after("\"tool_result\",\"cache_control\":"), "{markers:?}");
}

#[test]
fn a_text_becomes_a_block_to_carry_a_breakpoint() {
    let messages = json!([{"role": "user", "content": "Fix \"it\"."}]);
    let (prompt, optimized) = optimize(&body(messages), |situation| situation);
    let sent: Value = serde_json::from_slice(&optimized.apply(&prompt.body)).unwrap();
    let ephemeral = json!({"type": "ephemeral"});
    assert_eq!(
        sent["messages"][0]["content"],
        json!([{"type": "text", "text": "Fix \"it\".", "cache_control": ephemeral}])
    );
}

#[test]
fn a_clients_own_breakpoints_are_neither_moved_nor_joined() {
    let own = json!({"type": "text", "text": "Fix it.", "cache_control": {"type": "ephemeral"}});
    let (_, optimized) =
        optimize(&body(json!([{"role": "user", "content": [own]}])), |situation| situation);
    assert!(optimized.edits.is_empty() && optimized.plan.places.is_empty());
    assert_eq!(optimized.thread.kept, Some(CacheTtl::FiveMinutes));
}

#[test]
fn one_shots_and_short_prompts_are_not_written_to_the_cache() {
    let asks = json!([{"role": "user", "content": "Which is it?"}]);
    let short = json!({"model": "m", "max_tokens": 9, "messages": asks});
    assert_eq!(optimize(&short, |situation| situation).1.plan.ttl, None);
    // An agent whose threads never had a second request.
    let habits = Habits { threads: 20, returned: 0 };
    let never = optimize(&body(asks.clone()), |situation| Situation { habits, ..situation });
    assert_eq!(never.1.plan.ttl, None);
    let habits = Habits { threads: 20, returned: 15 };
    let often = optimize(&body(asks), |situation| Situation { habits, ..situation });
    assert_eq!(often.1.plan.ttl, Some(CacheTtl::FiveMinutes));
}

#[test]
fn a_thread_with_long_gaps_is_kept_for_an_hour_from_its_next_cold_moment_on() {
    let asked = json!({"role": "user", "content": "Fix it."});
    let request = prompt(&body(json!([asked])));
    let (optimizer, caching) = (optimizer(), caching());
    let mut thread = Thread::default();
    let mut kept = Vec::new();
    for request_number in 0..6 {
        let now = Timestamp::UNIX_EPOCH
            .checked_add(SignedDuration::from_mins(8 * request_number))
            .unwrap();
        let tokens = request.body.len() as u64 / 4;
        let situation = Situation { tokens, now: Some(now), ..situation(&caching, &thread) };
        thread = optimizer.optimize(&request, &situation).thread;
        kept.push(thread.kept);
    }
    assert_eq!(kept.first(), Some(&Some(CacheTtl::FiveMinutes)));
    assert_eq!(kept.last(), Some(&Some(CacheTtl::OneHour)));
}

#[test]
fn tools_keep_the_order_of_their_first_request() {
    let tools = |names: [&str; 3]| {
        let tools = names.map(|name| json!({"name": name, "input_schema": {"type": "object"}}));
        json!({"model": "m", "max_tokens": 9, "tools": tools,
            "messages": [{"role": "user", "content": "Fix it."}]})
    };
    let (optimizer, caching) = (optimizer(), caching());
    let first = prompt(&tools(["a", "b", "c"]));
    let thread = optimizer.optimize(&first, &situation(&caching, &Thread::default())).thread;
    let next = prompt(&tools(["c", "a", "b"]));
    let optimized = optimizer.optimize(&next, &situation(&caching, &thread));
    assert_eq!(optimized.apply(&next.body), first.body);
    let other = prompt(&tools(["a", "b", "d"]));
    let optimized = optimizer.optimize(&other, &situation(&caching, &optimized.thread));
    assert!(optimized.edits.is_empty());
}
