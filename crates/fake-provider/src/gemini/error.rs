//! Errors of the Gemini API: a status and an envelope. Statuses:
//! <https://ai.google.dev/gemini-api/docs/troubleshooting>.

use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::reply::{Reply, to_json};

/// An error as Google would answer it.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    message: String,
}

impl ApiError {
    /// The usual error of this status.
    pub(super) fn of(status: StatusCode) -> Self {
        Self { status, message: format!("the request failed with status {}", status.as_u16()) }
    }

    /// The request cannot be understood.
    pub(super) fn invalid(message: String) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message }
    }

    /// There is nothing of that name, or at that address.
    pub(super) fn not_found(message: String) -> Self {
        Self { status: StatusCode::NOT_FOUND, message }
    }

    /// The request has no key.
    pub(super) fn no_key() -> Self {
        let message = "there is no API key: send `x-goog-api-key: KEY`".to_owned();
        Self { status: StatusCode::FORBIDDEN, message }
    }

    /// The error as it is sent.
    pub(super) fn reply(&self) -> Reply {
        Reply::error(self.status, &self.envelope())
    }

    /// The error as it is sent where a stream has begun.
    pub(super) fn event(&self, in_array: bool) -> Bytes {
        let json = to_json(&self.envelope());
        let (before, after): (&[u8], &[u8]) =
            if in_array { (b",\r\n", b"]") } else { (b"data: ", b"\r\n\r\n") };
        [before, json.as_ref(), after].concat().into()
    }

    fn envelope(&self) -> Value {
        let code = self.status.as_u16();
        let status = match code {
            401 => "UNAUTHENTICATED",
            403 => "PERMISSION_DENIED",
            404 => "NOT_FOUND",
            429 => "RESOURCE_EXHAUSTED",
            400..500 => "INVALID_ARGUMENT",
            503 => "UNAVAILABLE",
            504 => "DEADLINE_EXCEEDED",
            _ => "INTERNAL",
        };
        json!({ "error": { "code": code, "message": self.message, "status": status } })
    }
}
