//! `farthing count`.

mod accuracy;
mod foreign;

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use bytes::Bytes;
use farthing_core::anatomy::{Anatomy, ByKind, Method};
use farthing_tokens::{Api, Counter};
use farthing_wire::{Dialect, Request};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use self::accuracy::Accuracy;
use super::lines::{Unanswered, answer_each};
use super::{dialects, input, misused};
use crate::print::Output;
use crate::print::figures::{grouped, kinds, plural, share};

/// Whose tokens are counted where nobody says.
const MODEL: &str = "gpt-4.1";

const MORE: &str = "\
JSON lines have `request`, the body; where there are any, `id`, `model`, and
`uri`, which says what API the request is for. Each is answered by a line; one
that cannot be read makes the exit code 1.

Examples:
  farthing count \"How many tokens is this?\"
  git diff | farthing count --model gpt-5
  farthing count --request body.json
  farthing count --requests requests.jsonl > counts.jsonl
  farthing count --accuracy reported.jsonl

With --accuracy each line also has `usage`, as the provider reported it; what is
printed is how far the counts are off, by API and model.";

#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub(super) struct Args {
    /// A text, a file with one, or `-` for standard input.
    #[arg(value_name = "TEXT|FILE|-")]
    text: Option<String>,
    /// Whose tokens [default: gpt-4.1, or the request's model].
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The body of one request.
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    request: Option<PathBuf>,
    /// Requests as JSON lines.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["text", "request", "model"])]
    requests: Option<PathBuf>,
    /// How far off counts are, by requests with reported usage.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["text", "request", "requests", "model", "api", "json"]
    )]
    accuracy: Option<PathBuf>,
    /// What API a request is for, if its shape does not tell.
    #[arg(long, value_name = "DIALECT", conflicts_with = "text")]
    api: Option<Dialect>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The count of a text.
#[derive(Serialize)]
struct TextCount<'m> {
    model: &'m str,
    tokens: u64,
    method: Method,
}

/// The count of a request.
#[derive(Serialize)]
struct RequestCount<'m> {
    api: Dialect,
    model: &'m str,
    tokens: u64,
    method: Method,
    upper_bound: u64,
    by_kind: ByKind,
}

/// A line of input.
#[derive(Deserialize)]
struct Line<'l> {
    #[serde(borrow)]
    request: &'l RawValue,
    #[serde(borrow)]
    model: Option<Cow<'l, str>>,
    #[serde(borrow)]
    uri: Option<Cow<'l, str>>,
}

/// A line of output, behind the id.
#[derive(Serialize)]
struct LineCount {
    tokens: u64,
    method: Method,
    upper_bound: u64,
    by_kind: ByKind,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let counter = Counter::embedded().context("the embedded rules for counting")?;
    if let Some(file) = &args.requests {
        return count_lines(&counter, args, file);
    }
    if let Some(file) = &args.accuracy {
        let name = || format!("{} cannot be read to its end", input::name(file));
        let accuracy = Accuracy::measure(&counter, input::open(file)?).with_context(name)?;
        accuracy.print(&mut Output::stdout())?;
        return Ok(ExitCode::SUCCESS);
    }
    match (&args.request, &args.text) {
        (Some(file), _) => count_request(&counter, args, file)?,
        (None, Some(text)) => count_text(&counter, args, text)?,
        (None, None) if io::stdin().is_terminal() => {
            misused("give a text, a file with one, or a request with --request FILE")
        }
        (None, None) => count_text(&counter, args, "-")?,
    }
    Ok(ExitCode::SUCCESS)
}

fn count_text(counter: &Counter, args: &Args, argument: &str) -> Result<()> {
    let input::Text { text, name } = input::text(argument)?;
    let model = args.model.as_deref().unwrap_or(MODEL);
    let (tokens, method) = counter.count_text(model, &text);
    let mut out = Output::stdout();
    if args.json {
        out.json(&TextCount { model, tokens, method })?;
    } else {
        let (tokens, bytes) = (plural(tokens, "token"), plural(text.len() as u64, "byte"));
        writeln!(out, "{tokens} for {model} ({}), in {name} of {bytes}", word(method))?;
    }
    Ok(())
}

fn count_request(counter: &Counter, args: &Args, file: &Path) -> Result<()> {
    let request = dialects::open(args.api, file)?;
    let model = args.model.as_deref().unwrap_or(request.model.as_str());
    let target = (model, api(request.dialect, None));
    let Anatomy { by_kind, method, upper_bound } = counter.count(target, &request.prompt);
    let tokens = by_kind.total();
    let api = request.dialect;
    let count = RequestCount { api, model, tokens, method, upper_bound, by_kind };
    let mut out = Output::stdout();
    if args.json {
        out.json(&count)?
    } else {
        print(&mut out, &count)?
    }
    Ok(())
}

fn print(out: &mut impl Write, count: &RequestCount<'_>) -> io::Result<()> {
    let RequestCount { api, model, tokens, method, upper_bound, .. } = count;
    writeln!(out, "A request for {model}, as of the API `{api}`\n")?;
    for (kind, tokens_of_kind) in kinds(&count.by_kind) {
        let share = share(tokens_of_kind, *tokens);
        writeln!(out, "  {kind:<12}  {:>12}  {share:>6}", grouped(tokens_of_kind))?;
    }
    writeln!(out, "  {:<12}  {:>12}", "in all", grouped(*tokens))?;
    match method {
        Method::Exact => writeln!(out, "\nExact: as the provider counts."),
        Method::Estimated => {
            writeln!(out, "\nEstimated; no more than {}.", plural(*upper_bound, "token"))
        }
    }
}

fn word(method: Method) -> &'static str {
    match method {
        Method::Exact => "exact",
        Method::Estimated => "estimated",
    }
}

fn count_lines(counter: &Counter, args: &Args, file: &Path) -> Result<ExitCode> {
    let mut out = Output::stdout();
    let count = |line: &str| count_line(counter, args.api, line);
    let malformed = answer_each(input::open(file)?, &mut out, count)
        .with_context(|| format!("{} cannot be counted to its end", input::name(file)))?;
    Ok(if malformed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn count_line(
    counter: &Counter,
    api: Option<Dialect>,
    line: &str,
) -> Result<LineCount, Unanswered> {
    let Line { request, model, uri } = serde_json::from_str(line)?;
    let unanswered = |reason| Unanswered::Because(None, reason);
    let body = Bytes::copy_from_slice(request.get().as_bytes());
    let request: Request = foreign::parse(api, uri.as_deref(), body).map_err(unanswered)?;
    let model = model.as_deref().unwrap_or(request.model.as_str());
    let target = (model, self::api(request.dialect, uri.as_deref()));
    let Anatomy { by_kind, method, upper_bound } = counter.count(target, &request.prompt);
    Ok(LineCount { tokens: by_kind.total(), method, upper_bound, by_kind })
}

/// The API of a request, where it makes a difference to what the model reads.
fn api(dialect: Dialect, uri: Option<&str>) -> Option<Api> {
    match dialect {
        _ if uri.is_some_and(foreign::is_converse) => Some(Api::Converse),
        Dialect::OpenAiResponses => Some(Api::Responses),
        Dialect::Gemini if uri?.contains("aiplatform.googleapis.com") => Some(Api::Vertex),
        _ => None,
    }
}
