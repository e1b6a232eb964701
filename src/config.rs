//! Settings: the embedded default, and over it the operator's file.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use farthing_core::Usd;
use farthing_core::budget::{Rule, ScopeKind, Window};
use farthing_core::id::ProviderId;
use farthing_engine::attempts::RetryPolicy;
use farthing_engine::tariff::Unpriced;
use farthing_upstream::{BreakerLimits, Deployment, Route, Secret, Timeouts};
use farthing_wire::Dialect;
use serde::Deserialize;
use toml::{Table, Value};

const DEFAULT: &str = include_str!("../config/default.toml");

/// All settings; `config/default.toml` documents each.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub server: Server,
    pub store: Store,
    pub provider: BTreeMap<String, Provider>,
    pub upstream: Upstream,
    pub budgets: Budgets,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    pub listen: SocketAddr,
    pub max_body_bytes: usize,
    pub max_concurrent_calls: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Store {
    pub path: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Provider {
    dialect: Dialect,
    base_url: String,
    api_key_env: Option<String>,
    prices: Option<String>,
    #[serde(default)]
    fallback: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Upstream {
    connect_timeout_ms: u64,
    first_byte_timeout_ms: u64,
    idle_timeout_ms: u64,
    call_timeout_ms: u64,
    attempts: u32,
    retry_pause_ms: u64,
    retry_pause_max_ms: u64,
    breaker_faults: u32,
    breaker_rest_ms: u64,
    pub max_answer_bytes: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Budgets {
    pub unpriced: Unpriced,
    pub assumed_answer_tokens: u64,
    limit: Vec<Limit>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limit {
    scope: ScopeKind,
    window: Window,
    usd: Usd,
}

// === impl Config ===

impl Config {
    /// Reads the default, and over it the file, where one is given.
    pub(crate) fn load(file: Option<&Path>) -> Result<Config> {
        let mut settings: Table = DEFAULT.parse().context("the embedded default configuration")?;
        if let Some(file) = file {
            let shown = file.display();
            let text = fs::read_to_string(file)
                .with_context(|| format!("configuration {shown} cannot be read"))?;
            // Read on its own first, so that an unknown key is reported with its line.
            let own: Table = text.parse().with_context(|| format!("configuration {shown}"))?;
            overlay(&mut settings, own);
        }
        let from =
            file.map_or("the default configuration".into(), |file| file.display().to_string());
        let config = Value::Table(settings).try_into::<Config>();
        config.with_context(|| format!("configuration {from} cannot be used"))
    }

    /// A route to each configured provider, with the keys that `env` has for them.
    pub(crate) fn routes(&self, env: impl Fn(&str) -> Option<String>) -> Result<Vec<Route>> {
        let deployment = |(name, provider): (&String, &Provider)| {
            let limits = self.upstream.breaker();
            let deployment = provider.deployment(name, limits, &env);
            let deployment = deployment.with_context(|| format!("[provider.{name}]"))?;
            Ok((name.clone(), Arc::new(deployment)))
        };
        let known: BTreeMap<String, Arc<Deployment>> =
            self.provider.iter().map(deployment).collect::<Result<_>>()?;
        let route = |(name, provider): (&String, &Provider)| -> Result<Route> {
            let find = |name: &String| known.get(name).cloned();
            let first = find(name).context("a configured provider has a deployment")?;
            let others = provider.fallback.iter().map(|other| {
                let found = find(other).filter(|found| found.dialect == first.dialect);
                found.with_context(|| {
                    format!(
                        "[provider.{name}]: fallback `{other}` is not a configured provider that \
                         speaks {}",
                        first.dialect
                    )
                })
            });
            let others = others.collect::<Result<_>>()?;
            Ok(Route::new(first, others))
        };
        self.provider.iter().map(route).collect()
    }
}

/// Puts `over` on `base`: tables are merged, everything else is replaced.
fn overlay(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(base)), Value::Table(over)) => overlay(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

// === impl Provider ===

impl Provider {
    fn deployment(
        &self,
        name: &str,
        breaker: BreakerLimits,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Deployment> {
        let scheme =
            ["http://", "https://"].iter().find(|scheme| self.base_url.starts_with(**scheme));
        if scheme.is_none_or(|scheme| self.base_url.len() == scheme.len()) {
            bail!("base_url `{}` is not an http or https address", self.base_url);
        }
        let key = self.api_key_env.as_deref().and_then(env).filter(|key| !key.trim().is_empty());
        if key.as_deref().is_some_and(|key| !key.trim().bytes().all(|byte| byte.is_ascii_graphic()))
        {
            let variable = self.api_key_env.as_deref().unwrap_or_default();
            bail!("the key in {variable} has characters that no header can carry; copy it again");
        }
        let deployment = Deployment::new(
            ProviderId::new(name)?,
            self.dialect,
            self.base_url.as_str().to_owned(),
            breaker,
        );
        let prices = ProviderId::new(self.prices.as_deref().unwrap_or(name))?;
        Ok(deployment.priced_as(prices).with_key(key.map(|key| Secret::new(key.trim().to_owned()))))
    }
}

// === impl Upstream ===

impl Upstream {
    pub(crate) fn timeouts(&self) -> Timeouts {
        Timeouts {
            connect: Duration::from_millis(self.connect_timeout_ms),
            first_byte: Duration::from_millis(self.first_byte_timeout_ms),
            idle: Duration::from_millis(self.idle_timeout_ms),
        }
    }

    pub(crate) fn retries(&self) -> RetryPolicy {
        RetryPolicy {
            attempts: self.attempts,
            pause: Duration::from_millis(self.retry_pause_ms),
            longest_pause: Duration::from_millis(self.retry_pause_max_ms),
        }
    }

    pub(crate) fn breaker(&self) -> BreakerLimits {
        BreakerLimits {
            faults: self.breaker_faults,
            rest: Duration::from_millis(self.breaker_rest_ms),
        }
    }

    pub(crate) fn call_timeout(&self) -> Duration {
        Duration::from_millis(self.call_timeout_ms)
    }
}

// === impl Budgets ===

impl Budgets {
    pub(crate) fn rules(&self) -> Vec<Rule> {
        let rule =
            |limit: &Limit| Rule { scope: limit.scope, window: limit.window, limit: limit.usd };
        self.limit.iter().map(rule).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlaid(text: &str) -> Result<Config> {
        let mut settings: Table = DEFAULT.parse()?;
        overlay(&mut settings, text.parse()?);
        Ok(Value::Table(settings).try_into::<Config>()?)
    }

    #[test]
    fn a_file_needs_only_what_differs() {
        let config = overlaid("[server]\nlisten = \"127.0.0.1:9\"").unwrap();
        assert_eq!(config.server.listen.port(), 9);
        assert_eq!(config.budgets.rules()[0].limit, "100".parse().unwrap());
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let error = overlaid("[server]\nlisten_on = \"x\"").unwrap_err().to_string();
        assert!(error.contains("listen_on") && error.contains("listen"), "{error}");
    }

    #[test]
    fn an_empty_list_of_limits_removes_the_default_one() {
        assert!(overlaid("[budgets]\nlimit = []").unwrap().budgets.rules().is_empty());
    }

    #[test]
    fn a_key_comes_from_the_environment_and_is_never_shown() {
        let config = overlaid("").unwrap();
        let routes = config.routes(|_| Some("sk-secret".into())).unwrap();
        assert!(routes[0].at(0).key.is_some());
        assert!(!format!("{routes:?}").contains("sk-secret"));
        assert!(config.routes(|_| Some("sk\n1".into())).is_err());
        assert!(config.routes(|_| Some(" ".into())).unwrap()[0].at(0).key.is_none());
    }

    #[test]
    fn a_fallback_is_a_configured_provider() {
        let spare = "[provider.spare]\ndialect = \"openai\"\nbase_url = \"http://127.0.0.1:9\"\n";
        let with = |fallback: &str| {
            let text = format!("[provider.openai]\nfallback = [\"{fallback}\"]\n{spare}");
            overlaid(&text).unwrap().routes(|_| None)
        };
        assert_eq!(with("spare").unwrap()[0].at(1).provider.as_str(), "spare");
        let error = with("spar").unwrap_err().to_string();
        assert!(error.contains("`spar` is not a configured provider"), "{error}");
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        let config = overlaid("[provider.openai]\nbase_url = \"api.openai.com\"").unwrap();
        let error = format!("{:#}", config.routes(|_| None).unwrap_err());
        assert!(error.contains("[provider.openai]") && error.contains("api.openai.com"), "{error}");
    }
}
