//! What is counted for operators, in Prometheus' text format.
//!
//! No label names a user or a thread, and a model is named as the catalog does, so that no client
//! can make more rows than there are models. The ledger is the truth; these are for graphs.

use farthing_core::Usd;
use farthing_core::entry::Bill;
use farthing_core::id::ProviderId;
use farthing_ledger::saving::Saving;
use jiff::SignedDuration;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::sync::atomic::AtomicU64;

/// The content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The model's name where the catalog has none.
const UNPRICED: &str = "unpriced";

/// All counters of an engine.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Outcome, Counter>,
    retries: Family<Provider, Counter>,
    unpriced: Family<Provider, Counter>,
    tokens: Family<Tokens, Counter>,
    cost: Family<Priced, Counter<f64, AtomicU64>>,
    saved_tokens: Family<SavedBy, Counter>,
    saved: Counter<f64, AtomicU64>,
    lost: Counter<f64, AtomicU64>,
    not_optimized: Counter,
    duration: Histogram,
    overhead: Histogram,
    residual: Family<Model, Histogram, fn() -> Histogram>,
    drift: Family<Model, Gauge<f64, AtomicU64>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Provider {
    provider: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Model {
    model: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Tokens {
    provider: String,
    model: String,
    r#type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Priced {
    provider: String,
    model: String,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SavedBy {
    pass: String,
}

// === impl Metrics ===

impl Metrics {
    /// Counters at zero.
    pub fn new() -> Metrics {
        let mut registry = Registry::with_prefix("farthing");
        let (requests, retries, unpriced) =
            (Family::default(), Family::default(), Family::default());
        let (tokens, cost) = (Family::default(), Family::default());
        let (saved_tokens, saved) = (Family::default(), Counter::default());
        let (lost, not_optimized) = (Counter::default(), Counter::default());
        // From a tenth of a millisecond to fourteen minutes, and to a second.
        let duration = Histogram::new(exponential_buckets(0.0001, 2.0, 23));
        let overhead = Histogram::new(exponential_buckets(0.0001, 2.0, 14));
        let r = &mut registry;
        r.register(
            "requests",
            "Calls by how they ended: `ok` or the error's code",
            requests.clone(),
        );
        r.register("retries", "Attempts that were followed by another", retries.clone());
        r.register("unpriced_requests", "Calls of models without a price", unpriced.clone());
        r.register("tokens", "Tokens by bucket", tokens.clone());
        r.register("cost_usd", "Known costs, in dollars", cost.clone());
        r.register("tokens_saved", "Tokens of prompts not sent, by pass", saved_tokens.clone());
        r.register("saved_usd", "What optimizing gained, in dollars", saved.clone());
        r.register("lost_usd", "What optimizing lost, in dollars", lost.clone());
        let over = "Requests sent as they came, for optimizing them took too long";
        r.register("optimizer_over_budget", over, not_optimized.clone());
        let seconds = || Unit::Seconds;
        r.register_with_unit(
            "request_duration",
            "From request to end",
            seconds(),
            duration.clone(),
        );
        r.register_with_unit("overhead", "Before a provider is asked", seconds(), overhead.clone());
        let residual = Family::new_with_constructor(residuals as fn() -> Histogram);
        let drift = Family::default();
        r.register(
            "count_residual_ratio",
            "Reported less counted tokens of prompts, of what was reported",
            residual.clone(),
        );
        r.register(
            "count_drift_ratio",
            "How far half of a model's newest 32 counts are off",
            drift.clone(),
        );
        Metrics {
            registry,
            requests,
            retries,
            unpriced,
            tokens,
            cost,
            saved_tokens,
            saved,
            lost,
            not_optimized,
            duration,
            overhead,
            residual,
            drift,
        }
    }

    /// All counters as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    pub(crate) fn ended(&self, code: &'static str, took: SignedDuration) {
        self.requests.get_or_create(&Outcome { code }).inc();
        self.duration.observe(took.as_secs_f64());
    }

    pub(crate) fn forwarded(&self, overhead: SignedDuration) {
        self.overhead.observe(overhead.as_secs_f64());
    }

    pub(crate) fn retried(&self, provider: &ProviderId) {
        self.retries.get_or_create(&Provider { provider: provider.to_string() }).inc();
    }

    pub(crate) fn not_optimized(&self) {
        self.not_optimized.inc();
    }

    pub(crate) fn saved(&self, saving: &Saving) {
        for (pass, came_to) in &saving.passes {
            let labels = SavedBy { pass: pass.clone() };
            self.saved_tokens.get_or_create(&labels).inc_by(came_to.tokens);
        }
        let net = saving.net().unwrap_or_default();
        let side = if net < Usd::ZERO { &self.lost } else { &self.saved };
        side.inc_by(in_dollars(net).abs());
    }

    /// Notes what we counted in a prompt and what its provider did; `drift` is in thousandths.
    #[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "for a graph")]
    pub(crate) fn counted(&self, model: &str, counted: u64, reported: u64, drift: Option<u64>) {
        let model = || Model { model: model.to_owned() };
        let residual = (reported as f64 - counted as f64) / reported.max(1) as f64;
        self.residual.get_or_create(&model()).observe(residual);
        if let Some(thousandths) = drift {
            self.drift.get_or_create(&model()).set(thousandths as f64 / 1e3);
        }
    }

    pub(crate) fn billed(&self, provider: &ProviderId, bill: &Bill) {
        let provider = || provider.to_string();
        let model = model_of(bill);
        for (bucket, count) in bill.usage.iter() {
            let (model, r#type) = (model.to_owned(), bucket.name());
            let labels = Tokens { provider: provider(), model, r#type };
            self.tokens.get_or_create(&labels).inc_by(count);
        }
        match bill.cost.usd {
            None => {
                self.unpriced.get_or_create(&Provider { provider: provider() }).inc();
            }
            Some(usd) => {
                let (model, status) = (model.to_owned(), bill.cost.status.name());
                let labels = Priced { provider: provider(), model, status };
                self.cost.get_or_create(&labels).inc_by(in_dollars(usd));
            }
        }
    }
}

/// A model as rows name it.
pub(crate) fn model_of(bill: &Bill) -> &str {
    bill.priced_by.as_ref().map_or(UNPRICED, |by| by.card.model())
}

/// From half too much to all too little; a count that is right is in the bucket that ends at zero.
fn residuals() -> Histogram {
    let bounds = [-0.5, -0.2, -0.08, -0.03, -0.01, -0.0001, 0.0, 0.01, 0.03, 0.08, 0.2, 0.5];
    Histogram::new(bounds)
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}

/// For a graph; what is reckoned with is the ledger's.
#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "the format is of floats")]
fn in_dollars(usd: Usd) -> f64 {
    usd.pico() as f64 / 1e12
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_told_in_the_format_of_prometheus() {
        let metrics = Metrics::new();
        metrics.ended("ok", SignedDuration::from_millis(20));
        metrics.retried(&ProviderId::new("openai").unwrap());
        metrics.counted("gpt-5", 102, 100, Some(20));
        let text = metrics.text();
        for line in [
            "farthing_count_residual_ratio_count{model=\"gpt-5\"} 1",
            "farthing_count_drift_ratio{model=\"gpt-5\"} 0.02",
            "farthing_requests_total{code=\"ok\"} 1",
            "farthing_retries_total{provider=\"openai\"} 1",
            "farthing_request_duration_seconds_count 1",
            "# EOF",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
