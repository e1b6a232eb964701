//! `farthing demo`: sample agents, the real gateway, and a provider that follows a script.
//!
//! All of it lives in this process and its memory, on free ports of loopback: no key, no file, no
//! settings, and no money. What it shows is what the ledger has.

mod agent;
mod bill;
mod cast;
mod saved;
mod screen;
mod speaker;
mod table;
mod tools;

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use farthing_core::Usd;
use farthing_core::id::ProviderId;
use farthing_fake_provider::{FakeProvider, Fault, Options, Script};
use farthing_gateway::{Gateway, serve};
use farthing_ledger::item::Posted;
use farthing_ledger::{SqliteStore, vault};
use farthing_upstream::{Deployment, Route, Secret};
use farthing_wire::Dialect;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::net::TcpListener;
use tokio::sync::broadcast::Receiver;
use tokio::sync::oneshot;
use toml::Value;
use toml::de::ValueDeserializer;

use self::agent::{Agent, Job, Refusal, Turn};
use self::bill::{Bill, Conversation, Line};
use self::tools::Shop;
use crate::config::{Config, Layers, Setting};
use crate::house;

const SCRIPT: &str = include_str!("sample/script.json");
/// What each user may spend in a day.
const LIMITS: &str = r#"[{ scope = "user", window = "day", usd = "1.00" }]"#;
/// The provider has no time at the call that follows this turn of the second agent.
const TURN_BEFORE_FAULT: usize = 10;
/// As long as anything in the demo may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the sample conversations and prints their bill.
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

    let counting =
        tokio::spawn(count_cost(gateway.engine().ledger().outbox().listen_to_all(), bar.clone()));
    let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
    let talks = converse(&http, &address, &provider, bar).await;
    counting.abort();

    let talks = talks?;
    let refusal = overspend(&http, &address).await?;
    let bill = collect(&gateway, &http, &address, talks, refusal).await?;
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
        Options { script, first_token: pace(40), between_chunks: pace(1), ..Options::default() };
    FakeProvider::start(options).await.context("the provider of the demo cannot start")
}

/// A gateway as `farthing serve` has it, but for its providers, its ledger, and its limit.
fn gateway(provider: &FakeProvider) -> Result<Gateway> {
    let mut limits = Setting::of_flag("demo", &["budgets", "limit"], "");
    limits.value = ValueDeserializer::parse(LIMITS).and_then(Value::deserialize)?;
    let config = Config::load(Some(&Layers { flags: vec![limits], ..Layers::default() }))?;
    let route = |(name, dialect)| -> Result<Route> {
        let (name, url) = (ProviderId::new(name)?, provider.base_url());
        let deployment = Deployment::new(name, dialect, url, config.upstream.breaker());
        // The provider wants a key, any key. This one keeps real ones where they are.
        let deployment = deployment.with_key(Some(Secret::new("demo".to_owned())));
        Ok(Route::new(Arc::new(deployment), Vec::new())?)
    };
    let routes = [("openai", Dialect::OpenAiChat), ("anthropic", Dialect::Anthropic)];
    let routes = routes.into_iter().map(route).collect::<Result<_>>()?;
    let (store, secret) = (SqliteStore::in_memory("demo")?, vault::Secret::random()?);
    house::build(&config, routes, store, &secret, vault::Place::Memory)
}

/// Lets one agent go on where the other has stopped. On the way the provider has no time once.
async fn converse(
    http: &reqwest::Client,
    address: &str,
    provider: &FakeProvider,
    bar: &ProgressBar,
) -> Result<[(&'static Job, Vec<Turn>); 2]> {
    let fixer = Agent::new(http.clone(), address, &cast::FIXER, Shop::new())?;
    let (fixed, shop) = fixer.work(|turn| bar.set_message(turn.what.clone())).await?;
    let refunder = Agent::new(http.clone(), address, &cast::REFUNDER, shop)?;
    let told = |turn: &Turn| {
        bar.set_message(turn.what.clone());
        if turn.number == TURN_BEFORE_FAULT {
            provider.answer_next_with(Fault::Status(503));
        }
    };
    let (refunded, _) = refunder.work(told).await?;
    Ok([(&cast::FIXER, fixed), (&cast::REFUNDER, refunded)])
}

/// Asks for more than a budget has room for.
async fn overspend(http: &reqwest::Client, address: &str) -> Result<Refusal> {
    let intern = Agent::new(http.clone(), address, &cast::INTERN, Shop::new())?;
    match intern.work(|_| ()).await {
        Ok(_) => bail!("a call that no budget had room for was answered"),
        Err(error) => error.downcast(),
    }
}

/// Collects what the ledger has of all turns.
async fn collect(
    gateway: &Gateway,
    http: &reqwest::Client,
    address: &str,
    talks: [(&'static Job, Vec<Turn>); 2],
    refusal: Refusal,
) -> Result<Bill> {
    let ledger = gateway.engine().ledger();
    // Answers do not wait for their entries, so these may still be on their way.
    gateway.engine().idle().await;
    ledger.flush().await?;
    let mut conversations = Vec::new();
    for (job, turns) in talks {
        let mut lines = Vec::new();
        for turn in turns {
            lines.push(Line::fetch(http, address, turn).await?);
        }
        conversations.push(Conversation::new(job, lines)?);
    }
    Bill::new(conversations, refusal, ledger.verify().await?)
}

fn progress_bar() -> Result<ProgressBar> {
    let script: HashMap<String, Vec<IgnoredAny>> = serde_json::from_str(SCRIPT)?;
    let turns: usize = script.values().map(Vec::len).sum();
    let style = ProgressStyle::with_template("  {bar:24.cyan} {pos:>2}/{len} {prefix:>9}  {msg}")?;
    let bar = ProgressBar::new(u64::try_from(turns)?).with_style(style.progress_chars("━╸─"));
    bar.set_prefix(format!("${:.6}", Usd::ZERO));
    bar.tick();
    Ok(bar)
}

/// Moves the bar with every call that is billed.
async fn count_cost(mut events: Receiver<Posted>, bar: ProgressBar) {
    let mut spent = Usd::ZERO;
    while let Ok(posted) = events.recv().await {
        let Some(cost) = &posted.event.cost else { continue };
        // A cost that is unknown makes the bill say so; here it only is not shown.
        spent = cost.usd.and_then(|usd| spent.plus(usd).ok()).unwrap_or(spent);
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
    use std::ops::Range;

    use super::*;

    #[tokio::test]
    async fn the_conversations_run_to_their_end_and_their_bill_is_right() {
        let bill = play(&ProgressBar::hidden(), true).await.unwrap();
        let [fixer, refunder] = &bill.conversations[..] else { panic!("two conversations") };
        let did = |talk: &Conversation, turns: Range<usize>| -> Vec<String> {
            talk.turns[turns].iter().map(|line| line.what.clone()).collect()
        };
        assert_eq!((fixer.turns.len(), refunder.turns.len()), (20, 20));
        assert_eq!(did(fixer, 9..12), ["edit_file checkout.py", "run_tests", "answers"]);
        assert_eq!(did(refunder, 14..17), ["run_tests", "grep \"refunded_before\"", "answers"]);
        for line in fixer.turns[1..].iter().chain(&refunder.turns[1..]) {
            assert_eq!(line.status, "priced");
            assert!(line.amounts.cached >= 1_024, "{line:?}");
        }
        assert_eq!(fixer.total.written, 0);
        assert!(refunder.turns.iter().all(|line| line.amounts.written > 0));
        assert_eq!((bill.ledger.attempts, bill.ledger.entries, bill.ledger.open), (41, 82, 0));

        let lines = fixer.turns.iter().chain(&refunder.turns);
        let tried_again: Vec<_> = lines.filter(|line| !line.failed.is_empty()).collect();
        let [line] = tried_again[..] else { panic!("{tried_again:?}") };
        assert_eq!((line.turn, line.what.as_str()), (TURN_BEFORE_FAULT + 1, "run_tests"));
        assert_eq!((bill.refusal.status, bill.refusal.code.as_str()), (429, "budget_exceeded"));
        assert!(bill.refusal.message.contains("user `intern` has $1.00 left"));
    }
}
