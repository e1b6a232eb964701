//! What is checked.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use farthing_core::pricing::{Catalog, WorstCase};
use farthing_ledger::{SqliteReader, SqliteStore, StoreError, verify};
use farthing_tokens::Counter;
use farthing_upstream::Upstream;
use reqwest::Client;
use serde::Serialize;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::cli::config::Sources;
use crate::config::{Config, Provider, VariableName};
use crate::house;
use crate::print::figures::plural;

/// How long to wait for anybody else, at the most.
const PATIENCE: Duration = Duration::from_secs(5);

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    pub(super) name: String,
    pub(super) verdict: Verdict,
    /// What was found.
    pub(super) found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remedy: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Ok,
    Warn,
    Fail,
}

/// Everything, in the order in which it is needed.
pub(super) async fn all(sources: &Sources, online: bool) -> Vec<Check> {
    let mut checks = Vec::new();
    match settings(sources) {
        Err(reasons) => checks.extend(reasons),
        Ok(config) => {
            checks.push(Check::ok("settings", format!("from {}", sources.description())));
            checks.push(ledger(&config.store.path));
            let catalog = catalog(&config);
            let (catalog, broken) = match catalog {
                Ok(catalog) => (Some(catalog), None),
                Err(check) => (None, Some(check)),
            };
            checks.extend(broken);
            match http(&config) {
                Err(check) => checks.push(check),
                Ok(http) => {
                    checks.push(port(config.server.listen, &http).await);
                    for (name, provider) in &config.provider {
                        checks.push(address(name, provider, online.then_some(&http)).await);
                        checks.push(key(name, provider));
                        checks.extend(
                            catalog.as_ref().map(|it| prices(it, provider.price_list(name))),
                        );
                    }
                }
            }
        }
    }
    checks.push(counting());
    checks
}

// === impl Check ===

impl Check {
    fn ok(name: impl Into<String>, found: impl Into<String>) -> Check {
        Check { name: name.into(), verdict: Verdict::Ok, found: found.into(), remedy: None }
    }

    /// Where an error's own text says what to do, `remedy` is empty.
    fn not(verdict: Verdict, name: &str, found: String, remedy: &str) -> Check {
        let remedy = (!remedy.is_empty()).then(|| remedy.to_owned());
        Check { name: name.to_owned(), verdict, found, remedy }
    }

    fn warn(name: &str, found: String, remedy: &str) -> Check {
        Check::not(Verdict::Warn, name, found, remedy)
    }

    fn fail(name: &str, found: String, remedy: &str) -> Check {
        Check::not(Verdict::Fail, name, found, remedy)
    }
}

// === impl Verdict ===

impl Verdict {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
        }
    }
}

// === the checks ===

fn settings(sources: &Sources) -> Result<Config, Vec<Check>> {
    let (config, problems) = sources.check();
    match config.filter(|_| problems.is_empty()) {
        Some(config) => Ok(config),
        None => Err(problems.into_iter().map(|found| Check::fail("settings", found, "")).collect()),
    }
}

/// Opens the ledger as the gateway would, and checks it against itself.
fn ledger(path: &Path) -> Check {
    let (name, shown) = ("ledger", path.display());
    if !path.exists() {
        return match can_make(path) {
            Ok(()) => Check::ok(name, format!("{shown} will be made by the first start")),
            Err(error) => Check::fail(
                name,
                format!("{shown} cannot be made: {error}"),
                "name another with `store.path` or --store, or give this user the right",
            ),
        };
    }
    let in_use = match SqliteStore::open(path).map(drop) {
        Ok(()) => "",
        Err(StoreError::InUse { .. }) => "in use by a running farthing, ",
        Err(error) => return Check::fail(name, error.to_string(), ""),
    };
    match SqliteReader::open(path).and_then(|mut reader| verify(&mut reader)) {
        Ok(report) if report.is_clean() => {
            let (entries, calls) = (report.entries, plural(report.attempts, "call"));
            Check::ok(name, format!("{shown}: {in_use}{entries} entries of {calls}, no difference"))
        }
        Ok(report) => {
            let differences = report.differences.len() as u64 + report.omitted;
            let differences = plural(differences, "difference");
            let found = format!("{shown} has {differences} from its entries");
            Check::fail(name, found, "`farthing verify` lists them; please report them")
        }
        Err(error) => Check::fail(name, error.to_string(), ""),
    }
}

/// Whether a file could be made at a path.
fn can_make(path: &Path) -> io::Result<()> {
    let mut folders = path.ancestors().skip(1);
    let nearest = folders.find(|folder| folder.exists()).unwrap_or(Path::new("."));
    let probe = nearest.join(format!(".farthing-doctor-{}", std::process::id()));
    OpenOptions::new().write(true).create_new(true).open(&probe)?;
    fs::remove_file(probe)
}

/// A client for what is asked over HTTP here. The gateway's own is set up as well: it fails where
/// the machine has no certificates.
fn http(config: &Config) -> Result<Client, Check> {
    let failed = |reason: String| Check::fail("certificates", reason, "");
    Upstream::new(config.upstream.timeouts()).map_err(|error| failed(error.to_string()))?;
    let client = Client::builder().no_proxy().timeout(PATIENCE).build();
    client.map_err(|error| failed(error.to_string()))
}

async fn port(listen: SocketAddr, http: &Client) -> Check {
    let name = "port";
    match TcpListener::bind(listen).await {
        Ok(_) => Check::ok(name, format!("{listen} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => match readiness(listen, http).await {
            Some((true, _)) => Check::ok(name, format!("a farthing answers at {listen}")),
            Some((false, ledger)) => Check::warn(
                name,
                format!("a farthing answers at {listen}, but lets no call through: {ledger}"),
                "",
            ),
            None => Check::fail(
                name,
                format!("another program listens on {listen}"),
                "stop it, or listen elsewhere: `server.listen` or --listen",
            ),
        },
        Err(error) => Check::fail(
            name,
            format!("cannot listen on {listen}: {error}"),
            "listen elsewhere: `server.listen` or --listen",
        ),
    }
}

/// Whether a farthing that is ready answers at an address.
pub(in crate::cli) async fn answers(listen: SocketAddr, config: &Config) -> bool {
    let Ok(http) = http(config) else { return false };
    readiness(listen, &http).await.is_some_and(|(ready, _)| ready)
}

/// Whether the farthing at an address is ready, and how its ledger is; `None` where none answers.
async fn readiness(address: SocketAddr, http: &Client) -> Option<(bool, String)> {
    let answer = http.get(format!("http://{address}/readyz")).send().await.ok()?;
    let ready = answer.status().is_success();
    let body: Value = answer.json().await.ok()?;
    Some((ready, body.get("ledger")?.as_str()?.to_owned()))
}

/// Whether a provider takes a connection and, where it is to be asked, answers.
async fn address(name: &str, provider: &Provider, http: Option<&Client>) -> Check {
    let label = format!("provider {name}");
    let url = provider.base_url.as_str();
    let failed = |reason: String| {
        let remedy = format!("check the network, and `base_url` of [provider.{name}]");
        Check::fail(&label, reason, &remedy)
    };
    let Some((host, port)) = provider.base_url.endpoint() else {
        return failed(format!("{url} has no host"));
    };
    match timeout(PATIENCE, TcpStream::connect((host.as_str(), port))).await {
        Err(_) => return failed(format!("{host}:{port} takes no connection within {PATIENCE:?}")),
        Ok(Err(error)) => return failed(format!("{host}:{port} cannot be reached: {error}")),
        Ok(Ok(_)) => {}
    }
    let Some(http) = http else {
        return Check::ok(label, format!("{host}:{port} takes connections"));
    };
    match http.get(url).send().await {
        Ok(answer) => Check::ok(label, format!("{url} answers ({})", answer.status())),
        Err(error) => failed(format!("{url} does not answer: {}", root_cause(&error))),
    }
}

/// The innermost reason; the outer ones repeat the address.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn key(name: &str, provider: &Provider) -> Check {
    let label = format!("key of {name}");
    match provider.api_key_env.as_ref().map(VariableName::as_str) {
        None => Check::ok(label, "each client's own is passed on"),
        Some(variable) if std::env::var(variable).is_ok_and(|key| !key.trim().is_empty()) => {
            Check::ok(label, format!("{variable} is set"))
        }
        Some(variable) => Check::warn(
            &label,
            format!("{variable} is not set"),
            "set it where the gateway starts; until then each client's own key is passed on",
        ),
    }
}

/// The price facts, all of them read.
fn catalog(config: &Config) -> Result<Arc<Catalog>, Check> {
    let catalog = config.catalog.load().and_then(|catalog| Ok(catalog.load().map(|()| catalog)?));
    catalog.map_err(|error| Check::fail("catalog", format!("{error:#}"), ""))
}

fn prices(catalog: &Catalog, list: &str) -> Check {
    let name = format!("prices of {list}");
    let most =
        WorstCase { prompt_tokens: 1, cache_write: None, completion_tokens: 1, media: false };
    match catalog.dearest(list, house::clock().now(), &most) {
        Ok(Some(_)) => Check::ok(name, "the catalog has them"),
        _ => Check::warn(
            &name,
            "the catalog has none, so every call is `unpriced`".to_owned(),
            "say with `prices` whose prices it has; `budgets.unpriced` says what budgets do",
        ),
    }
}

fn counting() -> Check {
    let name = "counting";
    match Counter::embedded().map(|counter| counter.count_text("gpt-4.1", name)) {
        Ok((1.., _)) => Check::ok(name, "rules and vocabularies load"),
        Ok(_) => Check::fail(name, "a word counts no tokens".to_owned(), "report it, please"),
        Err(error) => Check::fail(name, error.to_string(), ""),
    }
}
