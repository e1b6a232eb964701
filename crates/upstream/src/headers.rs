//! Which headers pass, in either direction.

use farthing_wire::Dialect;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::deployment::Deployment;

/// Everything of ours begins with this, and nothing of ours is forwarded.
pub const OURS: &str = "x-farthing-";

/// What Farthing's keys begin with.
const OUR_KEYS: &[u8] = b"fk_";

/// Headers that concern one connection, not the message on it.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers in which clients send a key.
const CREDENTIALS: &[&str] = &["authorization", "x-api-key", "x-goog-api-key", "api-key"];

/// What is set anew for the provider (the address, the length, and no compression, because usage is
/// read from the answer as it passes) or is none of its business.
const SET_ANEW: &[&str] = &["host", "content-length", "accept-encoding", "cookie"];

/// The headers that a provider gets for a client's: its own, less those of the connection and
/// ours, and with the configured key in place of the client's credential where there is one.
pub fn to_provider(client: &HeaderMap, deployment: &Deployment) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(client.len() + 1);
    for (name, value) in client {
        let is_credential = CREDENTIALS.contains(&name.as_str());
        let replaced = is_credential && (deployment.key.is_some() || is_our_key(value));
        let dropped = replaced || SET_ANEW.contains(&name.as_str()) || is_ours(name);
        if !dropped && !is_connections(client, name) {
            headers.append(name.clone(), value.clone());
        }
    }
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if let Some(key) = &deployment.key {
        let (name, value) = match deployment.dialect {
            Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::OpenAiEmbeddings => {
                (header::AUTHORIZATION, format!("Bearer {}", key.reveal()))
            }
            Dialect::Anthropic => (HeaderName::from_static("x-api-key"), key.reveal().to_owned()),
            Dialect::Gemini => (HeaderName::from_static("x-goog-api-key"), key.reveal().to_owned()),
        };
        // A key with bytes that no header may have was refused when the configuration was read.
        if let Ok(mut value) = HeaderValue::from_str(&value) {
            value.set_sensitive(true);
            headers.insert(name, value);
        }
    }
    headers
}

/// The headers that a client gets for a provider's. The length is left out: it is set anew.
pub fn to_client(provider: &HeaderMap) -> HeaderMap {
    let passes = |name: &HeaderName| {
        !is_connections(provider, name) && name != header::CONTENT_LENGTH && !is_ours(name)
    };
    let passed = provider.iter().filter(|(name, _)| passes(name));
    passed.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Whether a credential is a key of Farthing's: no provider may ever see one.
fn is_our_key(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    let token = bytes.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    token.starts_with(OUR_KEYS)
}

fn is_ours(name: &HeaderName) -> bool {
    name.as_str().starts_with(OURS)
}

/// Whether a header concerns the connection: the known ones and those that `Connection` names.
fn is_connections(headers: &HeaderMap, name: &HeaderName) -> bool {
    let named = |value: &HeaderValue| {
        let listed = value.to_str().unwrap_or_default();
        listed.split(',').any(|item| item.trim().eq_ignore_ascii_case(name.as_str()))
    };
    HOP_BY_HOP.contains(&name.as_str()) || headers.get_all(header::CONNECTION).iter().any(named)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use farthing_core::id::ProviderId;

    use super::*;
    use crate::breaker::BreakerLimits;
    use crate::deployment::{Route, Secret};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    fn deployment(key: Option<&str>) -> Deployment {
        let limits = BreakerLimits { faults: 1, rest: Duration::ZERO };
        let provider = ProviderId::new("openai").unwrap();
        let base_url = "http://127.0.0.1:1/v1/".to_owned();
        let key = key.map(|key| Secret::new(key.into()));
        Deployment::new(provider, Dialect::OpenAiChat, base_url, limits).with_key(key)
    }

    #[test]
    fn nothing_of_ours_or_of_the_connection_reaches_the_provider() {
        let client = headers(&[
            ("host", "localhost:4141"),
            ("connection", "keep-alive, x-hop"),
            ("x-hop", "1"),
            ("x-farthing-user", "ada"),
            ("accept-encoding", "gzip"),
            ("content-length", "12"),
            ("authorization", "Bearer fk_1"),
            ("x-api-key", "fk_1"),
            ("openai-beta", "v2"),
        ]);
        let sent = to_provider(&client, &deployment(Some("sk-real")));
        let expected = headers(&[
            ("openai-beta", "v2"),
            ("accept-encoding", "identity"),
            ("authorization", "Bearer sk-real"),
        ]);
        assert_eq!(sent, expected);
    }

    #[test]
    fn anthropics_key_has_a_header_of_its_own() {
        let client =
            headers(&[("authorization", "Bearer fk_1"), ("anthropic-version", "2023-06-01")]);
        let mut deployment = deployment(Some("sk-real"));
        deployment.dialect = Dialect::Anthropic;
        let expected = headers(&[
            ("anthropic-version", "2023-06-01"),
            ("accept-encoding", "identity"),
            ("x-api-key", "sk-real"),
        ]);
        assert_eq!(to_provider(&client, &deployment), expected);
    }

    #[test]
    fn without_a_configured_key_the_clients_credential_passes() {
        let client = headers(&[("authorization", "Bearer sk-own")]);
        assert_eq!(to_provider(&client, &deployment(None))["authorization"], "Bearer sk-own");
    }

    #[test]
    fn a_provider_cannot_speak_in_our_name() {
        let provider = headers(&[
            ("x-farthing-cost-usd", "0.00"),
            ("transfer-encoding", "chunked"),
            ("content-length", "5"),
            ("x-request-id", "1"),
        ]);
        assert_eq!(to_client(&provider), headers(&[("x-request-id", "1")]));
    }

    #[test]
    fn secrets_are_not_shown() {
        assert!(!format!("{:?}", deployment(Some("sk-real"))).contains("sk-real"));
    }

    #[test]
    fn a_clients_credential_never_goes_to_a_fallback() {
        let [first, keyed, keyless] = [None, Some("sk-1"), None].map(|key| deployment(key).into());
        assert!(Route::new(Arc::clone(&first), vec![keyed]).is_ok());
        assert!(Route::new(first, vec![keyless]).is_err());
    }

    #[test]
    fn an_address_has_one_slash_between_its_parts() {
        assert_eq!(
            deployment(None).url("/chat/completions"),
            "http://127.0.0.1:1/v1/chat/completions"
        );
    }
}
