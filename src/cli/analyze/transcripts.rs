//! Which transcripts, and of what time: what `analyze` and `report` have in common.

use std::io::IsTerminal;
use std::num::NonZero;
use std::path::PathBuf;
use std::thread::available_parallelism;

use anyhow::{Context, Result, bail};
use farthing_analyze::scan::{Progress, Silent};
use farthing_analyze::{Priced, Terms, scan};
use farthing_core::pricing::{Catalog, Served};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Where programs keep their transcripts, in the home folder.
const WELL_KNOWN: [&str; 4] =
    [".claude/projects", ".config/claude/projects", ".codex/sessions", ".gemini/tmp"];

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Transcripts {
    /// Files or folders [default: those of agents in your home folder].
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Leave out what was before this day.
    #[arg(long, value_name = "DAY", value_parser = day)]
    since: Option<Date>,
    /// Leave out what was after this day.
    #[arg(long, value_name = "DAY", value_parser = day)]
    until: Option<Date>,
    /// The time zone of days [default: this machine's].
    #[arg(long, value_name = "ZONE")]
    pub(crate) timezone: Option<String>,
    /// The model that answered, for logs that do not say.
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
}

// === impl Transcripts ===

impl Transcripts {
    /// The provider and the model that stand in for those that a log does not name: as in
    /// `openai/gpt-4.1`, or whichever provider has such a model first.
    pub(crate) fn assumed<'a>(
        &'a self,
        catalog: &'a Catalog,
        now: Timestamp,
    ) -> Result<Option<(&'a str, &'a str)>> {
        let Some(asked) = self.model.as_deref() else { return Ok(None) };
        let has = |provider: &str, model: &str| {
            catalog.resolve(provider, model, now, &Served::new()).is_ok()
        };
        if let Some((provider, model)) = asked.split_once('/').filter(|(p, m)| has(p, m)) {
            return Ok(Some((provider, model)));
        }
        let own = ["anthropic", "openai", "google"].into_iter().chain(catalog.providers());
        let found = own.into_iter().find(|provider| has(provider, asked));
        found.map(|provider| Some((provider, asked))).with_context(|| {
            format!("no price is known for `{asked}`; name it as in openai/gpt-4.1")
        })
    }

    /// Reads and prices them.
    pub(crate) fn read(&self, terms: &Terms<'_>, zone: &TimeZone) -> Result<Priced> {
        let paths = if self.paths.is_empty() { well_known()? } else { self.paths.clone() };
        let threads = available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        let logs = if std::io::stderr().is_terminal() {
            let bar = Bar::new()?;
            let logs = scan(&paths, threads, &bar);
            bar.0.finish_and_clear();
            logs
        } else {
            scan(&paths, threads, &Silent)
        };
        let mut priced = Priced::new(logs?, terms);
        if self.since.is_some() || self.until.is_some() {
            priced.retain(|request| {
                let day = request.call.at.map(|at| at.to_zoned(zone.clone()).date());
                day.is_some_and(|day| {
                    self.since.is_none_or(|since| since <= day)
                        && self.until.is_none_or(|until| day <= until)
                })
            });
        }
        Ok(priced)
    }
}

/// A time zone by name, or this machine's.
pub(crate) fn zone(name: Option<&str>) -> Result<TimeZone> {
    name.map_or_else(
        || Ok(TimeZone::system()),
        |name| {
            TimeZone::get(name).with_context(|| {
                format!("`{name}` is not a time zone; name one as in Europe/Berlin or UTC")
            })
        },
    )
}

/// A day as `2026-11-23` or, as others write it, `20261123`.
fn day(text: &str) -> Result<Date, String> {
    let told = |_| format!("`{text}` is not a day; write it as 2026-11-23 or 20261123");
    text.parse::<Date>().or_else(|_| Date::strptime("%Y%m%d", text)).map_err(told)
}

fn well_known() -> Result<Vec<PathBuf>> {
    let home = std::env::home_dir().context("the home folder is unknown; name a PATH")?;
    let mut found: Vec<_> = WELL_KNOWN.iter().map(|folder| home.join(folder)).collect();
    found.retain(|folder| folder.is_dir());
    if found.is_empty() {
        bail!(
            "no transcripts are in {}; name a file or folder, as in farthing analyze logs/",
            WELL_KNOWN.map(|folder| format!("~/{folder}")).join(", ")
        );
    }
    Ok(found)
}

/// A bar on standard error.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Result<Bar> {
        let bar = ProgressBar::new(0);
        let style = "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}";
        Ok(Bar(bar.with_style(ProgressStyle::with_template(style)?)))
    }
}

impl Progress for Bar {
    fn total(&self, bytes: u64) {
        self.0.set_length(bytes);
    }

    fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}
