//! Settings: the embedded default, and over it a file, the environment, and flags.
//!
//! | module | holds |
//! |---|---|
//! | `settings` | the layers, and each setting with its origin |
//! | `known` | which settings there are, and what was meant by one that is not |
//! | `file`, `environment` | reading a layer |
//! | `catalog` | the price facts that the settings ask for |
//! | `key` | names of settings |
//! | `value` | values that are more than text |
//! | `problem` | what is wrong, and where |

mod catalog;
mod environment;
mod file;
mod key;
mod known;
mod problem;
mod settings;
mod value;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use farthing_core::Usd;
use farthing_core::budget::{Mode, Policy, Quantity, Rule, ScopeKind, Window};
use farthing_core::id::{ModelId, Pattern, ProviderId, TenantId, UserId};
use farthing_core::identity::{AllowList, Grant, Holder, Permission, Role};
use farthing_core::ratelimit::{RateLimit, RateRule};
use farthing_core::session::SessionLimits;
use farthing_core::threshold::Thresholds;
use farthing_engine::attempts::RetryPolicy;
use farthing_engine::engine::OnDisconnect;
use farthing_engine::savings::{self, Observations};
use farthing_engine::tariff::Unpriced;
use farthing_ledger::StoreError;
use farthing_ledger::vault;
use farthing_upstream::{BreakerLimits, Deployment, Route, Secret, Timeouts};
use farthing_wire::Dialect;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde::Deserialize;

pub(crate) use catalog::{Catalog, Seen, borrowed, look, read};
pub(crate) use key::{Key, PREFIX};
pub(crate) use problem::Problems;
pub(crate) use settings::{Layers, Setting, Settings};
pub(crate) use value::{BaseUrl, VariableName};

/// All settings; `config/default.toml` documents each.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub server: Server,
    pub store: Store,
    pub provider: BTreeMap<String, Provider>,
    pub catalog: Catalog,
    pub upstream: Upstream,
    pub budgets: Budgets,
    pub rates: Rates,
    pub sessions: Sessions,
    pub alerts: Alerts,
    pub optimizer: Optimizer,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    pub listen: SocketAddr,
    pub max_body_bytes: usize,
    pub max_concurrent_calls: usize,
    pub max_event_listeners: usize,
    on_disconnect: Disconnect,
    access: Wanted,
}

/// The tenant and the user of calls without a key that name none.
const OPEN: &str = "default";

/// Who is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wanted {
    /// Whoever reaches the gateway, until the first key is made.
    Auto,
    /// Only who has a key.
    Keys,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Disconnect {
    Cancel,
    Drain,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Store {
    pub path: PathBuf,
    max_kept_answer_bytes: usize,
    max_kept_bytes: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Provider {
    pub dialect: Dialect,
    pub base_url: BaseUrl,
    pub api_key_env: Option<VariableName>,
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
    drain_timeout_ms: u64,
    pub max_answer_bytes: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Budgets {
    pub unpriced: Unpriced,
    pub assumed_answer_tokens: u64,
    pub clamped_answer_tokens: u64,
    pub downgrade: Vec<Vec<ModelId>>,
    limit: Vec<Limit>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limit {
    scope: ScopeKind,
    #[serde(default = "Pattern::any")]
    of: Pattern,
    window: Window,
    usd: Option<Usd>,
    tokens: Option<u64>,
    requests: Option<u64>,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    policy: Policy,
    time_zone: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rates {
    limit: Vec<Rate>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rate {
    scope: ScopeKind,
    #[serde(default = "Pattern::any")]
    of: Pattern,
    requests: Option<u64>,
    tokens: Option<u64>,
    concurrent: Option<u64>,
    per_seconds: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sessions {
    per_user: usize,
    all: usize,
    idle_minutes: i64,
    age_hours: i64,
}

#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Alerts {
    pub thresholds: Thresholds,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Optimizer {
    mode: savings::Mode,
    time_budget_ms: u64,
    holdout_percent: u8,
    observations: Observations,
    max_memory_bytes: usize,
}

// === impl Config ===

impl Config {
    /// Reads the default, and the layers over it, where there are some.
    pub(crate) fn load(over: Option<&Layers>) -> Result<Config, Problems> {
        let none = Layers::default();
        Settings::read(over.unwrap_or(&none))?.config()
    }

    /// Whose prices in the catalog the configured providers have.
    pub(crate) fn price_lists(&self) -> Vec<&str> {
        self.provider.iter().map(|(name, provider)| provider.price_list(name)).collect()
    }

    pub(crate) fn on_disconnect(&self) -> OnDisconnect {
        match self.server.on_disconnect {
            Disconnect::Cancel => OnDisconnect::Cancel,
            Disconnect::Drain => {
                OnDisconnect::Drain(Duration::from_millis(self.upstream.drain_timeout_ms))
            }
        }
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
            Route::new(first, others).with_context(|| format!("[provider.{name}]"))
        };
        self.provider.iter().map(route).collect()
    }
}

// === impl Store ===

impl Store {
    /// What seals what is kept, and what keys are hashed with.
    pub(crate) fn secret(&self) -> Result<vault::Secret, StoreError> {
        vault::Secret::in_file(&self.path.with_added_extension("secret"))
    }

    /// Where is kept what is no money.
    pub(crate) fn vault(&self) -> vault::Place {
        vault::Place::File(self.path.with_added_extension("vault"))
    }

    /// How much is kept.
    pub(crate) fn bounds(&self) -> vault::Bounds {
        vault::Bounds { item_bytes: self.max_kept_answer_bytes, total_bytes: self.max_kept_bytes }
    }
}

// === impl Server ===

impl Server {
    /// What whoever reaches the gateway may do while there are no keys; `None` where a key is wanted
    /// in any case.
    pub(crate) fn open_grant(&self) -> Result<Option<Grant>> {
        if self.access == Wanted::Keys {
            return Ok(None);
        }
        let permissions = [Permission::Call, Permission::Read, Permission::Manage];
        Ok(Some(Grant {
            tenant: TenantId::new(OPEN)?,
            team: None,
            holder: Holder::Service(UserId::new(OPEN)?),
            role: Role::Admin,
            permissions: permissions.into(),
            plan: None,
            models: AllowList::default(),
            providers: AllowList::default(),
        }))
    }
}

// === impl Provider ===

impl Provider {
    /// Whose prices in the catalog it has; `name` is its own.
    pub(crate) fn price_list<'p>(&'p self, name: &'p str) -> &'p str {
        self.prices.as_deref().unwrap_or(name)
    }

    fn deployment(
        &self,
        name: &str,
        breaker: BreakerLimits,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Deployment> {
        let variable = self.api_key_env.as_ref().map(VariableName::as_str);
        let key = variable.and_then(env).map(|key| key.trim().to_owned());
        let key = key.filter(|key| !key.is_empty());
        if key.as_deref().is_some_and(|key| !key.bytes().all(|byte| byte.is_ascii_graphic())) {
            let variable = variable.unwrap_or_default();
            bail!("the key in {variable} has characters that no header can carry; copy it again");
        }
        let base_url = self.base_url.as_str().to_owned();
        let deployment = Deployment::new(ProviderId::new(name)?, self.dialect, base_url, breaker);
        let prices = ProviderId::new(self.price_list(name))?;
        Ok(deployment.priced_as(prices).with_key(key.map(Secret::new)))
    }
}

// === impl Upstream ===

impl Upstream {
    pub(crate) fn timeouts(&self) -> Timeouts {
        Timeouts {
            connect: Duration::from_millis(self.connect_timeout_ms),
            first_byte: Duration::from_millis(self.first_byte_timeout_ms),
            idle: Duration::from_millis(self.idle_timeout_ms),
            call: self.call_timeout(),
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
    /// The limits.
    ///
    /// # Errors
    /// Where one limits nothing, or more than one thing, or there is no such time zone.
    pub(crate) fn rules(&self) -> Result<Vec<Rule>> {
        let rule = |(number, limit): (usize, &Limit)| {
            limit.rule().with_context(|| format!("[[budgets.limit]] number {number}"))
        };
        (1..).zip(&self.limit).map(rule).collect()
    }
}

impl Rates {
    /// The rates.
    ///
    /// # Errors
    /// Where one limits nothing, or more than one thing.
    pub(crate) fn rules(&self) -> Result<Vec<RateRule>> {
        let rule = |(number, rate): (usize, &Rate)| {
            rate.rule().with_context(|| format!("[[rates.limit]] number {number}"))
        };
        (1..).zip(&self.limit).map(rule).collect()
    }
}

impl Rate {
    fn rule(&self) -> Result<RateRule> {
        let limit = match (self.requests, self.tokens, self.concurrent) {
            (Some(requests), None, None) => RateLimit::Requests(requests),
            (None, Some(tokens), None) => RateLimit::Tokens(tokens),
            (None, None, Some(calls)) => RateLimit::Concurrent(calls),
            _ => bail!("set one of `requests`, `tokens` and `concurrent`, and no other"),
        };
        let per_seconds = self.per_seconds.unwrap_or(60);
        Ok(RateRule { scope: self.scope, of: self.of.clone(), limit, per_seconds })
    }
}

impl Sessions {
    pub(crate) fn limits(&self) -> SessionLimits {
        SessionLimits {
            per_user: self.per_user,
            all: self.all,
            idle: SignedDuration::from_mins(self.idle_minutes.clamp(1, 1_000_000)),
            age: SignedDuration::from_hours(self.age_hours.clamp(1, 100_000)),
        }
    }
}

impl Limit {
    fn rule(&self) -> Result<Rule> {
        let limit = match (self.usd, self.tokens, self.requests) {
            (Some(usd), None, None) => Quantity::Usd(usd),
            (None, Some(tokens), None) => Quantity::Tokens(tokens),
            (None, None, Some(requests)) => Quantity::Requests(requests),
            _ => bail!("set one of `usd`, `tokens` and `requests`, and no other"),
        };
        let zone = match self.time_zone.as_deref() {
            None => TimeZone::UTC,
            Some(name) => TimeZone::get(name)
                .with_context(|| format!("`{name}` is no time zone, as Europe/Berlin is"))?,
        };
        let (of, mode, policy) = (self.of.clone(), self.mode, self.policy);
        Ok(Rule { of, mode, policy, zone, ..Rule::new(self.scope, self.window, limit) })
    }
}

// === impl Optimizer ===

impl Optimizer {
    pub(crate) fn settings(&self) -> savings::Settings {
        savings::Settings {
            mode: self.mode,
            time_budget: Duration::from_millis(self.time_budget_ms),
            holdout_percent: self.holdout_percent,
            observations: self.observations,
            memory_bytes: self.max_memory_bytes,
        }
    }
}

#[cfg(test)]
#[path = "config/tests.rs"]
mod tests;
