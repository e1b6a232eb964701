//! Requests without duplicates, with their costs.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use farthing_core::Usd;
use farthing_core::advise::Call;
use farthing_core::money::Overflow;
use farthing_core::pricing::{Catalog, Cost, CostStatus, RateCard};
use farthing_core::usage::Usage;
use jiff::Timestamp;

use crate::log::{Added, Billed, Log, Logged, Logs, Prompt, UNKNOWN_MODEL, hash};
use crate::skipped::{Reason, Skipped};
use crate::source::Source;

/// What prices rest on beside the logs.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Prices.
    pub catalog: &'a Catalog,
    /// The time, for requests that have none.
    pub now: Timestamp,
    /// The provider and the model that answered where a log names none.
    pub model: Option<(&'a str, &'a str)>,
}

/// All requests of some logs, each once.
#[derive(Debug, Default)]
pub struct Priced {
    /// The requests: by file, and in a file as they were logged.
    pub requests: Vec<Request>,
    /// What was left out.
    pub skipped: Skipped,
    /// Files that were logs.
    pub files: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// Sub-agents that are named, but whose calls are in none of the files, with the tokens of
    /// their last call.
    pub agents_missing: Vec<(Arc<str>, u64)>,
}

/// A request to a model and its answer.
#[derive(Debug)]
pub struct Request {
    /// Whose log it is from.
    pub source: Source,
    /// The session.
    pub session: Arc<str>,
    /// Whether the log names it; else it is the file.
    pub names_session: bool,
    /// The sub-agent that made it.
    pub agent: Option<Arc<str>>,
    /// The project or folder that the session worked in.
    pub project: Option<Arc<str>>,
    /// Whose API was called.
    pub provider: Arc<str>,
    /// What was consumed and what that cost, and the tools that were called.
    pub call: Call,
    /// What was added to the prompt since the request before.
    pub added: Added,
    /// All of the prompt, where the log has it.
    pub prompt: Option<Prompt>,
    /// Bytes that the answer shows.
    pub wrote: u64,
    /// Whether the log is known to be short of what it consumed.
    pub incomplete: bool,
    /// Whether its usage is estimated.
    pub estimated: bool,
}

// === impl Priced ===

impl Priced {
    /// Takes out what was logged twice, and prices the rest, each request by its own model and
    /// time.
    pub fn new(logs: Logs, terms: &Terms<'_>) -> Priced {
        let (catalog, now) = (terms.catalog, terms.now);
        let Logs { mut files, skipped, bytes } = logs;
        // A copy comes behind what it copies, and a session's next file behind the one before.
        files.sort_by_key(|log| log.calls.iter().find_map(|call| call.at));
        let mut priced = Priced { skipped, bytes, files: files.len() as u64, ..Priced::default() };
        let mut seen: HashMap<(u64, u128), usize> = HashMap::new();
        let mut named = Vec::new();
        let families = families(&files);
        for (log, family) in files.into_iter().zip(families) {
            named.extend(log.agents);
            priced.skipped.merge(log.skipped);
            for mut logged in log.calls {
                if let Some((provider, model)) =
                    terms.model.filter(|_| &*logged.model == UNKNOWN_MODEL)
                {
                    (logged.provider, logged.model) = (provider.into(), model.into());
                }
                let key = logged.key.map(|key| (family, key));
                let Some(at) = key.and_then(|key| seen.get(&key).copied()) else {
                    if let Some(key) = key {
                        seen.insert(key, priced.requests.len());
                    }
                    let names_session = logged.session != log.file || log.source != Source::OpenAi;
                    let request = Request::new(log.source, logged, catalog, now);
                    priced.requests.push(Request { names_session, ..request });
                    continue;
                };
                priced.skipped.add(Reason::Duplicate, || format!("{}: {}", log.file, logged.id));
                let completed = logged.billed.usage.completion();
                let request = &mut priced.requests[at];
                // A copy that was made while the answer still came has less of it.
                if completed > request.call.usage.completion() {
                    request.correct(logged, catalog, now);
                }
            }
        }
        let known: HashSet<_> =
            priced.requests.iter().filter_map(|request| request.agent.as_ref()).collect();
        let mut missing = BTreeMap::new();
        for (agent, tokens) in named.into_iter().filter(|(agent, _)| !known.contains(agent)) {
            let most = missing.entry(agent).or_insert(tokens);
            *most = tokens.max(*most);
        }
        priced.agents_missing = missing.into_iter().collect();
        priced
    }

    /// Leaves out what is not in the time that was asked for.
    pub fn retain(&mut self, wanted: impl Fn(&Request) -> bool) {
        let Priced { requests, skipped, .. } = self;
        requests.retain(|request| {
            let keep = wanted(request);
            if !keep {
                skipped.add(Reason::OutOfRange, || request.call.id.to_string());
            }
            keep
        });
    }
}

// === impl Request ===

impl Request {
    fn new(source: Source, logged: Logged, catalog: &Catalog, now: Timestamp) -> Request {
        let at = logged.at.unwrap_or(now);
        let (cost, card) = price(&logged.billed, &logged.provider, &logged.model, at, catalog);
        let Logged { session, agent, project, provider, added, wrote, incomplete, .. } = logged;
        let prompt = logged.prompt;
        let call = Call {
            id: logged.id,
            at: logged.at,
            model: logged.model,
            usage: total(&logged.billed),
            cost,
            card,
            tools: logged.tools,
            offered: prompt.as_ref().map(|prompt| Arc::clone(&prompt.offered)).unwrap_or_default(),
            max_output: logged.max_output,
            prompt: prompt.as_ref().and_then(|prompt| prompt.hashes.last().copied()),
        };
        Request {
            source,
            session,
            names_session: true,
            agent,
            project,
            provider,
            call,
            added,
            prompt,
            wrote,
            incomplete,
            estimated: logged.billed.estimated,
        }
    }

    /// Takes the usage of a fuller copy.
    fn correct(&mut self, fuller: Logged, catalog: &Catalog, now: Timestamp) {
        let at = self.call.at.unwrap_or(now);
        let (cost, card) = price(&fuller.billed, &self.provider, &self.call.model, at, catalog);
        (self.call.cost, self.call.card) = (cost, card);
        self.call.usage = total(&fuller.billed);
        self.incomplete = fuller.incomplete;
    }
}

fn total(billed: &Billed) -> Usage {
    billed.others.iter().fold(billed.usage, |sum, other| sum.plus(&other.usage))
}

/// What was consumed, at the rates of each model that took part, and the card of the first.
fn price(
    billed: &Billed,
    provider: &str,
    model: &str,
    at: Timestamp,
    catalog: &Catalog,
) -> (Cost, Option<Arc<RateCard>>) {
    let Ok(found) = catalog.resolve(provider, model, at, &billed.served) else {
        return (Cost::UNPRICED, None);
    };
    let invalid = |Overflow| Cost::unknown(CostStatus::InvalidUsage);
    let own = found.card.cost(&billed.usage).unwrap_or_else(invalid);
    let cost = billed.others.iter().fold(own, |cost, other| {
        let found = catalog.resolve(provider, &other.model, at, &billed.served);
        let theirs = found.ok().map(|found| found.card.cost(&other.usage).unwrap_or_else(invalid));
        both(cost, theirs)
    });
    let cost = if billed.estimated { cost.estimated() } else { cost };
    (cost, Some(found.card))
}

/// For each log, what its keys belong to: a fork repeats the counts of the session at its root, and
/// other sessions of that program may count the same by chance. Keys of other programs are unique.
fn families(files: &[Log]) -> Vec<u64> {
    let own = |log: &Log| log.calls.first().map(|call| Arc::clone(&call.session));
    let parents: HashMap<Arc<str>, Arc<str>> =
        files.iter().filter_map(|log| Some((own(log)?, log.forked_from.clone()?))).collect();
    let root = |log: &Log| {
        let mut root = own(log)?;
        // Bounded, should sessions name each other.
        for _ in 0..parents.len() {
            match parents.get(&root) {
                Some(parent) => root = Arc::clone(parent),
                None => break,
            }
        }
        Some(hash(root))
    };
    let of = |log: &Log| match log.source {
        Source::Codex => root(log).unwrap_or_default(),
        _ => 0,
    };
    files.iter().map(of).collect()
}

fn both(one: Cost, other: Option<Cost>) -> Cost {
    let Some((mine, theirs)) = one.usd.zip(other.and_then(|other| other.usd)) else {
        return one.partial();
    };
    match mine.plus(theirs) {
        Ok(usd) => Cost { usd: Some(usd), ..one },
        Err(Overflow) => Cost::unknown(CostStatus::InvalidUsage),
    }
}

/// The sum, which stays at what 128 bits hold.
pub(crate) fn sum(one: Usd, other: Usd) -> Usd {
    one.plus(other).unwrap_or(one)
}
