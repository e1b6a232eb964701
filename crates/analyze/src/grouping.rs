//! Requests by period, session, model, project or agent: the rows of a bill.

use std::collections::BTreeMap;
use std::sync::Arc;

use farthing_core::advise::Basis;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use serde::Serialize;

use crate::priced::{Priced, Request};
use crate::report::Tally;

/// How long a block of usage is, by the limits of Claude's subscriptions.
const BLOCK: SignedDuration = SignedDuration::from_hours(5);

/// What a row stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// A day.
    Daily,
    /// A week, by its first day.
    Weekly,
    /// A month.
    Monthly,
    /// A session.
    Session,
    /// Five hours from the full hour of the first request, as subscriptions count.
    Blocks,
    /// A model.
    Model,
    /// A project, by its folder.
    Project,
    /// A sub-agent.
    Agent,
    /// A program, by its logs.
    Source,
}

/// A row of a bill.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The day, month, session, ...
    pub name: String,
    /// Its first request.
    pub started: Option<Timestamp>,
    /// All of it.
    #[serde(flatten)]
    pub tally: Tally,
    /// By model.
    pub by_model: BTreeMap<Arc<str>, Tally>,
    /// Of a block that is not over yet: what it would come to at the rate so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub projection: Option<Projection>,
}

/// What a block would come to.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Projection {
    /// When it is over.
    pub ends: Timestamp,
    /// What it costs by then, if it goes on so.
    pub cost_usd: farthing_core::Usd,
    /// Estimated.
    pub basis: Basis,
}

/// Whose names rows have.
#[derive(Clone, Copy, Debug)]
pub struct Calendar<'a> {
    /// The time zone of days.
    pub zone: &'a TimeZone,
    /// The first day of a week.
    pub week_begins: Weekday,
    /// The time.
    pub now: Timestamp,
}

// === impl Grouping ===

impl Grouping {
    /// Every grouping, with its name on the command line.
    pub const ALL: [(&'static str, Grouping); 9] = [
        ("daily", Grouping::Daily),
        ("weekly", Grouping::Weekly),
        ("monthly", Grouping::Monthly),
        ("session", Grouping::Session),
        ("blocks", Grouping::Blocks),
        ("model", Grouping::Model),
        ("project", Grouping::Project),
        ("agent", Grouping::Agent),
        ("source", Grouping::Source),
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        let named = Grouping::ALL.iter().find(|(_, grouping)| *grouping == self);
        named.map_or("", |(name, _)| name)
    }

    /// What a row stands for, as the head of its column.
    pub const fn title(self) -> &'static str {
        match self {
            Grouping::Daily => "Date",
            Grouping::Weekly => "Week",
            Grouping::Monthly => "Month",
            Grouping::Session => "Session",
            Grouping::Blocks => "Block",
            Grouping::Model => "Model",
            Grouping::Project => "Project",
            Grouping::Agent => "Agent",
            Grouping::Source => "Source",
        }
    }

    /// The rows: periods and sessions from the oldest to the newest, others by name.
    pub fn rows(self, priced: &Priced, calendar: &Calendar<'_>) -> Vec<Row> {
        let mut rows: Vec<Row> = match self {
            Grouping::Blocks => blocks(priced, calendar),
            _ => {
                let mut rows: BTreeMap<String, Row> = BTreeMap::new();
                for request in &priced.requests {
                    let name = self.name_of(request, calendar);
                    rows.entry(name).or_insert_with_key(|name| Row::new(name)).add(request);
                }
                rows.into_values().collect()
            }
        };
        if self == Grouping::Session {
            rows.sort_by_key(|row| row.started);
        }
        rows
    }

    fn name_of(self, request: &Request, calendar: &Calendar<'_>) -> String {
        let or_none = |name: Option<&Arc<str>>| name.map_or("none", |name| name).to_owned();
        let at = request.call.at.map(|at| at.to_zoned(calendar.zone.clone()));
        let dated = |date: &dyn Fn(Zoned) -> Option<String>| {
            at.clone().and_then(date).unwrap_or_else(|| "unknown".to_owned())
        };
        match self {
            Grouping::Daily => dated(&|at| Some(at.date().to_string())),
            Grouping::Weekly => dated(&|at| {
                let past = at.weekday().since(calendar.week_begins);
                let first = at.date().checked_sub(jiff::Span::new().days(past)).ok()?;
                Some(first.to_string())
            }),
            Grouping::Monthly => dated(&|at| Some(at.strftime("%Y-%m").to_string())),
            Grouping::Session | Grouping::Blocks => request.session.to_string(),
            Grouping::Model => request.call.model.to_string(),
            Grouping::Project => or_none(request.project.as_ref()),
            Grouping::Agent => or_none(request.agent.as_ref()),
            Grouping::Source => request.source.name().to_owned(),
        }
    }
}

/// A block begins with the hour of the first request that is in none, and is over after five hours.
fn blocks(priced: &Priced, calendar: &Calendar<'_>) -> Vec<Row> {
    let timed = priced.requests.iter().filter_map(|request| Some((request.call.at?, request)));
    let mut timed: Vec<_> = timed.collect();
    timed.sort_by_key(|(at, _)| *at);
    let mut blocks: Vec<(Timestamp, Row)> = Vec::new();
    for (at, request) in timed {
        let open = blocks.last().is_some_and(|(start, _)| at.duration_since(*start) < BLOCK);
        if !open {
            let past = SignedDuration::from_secs(at.as_second().rem_euclid(3_600));
            let past = past + SignedDuration::from_nanos(i64::from(at.subsec_nanosecond()));
            let start = at.checked_sub(past).unwrap_or(at);
            let name = start.to_zoned(calendar.zone.clone()).strftime("%Y-%m-%d %H:%M");
            blocks.push((start, Row::new(&name.to_string())));
        }
        if let Some((_, row)) = blocks.last_mut() {
            row.add(request);
        }
    }
    for (start, row) in &mut blocks {
        row.projection = projection(*start, row, calendar.now);
    }
    blocks.into_iter().map(|(_, row)| row).collect()
}

fn projection(start: Timestamp, row: &Row, now: Timestamp) -> Option<Projection> {
    let ends = start.checked_add(BLOCK).ok()?;
    let first = row.started?;
    let so_far = now.duration_since(first).as_secs().max(60);
    let whole = ends.duration_since(first).as_secs();
    let pico = row.tally.usd()?.pico();
    let pico = pico.checked_mul(i128::from(whole))? / i128::from(so_far);
    let cost_usd = farthing_core::Usd::from_pico(pico);
    (first <= now && now < ends).then_some(Projection { ends, cost_usd, basis: Basis::Estimated })
}

// === impl Row ===

impl Row {
    fn new(name: &str) -> Row {
        Row {
            name: name.to_owned(),
            started: None,
            tally: Tally::default(),
            by_model: BTreeMap::new(),
            projection: None,
        }
    }

    fn add(&mut self, request: &Request) {
        self.tally.add(request);
        self.by_model.entry(Arc::clone(&request.call.model)).or_default().add(request);
        let at = request.call.at;
        self.started = match (self.started, at) {
            (Some(started), Some(at)) => Some(started.min(at)),
            (started, at) => started.or(at),
        };
    }
}
