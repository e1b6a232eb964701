//! `/api/v1/keys` and `/api/v1/audit`: what administrators of a tenant keep, and every change of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use farthing_core::id::{KeyId, Pattern, PlanId, TeamId, UserId};
use farthing_core::identity::{AllowList, Grant, Holder, Key, Permission, Principal, Role};
use farthing_engine::access::KeyError;
use farthing_ledger::query::AuditRow;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::api::{Parameters, body, parameters, parsed};
use crate::caller;
use crate::problem::Problem;
use crate::state::Gateway;

/// For how long the secret before a rotation is accepted, where nothing else is said: a day.
const OVERLAP_SECONDS: i64 = 86_400;

/// Changes on a page where nothing else is asked for.
const PAGE: u32 = 50;

/// A key to be made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// Its public name; one is made up where it is missing.
    id: Option<KeyId>,
    /// The only user it acts for; or with `service`, the one where a request names none.
    user: Option<UserId>,
    /// Whether it acts for whichever user a request names.
    #[serde(default)]
    service: bool,
    #[serde(default)]
    role: Role,
    permissions: Option<BTreeSet<Permission>>,
    team: Option<TeamId>,
    plan: Option<PlanId>,
    models: Option<Vec<Pattern>>,
    providers: Option<Vec<Pattern>>,
    expires_at: Option<Timestamp>,
}

/// How a key is rotated.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rotation {
    overlap_seconds: Option<i64>,
}

/// A key as its administrators see it: all but its secret, which is shown once.
#[derive(Debug, Serialize)]
pub struct Shown {
    id: KeyId,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    grant: Arc<Grant>,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

/// A list.
#[derive(Debug, Serialize)]
pub struct List<T> {
    data: Vec<T>,
}

/// The parameters of the audit log.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    limit: Option<String>,
    after: Option<String>,
}

/// `GET /api/v1/keys`: the tenant's keys.
///
/// # Errors
/// [`Problem`] where the caller may not manage.
pub async fn list(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
) -> Result<Json<List<Shown>>, Problem> {
    let manager = caller::of_api(&gateway, &headers, Permission::Manage)?;
    let keys = gateway.engine().access().list(manager.tenant());
    Ok(Json(List::of(keys.iter().map(|key| Shown::of(key, None)).collect())))
}

/// `POST /api/v1/keys`: makes a key. Its secret is in the answer, and nowhere else ever after.
///
/// # Errors
/// [`Problem`] where the caller may not manage, the key cannot be as wished, or is not recorded.
pub async fn create(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    text: axum::body::Bytes,
) -> Result<impl IntoResponse, Problem> {
    let manager = caller::of_api(&gateway, &headers, Permission::Manage)?;
    let wish: NewKey = body(&text)?;
    let (engine, settings) = (gateway.engine(), gateway.settings());
    let id = match &wish.id {
        Some(id) => id.clone(),
        None => KeyId::of(gateway.new_request_id()),
    };
    let expires_at = wish.expires_at;
    let grant = wish.grant(&manager)?;
    let (random, now) = (settings.random.next(), engine.now());
    let actor = actor(&manager);
    let created = engine.access().create(&actor, id, grant, expires_at, random, now);
    let (key, secret) = created.await?;
    Ok((StatusCode::CREATED, Json(Shown::of(&key, Some(secret.reveal())))))
}

/// `POST /api/v1/keys/{id}/rotate`: gives a key another secret.
///
/// # Errors
/// [`Problem`] where the caller may not manage, there is no such key, or it is not recorded.
pub async fn rotate(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    headers: HeaderMap,
    text: axum::body::Bytes,
) -> Result<Json<Shown>, Problem> {
    let manager = caller::of_api(&gateway, &headers, Permission::Manage)?;
    let rotation: Rotation = if text.is_empty() { Rotation::default() } else { body(&text)? };
    let overlap = rotation.overlap_seconds.unwrap_or(OVERLAP_SECONDS);
    if overlap < 0 {
        return Err(Problem::invalid_parameter(
            "overlap_seconds",
            "it is negative; send 0 or more",
        ));
    }
    let id = known(&id)?;
    let (engine, random) = (gateway.engine(), gateway.settings().random.next());
    let overlap = SignedDuration::from_secs(overlap);
    let (tenant, actor) = (manager.tenant(), actor(&manager));
    let rotated = engine.access().rotate(&actor, tenant, &id, overlap, random, engine.now());
    let (key, secret) = rotated.await?;
    Ok(Json(Shown::of(&key, Some(secret.reveal()))))
}

/// `DELETE /api/v1/keys/{id}`: accepts a key no more.
///
/// # Errors
/// [`Problem`] where the caller may not manage, there is no such key, or it is not recorded.
pub async fn revoke(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Shown>, Problem> {
    let manager = caller::of_api(&gateway, &headers, Permission::Manage)?;
    let (engine, id) = (gateway.engine(), known(&id)?);
    let actor = actor(&manager);
    let revoked = engine.access().revoke(&actor, manager.tenant(), &id, engine.now());
    Ok(Json(Shown::of(&*revoked.await?, None)))
}

/// `GET /api/v1/audit`: every change that administrators made, newest first.
///
/// # Errors
/// [`Problem`] where the caller may not manage, or the ledger cannot be read.
pub async fn audit(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    query: Parameters<AuditQuery>,
) -> Result<Json<List<AuditRow>>, Problem> {
    let manager = caller::of_api(&gateway, &headers, Permission::Manage)?;
    let query = parameters(query)?;
    let limit = parsed("limit", query.limit.as_deref())?.unwrap_or(PAGE).clamp(1, 1_000);
    let after: Option<u64> = parsed("after", query.after.as_deref())?;
    let scope = manager.scope(None)?;
    let rows = gateway.engine().ledger().audit(scope, after, limit).await;
    Ok(Json(List::of(rows.map_err(Problem::unavailable)?)))
}

/// Who made a change, as the audit log names them.
pub(crate) fn actor(principal: &Principal) -> String {
    principal.key().map_or_else(|| "local".to_owned(), ToString::to_string)
}

/// What is no id is not there either.
fn known(id: &str) -> Result<KeyId, Problem> {
    let shown: String = id.chars().take(64).collect();
    KeyId::new(id).map_err(|_| Problem::not_found("key", &shown))
}

// === impl List ===

impl<T> List<T> {
    pub(crate) fn of(data: Vec<T>) -> List<T> {
        List { data }
    }
}

// === impl NewKey ===

impl NewKey {
    /// What the key allows: never more than whoever makes it, and in the same tenant.
    fn grant(self, manager: &Principal) -> Result<Grant, Problem> {
        let user = match (self.user, self.service) {
            (Some(user), _) => user,
            (None, true) => {
                UserId::new("default").map_err(|no| Problem::invalid_parameter("user", no))?
            }
            (None, false) => {
                let reason = "it is missing; name the user it acts for, or send `service`: true";
                return Err(Problem::invalid_parameter("user", reason));
            }
        };
        let usual = match self.role {
            Role::User => BTreeSet::from([Permission::Call, Permission::Read]),
            Role::Admin => BTreeSet::from([Permission::Call, Permission::Read, Permission::Manage]),
        };
        let list =
            |patterns: Option<Vec<Pattern>>| patterns.map(AllowList::only).unwrap_or_default();
        Ok(Grant {
            tenant: manager.tenant().clone(),
            team: self.team,
            holder: if self.service { Holder::Service(user) } else { Holder::User(user) },
            role: self.role,
            permissions: self.permissions.unwrap_or(usual),
            plan: self.plan,
            models: list(self.models),
            providers: list(self.providers),
        })
    }
}

// === impl Shown ===

impl Shown {
    fn of(key: &Key, secret: Option<String>) -> Shown {
        Shown {
            id: key.id.clone(),
            secret,
            grant: Arc::clone(&key.grant),
            created_at: key.created_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
        }
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Problem {
        let (status, code) = match &error {
            KeyError::NotThere(_) => (StatusCode::NOT_FOUND, "not_found"),
            KeyError::Taken(_) => (StatusCode::CONFLICT, "taken"),
            KeyError::Damaged(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
            KeyError::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "ledger_unavailable"),
        };
        Problem::new(status, code, error.to_string())
    }
}
