//! Real clients through the real binary, with the fake provider behind it. They are told another
//! base URL and nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    unreachable_pub
)]

mod bill;
mod claude_code;
mod codex;
mod gemini_cli;
mod sdks;
#[path = "../gateway/support.rs"]
#[allow(dead_code, reason = "the tests of the gateway use what these do not")]
mod support;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;

use support::House;

/// What a client may take, at the most: the first start of one is slow.
const PATIENCE: Duration = Duration::from_secs(120);
/// A budget with room for no call at all.
const NO_ROOM: &str =
    "[[budgets.limit]]\nscope = \"user\"\nwindow = \"day\"\nusd = \"0.0000001\"\n";

/// A command that starts a client, or `None`, said aloud, where it is not installed. `program` is
/// its path from the root.
fn client(program: &str, folder: &TempDir) -> Option<Command> {
    installed(program).map(|path| isolated(path, folder))
}

/// Where a client is, or `None`, said aloud, where it is not installed.
fn installed(client: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(client);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {client} is not there; `make clients` installs it and says what it lacks");
    None
}

/// A command that sees nothing of this process's environment but the `PATH`, and has `folder` as
/// its project and its home.
fn isolated(program: impl AsRef<OsStr>, folder: &TempDir) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear().env("HOME", folder.path());
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command
}

/// Runs a client to its end and gives what it printed.
async fn printed(mut client: Command) -> String {
    client.stdin(std::process::Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, client.output()).await;
    let output = output.expect("the client ends in time").unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!printed.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    printed
}

/// That the gateway refused so many calls for want of budget, and asked no provider.
async fn assert_refused(house: &House, calls: usize) {
    let metrics = house.get("/metrics").await.text().await.unwrap();
    let counted = format!("farthing_requests_total{{code=\"budget_exceeded\"}} {calls}");
    assert!(metrics.lines().any(|line| line == counted), "not {counted}: {metrics}");
    assert!(house.provider.log().is_empty());
}
