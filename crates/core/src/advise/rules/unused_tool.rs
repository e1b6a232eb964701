//! A tool stood in every prompt and was never called.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::advise::carry::unit;
use crate::advise::finding::{Basis, Finding};
use crate::advise::log::{Call, Thread};
use crate::advise::observed::Observed;
use crate::money::Usd;
use crate::usage::Bucket;

pub(super) const NAME: &str = "unused_tool";

/// Fewer requests prove nothing.
const REQUESTS_MIN: u64 = 10;

/// A tool that was offered.
struct Unused<'t> {
    last: (&'t Thread<'t>, &'t Call),
    requests: u64,
    tokens: u64,
    pico: i128,
}

pub(super) fn find(observed: &Observed<'_>) -> Option<Finding> {
    let called: BTreeSet<&str> =
        observed.calls().flat_map(|(_, call)| &call.tools).map(|tool| &*tool.name).collect();
    let mut offered: BTreeMap<&Arc<str>, Unused<'_>> = BTreeMap::new();
    for (thread, call) in observed.calls() {
        // Definitions come first in a prompt, so they are read from the cache where anything is.
        let cached = call.usage.cached() > 0;
        let bucket = if cached { Bucket::CacheRead } else { Bucket::Input };
        for tool in call.offered.iter().filter(|tool| !called.contains(&*tool.name)) {
            let tokens = observed.tokens(tool.bytes);
            let new = Unused { last: (thread, call), requests: 0, tokens: 0, pico: 0 };
            let unused = offered.entry(&tool.name).or_insert(new);
            unused.last = (thread, call);
            unused.requests += 1;
            unused.tokens = unused.tokens.saturating_add(tokens);
            let cost = unit(call, bucket).saturating_mul(i128::from(tokens));
            unused.pico = unused.pico.saturating_add(cost);
        }
    }
    offered.retain(|_, unused| unused.requests >= REQUESTS_MIN);
    let mut finding = Finding::new(NAME, Basis::Estimated);
    for (name, unused) in &offered {
        finding.add(unused.last, unused.tokens, Usd::from_pico(unused.pico), || {
            format!("{name} stood in {} requests and was never called", unused.requests)
        });
    }
    finding.what = format!("{} tools were offered and never called", finding.count);
    finding.steps = vec![format!(
        "their definitions are {} tokens by their length over all requests, at the price of reading \
         where the request read anything, else of input",
        finding.tokens
    )];
    let names: Vec<&str> = offered.keys().take(8).map(|name| &***name).collect();
    let how = format!(
        "take them out of the request, or behind a search of tools: {}{}",
        names.join(", "),
        if offered.len() > names.len() { ", …" } else { "" }
    );
    finding.change = Some((how, finding.usd));
    finding.if_any()
}
