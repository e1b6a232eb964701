//! OpenAI's errors: a status and an envelope.

use axum::http::StatusCode;
use bytes::Bytes;
use serde::Serialize;

use crate::reply::{Reply, to_json};

/// An error as OpenAI would answer it.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    body: Body,
}

#[derive(Debug, Serialize)]
struct Body {
    message: String,
    #[serde(rename = "type")]
    kind: &'static str,
    param: Option<&'static str>,
    code: Option<&'static str>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: &'a Body,
}

impl ApiError {
    /// The usual error of this status.
    pub(super) fn of(status: StatusCode) -> Self {
        let (kind, code) = match status.as_u16() {
            401 => ("invalid_request_error", Some("invalid_api_key")),
            429 => ("requests", Some("rate_limit_exceeded")),
            400..500 => ("invalid_request_error", None),
            _ => ("server_error", None),
        };
        let message = format!("the request failed with status {status}");
        Self { status, body: Body { message, kind, param: None, code } }
    }

    /// The request cannot be understood, because of `param` if one is to blame.
    pub(super) fn invalid(param: impl Into<Option<&'static str>>, message: String) -> Self {
        let mut error = Self::of(StatusCode::BAD_REQUEST);
        error.body.param = param.into();
        error.body.message = message;
        error
    }

    /// The body has no `param`.
    pub(super) fn missing(param: &'static str) -> Self {
        let mut error = Self::invalid(param, format!("{param} is missing: add it to the body"));
        error.body.code = Some("missing_required_parameter");
        error
    }

    /// No model has this name.
    pub(super) fn unknown_model(model: &str) -> Self {
        let mut error = Self::of(StatusCode::NOT_FOUND);
        error.body.message = format!("there is no model `{model}`: ask for one of OpenAI's");
        error.body.code = Some("model_not_found");
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
        error.body.message = "there is no API key: send `Authorization: Bearer KEY`".to_owned();
        error
    }

    /// The error as it is sent.
    pub(super) fn reply(&self) -> Reply {
        Reply::error(self.status, &Envelope { error: &self.body })
    }

    /// The error as it is sent where a stream has begun.
    pub(super) fn event(&self) -> Bytes {
        let json = to_json(&Envelope { error: &self.body });
        [b"data: ", json.as_ref(), b"\n\n"].concat().into()
    }
}
