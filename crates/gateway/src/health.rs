//! `/healthz`: the process lives. `/readyz`: it can keep its promises.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::Gateway;

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
