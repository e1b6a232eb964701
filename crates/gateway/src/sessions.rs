//! `/api/v1/sessions`: what each (user, conversation, run) has come to.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use farthing_core::entry::Who;
use farthing_core::id::{AgentId, RunId, ThreadId, UserId};
use farthing_core::identity::Permission;
use farthing_core::session::{SessionId, Summary};
use serde::Deserialize;

use crate::api::{Parameters, body, parameters, scope};
use crate::caller;
use crate::keys::List;
use crate::problem::Problem;
use crate::state::Gateway;

/// A session to be opened.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    user: Option<UserId>,
    thread: Option<ThreadId>,
    run: Option<RunId>,
    agent: Option<AgentId>,
}

/// Whose sessions to look at.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionQuery {
    user: Option<String>,
}

/// `POST /api/v1/sessions`: the session of a conversation and run. The same question gives the same
/// session, with 200 in place of 201.
///
/// # Errors
/// [`Problem`] where the key does not allow it, or a name will not do.
pub async fn open(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    text: Bytes,
) -> Result<(StatusCode, Json<Summary>), Problem> {
    let caller = caller::of_api(&gateway, &headers, Permission::Call)?;
    let NewSession { user, thread, run, agent } = body(&text)?;
    let who = Who { thread, run, agent, ..caller.who(user)? };
    let engine = gateway.engine();
    let opened = engine.sessions().open(&who, engine.now());
    let (summary, is_new) = opened.ok_or_else(|| Problem::overloaded("the gateway is stopping"))?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(summary)))
}

/// `GET /api/v1/sessions`: the sessions in scope that go on, the oldest first.
///
/// # Errors
/// [`Problem`] where the key does not allow it.
pub async fn list(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    query: Parameters<SessionQuery>,
) -> Result<Json<List<Summary>>, Problem> {
    let scope = scope(&gateway, &headers, parameters(query)?.user.as_deref())?;
    let engine = gateway.engine();
    Ok(Json(List::of(engine.sessions().list(&scope, engine.now()))))
}

/// `GET /api/v1/sessions/{id}`: one session.
///
/// # Errors
/// [`Problem`] where it is not within the caller's reach.
pub async fn show(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    headers: HeaderMap,
    query: Parameters<SessionQuery>,
) -> Result<Json<Summary>, Problem> {
    let scope = scope(&gateway, &headers, parameters(query)?.user.as_deref())?;
    let (engine, not_found) = (gateway.engine(), || not_found(&id));
    let known = id.parse::<SessionId>().map_err(|_| not_found())?;
    engine.sessions().get(&scope, known, engine.now()).map(Json).ok_or_else(not_found)
}

/// `POST /api/v1/sessions/{id}/finalize`: ends a session, and says what it came to.
///
/// # Errors
/// [`Problem`] where it is not within the caller's reach.
pub async fn finalize(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    headers: HeaderMap,
    query: Parameters<SessionQuery>,
) -> Result<Json<Summary>, Problem> {
    let scope = scope(&gateway, &headers, parameters(query)?.user.as_deref())?;
    let (engine, not_found) = (gateway.engine(), || not_found(&id));
    let known = id.parse::<SessionId>().map_err(|_| not_found())?;
    engine.sessions().finalize(&scope, known, engine.now()).map(Json).ok_or_else(not_found)
}

fn not_found(id: &str) -> Problem {
    Problem::not_found("session", &id.chars().take(64).collect::<String>())
}
