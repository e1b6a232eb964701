//! `farthing demo`: a sample agent, the real gateway, and a provider that follows a script.
//!
//! All of it lives in this process and its memory, on free ports of loopback: no key, no file, no
//! settings, and no money. What it shows is what the ledger has.

mod agent;
mod bill;
mod screen;
mod tools;

use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use farthing_core::Usd;
use farthing_core::event::Event;
use farthing_core::id::ProviderId;
use farthing_fake_provider::{FakeProvider, Options, Script};
use farthing_gateway::{Gateway, serve};
use farthing_ledger::SqliteStore;
use farthing_upstream::{Deployment, Route, Secret};
use farthing_wire::Dialect;
use indicatif::{ProgressBar, ProgressStyle};
use serde::de::IgnoredAny;
use tokio::net::TcpListener;
use tokio::sync::broadcast::Receiver;
use tokio::sync::oneshot;

use self::agent::{Agent, MODEL, Turn};
use self::bill::{Bill, Line};
use crate::config::Config;
use crate::house;

const SCRIPT: &str = include_str!("sample/script.json");
const QUESTIONS: [&str; 2] = [
    "Since February, what we charge for some orders differs from the invoice by a cent. Find out \
     why and fix it.",
    "Does the refund path have the same bug?",
];
/// As long as anything in the demo may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the sample conversation and prints its bill.
///
/// # Errors
/// Where something fails, and where ledger, bill and provider do not agree to the token.
pub(crate) async fn run(json: bool) -> Result<()> {
    let bar = if json { ProgressBar::hidden() } else { progress_bar()? };
    let bill = play(&bar, json).await;
    bar.finish_and_clear();
    match print(&bill?, json) {
        // Whoever closed the pipe has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed.context("the bill cannot be printed"),
    }
}

async fn play(bar: &ProgressBar, haste: bool) -> Result<Bill> {
    let provider = provider(haste).await?;
    let gateway = gateway(&provider)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port is free")?;
    let address = format!("http://{}", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(serve(gateway.clone(), listener, async {
        let _ = stopped.await;
    }));

    let counting = tokio::spawn(count_cost(gateway.engine().bus().listen(), bar.clone()));
    let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
    let turns = converse(&http, &address, bar).await;
    counting.abort();

    let bill = collect(&gateway, &http, &address, turns?).await?;
    drop(stop);
    serving.await.context("the gateway's task failed")??;
    bill.check(provider.billed())?;
    Ok(bill)
}

/// A provider that follows the script: at the pace of a fast model, or in `haste` at once.
async fn provider(haste: bool) -> Result<FakeProvider> {
    let pace = |ms| if haste { Duration::ZERO } else { Duration::from_millis(ms) };
    let script = Script::from_json(SCRIPT).context("the sample's script")?;
    let options =
        Options { script, first_token: pace(90), between_chunks: pace(1), ..Options::default() };
    FakeProvider::start(options).await.context("the provider of the demo cannot start")
}

/// A gateway as `farthing serve` has it, but for its provider and its ledger.
fn gateway(provider: &FakeProvider) -> Result<Gateway> {
    let config = Config::load(None)?;
    let (name, url) = (ProviderId::new("openai")?, provider.base_url());
    let deployment = Deployment::new(name, Dialect::OpenAiChat, url, config.upstream.breaker());
    // The provider wants a key, any key. This one keeps real ones where they are.
    let deployment = deployment.with_key(Some(Secret::new("demo".to_owned())));
    let store = SqliteStore::in_memory("demo")?;
    let route = Route::new(Arc::new(deployment), Vec::new())?;
    house::build(&config, vec![route], store)
}

async fn converse(http: &reqwest::Client, address: &str, bar: &ProgressBar) -> Result<Vec<Turn>> {
    let mut agent = Agent::new(http.clone(), &format!("{address}/v1"))?;
    for question in QUESTIONS {
        agent.ask(question, |turn| bar.set_message(turn.what.clone())).await?;
    }
    Ok(agent.into_turns())
}

/// Collects what the ledger has of all turns.
async fn collect(
    gateway: &Gateway,
    http: &reqwest::Client,
    address: &str,
    turns: Vec<Turn>,
) -> Result<Bill> {
    let ledger = gateway.engine().ledger();
    // Answers do not wait for their entries, so these may still be on their way.
    gateway.engine().idle().await;
    ledger.flush().await?;
    let mut lines = Vec::new();
    for numbered in (1..).zip(turns) {
        lines.push(Line::fetch(http, address, numbered).await?);
    }
    Bill::new(MODEL, lines, ledger.verify().await?)
}

fn progress_bar() -> Result<ProgressBar> {
    let turns: Vec<IgnoredAny> = serde_json::from_str(SCRIPT)?;
    let style = ProgressStyle::with_template("  {bar:24.cyan} {pos:>2}/{len} {prefix:>9}  {msg}")?;
    let bar = ProgressBar::new(u64::try_from(turns.len())?).with_style(style.progress_chars("━╸─"));
    bar.set_prefix(format!("${:.6}", Usd::ZERO));
    bar.tick();
    Ok(bar)
}

/// Moves the bar with every call that is billed.
async fn count_cost(mut events: Receiver<Event>, bar: ProgressBar) {
    let mut spent = Usd::ZERO;
    while let Ok(event) = events.recv().await {
        let Some(bill) = event.bill else { continue };
        // A cost that is unknown makes the bill say so; here it only is not shown.
        spent = bill.cost.usd.and_then(|usd| spent.plus(usd).ok()).unwrap_or(spent);
        bar.set_prefix(format!("${spent:.6}"));
        bar.inc(1);
    }
}

fn print(bill: &Bill, json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, bill)?;
        writeln!(out)?;
    } else {
        screen::write(bill, &mut out, console::colors_enabled())?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_conversation_runs_to_its_end_and_its_bill_is_right() {
        let bill = play(&ProgressBar::hidden(), true).await.unwrap();
        let did: Vec<_> = bill.turns.iter().map(|line| line.what.as_str()).collect();
        assert_eq!(did.len(), 13);
        assert_eq!(did[7..10], ["edit_file checkout.py", "run_tests", "answers"]);
        assert!(bill.turns.iter().all(|line| line.status == "priced"));
        assert!(bill.turns[1..].iter().all(|line| line.amounts.cached >= 1_024));
        assert_eq!((bill.ledger.attempts, bill.ledger.entries, bill.ledger.open), (13, 26, 0));
    }
}
