//! Who may talk to a gateway without keys.
//!
//! While there are no keys the gateway listens on loopback only. A web page that the same person
//! has open could still reach it, by a name that was rebound to 127.0.0.1 or by a plain form. Such
//! a request names a foreign host or a foreign origin, and is refused.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::Problem;
use crate::state::Gateway;

/// Lets through only requests that name this machine, by whatever program they were sent.
pub async fn local_callers_only(
    State(gateway): State<Gateway>,
    request: Request,
    next: Next,
) -> Response {
    if !gateway.engine().access().is_open() {
        return next.run(request).await;
    }
    let foreign =
        [header::HOST, header::ORIGIN].into_iter().find(|name| !is_local(request.headers(), name));
    match foreign {
        None => next.run(request).await,
        Some(name) => Problem::new(
            StatusCode::FORBIDDEN,
            "not_local",
            format!(
                "the header `{name}` names another machine, and without keys only programs on this \
                 one may call; use http://127.0.0.1 or http://localhost"
            ),
        )
        .into_response(),
    }
}

/// Whether a header is absent or names this machine.
fn is_local(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.get_all(name).iter().all(|value| {
        let value = value.to_str().unwrap_or_default();
        let host = value.strip_prefix("http://").unwrap_or(value);
        // `[::1]:4141`, `127.0.0.1:4141`, `localhost`.
        let (name, port) = match host.rfind(':').filter(|_| !host.ends_with(']')) {
            Some(colon) => host.split_at(colon),
            None => (host, ""),
        };
        let port_is_one = port.trim_start_matches(':').bytes().all(|byte| byte.is_ascii_digit());
        port_is_one && ["localhost", "127.0.0.1", "[::1]"].contains(&name)
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn local(host: &'static str) -> bool {
        let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]);
        is_local(&headers, &header::HOST)
    }

    #[test]
    fn only_names_of_this_machine_are_local() {
        for host in ["localhost", "localhost:4141", "127.0.0.1:80", "[::1]", "[::1]:4141"] {
            assert!(local(host), "{host}");
        }
        for host in ["evil.test", "localhost.evil.test:4141", "127.0.0.1.evil.test", "", "[::1]x"] {
            assert!(!local(host), "{host}");
        }
        assert!(is_local(&HeaderMap::new(), &header::ORIGIN));
    }

    #[test]
    fn a_foreign_page_is_foreign() {
        let origin = |value| {
            let headers = HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_static(value))]);
            is_local(&headers, &header::ORIGIN)
        };
        assert!(origin("http://localhost:3000"));
        assert!(!origin("https://evil.test"));
        assert!(!origin("null"));
    }
}
