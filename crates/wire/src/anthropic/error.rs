//! The error envelope.

use bytes::Bytes;
use serde::Serialize;

use crate::error::{ErrorBody, ErrorKind};

#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    error: Detail<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Detail<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    message: &'a str,
}

/// Words an error. The envelope has no place for a code or a parameter.
pub(crate) fn body(error: &ErrorBody) -> Bytes {
    let kind = match error.kind {
        ErrorKind::InvalidRequest => "invalid_request_error",
        ErrorKind::Unauthenticated => "authentication_error",
        ErrorKind::Forbidden => "permission_error",
        ErrorKind::NotFound => "not_found_error",
        ErrorKind::OverBudget | ErrorKind::RateLimited => "rate_limit_error",
        ErrorKind::Unavailable => "overloaded_error",
        ErrorKind::Internal => "api_error",
    };
    let detail = Detail { kind, message: error.message };
    let envelope = Envelope { kind: "error", error: detail, request_id: error.request_id };
    // Strings always serialise.
    serde_json::to_vec(&envelope).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worded(kind: ErrorKind, request_id: Option<&str>) -> Bytes {
        let message = "budget \"day\" is spent";
        body(&ErrorBody { kind, message, param: Some("x"), code: "y", request_id })
    }

    #[test]
    fn an_error_has_the_envelope_that_clients_parse() {
        assert_eq!(
            worded(ErrorKind::OverBudget, Some("r-1")),
            r#"{"type":"error","error":{"type":"rate_limit_error","message":"budget \"day\" is spent"},"request_id":"r-1"}"#
        );
        assert_eq!(
            worded(ErrorKind::Internal, None),
            r#"{"type":"error","error":{"type":"api_error","message":"budget \"day\" is spent"}}"#
        );
    }
}
