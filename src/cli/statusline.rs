//! `farthing statusline`.

mod state;

use std::fs::File;
use std::io::{self, IsTerminal, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use farthing_analyze::report::day;
use farthing_analyze::tail::Tail;
use farthing_core::Usd;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

use self::state::State;
use super::analyze::transcripts::zone;
use crate::house;
use crate::print::Output;

const MORE: &str = "\
Claude Code asks for it with JSON on standard input. In ~/.claude/settings.json:
  \"statusLine\": {\"type\": \"command\", \"command\": \"farthing statusline\"}

It remembers how far it has read each transcript, so that it answers within ten
milliseconds; figures that are still being caught up with have a + behind them.";

/// How much one call reads, so that it answers in time.
const BYTES_MAX: u64 = 2 << 20;
/// Transcripts that did not grow for so long have nothing of today.
const DAY: Duration = Duration::from_secs(24 * 3_600);
/// The longest JSON that an agent sends.
const INPUT_BYTES_MAX: u64 = 1 << 20;

#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub(super) struct Args {
    /// Where to remember what was read [default: in your home].
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// The time zone of today [default: this machine's].
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
}

/// What Claude Code tells, as far as it matters here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    session_id: Option<String>,
    transcript_path: Option<PathBuf>,
    model: Option<ToldModel>,
    context_window: Option<ToldWindow>,
}

#[derive(Deserialize)]
struct ToldModel {
    id: Option<String>,
    display_name: Option<String>,
}

#[derive(Deserialize)]
struct ToldWindow {
    context_window_size: Option<u64>,
}

/// Reads transcripts until it has read enough for one call.
struct Reading<'a> {
    state: &'a mut State,
    zone: &'a TimeZone,
    now: Timestamp,
    left: u64,
    /// Whether something is left to read.
    behind: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    if io::stdin().is_terminal() {
        bail!("no JSON comes on standard input; an agent's status line sends it");
    }
    let mut input = Vec::new();
    io::stdin().take(INPUT_BYTES_MAX).read_to_end(&mut input).context("standard input")?;
    let told: Told = serde_json::from_slice(&input)
        .context("standard input is not what Claude Code sends to a status line")?;
    let zone = zone(args.timezone.as_deref())?;
    let now = house::clock().now();
    let path = args.state.clone().or_else(State::default_path);
    let mut state = path.as_deref().map(State::load).unwrap_or_default();
    let mut reading =
        Reading { state: &mut state, zone: &zone, now, left: BYTES_MAX, behind: false };
    if let Some(transcript) = told.transcript_path.as_deref() {
        reading.read(transcript);
        reading.others(transcript);
    }
    let behind = reading.behind;
    let line = line(&told, &mut state, &day(Some(now), &zone), behind);
    writeln!(Output::stdout(), "{line}").context("the line cannot be printed")?;
    if let Some(path) = path {
        // Whoever cannot remember reads again; the line is right all the same.
        drop(state.save(&path, now));
    }
    Ok(ExitCode::SUCCESS)
}

fn line(told: &Told, state: &mut State, today: &str, behind: bool) -> String {
    let own = told.transcript_path.as_deref().and_then(|path| state.tail(path)).cloned();
    let session =
        told.session_id.as_deref().or(own.as_ref().and_then(|own| own.session.as_deref()));
    let of_session = state.tails().filter(|tail| tail.session.as_deref() == session);
    let add = |sum: Usd, usd: Usd| sum.plus(usd).unwrap_or(sum);
    let spent = of_session.map(Tail::total).fold(Usd::ZERO, add);
    let spent_today = state.tails().map(|tail| tail.on(today)).fold(Usd::ZERO, add);
    let named = told.model.as_ref();
    let id = named.and_then(|model| model.id.clone());
    let answered = own.as_ref().and_then(|own| own.model.clone());
    let id = id.or_else(|| answered.clone());
    let name = named.and_then(|model| model.display_name.clone()).or_else(|| id.clone());
    let more = if behind { "+" } else { "" };
    let mut parts =
        vec![format!("${spent:.2}{more} session"), format!("${spent_today:.2}{more} today")];
    parts.extend(name);
    let window = told.context_window.as_ref().and_then(|window| window.context_window_size);
    let models = [&id, &answered].into_iter().flatten();
    let window = window.or_else(|| models.into_iter().find_map(|model| state.context(model)));
    if let (Some(own), Some(window)) = (own, window.filter(|window| *window > 0)) {
        parts.push(format!("{} % context", own.prompt.saturating_mul(100) / window));
    }
    parts.join(" · ")
}

// === impl Reading ===

impl Reading<'_> {
    /// Reads what was added to a transcript. What cannot be read now may be the next time.
    fn read(&mut self, path: &Path) {
        let mut tail = self.state.tail(path).cloned().unwrap_or_default();
        let Ok(mut file) = File::open(path) else { return };
        let length = file.metadata().map_or(0, |metadata| metadata.len());
        if length < tail.offset {
            tail = Tail::default();
        }
        if length == tail.offset || self.left == 0 {
            self.behind |= length > tail.offset;
            return;
        }
        let mut bytes = Vec::new();
        let began = file.seek(SeekFrom::Start(tail.offset)).is_ok();
        if !began || file.take(self.left).read_to_end(&mut bytes).is_err() {
            return;
        }
        self.left -= (bytes.len() as u64).min(self.left);
        let (before, zone) = (tail.offset, self.zone);
        let state = &mut *self.state;
        tail.read(&bytes, &|at| day(at, zone), &mut |provider, model, at, billed| {
            state.price(provider, model, at, billed)
        });
        if tail.offset == before && bytes.len() as u64 == BYTES_MAX {
            // A line longer than what one call reads has no usage that we could wait for.
            tail.offset += BYTES_MAX;
        }
        self.behind |= length > tail.offset && self.left == 0;
        self.state.keep(path, tail, self.now);
    }

    /// Reads the other transcripts of today, where the folder is Claude Code's own.
    fn others(&mut self, transcript: &Path) {
        let projects = transcript.parent().and_then(Path::parent);
        let is_known = |folder: &&Path| folder.file_name().is_some_and(|name| name == "projects");
        let Some(projects) = projects.filter(is_known) else { return };
        let since = SystemTime::from(self.now).checked_sub(DAY);
        let mut folders = vec![(projects.to_owned(), 3)];
        while let Some((folder, depth)) = folders.pop() {
            for entry in folder.read_dir().into_iter().flatten().filter_map(Result::ok) {
                let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
                if kind.is_dir() && depth > 0 {
                    folders.push((path, depth - 1));
                } else if path.extension().is_some_and(|ending| ending == "jsonl")
                    && path != transcript
                    && entry.metadata().and_then(|of| of.modified()).ok() >= since
                {
                    self.read(&path);
                }
            }
        }
    }
}
