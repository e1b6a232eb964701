//! A conversation grows and nothing of it is ever read from the provider's cache.

use crate::advise::finding::{Basis, Finding};
use crate::advise::log::{Call, Thread};
use crate::advise::observed::{Observed, take};
use crate::money::Usd;
use crate::usage::{Bucket, Usage};

pub(super) const NAME: &str = "missing_cache";

/// The longest of the least lengths that providers cache.
const PROMPT_TOKENS_MIN: u64 = 4_096;
const IDLE_MINUTES_MAX: i64 = 5;

pub(super) fn find(observed: &Observed<'_>) -> Option<Finding> {
    let mut finding = Finding::new(NAME, Basis::Estimated);
    for thread in observed.threads {
        let saved = thread.calls.windows(2).filter_map(|pair| match pair {
            [before, after] => Some((*after, reads(before, after)?)),
            _ => None,
        });
        let saved: Vec<_> = saved.collect();
        let Some((first, ..)) = thread.calls.split_first().filter(|_| saved.len() > 1) else {
            continue;
        };
        let gain = saved.iter().fold(Usd::ZERO, |sum, (_, usd)| sum.plus(*usd).unwrap_or(sum));
        if gain.plus(writes(first)).unwrap_or(gain) <= Usd::ZERO {
            continue;
        }
        for (call, usd) in saved {
            add(&mut finding, thread, call, usd);
        }
    }
    finding.what = format!(
        "{} calls sent again what the call before had sent, and read nothing from a cache",
        finding.count
    );
    finding.steps = vec![
        "assumed: each prompt begins with the one before, as prompts of a conversation do".into(),
        format!(
            "had those {} tokens been read and the rest written, ${:.4} less would have been spent",
            finding.tokens, finding.usd
        ),
    ];
    let how = "cache the conversation: put a breakpoint (\"cache_control\": {\"type\": \
               \"ephemeral\"}) on the last block of each request, or where the provider caches by \
               itself keep the beginning the same and set a prompt_cache_key";
    finding.change = Some((how.to_owned(), finding.usd));
    finding.if_any()
}

fn add(finding: &mut Finding, thread: &Thread<'_>, call: &Call, usd: Usd) {
    let tokens = call.usage.prompt();
    finding.add((thread, call), tokens, usd, || {
        format!("a prompt of {tokens} tokens, none of them from the cache")
    });
}

/// What reading the prompt before would have saved.
fn reads(before: &Call, after: &Call) -> Option<Usd> {
    let idle = before.at.zip(after.at).map(|(before, after)| after.duration_since(before));
    let cold = idle.is_some_and(|idle| idle.as_mins() >= IDLE_MINUTES_MAX);
    let prefix = before.usage.prompt();
    let uncached = |call: &Call| call.usage.cached() == 0 && call.written() == 0;
    let grows = uncached(before) && uncached(after) && after.usage.prompt() >= prefix;
    if cold || !grows || before.model != after.model || prefix < PROMPT_TOKENS_MIN {
        return None;
    }
    let (usage, read) = take(after.usage, prefix, &[Bucket::Input]);
    after.saves(&all_written(usage).with(Bucket::CacheRead, read))
}

/// What writing the first prompt saves: less than nothing.
fn writes(first: &Call) -> Usd {
    first.saves(&all_written(first.usage)).unwrap_or(Usd::ZERO)
}

fn all_written(usage: Usage) -> Usage {
    let input = usage.get(Bucket::Input);
    usage.with(Bucket::Input, 0).with(Bucket::CacheWrite5m, input)
}
