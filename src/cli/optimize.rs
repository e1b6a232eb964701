//! `farthing optimize`.

mod explain;
mod prose;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use farthing_core::pricing::{Catalog, Served};
use farthing_optimize::edit::{Undo, undone, undos};
use farthing_optimize::prose::DEFAULT_TARGET_PERCENT;
use farthing_optimize::receipt::Receipt;
use farthing_optimize::{
    Caching, Habits, Mode, Observations, Optimized, Optimizer, Situation, Syntax, Thread,
};
use farthing_tokens::Counter;
use farthing_wire::{Dialect, Request};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{dialects, input, misused, replay};
use crate::house;
use crate::print::Output;

/// The format of the files that receipts are kept in.
const FORMAT: u32 = 1;

const MORE: &str = "\
A request comes out as it should be sent; what nothing had to change stays byte
for byte. With its receipt, --decode gives the original back.

Examples:
  farthing optimize body.json > shorter.json
  farthing optimize body.json --explain
  farthing optimize body.json --receipt receipt.json > shorter.json
  farthing optimize shorter.json --receipt receipt.json --decode
  farthing optimize --prose notes.txt --target 20";

#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub(super) struct Args {
    /// A request's body, or `-` for standard input; with --prose, a text.
    #[arg(value_name = "FILE|-")]
    request: PathBuf,
    /// safe, reversible or aggressive.
    #[arg(long, value_name = "MODE", default_value = "safe")]
    mode: Mode,
    /// What API it is for, if its shape does not tell.
    #[arg(long, value_name = "DIALECT")]
    api: Option<Dialect>,
    /// Whose prices and cache [default: by the API].
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// Which model's [default: the request's].
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// User messages after the first are observations.
    #[arg(long)]
    user_observations: bool,
    /// Show what is changed, and what that is worth.
    #[arg(long)]
    explain: bool,
    /// Where the receipt goes or, with --decode, is.
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// Give the original back.
    #[arg(long, requires = "receipt", conflicts_with = "explain")]
    decode: bool,
    /// Shorten prose instead of a request.
    #[arg(long, conflicts_with_all = ["decode", "receipt", "api", "user_observations", "mode"])]
    prose: bool,
    /// Percent of tokens to save, 5 to 50.
    #[arg(long, value_name = "PERCENT", default_value_t = DEFAULT_TARGET_PERCENT, requires = "prose")]
    #[arg(value_parser = clap::value_parser!(u32).range(5..=50))]
    target: u32,
    /// lossless, concise, extractive.
    #[arg(long, value_enum, default_value_t = Level::Concise, requires = "prose")]
    #[arg(hide_possible_values = true)]
    level: Level,
    /// What the prose is to answer (extractive).
    #[arg(long, value_name = "TEXT", requires = "prose")]
    question: Option<String>,
    /// Print prose with its figures as JSON.
    #[arg(long, requires = "prose", conflicts_with = "explain")]
    json: bool,
}

/// As [`prose::Level`](farthing_optimize::prose::Level).
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Level {
    /// White space and duplicate sentences.
    Lossless,
    /// And courtesies, fillers, hedges and wordy phrases.
    Concise,
    /// And whole sentences, those that have least to do with the question first.
    Extractive,
}

/// A receipt as it is kept.
#[derive(Serialize)]
struct Kept<'r> {
    format: u32,
    receipt: &'r Receipt,
    undo: Vec<Undo>,
}

/// What is needed of it to get the original back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Found<'r> {
    format: u32,
    #[serde(borrow, rename = "receipt")]
    _receipt: &'r RawValue,
    undo: Vec<Undo>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let mut out = Output::stdout();
    if args.prose {
        prose::run(&args.prose_ask()?, &mut out)?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.decode {
        out.write_all(&decoded(args)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let request = dialects::open(args.api, &args.request)?;
    let optimized = optimized(args, &request)?;
    if let Some(file) = &args.receipt {
        let undo = undos(&request.prompt.body, &optimized.edits);
        let kept = Kept { format: FORMAT, receipt: &optimized.receipt, undo };
        let json = serde_json::to_string_pretty(&kept)?;
        std::fs::write(file, json).with_context(|| format!("{}", file.display()))?;
    }
    if args.explain {
        explain::print(&mut out, &request.prompt, &optimized)?;
    } else {
        out.write_all(&optimized.apply(&request.prompt.body))?;
    }
    Ok(ExitCode::SUCCESS)
}

// === impl Args ===

impl Args {
    fn prose_ask(&self) -> Result<prose::Ask<'_>> {
        Ok(prose::Ask {
            argument: self.request.to_str().context("the text is not UTF-8")?,
            target_percent: self.target,
            level: self.level.into(),
            question: self.question.as_deref(),
            model: self.model.as_deref(),
            provider: self.provider.as_deref(),
            explain: self.explain,
            json: self.json,
        })
    }
}

impl From<Level> for farthing_optimize::prose::Level {
    fn from(level: Level) -> farthing_optimize::prose::Level {
        match level {
            Level::Lossless => farthing_optimize::prose::Level::Lossless,
            Level::Concise => farthing_optimize::prose::Level::Concise,
            Level::Extractive => farthing_optimize::prose::Level::Extractive,
        }
    }
}

fn optimized(args: &Args, request: &Request) -> Result<Optimized> {
    let counter = Counter::embedded().context("the embedded rules for counting")?;
    let own = match request.dialect {
        Dialect::Anthropic => "anthropic",
        Dialect::Gemini => "google",
        _ => "openai",
    };
    let provider = args.provider.as_deref().unwrap_or(own);
    let model = args.model.as_deref().unwrap_or(request.model.as_str());
    let catalog = Catalog::embedded().context("the embedded price catalog")?;
    let found = catalog.resolve(provider, model, house::clock().now(), &Served::new()).ok();
    let caching = found.as_ref().map_or(Caching::NONE, replay::caching);
    let observations = match args.user_observations {
        true => Observations::UserAfterFirst,
        false => Observations::Tool,
    };
    let situation = Situation {
        mode: args.mode,
        owner: "",
        model,
        tokens: counter.count(model, &request.prompt).by_kind.total(),
        caching: &caching,
        card: found.as_ref().map(|found| &*found.card),
        syntax: syntax(request.dialect, provider),
        observations,
        thread: &Thread::default(),
        habits: Habits::default(),
        kept_warm: false,
        now: None,
    };
    Ok(Optimizer::new(counter.clone(), 0).optimize(&request.prompt, &situation))
}

/// How hints to the cache are written for a provider that speaks a dialect.
fn syntax(dialect: Dialect, provider: &str) -> Syntax {
    match (dialect, provider) {
        (Dialect::Anthropic, _) => Syntax::CacheControl,
        (_, "openai") => Syntax::CacheKey,
        _ => Syntax::None,
    }
}

fn decoded(args: &Args) -> Result<Bytes> {
    let Some(file) = &args.receipt else {
        misused("--decode needs the receipt: add --receipt FILE")
    };
    let kept = input::body(file)?;
    let found: Found = serde_json::from_slice(&kept)
        .with_context(|| format!("{} is no receipt", input::name(file)))?;
    if found.format != FORMAT {
        bail!("{} has format {}; this version reads {FORMAT}", input::name(file), found.format);
    }
    let body = input::body(&args.request)?.into();
    let original = undone(&body, found.undo);
    original.with_context(|| of_another(file, &args.request))
}

fn of_another(receipt: &Path, request: &Path) -> String {
    format!("{} is not the receipt of {}", input::name(receipt), input::name(request))
}
