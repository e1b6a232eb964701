//! `farthing serve`.

mod reload;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use farthing_gateway::{Gateway, serve};
use farthing_ledger::SqliteStore;
use farthing_wire::Dialect;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::config::Sources;
use crate::config::{Config, Layers, Setting, Settings};
use crate::house;
use crate::print::Output;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    sources: Sources,
    /// Where to listen, instead of as configured.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
}

pub(super) async fn run(args: Args) -> Result<ExitCode> {
    let layers = layers(&args.sources, args.listen);
    let config = Settings::read(&layers)?.config()?;
    let listen = config.server.listen;
    let gateway = gateway(&config)?;
    let is_open = gateway.engine().access().is_open();
    let listener =
        TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    greet(&mut Output::stdout(), listener.local_addr()?, &config, &args.sources, is_open)?;
    reload::spawn(gateway.engine().tariff().prices.clone(), layers)?;
    serve(gateway, listener, stopped()?).await.context("the listener failed")?;
    Ok(ExitCode::SUCCESS)
}

/// Where settings come from, the address too where a flag says it.
pub(super) fn layers(sources: &Sources, listen: Option<SocketAddr>) -> Layers {
    let mut layers = sources.layers();
    layers
        .flags
        .extend(listen.map(|listen| {
            Setting::of_flag("--listen", &["server", "listen"], &listen.to_string())
        }));
    layers
}

/// A gateway on its ledger. Fails where whoever reaches it could spend.
pub(super) fn gateway(config: &Config) -> Result<Gateway> {
    let listen = config.server.listen;
    let routes = config.routes(|name| std::env::var(name).ok())?;
    let store = SqliteStore::open(&config.store.path)?;
    let secret = config.store.secret()?;
    let gateway = house::build(config, routes, store, &secret, config.store.vault())?;
    if gateway.engine().access().is_open() && !listen.ip().is_loopback() {
        bail!(
            "there are no keys, so whoever reaches {listen} could spend your money; make one with \
             `farthing keys create`, set server.access = \"keys\", or listen on an address of this \
             machine, as in 127.0.0.1:4141"
        );
    }
    Ok(gateway)
}

const OPEN: &str = "open, to programs on this machine only (there are no keys yet)";
const BY_KEY: &str = "by key (`farthing keys` makes and lists them)";

/// What to paste into a client, and how the gateway stands.
fn greet(
    out: &mut impl Write,
    address: SocketAddr,
    config: &Config,
    sources: &Sources,
    is_open: bool,
) -> io::Result<()> {
    writeln!(out, "farthing {} listens on http://{address}", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "  settings  from {}", sources.description())?;
    writeln!(out, "  ledger    {}", config.store.path.display())?;
    writeln!(out, "  access    {}", if is_open { OPEN } else { BY_KEY })?;
    writeln!(out, "\nPaste into the shell of a program to send its calls through here:")?;
    let spoken = |dialect| config.provider.values().any(|provider| provider.dialect == dialect);
    for dialect in Dialect::ALL.iter().copied().filter(|dialect| spoken(*dialect)) {
        let (base, clients) = base(dialect, address);
        writeln!(out, "  export {base:<45}  # {clients}")?;
    }
    writeln!(out, "\nTo say on whose account a call is, send the header x-farthing-user: NAME.")?;
    out.flush()
}

/// The variable in which clients of a dialect look for an address, and who they are.
fn base(dialect: Dialect, address: SocketAddr) -> (String, &'static str) {
    match dialect {
        Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::OpenAiEmbeddings => {
            (format!("OPENAI_BASE_URL=http://{address}/v1"), "OpenAI SDKs")
        }
        Dialect::Anthropic => (format!("ANTHROPIC_BASE_URL=http://{address}"), "Claude Code"),
        Dialect::Gemini => (format!("GOOGLE_GEMINI_BASE_URL=http://{address}"), "Gemini CLI"),
    }
}

/// Resolves when the process is told to stop.
fn stopped() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    })
}
