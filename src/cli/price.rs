//! `farthing price`.

mod cases;
mod compare;
mod quote;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::ArgGroup;
use farthing_core::pricing::{Catalog, CostStatus, Resolved, Unresolved};
use farthing_core::usage::{Bucket, Usage};
use farthing_tokens::Counter;
use farthing_wire::{Dialect, Request};
use serde::Serialize;
use serde_json::json;

use self::quote::{Quote, Subject};
use super::config::Sources;
use super::lines::answer_each;
use super::{dialects, input, misused};
use crate::house;
use crate::print::Output;

const USAGE: &str = "\
farthing price --model NAME <TEXT|FILE|->
       farthing price --model NAME --input N [--cached N] [--output N]
       farthing price --request FILE
       farthing price --compare <TEXT|FILE|-> [--models A,B] [--providers A,B]
       farthing price --cases FILE";

const MORE: &str = "\
JSON lines have `id`, `provider`, `api_flavor`, `model`, `timestamp`,
`price_context`, and `usage_payload` as the provider sent it. Each is answered
by a line; one that cannot be read makes the exit code 1.

Examples:
  farthing price --model gpt-4.1 \"Tell me a story.\"
  farthing price --model gpt-4.1 --input 12000 --cached 8000 --output 500
  farthing price --cases usage.jsonl > costs.jsonl";

#[derive(Debug, clap::Args)]
#[command(override_usage = USAGE, after_help = MORE)]
#[command(group(ArgGroup::new("what").required(true)))]
pub(super) struct Args {
    /// A message: a text, a file with one, or `-` for standard input.
    #[arg(value_name = "TEXT|FILE|-", group = "what")]
    text: Option<String>,
    /// The model that answers.
    #[arg(long, value_name = "NAME", required_unless_present_any = ["compare", "request", "cases"])]
    model: Option<String>,
    /// Whose it is [default: the first configured that has it].
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// Tokens of the prompt, cached ones included.
    #[arg(long, value_name = "N", group = "what")]
    input: Option<u64>,
    /// Those of them that come from the provider's cache.
    #[arg(long, value_name = "N", requires = "input")]
    cached: Option<u64>,
    /// Tokens of the answer.
    #[arg(long, value_name = "N", conflicts_with = "cases")]
    output: Option<u64>,
    /// The body of one request.
    #[arg(long, value_name = "FILE", group = "what")]
    request: Option<PathBuf>,
    /// What API the request is for, if its shape does not tell.
    #[arg(long, value_name = "DIALECT", requires = "request")]
    api: Option<Dialect>,
    /// Usage as JSON lines.
    #[arg(long, value_name = "FILE", group = "what", conflicts_with_all = ["model", "provider"])]
    cases: Option<PathBuf>,
    /// Price it with every model, cheapest first.
    #[arg(long, conflicts_with_all = ["model", "provider", "cached", "cases"])]
    compare: bool,
    /// Compare these models alone.
    #[arg(long, value_name = "A,B", value_delimiter = ',', requires = "compare")]
    models: Vec<String>,
    /// Compare the models of these providers alone.
    #[arg(long, value_name = "A,B", value_delimiter = ',', requires = "compare")]
    providers: Vec<String>,
    /// Answer, in percent of the prompt.
    #[arg(long, value_name = "N", default_value_t = 25, requires = "compare")]
    ratio: u64,
    /// A file with settings of your own.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The answer for a model without a price.
#[derive(Serialize)]
struct Unpriced {
    status: CostStatus,
    error: String,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let config = Sources { config: args.config.clone(), store: None }.load()?;
    let catalog = config.catalog.load()?;
    if let Some(file) = &args.cases {
        return price_cases(&catalog, file);
    }
    if args.compare {
        return compare_all(&catalog, args);
    }
    let subject = match args.input {
        Some(input) => Subject::of_usage(usage(args, input), args.model()?),
        None => subject_to_count(args)?,
    };
    let providers = match &args.provider {
        Some(provider) => vec![provider.as_str()],
        None => config.price_lists(),
    };
    let mut out = Output::stdout();
    match find(&catalog, &providers, &subject) {
        Ok((provider, found)) => {
            let assumed = config.budgets.assumed_answer_tokens;
            let quote = Quote::new(provider, &found, &subject, assumed)?;
            if args.json {
                out.json(&quote)?
            } else {
                quote.print(&mut out)?
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(reason) if args.json => {
            out.json(&Unpriced { status: CostStatus::Unpriced, error: reason })?;
            Ok(ExitCode::FAILURE)
        }
        Err(reason) => bail!(reason),
    }
}

// === impl Args ===

impl Args {
    /// The model, which the rules for arguments ask for wherever nothing else names one.
    fn model(&self) -> Result<&str> {
        self.model.as_deref().context("no model is named; add --model MODEL")
    }
}

fn usage(args: &Args, input: u64) -> Usage {
    let cached = args.cached.unwrap_or(0);
    let Some(fresh) = input.checked_sub(cached) else {
        misused(format_args!("--cached {cached} is part of --input {input} and cannot exceed it"))
    };
    let prompt = Usage::NONE.with(Bucket::Input, fresh).with(Bucket::CacheRead, cached);
    prompt.with(Bucket::Output, args.output.unwrap_or(0))
}

/// The request, or a text as the message of one.
fn request(args: &Args) -> Result<Request> {
    if let Some(file) = &args.request {
        return dialects::open(args.api, file);
    }
    let text = input::text(args.text.as_deref().unwrap_or_default())?.text;
    let messages = json!([{ "role": "user", "content": text }]);
    let model = if args.compare { "any" } else { args.model()? };
    let body = json!({ "model": model, "messages": messages });
    Ok(Dialect::OpenAiChat.parse(body.to_string().into())?)
}

/// A text or a request, counted.
fn subject_to_count(args: &Args) -> Result<Subject> {
    let request = request(args)?;
    let counter = Counter::embedded().context("the embedded rules for counting")?;
    let model = args.model.as_deref().unwrap_or(request.model.as_str()).to_owned();
    let anatomy = counter.count(model.as_str(), &request.prompt);
    Ok(Subject::of_request(&request, anatomy, model, args.output))
}

/// What a request or a text as a message costs with every model.
fn compare_all(catalog: &Catalog, args: &Args) -> Result<ExitCode> {
    let request = match args.input {
        Some(_) => None,
        None => Some(request(args)?),
    };
    let served = request.as_ref().map(|request| request.served_asked.clone()).unwrap_or_default();
    let now = house::clock().now();
    let models = compare::candidates(catalog, &args.providers, &args.models, now, &served)?;
    let counter = Counter::embedded().context("the embedded rules for counting")?;
    let question = compare::Question {
        request: request.as_ref(),
        input: args.input.unwrap_or(0),
        output: args.output,
        ratio: args.ratio,
    };
    let offers = question.ask(&counter, models)?;
    let mut out = Output::stdout();
    if args.json {
        out.json(&offers)?
    } else {
        compare::print(&mut out, &offers)?
    }
    Ok(ExitCode::SUCCESS)
}

/// The rates of the subject's model, and whose they are.
fn find<'p>(
    catalog: &Catalog,
    providers: &[&'p str],
    subject: &Subject,
) -> Result<(&'p str, Resolved), String> {
    let now = house::clock().now();
    let mut reasons = Vec::new();
    for provider in providers {
        match catalog.resolve(provider, &subject.model, now, &subject.served) {
            Ok(found) => return Ok((provider, found)),
            Err(missed) => reasons.push(unpriced(&subject.model, provider, &missed)),
        }
    }
    Err(format!("{}; name another provider with --provider", reasons.join("; ")))
}

/// What to say of a model without a price.
pub(super) fn unpriced(model: &str, provider: &str, missed: &Unresolved) -> String {
    let similar = match missed.suggestions.as_slice() {
        [] => String::new(),
        names => format!("; similar names are {}", names.join(", ")),
    };
    format!("no price is known for `{model}` of {provider}{similar}")
}

fn price_cases(catalog: &Catalog, file: &Path) -> Result<ExitCode> {
    let mut out = Output::stdout();
    let malformed =
        answer_each(input::open(file)?, &mut out, |line| cases::price(catalog, line))
            .with_context(|| format!("{} cannot be priced to its end", input::name(file)))?;
    Ok(if malformed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
