use serde_json::{Value, json};

use super::*;
use crate::anthropic::request::MessagesRequest;

fn prompt(body: &Value) -> Prompt {
    Prompt::new(&MessagesRequest::parse(body.to_string().as_bytes()).unwrap())
}

/// A block of some 1,150 tokens.
fn block(number: usize) -> Value {
    json!({"type": "text", "text": format!("{number}{}", " alpha beta gamma delta".repeat(250))})
}

fn marked(mut block: Value, ttl: &str) -> Value {
    block["cache_control"] = json!({"type": "ephemeral", "ttl": ttl});
    block
}

fn of_blocks(content: &[Value]) -> Prompt {
    let message = json!({"role": "user", "content": content});
    prompt(&json!({"model": "claude-sonnet-4-5", "messages": [message]}))
}

/// Tokens read, written for five minutes, written for an hour, and neither.
fn split(cache: &mut PromptCache, prompt: &Prompt) -> [u64; 4] {
    let Usage { prompt_tokens, cached_tokens, .. } = admit(&mut PromptCache::default(), prompt);
    assert_eq!((prompt_tokens, cached_tokens), (prompt.tokens(), 0));
    let usage = admit(cache, prompt);
    let cached = [usage.cached_tokens, usage.cache_write_5m_tokens, usage.cache_write_1h_tokens];
    let [read, five_minutes, hour] = cached;
    [read, five_minutes, hour, usage.prompt_tokens - cached.iter().sum::<u64>()]
}

#[test]
fn what_is_not_marked_is_not_cached() {
    let mut cache = PromptCache::default();
    let prompt = of_blocks(&[block(0)]);
    for _ in 0..2 {
        assert_eq!(split(&mut cache, &prompt), [0, 0, 0, prompt.tokens()]);
    }
}

#[test]
fn a_marked_prefix_is_written_once_and_then_read() {
    for (ttl, written) in [("5m", [1, 0]), ("1h", [0, 1])] {
        let mut cache = PromptCache::default();
        let prompt = of_blocks(&[marked(block(0), ttl), block(1)]);
        let prefix = prompt.ends[0].tokens;
        let rest = prompt.tokens() - prefix;
        let [five_minutes, hour] = written.map(|share| share * prefix);
        assert_eq!(split(&mut cache, &prompt), [0, five_minutes, hour, rest]);
        assert_eq!(split(&mut cache, &prompt), [prefix, 0, 0, rest]);
    }
}

#[test]
fn a_breakpoint_that_moves_on_reads_up_to_where_it_was() {
    let mut cache = PromptCache::default();
    let short = of_blocks(&[block(0), marked(block(1), "5m")]);
    let long = of_blocks(&[block(0), block(1), block(2), marked(block(3), "5m")]);
    let [before, end] = [long.ends[1].tokens, long.ends[3].tokens];
    split(&mut cache, &short);
    assert_eq!(split(&mut cache, &long), [before, end - before, 0, long.tokens() - end]);
}

#[test]
fn a_prefix_is_known_only_where_a_breakpoint_was() {
    let mut cache = PromptCache::default();
    split(&mut cache, &of_blocks(&[block(0), marked(block(1), "5m")]));
    let changed = of_blocks(&[block(0), marked(block(7), "5m")]);
    let end = changed.ends[1].tokens;
    assert_eq!(split(&mut cache, &changed), [0, end, 0, changed.tokens() - end]);
}

#[test]
fn an_hour_is_written_up_to_its_breakpoint_and_five_minutes_after_it() {
    let mut cache = PromptCache::default();
    let prompt = of_blocks(&[marked(block(0), "1h"), marked(block(1), "5m"), block(2)]);
    let [hour, five_minutes] = [prompt.ends[0].tokens, prompt.ends[1].tokens];
    let rest = prompt.tokens() - five_minutes;
    assert_eq!(split(&mut cache, &prompt), [0, five_minutes - hour, hour, rest]);
    assert_eq!(split(&mut cache, &prompt), [five_minutes, 0, 0, rest]);
}

#[test]
fn a_breakpoint_looks_back_20_blocks() {
    let blocks = |count| (0..count).map(block).collect::<Vec<_>>();
    for (later, is_found) in [(20, true), (21, false)] {
        let mut cache = PromptCache::default();
        split(&mut cache, &of_blocks(&[marked(block(0), "5m")]));
        let mut content = blocks(later);
        let last = content.pop().unwrap();
        content.push(marked(last, "5m"));
        let prompt = of_blocks(&content);
        let read = if is_found { prompt.ends[0].tokens } else { 0 };
        assert_eq!(split(&mut cache, &prompt)[0], read, "{later} blocks");
    }
}

#[test]
fn a_breakpoint_before_1024_tokens_does_nothing() {
    let word = json!({"type": "text", "text": "alpha beta gamma delta"});
    let mut cache = PromptCache::default();
    let prompt = of_blocks(&[marked(word, "5m"), block(0)]);
    for _ in 0..2 {
        assert_eq!(split(&mut cache, &prompt), [0, 0, 0, prompt.tokens()]);
    }
}

#[test]
fn a_control_beside_the_messages_caches_the_whole_prompt() {
    let mut cache = PromptCache::default();
    let message = json!({"role": "user", "content": [block(0)]});
    let body = json!({
        "model": "claude-sonnet-4-5", "messages": [message],
        "cache_control": {"type": "ephemeral"},
    });
    let prompt = prompt(&body);
    let end = prompt.ends[0].tokens;
    assert_eq!(split(&mut cache, &prompt), [0, end, 0, 3]);
    assert_eq!(split(&mut cache, &prompt), [end, 0, 0, 3]);
}

#[test]
fn models_do_not_share_a_cache() {
    let mut cache = PromptCache::default();
    let message = json!({"role": "user", "content": [marked(block(0), "5m")]});
    for model in ["claude-sonnet-4-5", "claude-haiku-4-5"] {
        let prompt = prompt(&json!({"model": model, "messages": [message]}));
        assert_eq!(split(&mut cache, &prompt)[0], 0, "{model}");
    }
}
