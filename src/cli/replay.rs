//! `farthing replay`.

mod kept;
mod policy;
mod report;
mod simulate;
mod trace;
mod transcript;

use std::collections::HashMap;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use anyhow::{Context, Result, anyhow};
use farthing_core::pricing::{Catalog, Resolved, Served};
use farthing_optimize::{Caching, Habits, Observations, Optimizer};
use farthing_tokens::Counter;
use indicatif::{ProgressBar, ProgressStyle};

use self::policy::Policy;
use self::report::{Outcome, Replayed};
use self::simulate::{Setting, replay};
use self::trace::{Conversation, Reader};
use crate::house;
use crate::print::Output;

/// So many conversations are in memory at a time.
const BATCH: usize = 64;

/// How much of its work an optimizer remembers.
const MEMORY_BYTES: usize = 256 << 20;

const MORE: &str = "\
PATH is a file of conversations or requests as JSON lines, or a transcript of
Claude Code. Policies:
  none        as it was sent
  rolling     tools, instructions and one moving breakpoint
  safe        what the model cannot see, and what is lossless
  reversible  and what can be fetched back
  aggressive  and what is lost
  FILE        settings: mode, breakpoints, keep_warm, observations

The bill is that of the input; what is losing costs more than rolling or, with
a single request, more than without a cache.

Examples:
  farthing replay traces.jsonl --policy safe
  farthing replay traces.jsonl --provider openai --model gpt-4.1 --json";

#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub(super) struct Args {
    /// Recorded conversations.
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// What to do with each request.
    #[arg(long, value_name = "NAME|FILE", default_value = "safe")]
    policy: String,
    /// Whose prices and cache.
    #[arg(long, value_name = "NAME", default_value = "anthropic")]
    provider: String,
    /// Which model's.
    #[arg(long, value_name = "NAME", default_value = "claude-sonnet-4-5")]
    model: String,
    /// How observations are sent: tool or user_after_first.
    #[arg(long, value_name = "HOW", value_parser = ["tool", "user_after_first"])]
    #[arg(hide_possible_values = true)]
    observations: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let setting = setting(args)?;
    let mut reader = Reader::open(&args.path)?;
    let bar = progress(&args.path, args.json)?;
    let outcomes = replay_all(&setting, &mut reader, &bar)?;
    bar.finish_and_clear();
    let Args { policy, provider, model, .. } = args;
    let skipped = reader.skipped;
    let replayed = Replayed { policy, provider, model, skipped, outcomes: &outcomes };
    let mut out = Output::stdout();
    if args.json {
        replayed.json(&mut out)?
    } else {
        replayed.print(&mut out)?
    }
    Ok(ExitCode::SUCCESS)
}

fn setting(args: &Args) -> Result<Setting> {
    let mut policy = Policy::of(&args.policy)?;
    match args.observations.as_deref() {
        Some("user_after_first") => policy.observations = Observations::UserAfterFirst,
        Some(_) => policy.observations = Observations::Tool,
        None => {}
    }
    let catalog = Catalog::embedded().context("the embedded price catalog")?;
    let now = house::clock().now();
    let found = catalog.resolve(&args.provider, &args.model, now, &Served::new());
    let found = found.map_err(|missed| {
        let similar = missed.suggestions.join(", ");
        let Args { provider, model, .. } = args;
        anyhow!("no price is known for `{model}` of {provider}; similar names are: {similar}")
    })?;
    let counter = Counter::embedded().context("the embedded rules for counting")?;
    Ok(Setting {
        optimizer: Optimizer::new(counter.clone(), MEMORY_BYTES),
        counter,
        model: args.model.clone(),
        caching: caching(&found),
        card: (*found.card).clone(),
        policy,
    })
}

/// A model's cache; none where its terms are not known.
pub(super) fn caching(found: &Resolved) -> Caching {
    let terms = found.model.caching.as_ref();
    terms.map_or(Caching::NONE, |terms| Caching::of(terms, &found.card))
}

/// Replays every conversation, some at a time, in the order of the file.
fn replay_all(setting: &Setting, reader: &mut Reader, bar: &ProgressBar) -> Result<Vec<Outcome>> {
    let mut habits: HashMap<String, Habits> = HashMap::new();
    let mut outcomes = Vec::new();
    loop {
        let mut batch = Vec::with_capacity(BATCH);
        while batch.len() < BATCH {
            let Some(conversation) = reader.next()? else { break };
            let known = habits.entry(conversation.kind.clone()).or_default();
            let before = *known;
            *known = before.and(conversation.requests.len() > 1);
            batch.push((conversation, before));
        }
        if batch.is_empty() {
            return Ok(outcomes);
        }
        outcomes.extend(replay_batch(setting, &batch)?);
        bar.set_position(reader.bytes);
    }
}

fn replay_batch(setting: &Setting, batch: &[(Conversation, Habits)]) -> Result<Vec<Outcome>> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let share = batch.len().div_ceil(workers).max(1);
    thread::scope(|scope| {
        let work = |part: &'_ [(Conversation, Habits)]| {
            let replayed = part.iter().map(|(it, habits)| replay(setting, it, *habits));
            replayed.collect::<Result<Vec<_>>>()
        };
        let workers: Vec<_> =
            batch.chunks(share).map(|part| scope.spawn(move || work(part))).collect();
        let mut outcomes = Vec::with_capacity(batch.len());
        for worker in workers {
            let part = worker.join().map_err(|_| anyhow!("a worker of the replay ended early"))?;
            outcomes.extend(part?);
        }
        Ok(outcomes)
    })
}

fn progress(path: &Path, quiet: bool) -> Result<ProgressBar> {
    let length = std::fs::metadata(path).map(|file| file.len()).unwrap_or_default();
    if quiet || length == 0 {
        return Ok(ProgressBar::hidden());
    }
    let style = ProgressStyle::with_template("  replaying {bar:40} {percent} %")?;
    Ok(ProgressBar::new(length).with_style(style))
}
