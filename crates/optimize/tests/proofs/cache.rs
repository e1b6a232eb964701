//! The simulated cache, what keeps it from being found, and when it is kept warm.

use farthing_core::prompt::Prompt;
use farthing_core::usage::{Bucket, CacheTtl, Usage};
use farthing_optimize::Thread;
use farthing_optimize::cache::{Block, Cache};
use farthing_optimize::keep_warm::next_ping;
use farthing_optimize::stability::{VolatileKind, bust, volatile};
use farthing_wire::Dialect;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::conversations::caching;

const SHORT: Option<CacheTtl> = Some(CacheTtl::FiveMinutes);

fn blocks(hashes: &[u64]) -> Vec<Block> {
    hashes.iter().map(|hash| Block { hash: *hash, tokens: 1_000 }).collect()
}

fn at(minute: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_mins(minute)).unwrap()
}

fn figures(usage: &Usage) -> [u64; 3] {
    [Bucket::CacheRead, Bucket::CacheWrite5m, Bucket::Input].map(|bucket| usage.get(bucket))
}

#[test]
fn a_prefix_is_read_until_it_lapses_and_what_follows_is_written() {
    let mut cache = Cache::new(caching());
    let mut send = |hashes: &[u64], minute| {
        figures(&cache.send(&blocks(hashes), &[hashes.len() - 1], SHORT, Some(at(minute))))
    };
    assert_eq!(send(&[1, 2], 0), [0, 2_000, 0]);
    assert_eq!(send(&[1, 2, 3], 5), [2_000, 1_000, 0]);
    assert_eq!(send(&[1, 2, 3, 4], 10), [3_000, 1_000, 0]);
    assert_eq!(send(&[1, 9, 3, 4], 11), [0, 4_000, 0]);
    assert_eq!(send(&[1, 9, 3, 4], 17), [0, 4_000, 0]);
}

#[test]
fn a_prompt_below_the_minimum_or_without_marks_is_not_kept() {
    let mut cache = Cache::new(caching());
    assert_eq!(figures(&cache.send(&blocks(&[1]), &[0], SHORT, None)), [0, 0, 1_000]);
    assert_eq!(figures(&cache.send(&blocks(&[1, 2]), &[1], None, None)), [0, 0, 2_000]);
    assert_eq!(figures(&cache.send(&blocks(&[1, 2, 3]), &[1], SHORT, None)), [0, 2_000, 1_000]);
    // Look-back ends: what is kept lies 21 blocks before the mark.
    let many: Vec<u64> = (1..=23).collect();
    assert_eq!(figures(&cache.send(&blocks(&many), &[22], SHORT, None))[0], 0);
}

#[test]
fn an_idle_prompt_is_read_again_until_a_return_is_too_unlikely() {
    let caching = caching();
    let thread = |requests, kept| {
        let mut thread = Thread::default();
        (thread.requests, thread.kept) = (requests, kept);
        thread
    };
    let busy = thread(9, SHORT);
    let next = |idle: &SignedDuration| next_ping(&caching, &busy, 50_000, *idle);
    let pings: Vec<_> = std::iter::successors(next(&SignedDuration::ZERO), next).collect();
    assert!((2..20).contains(&pings.len()), "{pings:?}");
    let ends = [SignedDuration::ZERO].into_iter().chain(pings.iter().copied());
    for (before, ping) in ends.zip(&pings) {
        assert!(*ping - before < SignedDuration::from_mins(5), "{pings:?}");
    }
    let first = |thread: &Thread, tokens| next_ping(&caching, thread, tokens, SignedDuration::ZERO);
    assert_eq!(first(&busy, 100), None);
    assert_eq!(first(&thread(1, SHORT), 50_000), None);
    assert_eq!(first(&thread(9, None), 50_000), None);
}

fn prompt(system: &str, tools: Value, asked: &str) -> Prompt {
    let body = json!({"model": "m", "max_tokens": 9, "system": system, "tools": tools,
        "messages": [{"role": "user", "content": asked}]});
    Dialect::Anthropic.parse(body.to_string().into()).unwrap().prompt
}

#[test]
fn a_bust_is_explained_by_its_first_differing_byte() {
    let tools = json!([{"name": "run", "input_schema": {"type": "object"}}]);
    let before = prompt("It is 09:15:59 now. Work.", tools.clone(), "Go.");
    let now = prompt("It is 09:16:03 now. Work.", tools.clone(), "Go.");
    let found = bust(&before, &now, 1_000, None).unwrap();
    assert_eq!(found.field, "messages[0]");
    assert_eq!(&now.body[found.at..found.at + 4], b"6:03");
    assert!(found.now.contains("09:16:03") && found.before.contains("09:15:59"), "{found:?}");
    assert!((1..=1_000).contains(&found.tokens));
    assert_eq!(bust(&before, &before, 1_000, None), None);

    let other = json!([{"name": "walk", "input_schema": {"type": "object"}}]);
    let changed = prompt("It is 09:15:59 now. Work.", other, "Go.");
    assert_eq!(bust(&before, &changed, 1_000, None).unwrap().field, "tools[0]");
}

#[test]
fn what_changes_each_time_is_found_in_the_instructions_alone() {
    let uuid = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
    let system = format!("Today is 2026-11-23T09:15, 09:15:59. Session {uuid}. Version 1.2-3:4.");
    let prompt = prompt(&system, json!([]), "Since 2026-11-20?");
    let found = volatile(&prompt);
    let kinds: Vec<_> = found.iter().map(|found| found.kind).collect();
    assert_eq!(kinds, [VolatileKind::Date, VolatileKind::Time, VolatileKind::Uuid]);
    assert_eq!(prompt.raw(&found[2].at), uuid);
}
