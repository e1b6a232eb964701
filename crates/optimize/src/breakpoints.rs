//! Where to break a prompt for the provider's cache, and how long to keep what is written.

use farthing_core::prompt::{Prompt, Role, Span};
use farthing_core::usage::CacheTtl;
use jiff::Timestamp;

use crate::caching::{BASE, Caching, Lifetime, Placement};
use crate::outlook::Outlook;
use crate::thread::Thread;

/// A place up to which the provider is asked to keep the prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// After the last tool definition.
    Tools,
    /// After this message.
    Message(usize),
}

/// Up to where a prompt is kept, and for how long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In the order of the prompt; the client's own are not among them.
    pub places: Vec<Place>,
    /// For how long; `None` where nothing is to be kept.
    pub ttl: Option<CacheTtl>,
}

/// What a plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// The request.
    pub prompt: &'a Prompt,
    /// The tokens of the whole prompt.
    pub tokens: u64,
    /// The provider's cache.
    pub caching: &'a Caching,
    /// What was before.
    pub thread: &'a Thread,
    /// What is to come.
    pub outlook: Outlook,
    /// When the request came.
    pub now: Option<Timestamp>,
    /// Whether somebody keeps the cache warm while the client is idle.
    pub kept_warm: bool,
}

// === impl Place ===

impl Place {
    /// Where the client has breakpoints of its own.
    pub fn own(prompt: &Prompt) -> Vec<Place> {
        let place = |at: usize| {
            let within = |span: &Span| span.contains(&at);
            let message = prompt.messages.iter().position(|message| within(&message.span));
            let tool =
                || prompt.tools.iter().any(|tool| within(&tool.span)).then_some(Place::Tools);
            message.map(Place::Message).or_else(tool)
        };
        let newest = || prompt.messages.len().checked_sub(1).map(Place::Message);
        let markers = prompt.cache_markers.iter();
        let places = markers.filter_map(|marker| match marker.automatic {
            true => newest(),
            false => place(marker.span.start),
        });
        places.collect()
    }
}

// === impl Plan ===

impl Plan {
    /// A rolling breakpoint behind the newest message, a stable anchor behind the instructions,
    /// and one where the latest request ended, if the provider would not look back so far. Nothing
    /// where reuse is not expected, or where the client has breakpoints of its own: whoever places
    /// some knows what for.
    pub fn of(ground: &Ground) -> Plan {
        let Placement::Breakpoints { most, look_back } = ground.caching.placement else {
            return Plan::default();
        };
        let lifetime = lifetime(ground);
        let worth = |lifetime: &&Lifetime| ground.outlook.worth_writing(ground.caching, lifetime);
        let Some(lifetime) = lifetime.filter(worth) else { return Plan::default() };
        let own = !ground.prompt.cache_markers.is_empty();
        if own || ground.tokens < ground.caching.min_tokens || most == 0 {
            return Plan::default();
        }
        let places = places(ground.prompt, ground.thread, most, look_back);
        Plan { places, ttl: Some(lifetime.ttl) }
    }
}

/// The places, most useful first until there are `most`, then put in order.
fn places(prompt: &Prompt, thread: &Thread, most: usize, look_back: usize) -> Vec<Place> {
    let Some(newest) = prompt.messages.len().checked_sub(1) else { return Vec::new() };
    let mut places = vec![Place::Message(newest)];
    let instructions = prompt.messages.iter().take_while(|message| message.role == Role::System);
    match instructions.count() {
        0 if prompt.tools.is_empty() => {}
        0 => places.push(Place::Tools),
        count => places.push(Place::Message(count - 1)),
    }
    // Where the latest request ended, its prefix is kept; further ones lead there step by step.
    let before = thread.messages.min(newest + 1);
    let mut reach = newest.saturating_sub(look_back.max(1));
    while before > 0 && reach + 1 > before {
        places.push(Place::Message(reach));
        reach = reach.saturating_sub(look_back.max(1));
    }
    if before > 0 && before <= newest && newest + 1 - before > look_back {
        places.insert(2.min(places.len()), Place::Message(before - 1));
    }
    places.truncate(most);
    places.sort_unstable();
    places.dedup();
    places
}

/// The lifetime that is expected to cost least. While the cache is warm it stays as it is: to keep
/// what is there for longer, it would have to be written again.
fn lifetime<'a>(ground: &Ground<'a>) -> Option<&'a Lifetime> {
    let Ground { caching, thread, now, .. } = *ground;
    let standing = thread.kept.and_then(|ttl| caching.lifetime(ttl));
    if let Some(standing) = standing.filter(|standing| !thread.is_cold(now, standing.lasts)) {
        return Some(standing);
    }
    caching.lifetimes.iter().min_by_key(|lifetime| expected_cost(ground, lifetime))
}

/// What writing all of the prompt, what follows, and what will lapse is expected to cost, for each
/// token of the prompt in millionths of the base input price.
fn expected_cost(ground: &Ground, lifetime: &Lifetime) -> i64 {
    let Ground { caching, thread, outlook, kept_warm, .. } = ground;
    let lapses = if *kept_warm { 0 } else { Outlook::lapses(thread, lifetime) };
    // A prompt grows by its own size while as many requests come as there were.
    let growth = BASE.min(outlook.more);
    let written = lifetime.write * (BASE + growth);
    written + outlook.more * lapses / BASE * (lifetime.write - caching.read)
}
