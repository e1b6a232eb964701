//! Every error of the drop-in routes, in the provider's own shape.
//!
//! The shape decides whether an agent stops or hammers on: a budget's no is a 429 with
//! `insufficient_quota` and `x-should-retry: false`, the only answer after which every known
//! client stops at once.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use farthing_core::id::{InvalidId, ProviderId, RequestId};
use farthing_engine::access::NoAccess;
use farthing_engine::savings::UnknownMode;
use farthing_engine::{Failure, Stage};
use farthing_ledger::StoreError;
use farthing_wire::{Dialect, ErrorBody, ErrorKind, RequestError};
use thiserror::Error;

use crate::problem::told;

/// Why a request got no answer from a provider, in the dialect in which it came.
#[derive(Debug)]
pub struct Rejection {
    /// The dialect of the request.
    pub dialect: Dialect,
    /// The request.
    pub id: RequestId,
    /// Why.
    pub reason: Reason,
}

/// Why a request got no answer from a provider.
#[derive(Debug, Error)]
pub enum Reason {
    /// The body is longer than is allowed.
    #[error("the body is longer than the {limit} bytes that are allowed; shorten the request")]
    BodyTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The body did not arrive whole.
    #[error("the body did not arrive whole ({0}); send the request again")]
    BodyBroken(String),
    /// The body took too long.
    #[error("the body did not arrive in time; send the request again")]
    BodyLate,
    /// The body is not a request.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The address is none of the Gemini API's.
    #[error(
        "the address does not end in a model and `:generateContent`, `:streamGenerateContent` or \
         `:countTokens`; other methods are not served"
    )]
    NotOfGemini,
    /// One of our headers cannot be a name.
    #[error("header x-farthing-{0}")]
    Label(#[from] InvalidId),
    /// It asks to be optimized in a way that is none.
    #[error("header x-farthing-optimize: {0}")]
    Mode(#[from] UnknownMode),
    /// The caller is not let in.
    #[error(transparent)]
    NoAccess(#[from] NoAccess),
    /// Nobody of that name speaks the dialect.
    #[error("{}", no_provider(named.as_deref(), known))]
    UnknownProvider {
        /// The provider that the request names.
        named: Option<String>,
        /// The configured ones.
        known: Vec<ProviderId>,
    },
    /// An `Idempotency-Key` is no key.
    #[error(
        "the header idempotency-key is not 1 to {longest} printable ASCII characters; send a new \
         random key for each request"
    )]
    InvalidKey {
        /// The longest that is allowed.
        longest: usize,
    },
    /// An `Idempotency-Key` was used for something else.
    #[error(
        "this idempotency-key was used for another request, {request}, whose body differs; \
         send a new key for a new request"
    )]
    OtherRequest {
        /// The request that has the key.
        request: RequestId,
    },
    /// The request was carried out before, and its answer is gone.
    #[error(
        "this request was carried out already, as {request}, and its answer was not kept: it was too \
         long, or broke off; look the request up, or send it again with a new idempotency-key"
    )]
    NotKept {
        /// The request that was carried out.
        request: RequestId,
    },
    /// What is kept cannot be read or written.
    #[error(
        "requests with an idempotency-key cannot be told apart now: {0}; try again in a moment"
    )]
    Store(#[from] StoreError),
    /// The call brought no answer.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The call's task is gone: a fault of ours. Its hold is charged in full.
    #[error("the call was lost inside Farthing; its hold is charged; please report this")]
    Vanished,
}

/// How a reason is told.
struct Telling {
    status: StatusCode,
    /// The stable code of `docs/errors.md`.
    code: &'static str,
    kind: ErrorKind,
    retry: Retry,
}

enum Retry {
    /// As the client sees fit.
    Unsaid,
    /// It would be in vain.
    Never,
    /// After so many seconds.
    After(u32),
}

// === impl Rejection ===

impl IntoResponse for Rejection {
    fn into_response(self) -> axum::response::Response {
        let Rejection { dialect, id, reason } = self;
        let (telling, id) = (reason.telling(), id.to_string());
        let body = dialect.error_body(&ErrorBody {
            message: &reason.to_string(),
            kind: telling.kind,
            code: telling.code,
            param: reason.param(),
            request_id: Some(&id),
        });
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = telling.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("x-farthing-error", HeaderValue::from_static(telling.code));
        if let Ok(id) = HeaderValue::from_str(&id) {
            headers.insert("x-request-id", id);
        }
        match telling.retry {
            Retry::Unsaid => {}
            Retry::Never => {
                headers.insert("x-should-retry", HeaderValue::from_static("false"));
            }
            Retry::After(seconds) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
        }
        response
    }
}

// === impl Reason ===

impl Reason {
    fn telling(&self) -> Telling {
        let (refused, ours) = (ErrorKind::InvalidRequest, ErrorKind::Unavailable);
        let (bad, busy) = (StatusCode::BAD_REQUEST, StatusCode::SERVICE_UNAVAILABLE);
        match self {
            Reason::BodyTooLong { .. } => {
                tell(StatusCode::PAYLOAD_TOO_LARGE, "body_too_long", refused, Retry::Unsaid)
            }
            Reason::BodyLate => {
                tell(StatusCode::REQUEST_TIMEOUT, "body_late", refused, Retry::Unsaid)
            }
            Reason::BodyBroken(_) => tell(bad, "body_broken", refused, Retry::Unsaid),
            Reason::Request(error) => tell(bad, request_code(error), refused, Retry::Unsaid),
            Reason::NotOfGemini => {
                tell(StatusCode::NOT_FOUND, "no_such_route", ErrorKind::NotFound, Retry::Never)
            }
            Reason::Label(_) => tell(bad, "invalid_label", refused, Retry::Unsaid),
            Reason::Mode(_) => tell(bad, "invalid_mode", refused, Retry::Unsaid),
            Reason::NoAccess(refused) => {
                let (status, code) = told(refused);
                let kind = match status {
                    StatusCode::UNAUTHORIZED => ErrorKind::Unauthenticated,
                    _ => ErrorKind::Forbidden,
                };
                tell(status, code, kind, Retry::Never)
            }
            Reason::UnknownProvider { .. } => tell(bad, "unknown_provider", refused, Retry::Unsaid),
            Reason::InvalidKey { .. } => {
                tell(bad, "invalid_idempotency_key", refused, Retry::Never)
            }
            Reason::OtherRequest { .. } => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                tell(status, "idempotency_key_reused", refused, Retry::Never)
            }
            Reason::NotKept { .. } => {
                tell(StatusCode::CONFLICT, "answer_not_kept", refused, Retry::Never)
            }
            Reason::Store(_) => tell(busy, "ledger_unavailable", ours, Retry::After(5)),
            Reason::Vanished => tell(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                ErrorKind::Internal,
                Retry::Unsaid,
            ),
            Reason::Failed(failure) => failure_telling(failure),
        }
    }

    fn param(&self) -> Option<&str> {
        match self {
            Reason::Request(error) => error.param(),
            _ => None,
        }
    }
}

fn failure_telling(failure: &Failure) -> Telling {
    let (refused, ours) = (ErrorKind::InvalidRequest, ErrorKind::Unavailable);
    let (bad, busy) = (StatusCode::BAD_REQUEST, StatusCode::SERVICE_UNAVAILABLE);
    let code = failure.code();
    match failure {
        Failure::Refused(_) => {
            tell(StatusCode::TOO_MANY_REQUESTS, code, ErrorKind::OverBudget, Retry::Never)
        }
        Failure::Unpriced { .. } | Failure::Absurd(_) => tell(bad, code, refused, Retry::Never),
        Failure::Abandoned => tell(bad, code, refused, Retry::Unsaid),
        Failure::Limited(limited) => {
            let wait = limited.retry_after.map_or(1, |wait| wait.as_secs().clamp(1, 60));
            let retry = Retry::After(u32::try_from(wait).unwrap_or(60));
            tell(StatusCode::TOO_MANY_REQUESTS, code, ErrorKind::RateLimited, retry)
        }
        Failure::Overloaded { .. } => tell(busy, code, ours, Retry::After(1)),
        Failure::Ledger(_) | Failure::Overdue => tell(busy, code, ours, Retry::After(5)),
        Failure::Uncountable => {
            tell(StatusCode::INTERNAL_SERVER_ERROR, code, ErrorKind::Internal, Retry::Unsaid)
        }
        Failure::NotTheApi { .. } => tell(StatusCode::BAD_GATEWAY, code, ours, Retry::Unsaid),
        Failure::Upstream(error) => match error.stage {
            Stage::Resting | Stage::Connect => tell(busy, code, ours, Retry::After(5)),
            Stage::FirstByte | Stage::Idle | Stage::TooLate => {
                tell(StatusCode::GATEWAY_TIMEOUT, code, ours, Retry::Unsaid)
            }
            Stage::Broken | Stage::TooLong => {
                tell(StatusCode::BAD_GATEWAY, code, ours, Retry::Unsaid)
            }
        },
    }
}

const fn tell(status: StatusCode, code: &'static str, kind: ErrorKind, retry: Retry) -> Telling {
    Telling { status, code, kind, retry }
}

fn request_code(error: &RequestError) -> &'static str {
    match error {
        RequestError::NotJson { .. } => "malformed_json",
        RequestError::TooMany { .. } => "too_many_elements",
        RequestError::NotAnObject { .. }
        | RequestError::Missing { .. }
        | RequestError::WrongType { .. }
        | RequestError::Model(_) => "invalid_request",
    }
}

fn no_provider(named: Option<&str>, known: &[ProviderId]) -> String {
    let known: Vec<&str> = known.iter().map(ProviderId::as_str).collect();
    let known = if known.is_empty() { "none is".to_owned() } else { known.join(", ") };
    match named {
        Some(name) => format!(
            "no provider `{name}` that speaks this API is configured (configured: {known}); \
             correct x-farthing-provider or add [provider.{name}]"
        ),
        None => format!(
            "no provider that speaks this API is configured (configured: {known}); \
             add one to the configuration, as in [provider.openai]"
        ),
    }
}
