//! What optimizing came to, and how far a request lets it go.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use farthing_engine::Mode;
use farthing_engine::savings::{Saved, Settings, UnknownMode};
use farthing_ledger::saving::{Savings, SavingsBy};
use jiff::Timestamp;
use serde::Deserialize;

use crate::api::{Parameters, named, parameters, parsed, scope};
use crate::problem::Problem;
use crate::state::Gateway;

/// The header that says how far a request may be optimized.
const HEADER: &str = "x-farthing-optimize";

/// The parameters of sums.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavingsQuery {
    since: Option<String>,
    until: Option<String>,
    group_by: Option<String>,
    user: Option<String>,
}

/// `GET /api/v1/savings`: what was paid, what would have been, and the difference.
///
/// # Errors
/// [`Problem`] where a parameter cannot be used or the ledger cannot be read.
pub async fn savings(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    query: Parameters<SavingsQuery>,
) -> Result<Json<Savings>, Problem> {
    let query = parameters(query)?;
    let scope = scope(&gateway, &headers, query.user.as_deref())?;
    let since = parsed("since", query.since.as_deref())?.unwrap_or(Timestamp::MIN);
    let until = parsed("until", query.until.as_deref())?.unwrap_or(Timestamp::MAX);
    let by: Option<SavingsBy> = named("group_by", query.group_by.as_deref())?;
    let savings = gateway.engine().ledger().savings(scope, since, until, by).await;
    Ok(Json(savings.map_err(Problem::unavailable)?))
}

/// How far a request may be optimized: as far as it asks for, within the settings.
///
/// # Errors
/// [`UnknownMode`] where it asks for what is none.
pub(crate) fn mode(settings: &Settings, headers: &HeaderMap) -> Result<Mode, UnknownMode> {
    let wished = headers.get(HEADER).map(|value| String::from_utf8_lossy(value.as_bytes()));
    Ok(settings.mode(wished.map(|mode| mode.trim().parse()).transpose()?))
}

/// What was saved, as headers; nothing where nothing was looked at.
pub(crate) fn headers(saved: Option<Saved>) -> [(&'static str, Option<String>); 2] {
    let tokens = saved.map(|saved| saved.tokens.to_string());
    let usd = saved.and_then(|saved| saved.usd).map(|usd| usd.to_string());
    [("x-farthing-tokens-saved", tokens), ("x-farthing-saved-usd", usd)]
}
