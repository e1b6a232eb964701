//! The command line: arguments in, exit code out.

mod analyze;
mod catalog;
mod config;
mod count;
mod dialects;
mod doctor;
mod env;
mod input;
mod keys;
mod lines;
mod optimize;
mod price;
mod replay;
mod report;
mod reprice;
mod run;
mod serve;
mod statusline;
mod verify;

use std::fmt::Display;
use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::Result;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use jiff::Timestamp;
use tracing_subscriber::EnvFilter;

use crate::demo;

/// Counts, prices, caps and cuts what LLM applications spend.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway with its ledger.
    #[command(visible_alias = "up")]
    Serve(serve::Args),
    /// Run Claude Code, Codex or Gemini CLI through the gateway.
    Run(run::Args),
    /// Print what to set, so that clients call the gateway.
    Env(env::Args),
    /// See what it does, with a sample agent. No key, nothing spent.
    Demo(Demo),
    /// Say what agents cost by their transcripts, and what to change.
    Analyze(analyze::Args),
    /// Count the tokens of a text, a request, or JSON lines of requests.
    Count(count::Args),
    /// Say what usage, a text, a request, or JSON lines of usage cost.
    Price(price::Args),
    /// Make a request cheaper, and say how.
    Optimize(optimize::Args),
    /// Say what recorded conversations would have cost under a policy.
    Replay(replay::Args),
    /// Show spending by day, month, session or model, by transcripts.
    Report(report::Args),
    /// Print one line for an agent's status line: session, today, context.
    Statusline(statusline::Args),
    /// Show, check, compare or refresh the price facts.
    #[command(subcommand)]
    Catalog(catalog::Action),
    /// Show or check the settings.
    #[command(subcommand)]
    Config(config::Action),
    /// Check that all is in place: settings, ledger, port, providers.
    Doctor(doctor::Args),
    /// Make, list, rotate and revoke keys.
    Keys(keys::Args),
    /// Price what was billed without a price, once one is known.
    Reprice(reprice::Args),
    /// Check the ledger against itself: balances, holds and costs.
    Verify(verify::Args),
}

#[derive(Debug, clap::Args)]
struct Demo {
    /// Print the bill as JSON and nothing else.
    #[arg(long)]
    json: bool,
}

// === impl Cli ===

impl Cli {
    /// Carries out the command.
    pub(crate) fn run(self) -> ExitCode {
        log_to_stderr();
        let done = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(anyhow::Error::from)
            .and_then(|runtime| runtime.block_on(self.command.run()));
        match done {
            Ok(code) => code,
            Err(error) => complain(&error),
        }
    }
}

impl Command {
    async fn run(self) -> Result<ExitCode> {
        match self {
            Command::Serve(args) => serve::run(args).await,
            Command::Run(args) => run::run(args).await,
            Command::Env(args) => env::run(&args),
            Command::Demo(args) => demo::run(args.json).await.map(|()| ExitCode::SUCCESS),
            Command::Analyze(args) => analyze::run(&args),
            Command::Count(args) => count::run(&args),
            Command::Price(args) => price::run(&args),
            Command::Optimize(args) => optimize::run(&args),
            Command::Replay(args) => replay::run(&args),
            Command::Report(args) => report::run(&args),
            Command::Statusline(args) => statusline::run(&args),
            Command::Catalog(action) => catalog::run(&action),
            Command::Config(action) => config::run(&action),
            Command::Doctor(args) => doctor::run(&args).await,
            Command::Keys(args) => keys::run(&args).await,
            Command::Reprice(args) => reprice::run(&args).await,
            Command::Verify(args) => verify::run(&args),
        }
    }
}

/// Logs go to stderr; `FARTHING_LOG` says how much (`info`, `farthing_ledger=debug`).
fn log_to_stderr() {
    let filter = EnvFilter::try_from_env("FARTHING_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .init();
}

/// Ends the process as where arguments cannot be understood.
fn misused(message: impl Display) -> ! {
    Cli::command().error(ErrorKind::ValueValidation, message).exit()
}

#[expect(clippy::print_stderr, reason = "the one place that reports why a command failed")]
fn complain(error: &anyhow::Error) -> ExitCode {
    eprintln!("farthing: {error:#}");
    ExitCode::FAILURE
}

/// Reads a day or a moment.
fn moment(text: &str) -> Result<Timestamp, String> {
    let midnight = format!("{text}T00:00:00Z");
    let read = text.parse().or_else(|_| midnight.parse::<Timestamp>());
    read.map_err(|_| format!("`{text}` is no day; write it as in 2026-11-22"))
}
