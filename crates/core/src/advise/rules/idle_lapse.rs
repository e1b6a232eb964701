//! Nobody called for longer than the provider keeps a prefix, and all of it was written again.

use crate::advise::carry::unit;
use crate::advise::finding::{Basis, Finding};
use crate::advise::log::Thread;
use crate::advise::observed::{Lapse, Observed};
use crate::money::Usd;
use crate::usage::Bucket;

pub(super) const NAME: &str = "idle_lapse";

pub(super) fn find(observed: &Observed<'_>) -> Option<Finding> {
    let mut finding = Finding::new(NAME, Basis::Observed);
    let mut warm = Usd::ZERO;
    for lapse in observed.lapses().filter(Lapse::is_idle) {
        let minutes = lapse.idle.map_or(0, |idle| idle.as_mins());
        finding.add((lapse.thread, lapse.after), lapse.tokens, lapse.usd, || {
            format!("{} tokens sent again after {minutes} minutes", lapse.tokens)
        });
        warm = add(warm, lapse.with_pings());
    }
    let lapsed = observed.threads.iter().filter(|thread| {
        let alone = Observed { threads: std::slice::from_ref(thread), ..*observed };
        alone.lapses().any(|lapse| lapse.is_idle())
    });
    let hour = lapsed.map(Thread::saved_by_an_hour).fold(Usd::ZERO, add);
    finding.what = format!(
        "{} times nobody called for longer than the cache lives, and its prefix was paid again",
        finding.count
    );
    finding.steps = vec![
        format!(
            "{} tokens were written again instead of read, for ${:.4} more at each call's rates",
            finding.tokens, finding.usd
        ),
        format!("a TTL of an hour would have saved ${hour:.4}, its dearer writes taken off"),
        format!("a request every five minutes would have saved ${warm:.4}, its reads taken off"),
    ];
    finding.change = Some(if hour >= warm {
        let how = "let the cache live an hour: \"cache_control\": {\"type\": \"ephemeral\", \
                   \"ttl\": \"1h\"} on the last breakpoint";
        (how.to_owned(), hour)
    } else {
        let how = "keep idle prefixes warm: have the gateway send a request of one token before \
                   the five minutes are over, as long as somebody is expected back";
        (how.to_owned(), warm)
    });
    finding.if_any()
}

fn add(sum: Usd, usd: Usd) -> Usd {
    sum.plus(usd).unwrap_or(sum)
}

// === impl Lapse ===

impl Lapse<'_> {
    /// What a request in each TTL would have saved; nothing where it would have cost more.
    fn with_pings(&self) -> Usd {
        let ttl = self.ttl().as_secs().max(1);
        let pings = self.idle.map_or(0, |idle| idle.as_secs() / ttl);
        let prefix = self.before.usage.cached().saturating_add(self.before.written());
        let each = unit(self.after, Bucket::CacheRead).saturating_mul(i128::from(prefix));
        let pings = Usd::from_pico(each.saturating_mul(i128::from(pings)));
        self.usd.minus(pings).unwrap_or(Usd::ZERO).max(Usd::ZERO)
    }
}
