//! Sums by session, model and day; what they were made of; waste, and what to change.

mod tally;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use farthing_core::advise::{self, Finding, Observed, Recommendation, Thread};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::anatomy::Anatomy;
use crate::priced::{Priced, Request, Terms};
use crate::skipped::{Reason, Skipped};
use crate::source::Source;
use crate::threads::{Conversation, bytes_per_tokens};
use crate::whatif::{Alternatives, WhatIf, an_hour, what_if};

pub use tally::{Tally, Tokens};

/// What was read, added up.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The sessions, oldest first.
    pub sessions: Vec<Session>,
    /// Everything.
    pub totals: Tally,
    /// By model, as logs name it.
    pub by_model: BTreeMap<Arc<str>, Tally>,
    /// By day in the reader's time zone; `unknown` for requests without a time.
    pub by_day: BTreeMap<String, Tally>,
    /// What prompts were made of.
    pub anatomy: Anatomy,
    /// Money that was spent without need, the dearest first.
    pub waste: Vec<Finding>,
    /// What to change, the most money first.
    pub recommendations: Vec<Recommendation>,
    /// What all of it would have cost otherwise.
    pub what_if: Vec<WhatIf>,
    /// What the logs are known to leave out.
    pub incomplete: Incomplete,
    /// What was not read, by reason.
    pub skipped: Skipped,
}

/// What logs are known to leave out.
#[derive(Debug, Default, Serialize)]
pub struct Incomplete {
    /// Requests whose log breaks off before their bill.
    pub requests: u64,
    /// Sub-agents whose own calls are in none of the files.
    pub agents_missing: u64,
    /// The tokens of the last call of each of these, which is the least that they consumed.
    pub tokens_at_least: u64,
}

/// One session.
#[derive(Debug, Serialize)]
pub struct Session {
    /// Its name in the log.
    pub session: Arc<str>,
    /// Whose log it is from.
    pub source: Source,
    /// The folder that it worked in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<Arc<str>>,
    /// Its first request.
    pub started: Option<Timestamp>,
    /// Its last request.
    pub ended: Option<Timestamp>,
    /// The models that answered.
    pub models: Vec<Arc<str>>,
    /// All of it, sub-agents included.
    #[serde(flatten)]
    pub tally: Tally,
    /// What its sub-agents consumed.
    pub agents: BTreeMap<Arc<str>, Tally>,
    /// What it would have cost otherwise.
    pub what_if: Vec<WhatIf>,
}

// === impl Report ===

impl Report {
    /// Adds up, and looks for waste. Days are those of `zone`; `models` are compared with, beside
    /// those that were used.
    pub fn new(priced: &Priced, terms: &Terms<'_>, zone: &TimeZone, models: &[String]) -> Report {
        let conversations = Conversation::all(priced);
        let threads: Vec<_> = conversations.iter().map(Conversation::thread).collect();
        let alternatives = Alternatives::new(priced, models, terms.catalog, terms.now);
        let observed = Observed {
            threads: &threads,
            days: days(priced),
            bytes_per_tokens: bytes_per_tokens(&conversations),
            rates_of: &|call, model| alternatives.rates(call, model),
        };
        let mut sums = Sums::default();
        priced.requests.iter().for_each(|request| sums.add(request, zone));
        let waste = advise::findings(&observed);
        let all: Vec<_> = priced.requests.iter().collect();
        let mut what_if = what_if(&all, &alternatives);
        what_if.push(an_hour(threads.iter()));
        Report {
            sessions: sums.sessions(&threads, &alternatives),
            recommendations: advise::recommendations(&observed, &waste),
            waste,
            what_if,
            anatomy: Anatomy::new(&conversations, |bytes| observed.tokens(bytes)),
            incomplete: Incomplete {
                requests: sums.totals.incomplete,
                agents_missing: priced.agents_missing.len() as u64,
                tokens_at_least: priced.agents_missing.iter().map(|(_, tokens)| tokens).sum(),
            },
            totals: sums.totals,
            by_model: sums.by_model,
            by_day: sums.by_day,
            skipped: skipped(priced, &conversations),
        }
    }
}

/// What was skipped, and where clocks went back.
fn skipped(priced: &Priced, conversations: &[Conversation<'_>]) -> Skipped {
    let mut skipped = priced.skipped.clone();
    for pair in conversations.iter().flat_map(|one| one.requests.windows(2)) {
        let [before, after] = pair else { continue };
        if before.call.at.zip(after.call.at).is_some_and(|(before, after)| after < before) {
            skipped.add(Reason::ClockWentBack, || format!("{}: {}", after.session, after.call.id));
        }
    }
    skipped
}

/// A session with its requests.
type Own<'p> = (Session, Vec<&'p Request>);

/// Requests, added up every way.
#[derive(Default)]
struct Sums<'p> {
    totals: Tally,
    by_model: BTreeMap<Arc<str>, Tally>,
    by_day: BTreeMap<String, Tally>,
    sessions: BTreeMap<(Source, Arc<str>), Own<'p>>,
}

impl<'p> Sums<'p> {
    fn add(&mut self, request: &'p Request, zone: &TimeZone) {
        self.totals.add(request);
        self.by_model.entry(Arc::clone(&request.call.model)).or_default().add(request);
        self.by_day.entry(day(request.call.at, zone)).or_default().add(request);
        let session = self.sessions.entry((request.source, Arc::clone(&request.session)));
        let (session, requests) = session.or_insert_with(|| (Session::new(request), Vec::new()));
        session.add(request);
        requests.push(request);
    }

    /// The sessions, oldest first.
    fn sessions(
        &mut self,
        threads: &[Thread<'_>],
        alternatives: &Alternatives<'_>,
    ) -> Vec<Session> {
        let mut by_session: HashMap<&Arc<str>, Vec<&Thread<'_>>> = HashMap::new();
        for thread in threads {
            by_session.entry(&thread.session).or_default().push(thread);
        }
        let sessions = std::mem::take(&mut self.sessions).into_values();
        let mut sessions: Vec<_> = sessions
            .map(|(mut session, requests)| {
                session.what_if = what_if(&requests, alternatives);
                let own = by_session.get(&session.session).into_iter().flatten().copied();
                session.what_if.push(an_hour(own));
                session
            })
            .collect();
        sessions.sort_by(|a, b| (a.started, &a.session).cmp(&(b.started, &b.session)));
        sessions
    }
}

/// How many days the requests span, the first and the last included.
fn days(priced: &Priced) -> u64 {
    let times = || priced.requests.iter().filter_map(|request| request.call.at);
    let span = times().min().zip(times().max()).map(|(first, last)| last.duration_since(first));
    span.and_then(|span| u64::try_from(span.as_hours() / 24).ok()).unwrap_or(0) + 1
}

/// The day of a moment.
pub fn day(at: Option<Timestamp>, zone: &TimeZone) -> String {
    at.map_or_else(|| "unknown".to_owned(), |at| at.to_zoned(zone.clone()).date().to_string())
}

// === impl Session ===

impl Session {
    fn new(request: &Request) -> Session {
        Session {
            session: Arc::clone(&request.session),
            source: request.source,
            project: request.project.clone(),
            started: None,
            ended: None,
            models: Vec::new(),
            tally: Tally::default(),
            agents: BTreeMap::new(),
            what_if: Vec::new(),
        }
    }

    fn add(&mut self, request: &Request) {
        self.tally.add(request);
        if let Some(agent) = &request.agent {
            self.agents.entry(Arc::clone(agent)).or_default().add(request);
        }
        if let Some(at) = request.call.at {
            self.started = Some(self.started.map_or(at, |started| started.min(at)));
            self.ended = self.ended.max(Some(at));
        }
        if !self.models.contains(&request.call.model) {
            self.models.push(Arc::clone(&request.call.model));
        }
    }
}
