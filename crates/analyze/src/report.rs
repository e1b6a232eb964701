//! Sums by session, model and day.

mod tally;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::priced::{Priced, Request};
use crate::skipped::Skipped;
use crate::source::Source;

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
    /// What was not read, by reason.
    pub skipped: Skipped,
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
}

// === impl Report ===

impl Report {
    /// Adds up; days are those of `zone`.
    pub fn new(priced: &Priced, zone: &TimeZone) -> Report {
        let mut report = Report {
            sessions: Vec::new(),
            totals: Tally::default(),
            by_model: BTreeMap::new(),
            by_day: BTreeMap::new(),
            skipped: priced.skipped.clone(),
        };
        let mut sessions: BTreeMap<(Source, Arc<str>), Session> = BTreeMap::new();
        for request in &priced.requests {
            report.totals.add(request);
            report.by_model.entry(Arc::clone(&request.call.model)).or_default().add(request);
            report.by_day.entry(day(request.call.at, zone)).or_default().add(request);
            let session = sessions.entry((request.source, Arc::clone(&request.session)));
            session.or_insert_with(|| Session::new(request)).add(request);
        }
        report.sessions = sessions.into_values().collect();
        report.sessions.sort_by(|a, b| (a.started, &a.session).cmp(&(b.started, &b.session)));
        report
    }
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
