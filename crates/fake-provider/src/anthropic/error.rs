//! Anthropic's errors: a status and an envelope, or an event of a stream. Kinds by status:
//! <https://docs.claude.com/en/api/errors>.

use axum::http::StatusCode;
use bytes::Bytes;
use serde::Serialize;

use crate::reply::{Reply, to_json};

/// An error as Anthropic would answer it.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    body: Body,
}

#[derive(Debug, Serialize)]
struct Body {
    #[serde(rename = "type")]
    kind: &'static str,
    message: String,
}

#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    error: &'a Body,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

impl ApiError {
    /// The usual error of this status.
    pub(super) fn of(status: StatusCode) -> Self {
        let kind = match status.as_u16() {
            401 => "authentication_error",
            402 => "billing_error",
            403 => "permission_error",
            404 => "not_found_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            400..500 => "invalid_request_error",
            504 => "timeout_error",
            529 => "overloaded_error",
            _ => "api_error",
        };
        let message = format!("the request failed with status {}", status.as_u16());
        Self { status, body: Body { kind, message } }
    }

    /// The request cannot be understood.
    pub(super) fn invalid(message: String) -> Self {
        let mut error = Self::of(StatusCode::BAD_REQUEST);
        error.body.message = message;
        error
    }

    /// The body has no `param`.
    pub(super) fn missing(param: &'static str) -> Self {
        Self::invalid(format!("{param} is missing: add it to the body"))
    }

    /// No model has this name.
    pub(super) fn unknown_model(model: &str) -> Self {
        let mut error = Self::of(StatusCode::NOT_FOUND);
        error.body.message = format!("there is no model `{model}`: ask for one of Anthropic's");
        error
    }

    /// Nothing is served here.
    pub(super) fn unknown_route(method: &str, path: &str) -> Self {
        let mut error = Self::of(StatusCode::NOT_FOUND);
        error.body.message = format!("nothing is served at {method} {path}");
        error
    }

    /// The request has no key.
    pub(super) fn no_key() -> Self {
        let mut error = Self::of(StatusCode::UNAUTHORIZED);
        error.body.message = "there is no API key: send `x-api-key: KEY`".to_owned();
        error
    }

    /// The models have too much to do.
    pub(super) fn overloaded() -> Self {
        let mut error = Self::of(StatusCode::SERVICE_UNAVAILABLE);
        error.body =
            Body { kind: "overloaded_error", message: "the models are overloaded".to_owned() };
        error
    }

    /// The error as it is sent for request `number`.
    pub(super) fn reply(&self, number: u64) -> Reply {
        Reply::error(self.status, &self.envelope(Some(format!("req_{number:024}"))))
    }

    /// The error as it is sent where a stream has begun.
    pub(super) fn event(&self) -> Bytes {
        let json = to_json(&self.envelope(None));
        [b"event: error\ndata: ", json.as_ref(), b"\n\n"].concat().into()
    }

    fn envelope(&self, request_id: Option<String>) -> Envelope<'_> {
        Envelope { kind: "error", error: &self.body, request_id }
    }
}
