//! `farthing run`.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use farthing_gateway::serve;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::config::Sources;
use super::{doctor, serve as serving};
use crate::config::{Config, Settings};

/// The variable with a key of ours. Where it is set, clients show it instead of a provider's.
pub(super) const KEY: &str = "FARTHING_KEY";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    sources: Sources,
    /// Where the gateway is or will be, if not as configured.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// The client.
    client: Client,
    /// What is handed on to it.
    #[arg(last = true)]
    arguments: Vec<OsString>,
}

/// A client that can be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Client {
    /// Claude Code.
    Claude,
    /// Codex.
    Codex,
    /// Gemini CLI.
    Gemini,
}

/// Runs a client through the gateway that listens at the address, else through one that ends with
/// it. Gives the client's exit code; 128 and the signal's number where one ended it.
pub(super) async fn run(args: Args) -> Result<ExitCode> {
    let config = Settings::read(&serving::layers(&args.sources, args.listen))?.config()?;
    let listen = config.server.listen;
    let listener = match TcpListener::bind(listen).await {
        Ok(listener) => listener,
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            if !doctor::answers(listen, &config).await {
                bail!("another program listens on {listen}; listen elsewhere with --listen");
            }
            return call(args, listen).await;
        }
        Err(error) => return Err(error).with_context(|| format!("cannot listen on {listen}")),
    };
    with_gateway(&config, listener, args).await
}

/// Serves as long as the client runs.
async fn with_gateway(config: &Config, listener: TcpListener, args: Args) -> Result<ExitCode> {
    let address = listener.local_addr()?;
    let gateway = serving::gateway(config)?;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(serve(gateway, listener, async {
        // The client has ended, or could not be started.
        let _ = stopped.await;
    }));
    let outcome = call(args, address).await;
    drop(stop);
    serving.await?.context("the listener failed")?;
    outcome
}

/// Runs the client to its end.
async fn call(args: Args, address: SocketAddr) -> Result<ExitCode> {
    // Ctrl-C is for the client, which gets it from the terminal; the ledger ends after it.
    let _interrupts = signal(SignalKind::interrupt())?;
    let key = std::env::var(KEY).ok();
    let program = args.client.program();
    let mut command = Command::new(program);
    command.args(args.client.settings(address, key.is_some())).args(args.arguments);
    command.envs(args.client.address(address));
    command.envs(args.client.key_variable().zip(key));
    let status = command.status().await;
    let status = status
        .with_context(|| format!("cannot start `{program}`; install it, or put it on the PATH"))?;
    Ok(exit_code(status))
}

fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}

// === impl Client ===

impl Client {
    fn program(self) -> &'static str {
        match self {
            Client::Claude => "claude",
            Client::Codex => "codex",
            Client::Gemini => "gemini",
        }
    }

    /// The variable in which it looks for an address, and that of the gateway.
    pub(super) fn address(self, gateway: SocketAddr) -> Option<(&'static str, String)> {
        let url = format!("http://{gateway}");
        match self {
            Client::Claude => Some(("ANTHROPIC_BASE_URL", url)),
            Client::Codex => None,
            Client::Gemini => Some(("GOOGLE_GEMINI_BASE_URL", url)),
        }
    }

    /// The variable in which it looks for a key.
    pub(super) fn key_variable(self) -> Option<&'static str> {
        match self {
            Client::Claude => Some("ANTHROPIC_AUTH_TOKEN"),
            Client::Codex => None,
            Client::Gemini => Some("GEMINI_API_KEY"),
        }
    }

    /// What it has to be told in arguments. Codex has a provider for each address; without a key
    /// of the user's it shows none, and the gateway's is used.
    fn settings(self, gateway: SocketAddr, has_key: bool) -> Vec<String> {
        if self != Client::Codex {
            return Vec::new();
        }
        let own = std::env::var_os("OPENAI_API_KEY").map(|_| "OPENAI_API_KEY");
        let variable = if has_key { Some(KEY) } else { own };
        let key = variable.map_or_else(String::new, |name| format!(", env_key = \"{name}\""));
        let provider = format!(
            "model_providers.farthing={{ name = \"Farthing\", base_url = \"http://{gateway}/v1\", \
             wire_api = \"responses\"{key} }}"
        );
        ["-c", "model_provider=\"farthing\"", "-c", &provider].map(str::to_owned).into()
    }
}
