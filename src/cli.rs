//! The command line: arguments in, exit code out.

mod serve;
mod verify;

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::config::Config;
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
    Serve(Serve),
    /// See what it does: a sample agent against a built-in provider. No key, nothing spent.
    Demo(Demo),
    /// Check the ledger against itself: balances, holds and costs.
    Verify(Verify),
}

#[derive(Debug, Args)]
struct Serve {
    #[command(flatten)]
    settings: Settings,
    /// Listen here instead of where the configuration says.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
}

#[derive(Debug, Args)]
struct Demo {
    /// Print the bill as JSON and nothing else.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Verify {
    #[command(flatten)]
    settings: Settings,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Where settings come from.
#[derive(Debug, Args)]
struct Settings {
    /// A file with the settings that differ from the default.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The ledger's file, instead of the one that the configuration names.
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
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
            Command::Demo(args) => demo::run(args.json).await.map(|()| ExitCode::SUCCESS),
            Command::Verify(args) => verify::run(&args),
        }
    }
}

// === impl Settings ===

impl Settings {
    fn load(&self) -> Result<Config> {
        let mut config = Config::load(self.config.as_deref())?;
        if let Some(path) = &self.store {
            config.store.path.clone_from(path);
        }
        Ok(config)
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

#[expect(clippy::print_stderr, reason = "the one place that reports why a command failed")]
fn complain(error: &anyhow::Error) -> ExitCode {
    eprintln!("farthing: {error:#}");
    ExitCode::FAILURE
}
