//! `farthing serve`.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use farthing_gateway::serve;
use farthing_ledger::SqliteStore;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::Serve;
use crate::config::Config;
use crate::house;

pub(super) async fn run(args: Serve) -> Result<ExitCode> {
    let mut config = args.settings.load()?;
    if let Some(listen) = args.listen {
        config.server.listen = listen;
    }
    let listen = config.server.listen;
    if !listen.ip().is_loopback() {
        bail!(
            "there are no keys, so whoever reaches {listen} could spend your money; \
             listen on an address of this machine, as in 127.0.0.1:4141"
        );
    }
    let routes = config.routes(|name| std::env::var(name).ok())?;
    let store = SqliteStore::open(&config.store.path)?;
    let gateway = house::build(&config, routes, store)?;
    let listener =
        TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    greet(&mut io::stdout().lock(), listener.local_addr()?, &config)?;
    serve(gateway, listener, stopped()?).await.context("the listener failed")?;
    Ok(ExitCode::SUCCESS)
}

/// What to paste into a client, and how the gateway stands.
fn greet(out: &mut impl Write, address: SocketAddr, config: &Config) -> io::Result<()> {
    writeln!(out, "farthing {} listens on http://{address}", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "  ledger   {}", config.store.path.display())?;
    writeln!(out, "  access   open, to programs on this machine only (there are no keys yet)")?;
    writeln!(out, "\nPoint a client at it:")?;
    writeln!(out, "  export OPENAI_BASE_URL=http://{address}/v1")?;
    out.flush()
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
