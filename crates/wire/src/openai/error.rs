//! The error envelope.

use bytes::Bytes;
use serde::Serialize;

use crate::error::{ErrorBody, ErrorKind};

#[derive(Serialize)]
struct Envelope<'a> {
    error: Detail<'a>,
}

#[derive(Serialize)]
struct Detail<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    param: Option<&'a str>,
    code: &'a str,
}

/// Words an error. For a budget's refusal, `insufficient_quota` is the one code after which every
/// client stops asking.
pub(crate) fn body(error: &ErrorBody) -> Bytes {
    let (kind, code) = match error.kind {
        ErrorKind::InvalidRequest => ("invalid_request_error", error.code),
        ErrorKind::Unauthenticated => ("invalid_request_error", "invalid_api_key"),
        ErrorKind::Forbidden => ("permission_error", error.code),
        ErrorKind::NotFound => ("invalid_request_error", error.code),
        ErrorKind::OverBudget => ("insufficient_quota", "insufficient_quota"),
        ErrorKind::RateLimited => ("requests", "rate_limit_exceeded"),
        ErrorKind::Unavailable | ErrorKind::Internal => ("server_error", error.code),
    };
    let error = Detail { message: error.message, kind, param: error.param, code };
    // Strings always serialise.
    serde_json::to_vec(&Envelope { error }).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_worded_so_that_clients_stop_asking() {
        let error = ErrorBody {
            kind: ErrorKind::OverBudget,
            message: "budget \"day\" is spent",
            param: None,
            code: "budget_exceeded",
            request_id: None,
        };
        let expected = r#"{"error":{"message":"budget \"day\" is spent","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#;
        assert_eq!(body(&error), expected);
    }

    #[test]
    fn a_request_that_cannot_be_read_names_the_member_to_blame() {
        let error = ErrorBody {
            kind: ErrorKind::InvalidRequest,
            message: "`messages` is missing; add it to the body",
            param: Some("messages"),
            code: "invalid_request",
            request_id: None,
        };
        let expected = r#"{"error":{"message":"`messages` is missing; add it to the body","type":"invalid_request_error","param":"messages","code":"invalid_request"}}"#;
        assert_eq!(body(&error), expected);
    }
}
