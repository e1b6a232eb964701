//! What a text costs that stays in a conversation: once to write it, and again in every call that
//! reads it.

use super::log::{Call, Thread};
use crate::money::Usd;
use crate::usage::Bucket;

/// The price of one token in each call of a conversation, added up so that any stretch of it is a
/// difference.
#[derive(Debug)]
pub(super) struct Carry {
    /// Pico-dollars for reading a token in all calls before.
    read: Vec<i128>,
    /// Pico-dollars for sending a token for the first time, by call.
    sent: Vec<i128>,
    /// For each call, the first behind it whose prompt is shorter: what stood there was taken out.
    until: Vec<usize>,
}

// === impl Carry ===

impl Carry {
    pub(super) fn new(thread: &Thread<'_>) -> Carry {
        let calls = &thread.calls;
        let mut read = vec![0_i128];
        for call in calls {
            let sum = read.last().copied().unwrap_or_default();
            read.push(sum.saturating_add(unit(
                call,
                if call.usage.cached() > 0 { Bucket::CacheRead } else { Bucket::Input },
            )));
        }
        let mut until = vec![calls.len(); calls.len()];
        for at in (0..calls.len().saturating_sub(1)).rev() {
            let shorter = calls[at + 1].usage.prompt() < calls[at].usage.prompt();
            until[at] = if shorter { at + 1 } else { until[at + 1] };
        }
        Carry {
            read,
            sent: calls.iter().map(|call| unit(call, bucket_sent(call))).collect(),
            until,
        }
    }

    /// What so many tokens cost that came into the conversation behind call `at`, and how many calls
    /// had them. The next call sends them, those behind it read them.
    pub(super) fn cost(&self, at: usize, tokens: u64) -> (Usd, u64) {
        let (first, until) = (at + 1, self.until.get(at).copied().unwrap_or(0));
        let Some(sent) = self.sent.get(first).filter(|_| first < until) else {
            return (Usd::ZERO, 0);
        };
        let sum = |at: usize| self.read.get(at).copied().unwrap_or_default();
        let rate = sent.saturating_add(sum(until).saturating_sub(sum(first + 1)));
        let usd = Usd::from_pico(rate.saturating_mul(i128::from(tokens)));
        (usd, (until - first) as u64)
    }
}

/// Where a call has what it sends for the first time.
fn bucket_sent(call: &Call) -> Bucket {
    let has = |bucket: &Bucket| call.usage.get(*bucket) > 0;
    [Bucket::CacheWrite1h, Bucket::CacheWrite5m].into_iter().find(has).unwrap_or(Bucket::Input)
}

/// Pico-dollars for one more token in a bucket of a call.
pub(super) fn unit(call: &Call, bucket: Bucket) -> i128 {
    let more = call.usage.with(bucket, call.usage.get(bucket).saturating_add(1));
    call.saves(&more).map_or(0, |saved| saved.pico().saturating_neg())
}
