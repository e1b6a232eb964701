//! The errors of Farthing's own API: `application/problem+json` (RFC 9457).

use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use farthing_core::identity::Denied;
use farthing_engine::access::NoAccess;
use serde_json::json;

/// An error of our own API.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
}

// === impl Problem ===

impl Problem {
    /// A problem with its stable code (see `docs/errors.md`), and what to do about it.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Problem {
        Problem { status, code, detail: detail.into() }
    }

    /// A parameter of the request cannot be used.
    pub fn invalid_parameter(name: &str, reason: impl std::fmt::Display) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "invalid_parameter", format!("`{name}`: {reason}"))
    }

    /// There is nothing of that name, or it is not the caller's; the answer is the same.
    pub fn not_found(what: &str, id: &str) -> Problem {
        let detail = format!("there is no {what} `{id}` within your reach; check the id");
        Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// As many listen as are allowed.
    pub fn overloaded(reason: impl std::fmt::Display) -> Problem {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", reason.to_string())
    }

    /// The ledger cannot be read.
    pub fn unavailable(reason: impl std::fmt::Display) -> Problem {
        let detail = format!("the ledger cannot be read: {reason}");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "ledger_unavailable", detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": format!("urn:farthing:error:{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        let content_type = [(header::CONTENT_TYPE, "application/problem+json")];
        (self.status, content_type, body.to_string()).into_response()
    }
}

impl From<NoAccess> for Problem {
    fn from(refused: NoAccess) -> Problem {
        let (status, code) = told(&refused);
        Problem::new(status, code, refused.to_string())
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Problem {
        NoAccess::from(denied).into()
    }
}

/// How it is told that a caller is not let in: the status, and the stable code.
pub(crate) fn told(refused: &NoAccess) -> (StatusCode, &'static str) {
    match refused {
        NoAccess::Missing => (StatusCode::UNAUTHORIZED, "missing_key"),
        NoAccess::Denied(
            Denied::Unknown | Denied::Expired(..) | Denied::Replaced(..) | Denied::Revoked(..),
        ) => (StatusCode::UNAUTHORIZED, "invalid_key"),
        NoAccess::Denied(_) => (StatusCode::FORBIDDEN, "not_allowed"),
    }
}

/// The answer for an address that is not ours.
pub async fn no_such_route(uri: Uri) -> Problem {
    let detail = format!("there is nothing at {}; the routes are in docs/api.md", uri.path());
    Problem::new(StatusCode::NOT_FOUND, "no_such_route", detail)
}

/// The answer for an address of ours, asked in another way.
pub async fn wrong_method(uri: Uri) -> Problem {
    let detail = format!("{} is not asked with this method; see docs/api.md", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", detail)
}
