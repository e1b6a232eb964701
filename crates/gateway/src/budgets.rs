//! `/api/v1/budgets`: the limits on spending, how they stand, and changing them while it runs.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use farthing_core::budget::{Amount, Quantity, Rule, forecast};
use farthing_core::entry::Who;
use farthing_core::id::ModelId;
use farthing_core::identity::Permission;
use farthing_engine::budgets::{Budget, BudgetError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::api::{Parameters, body, parameters, parsed};
use crate::caller;
use crate::keys::{List, actor};
use crate::problem::Problem;
use crate::state::Gateway;

/// The model of a question that names none: no limit is a model's then.
const NO_MODEL: &str = "-";

/// Whose budgets to look at. What is not named is the caller's own.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetQuery {
    user: Option<String>,
    agent: Option<String>,
    thread: Option<String>,
    run: Option<String>,
    model: Option<String>,
}

/// A limit, and how it stands for somebody.
#[derive(Debug, Serialize)]
pub struct Standing {
    id: String,
    rule: Rule,
    /// Whether it stands in the configuration, where alone it can be changed.
    configured: bool,
    /// Nothing where it does not hold for whoever was asked about.
    balance: Option<Balance>,
}

/// How a limit stands in its window.
#[derive(Debug, Serialize)]
pub struct Balance {
    /// Whose spending is limited.
    of: String,
    limit: Quantity,
    spent: Amount,
    held: Amount,
    /// What is left.
    room: Quantity,
    resets_at: Option<Timestamp>,
    /// When the limit is reached at this pace; nothing where that is not in this window.
    reached_at: Option<Timestamp>,
}

/// `GET /api/v1/budgets`: all limits of the caller's tenant, and how they stand for the caller.
///
/// # Errors
/// [`Problem`] where a parameter cannot be used, or the key does not allow it.
pub async fn list(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    query: Parameters<BudgetQuery>,
) -> Result<Json<List<Standing>>, Problem> {
    let (who, model) = subject(&gateway, &headers, parameters(query)?)?;
    let budgets = gateway.engine().budgets().list(&who.tenant);
    let standing = |budget| Standing::of(&gateway, budget, &who, &model);
    Ok(Json(List::of(budgets.into_iter().map(standing).collect())))
}

/// `GET /api/v1/budgets/{id}`: one limit, and how it stands for the caller.
///
/// # Errors
/// [`Problem`] where there is none, a parameter cannot be used, or the key does not allow it.
pub async fn show(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    headers: HeaderMap,
    query: Parameters<BudgetQuery>,
) -> Result<Json<Standing>, Problem> {
    let (who, model) = subject(&gateway, &headers, parameters(query)?)?;
    let budget = gateway.engine().budgets().get(&who.tenant, &id);
    let budget = budget.ok_or_else(|| Problem::not_found("budget", &short(&id)))?;
    Ok(Json(Standing::of(&gateway, budget, &who, &model)))
}

/// `PUT /api/v1/budgets/{id}`: sets a limit. It holds from the next call on.
///
/// # Errors
/// [`Problem`] where the caller may not manage, the limit will not do, or is not recorded.
pub async fn set(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    headers: HeaderMap,
    text: Bytes,
) -> Result<Json<Standing>, Problem> {
    let manager = caller::of_api(&gateway, &headers, Permission::Manage)?;
    let rule: Rule = body(&text)?;
    if rule.limit.number() < 0 {
        return Err(Problem::invalid_parameter("limit", "it is negative; send 0 or more"));
    }
    let (engine, tenant) = (gateway.engine(), manager.tenant());
    let (budget, _) = engine.budgets().set(&actor(&manager), tenant, &id, rule).await?;
    let who = manager.who(None)?;
    Ok(Json(Standing::of(&gateway, budget, &who, &no_model()?)))
}

/// `DELETE /api/v1/budgets/{id}`: removes a limit.
///
/// # Errors
/// [`Problem`] where the caller may not manage, there is none, or that is not recorded.
pub async fn remove(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let manager = caller::of_api(&gateway, &headers, Permission::Manage)?;
    gateway.engine().budgets().remove(&actor(&manager), manager.tenant(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whom a question is about.
fn subject(
    gateway: &Gateway,
    headers: &HeaderMap,
    query: BudgetQuery,
) -> Result<(Who, ModelId), Problem> {
    let caller = caller::of_api(gateway, headers, Permission::Read)?;
    let who = caller.who(parsed("user", query.user.as_deref())?)?;
    let who = Who {
        agent: parsed("agent", query.agent.as_deref())?,
        thread: parsed("thread", query.thread.as_deref())?,
        run: parsed("run", query.run.as_deref())?,
        ..who
    };
    let model = parsed("model", query.model.as_deref())?;
    Ok((who, model.map_or_else(no_model, Ok)?))
}

fn no_model() -> Result<ModelId, Problem> {
    ModelId::new(NO_MODEL).map_err(|error| Problem::invalid_parameter("model", error))
}

fn short(id: &str) -> String {
    id.chars().take(64).collect()
}

// === impl Standing ===

impl Standing {
    fn of(gateway: &Gateway, budget: Budget, who: &Who, model: &ModelId) -> Standing {
        let engine = gateway.engine();
        let now = engine.now();
        let claim = budget.rule.claim(who, model, now);
        let balance = claim.map(|claim| {
            let balance = engine.ledger().balance(&claim.balance);
            let reached = forecast(claim.limit, &balance.spent, claim.balance.start, now);
            Balance {
                of: claim.balance.id.to_string(),
                limit: claim.limit,
                spent: balance.spent,
                held: balance.held,
                room: balance.left(claim.limit),
                resets_at: claim.resets_at(),
                reached_at: reached.filter(|at| *at < claim.balance.end),
            }
        });
        let Budget { id, rule, configured } = budget;
        Standing { id, rule, configured, balance }
    }
}

impl From<BudgetError> for Problem {
    fn from(error: BudgetError) -> Problem {
        let (status, code) = match &error {
            BudgetError::NotThere(_) => (StatusCode::NOT_FOUND, "not_found"),
            BudgetError::Configured(_) => (StatusCode::CONFLICT, "taken"),
            BudgetError::InvalidId(_) => (StatusCode::BAD_REQUEST, "invalid_parameter"),
            BudgetError::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "ledger_unavailable"),
        };
        Problem::new(status, code, error.to_string())
    }
}
