//! `farthing env`.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Result;

use super::config::Sources;
use super::run::{Client, KEY};
use super::serve;
use crate::config::Settings;
use crate::print::Output;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    sources: Sources,
    /// Where the gateway is, instead of as configured.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
}

/// Prints commands for a POSIX shell, as for `eval "$(farthing env)"`. A key of ours is named by
/// its variable and not printed.
pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let listen =
        Settings::read(&serve::layers(&args.sources, args.listen))?.config()?.server.listen;
    let has_key = std::env::var_os(KEY).is_some();
    let mut out = Output::stdout();
    writeln!(out, "export OPENAI_BASE_URL='http://{listen}/v1'")?;
    let clients = [Client::Claude, Client::Gemini];
    for (name, url) in clients.iter().filter_map(|client| client.address(listen)) {
        writeln!(out, "export {name}='{url}'")?;
    }
    if has_key {
        writeln!(out, "export OPENAI_API_KEY=\"${KEY}\"")?;
        for name in clients.iter().filter_map(|client| client.key_variable()) {
            writeln!(out, "export {name}=\"${KEY}\"")?;
        }
    }
    writeln!(out, "# Codex takes no variables: farthing run codex -- ...")?;
    Ok(ExitCode::SUCCESS)
}
