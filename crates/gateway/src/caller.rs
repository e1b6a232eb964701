//! Who calls: the key that a request shows, wherever its client can put one.

use axum::http::{HeaderMap, header};
use farthing_core::identity::{Permission, Principal};
use farthing_engine::access::NoAccess;

use crate::state::Gateway;

/// What Farthing's keys begin with; whatever else a client sends is meant for the provider.
pub(crate) const PREFIX: &str = "fk_";

/// The header for clients that send a credential of the provider's beside the key.
const OWN: &str = "x-farthing-key";

/// The caller of a drop-in route.
///
/// # Errors
/// [`NoAccess`] where no key allows it.
pub(crate) fn of_call(gateway: &Gateway, headers: &HeaderMap) -> Result<Principal, NoAccess> {
    let engine = gateway.engine();
    let principal = engine.access().admit(shown(headers), engine.now())?;
    principal.may(Permission::Call)?;
    Ok(principal)
}

/// The caller of Farthing's own API.
///
/// # Errors
/// [`NoAccess`] where no key allows it.
pub(crate) fn of_api(
    gateway: &Gateway,
    headers: &HeaderMap,
    permission: Permission,
) -> Result<Principal, NoAccess> {
    let engine = gateway.engine();
    let principal = engine.access().admit(shown(headers), engine.now())?;
    principal.may(permission)?;
    Ok(principal)
}

/// The key that a request shows: in the header of ours, else where clients put the provider's.
fn shown(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let places = ["x-api-key", "x-goog-api-key", "api-key"];
    let bearer = text(header::AUTHORIZATION.as_str());
    let bearer = bearer.and_then(|value| value.split_once(' ').map(|(_, token)| token.trim()));
    let theirs = bearer.into_iter().chain(places.into_iter().filter_map(text));
    text(OWN).or_else(|| theirs.into_iter().find(|value| value.starts_with(PREFIX)))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_key_is_found_where_clients_put_one() {
        for (name, value, found) in [
            ("authorization", "Bearer fk_1", Some("fk_1")),
            ("authorization", "bearer fk_1", Some("fk_1")),
            ("x-api-key", "fk_1", Some("fk_1")),
            ("x-goog-api-key", "fk_1", Some("fk_1")),
            ("api-key", "fk_1", Some("fk_1")),
            ("x-farthing-key", "anything", Some("anything")),
            ("authorization", "Bearer sk-1", None),
            ("x-api-key", "sk-ant-1", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            assert_eq!(shown(&headers), found, "{name}: {value}");
        }
    }
}
