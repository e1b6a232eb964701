//! The error envelope of Google's APIs.

use bytes::Bytes;
use serde::Serialize;

use crate::error::{ErrorBody, ErrorKind};

#[derive(Serialize)]
struct Envelope<'a> {
    error: Detail<'a>,
}

#[derive(Serialize)]
struct Detail<'a> {
    /// The HTTP status.
    code: u16,
    message: &'a str,
    status: &'a str,
}

/// Words an error. The envelope has no place for a code of ours or a parameter.
pub(crate) fn body(error: &ErrorBody) -> Bytes {
    let (code, status) = match error.kind {
        ErrorKind::InvalidRequest => (400, "INVALID_ARGUMENT"),
        ErrorKind::Unauthenticated => (401, "UNAUTHENTICATED"),
        ErrorKind::Forbidden => (403, "PERMISSION_DENIED"),
        ErrorKind::NotFound => (404, "NOT_FOUND"),
        ErrorKind::OverBudget | ErrorKind::RateLimited => (429, "RESOURCE_EXHAUSTED"),
        ErrorKind::Unavailable => (503, "UNAVAILABLE"),
        ErrorKind::Internal => (500, "INTERNAL"),
    };
    let error = Detail { code, message: error.message, status };
    // Strings and numbers always serialise.
    serde_json::to_vec(&Envelope { error }).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_the_envelope_that_clients_parse() {
        let error = ErrorBody {
            kind: ErrorKind::OverBudget,
            message: "budget \"day\" is spent",
            param: None,
            code: "budget_exceeded",
            request_id: Some("r-1"),
        };
        let expected = r#"{"error":{"code":429,"message":"budget \"day\" is spent","status":"RESOURCE_EXHAUSTED"}}"#;
        assert_eq!(body(&error), expected);
    }
}
