//! How the gateway stands: `/healthz`, the process lives; `/readyz`, it can keep its promises;
//! `/api/v1/health`, each component with since when and what follows; `/metrics`, in numbers.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use farthing_engine::metrics::CONTENT_TYPE;
use farthing_engine::{BreakerState, Deployment};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::state::Gateway;

/// The process lives.
pub async fn alive() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// Calls can be let through: the ledger can be written, and there is someone to call.
pub async fn ready(State(gateway): State<Gateway>) -> (StatusCode, Json<Value>) {
    let ledger = gateway.engine().ledger().health();
    let providers = gateway.settings().routes.len();
    let (status, word) = if ledger.is_ok() && providers > 0 {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not_ready")
    };
    let ledger = ledger.map_or_else(|failing| failing.to_string(), |()| "ok".to_owned());
    (status, Json(json!({ "status": word, "ledger": ledger, "providers": providers })))
}

/// How each component stands.
#[derive(Debug, Serialize)]
pub struct Health {
    status: Status,
    ledger: Component,
    providers: Vec<Component>,
}

/// How one component stands.
#[derive(Debug, Serialize)]
pub struct Component {
    name: String,
    status: Status,
    /// Since when it has been so, where it is not well.
    since: Option<Timestamp>,
    /// What is wrong, and what follows from it.
    effect: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Ok,
    Degraded,
    Down,
}

/// Each component with since when and what follows. The whole is as well as its worst part; but
/// while one provider is well, another that is not only degrades it.
pub async fn health(State(gateway): State<Gateway>) -> Json<Health> {
    let ledger = ledger(&gateway);
    let providers: Vec<Component> =
        gateway.settings().routes.iter().map(|route| provider(route.at(0))).collect();
    let best = providers.iter().map(|provider| provider.status).min().unwrap_or(Status::Down);
    let worst = providers.iter().map(|provider| provider.status).max().unwrap_or(Status::Down);
    let of_providers = if best == Status::Ok { worst.min(Status::Degraded) } else { worst };
    Json(Health { status: ledger.status.max(of_providers), ledger, providers })
}

/// `/metrics`, in Prometheus' format.
pub async fn metrics(State(gateway): State<Gateway>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], gateway.engine().metrics().text())
}

fn ledger(gateway: &Gateway) -> Component {
    let name = "ledger".to_owned();
    match gateway.engine().ledger().health() {
        Ok(()) => Component { name, status: Status::Ok, since: None, effect: None },
        Err(failing) => {
            let effect = format!("{}; no call is let through", failing.error);
            let since = Some(failing.since);
            Component { name, status: Status::Down, since, effect: Some(effect) }
        }
    }
}

fn provider(deployment: &Deployment) -> Component {
    let (status, since, effect) = match deployment.breaker.state() {
        BreakerState::Closed { faults: 0 } => (Status::Ok, None, None),
        BreakerState::Closed { faults } => {
            (Status::Degraded, None, Some(format!("the last {faults} calls failed")))
        }
        BreakerState::Open { since, until } => {
            let effect = format!("it keeps failing and is left alone until {until:.0}");
            (Status::Down, Some(since), Some(effect))
        }
        BreakerState::Probing { since, .. } => {
            (Status::Down, Some(since), Some("one call probes it, no other is sent".to_owned()))
        }
    };
    Component { name: deployment.provider.to_string(), status, since, effect }
}
