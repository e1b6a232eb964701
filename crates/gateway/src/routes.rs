//! Which address is answered by what.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post};
use farthing_engine::Purpose;
use farthing_wire::Dialect;

use crate::state::Gateway;
use crate::{api, budgets, events, guard, health, keys, problem, proxy, savings, sessions};

/// All routes of a gateway.
pub fn router(gateway: Gateway) -> Router {
    let proxied = |dialect: Dialect, purpose: Purpose| {
        post(move |state, request| proxy::call(state, dialect, purpose, request))
    };
    Router::new()
        .route("/v1/chat/completions", proxied(Dialect::OpenAiChat, Purpose::Answer))
        .route("/v1/messages", proxied(Dialect::Anthropic, Purpose::Answer))
        .route("/v1/messages/count_tokens", proxied(Dialect::Anthropic, Purpose::CountTokens))
        .route("/v1/responses", proxied(Dialect::OpenAiResponses, Purpose::Answer))
        .route("/v1/embeddings", proxied(Dialect::OpenAiEmbeddings, Purpose::Answer))
        .route("/v1beta/models/{target}", proxied(Dialect::Gemini, Purpose::Answer))
        // Google's libraries differ in the version that they write.
        .route("/v1/models/{target}", proxied(Dialect::Gemini, Purpose::Answer))
        .route("/v1alpha/models/{target}", proxied(Dialect::Gemini, Purpose::Answer))
        .route("/v1beta/models", get(proxy::gemini_models))
        .route("/v1/models", get(proxy::models))
        .route("/", get(health::alive))
        .route("/api/v1/requests", get(api::requests))
        .route("/api/v1/requests/{id}", get(api::request))
        .route("/api/v1/usage", get(api::usage))
        .route("/api/v1/savings", get(savings::savings))
        .route("/api/v1/keys", get(keys::list).post(keys::create))
        .route("/api/v1/keys/{id}", delete(keys::revoke))
        .route("/api/v1/keys/{id}/rotate", post(keys::rotate))
        .route("/api/v1/budgets", get(budgets::list))
        .route("/api/v1/budgets/{id}", get(budgets::show).put(budgets::set).delete(budgets::remove))
        .route("/api/v1/sessions", get(sessions::list).post(sessions::open))
        .route("/api/v1/sessions/{id}", get(sessions::show))
        .route("/api/v1/sessions/{id}/finalize", post(sessions::finalize))
        .route("/api/v1/audit", get(keys::audit))
        .route("/api/v1/events", get(events::events))
        .route("/api/v1/health", get(health::health))
        .route("/metrics", get(health::metrics))
        .layer(from_fn_with_state(gateway.clone(), guard::local_callers_only))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::wrong_method)
        .with_state(gateway)
}
