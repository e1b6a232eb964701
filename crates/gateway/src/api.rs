//! `/api/v1`: what the ledger has to say, within the caller's scope.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use farthing_core::id::{RequestId, UserId};
use farthing_core::identity::Permission;
use farthing_core::scope::Scope;
use farthing_engine::access::NoAccess;
use farthing_ledger::{GroupBy, Page, RequestDetail, RequestRow, UsageRow};
use jiff::Timestamp;
use serde::de::value::{Error as ValueError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Serialize};

use crate::caller;
use crate::problem::Problem;
use crate::state::Gateway;

/// Requests on a page where nothing else is asked for.
const PAGE: u32 = 50;

/// The parameters of a list of requests. They are text, so that each can be refused by its name.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    limit: Option<String>,
    after: Option<String>,
    user: Option<String>,
}

/// The parameters of one request.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneQuery {
    user: Option<String>,
}

/// The parameters of sums.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageQuery {
    since: Option<String>,
    until: Option<String>,
    group_by: Option<String>,
    user: Option<String>,
}

/// A page of requests.
#[derive(Debug, Serialize)]
pub struct List {
    data: Vec<RequestRow>,
    has_more: bool,
    next_cursor: Option<RequestId>,
}

/// Sums by group.
#[derive(Debug, Serialize)]
pub struct Sums {
    data: Vec<UsageRow>,
}

pub(crate) type Parameters<T> = Result<Query<T>, axum::extract::rejection::QueryRejection>;

/// `GET /api/v1/requests`: requests, newest first, by pages.
///
/// # Errors
/// [`Problem`] where a parameter cannot be used or the ledger cannot be read.
pub async fn requests(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    query: Parameters<ListQuery>,
) -> Result<Json<List>, Problem> {
    let query = parameters(query)?;
    let scope = scope(&gateway, &headers, query.user.as_deref())?;
    let limit = parsed("limit", query.limit.as_deref())?.unwrap_or(PAGE);
    let after: Option<RequestId> = parsed("after", query.after.as_deref())?;
    let page = Page::new(limit, after).map_err(|no| Problem::invalid_parameter("limit", no))?;
    let page = gateway.engine().ledger().requests(scope, page).await;
    let page = page.map_err(Problem::unavailable)?;
    let (has_more, next_cursor) = (page.next.is_some(), page.next);
    Ok(Json(List { data: page.requests, has_more, next_cursor }))
}

/// `GET /api/v1/requests/{id}`: one request with all its attempts.
///
/// # Errors
/// [`Problem`] where it is not within the caller's reach, or the ledger cannot be read.
pub async fn request(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    headers: HeaderMap,
    query: Parameters<OneQuery>,
) -> Result<Json<RequestDetail>, Problem> {
    let scope = scope(&gateway, &headers, parameters(query)?.user.as_deref())?;
    let shown: String = id.chars().take(64).collect();
    // What is no id is not there either: the answer tells nothing apart.
    let id: RequestId = id.parse().map_err(|_| Problem::not_found("request", &shown))?;
    let found = gateway.engine().ledger().request(scope, id).await;
    let found = found.map_err(Problem::unavailable)?;
    found.map(Json).ok_or_else(|| Problem::not_found("request", &shown))
}

/// `GET /api/v1/usage`: sums of what calls consumed and cost.
///
/// # Errors
/// [`Problem`] where a parameter cannot be used or the ledger cannot be read.
pub async fn usage(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    query: Parameters<UsageQuery>,
) -> Result<Json<Sums>, Problem> {
    let query = parameters(query)?;
    let scope = scope(&gateway, &headers, query.user.as_deref())?;
    let since = parsed("since", query.since.as_deref())?.unwrap_or(Timestamp::MIN);
    let until = parsed("until", query.until.as_deref())?.unwrap_or(Timestamp::MAX);
    let group_by: Option<GroupBy> = named("group_by", query.group_by.as_deref())?;
    let rows = gateway.engine().ledger().usage(scope, since, until, group_by).await;
    Ok(Json(Sums { data: rows.map_err(Problem::unavailable)? }))
}

/// Whose data the caller may see; `user` narrows that.
pub(crate) fn scope(
    gateway: &Gateway,
    headers: &HeaderMap,
    user: Option<&str>,
) -> Result<Scope, Problem> {
    let named = parsed::<UserId>("user", user)?;
    let caller = caller::of_api(gateway, headers, Permission::Read)?;
    Ok(caller.scope(named).map_err(NoAccess::from)?)
}

/// One of a few words.
pub(crate) fn named<T: DeserializeOwned>(
    name: &str,
    text: Option<&str>,
) -> Result<Option<T>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let text: StrDeserializer<ValueError> = text.into_deserializer();
    T::deserialize(text).map(Some).map_err(|error| Problem::invalid_parameter(name, error))
}

pub(crate) fn parameters<T>(query: Parameters<T>) -> Result<T, Problem> {
    let refused = |error| Problem::invalid_parameter("query", error);
    query.map(|Query(query)| query).map_err(refused)
}

/// Reads the JSON body of a request.
pub(crate) fn body<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(text).map_err(|error| Problem::invalid_parameter("body", error))
}

pub(crate) fn parsed<T>(name: &str, text: Option<&str>) -> Result<Option<T>, Problem>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    let refused = |error| Problem::invalid_parameter(name, error);
    text.map(str::parse).transpose().map_err(refused)
}
