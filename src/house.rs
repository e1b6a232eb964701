//! Wiring: from settings to an engine behind a gateway. The one place that reads the real clock
//! and the real source of ids.

use std::sync::Arc;

use anyhow::{Context, Result};
use farthing_core::clock::Clock;
use farthing_core::id::RequestId;
use farthing_core::identity::Pepper;
use farthing_engine::access::Access;
use farthing_engine::alerts::Alerts;
use farthing_engine::budgets::Budgets;
use farthing_engine::engine::Limits;
use farthing_engine::rates::Rates;
use farthing_engine::sessions::Sessions;
use farthing_engine::tariff::{Prices, Tariff};
use farthing_engine::{Engine, Parts};
use farthing_gateway::{Gateway, Ids, Random, Settings};
use farthing_ledger::vault::{Place, Secret, Vault};
use farthing_ledger::{Ledger, Store};
use farthing_tokens::{Calibration, Counter};
use farthing_upstream::{Route, Upstream};

use crate::config::Config;

/// Messages whose counts are remembered, at some 100 bytes each.
const MESSAGES: usize = 200_000;

/// Builds a gateway over a store.
pub(crate) fn build(
    config: &Config,
    routes: Vec<Route>,
    store: impl Store + 'static,
    secret: &Secret,
    place: Place,
) -> Result<Gateway> {
    let clock = clock();
    let counter = Counter::embedded().context("the embedded rules for counting")?;
    let counter = counter.with_memo(memo_key()?, MESSAGES).with_calibration(Calibration::default());
    // The vocabularies load when they are first used; that should not be a client's call.
    for model in ["gpt-4.1", "gpt-4"] {
        counter.count_text(model, "warm");
    }
    let ledger = Ledger::open(store, clock.clone(), farthing_ledger::Options::default())?;
    let access = Access::new(ledger.clone(), pepper(secret), config.server.open_grant()?);
    let engine = Engine::new(Parts {
        clock: clock.clone(),
        counter,
        tariff: Tariff {
            prices: Prices::new(config.catalog.load()?),
            unpriced: config.budgets.unpriced,
        },
        budgets: Budgets::new(
            ledger.clone(),
            config.budgets.rules()?,
            config.budgets.downgrade.clone(),
        ),
        ledger,
        access,
        upstream: Upstream::new(config.upstream.timeouts())?,
        sessions: Sessions::new(config.sessions.limits()),
        alerts: Alerts::new(config.alerts.thresholds.clone()),
        rates: Rates::new(config.rates.rules()?),
        limits: Limits {
            concurrent_calls: config.server.max_concurrent_calls,
            answer_bytes: config.upstream.max_answer_bytes,
            assumed_answer_tokens: config.budgets.assumed_answer_tokens,
            clamped_answer_tokens: config.budgets.clamped_answer_tokens,
            reader_patience: config.upstream.timeouts().idle,
            on_disconnect: config.on_disconnect(),
            retries: config.upstream.retries(),
            call: config.upstream.call_timeout(),
        },
        savings: config.optimizer.settings(),
    });
    Ok(Gateway::new(
        Arc::new(engine),
        Vault::open(place, secret, config.store.bounds())?,
        Settings {
            routes,
            max_body_bytes: config.server.max_body_bytes,
            max_listeners: config.server.max_event_listeners,
            ids: ids(),
            random: random()?,
        },
    ))
}

/// The clock of the machine.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the real clock")]
pub(crate) fn clock() -> Clock {
    Clock::new(jiff::Timestamp::now)
}

#[expect(clippy::disallowed_methods, reason = "the one place that makes ids")]
fn ids() -> Ids {
    Ids::new(uuid::Uuid::now_v7)
}

/// Secrets from the system's source of randomness.
/// A key that nobody who sends prompts can know.
fn memo_key() -> Result<[u64; 4]> {
    let bytes: [u8; 32] = Secret::random()?.derive("farthing memo 2026");
    let (words, _) = bytes.as_chunks::<8>();
    let mut key = [0; 4];
    for (word, bytes) in key.iter_mut().zip(words) {
        *word = u64::from_le_bytes(*bytes);
    }
    Ok(key)
}

fn random() -> Result<Random> {
    // Once, to fail here and not later.
    Secret::random()?;
    Ok(Random::new(|| {
        Secret::random().map(|secret| secret.derive("farthing key 2026")).unwrap_or_default()
    }))
}

/// What hashes of keys are keyed with.
pub(crate) fn pepper(secret: &Secret) -> Pepper {
    Pepper::new(secret.derive("farthing keys 2026"))
}

/// An id that nothing else has.
#[expect(clippy::disallowed_methods, reason = "the one place that makes ids")]
pub(crate) fn request_id() -> RequestId {
    RequestId::new(uuid::Uuid::now_v7())
}
