//! On whose account a call is.
//!
//! While there are no keys, whoever reaches the gateway is trusted as a service of its one tenant:
//! it may name the user that it acts for. Thread, run and agent are labels in any case.

use axum::http::HeaderMap;
use farthing_core::entry::Who;
use farthing_core::id::{InvalidId, TenantId, ThreadId, UserId};
use farthing_wire::Request;

/// The user where nobody is named.
const NOBODY_NAMED: &str = "default";

/// Reads on whose account a call is: from our headers, else from the labels in its body.
///
/// # Errors
/// [`InvalidId`] where one of our headers cannot be a name. A label in the body that cannot be one
/// is passed over: it was meant for the provider, not for us.
pub fn who(tenant: &TenantId, headers: &HeaderMap, request: &Request) -> Result<Who, InvalidId> {
    let labels = [&request.labels.safety_identifier, &request.labels.user];
    let named_in_body = || labels.into_iter().flatten().find_map(|user| UserId::new(user).ok());
    let user = match label(headers, "x-farthing-user").or_else(|| named_in_body().map(Ok)) {
        Some(user) => user?,
        None => UserId::new(NOBODY_NAMED)?,
    };
    Ok(Who {
        agent: label(headers, "x-farthing-agent").transpose()?,
        thread: label(headers, "x-farthing-thread").transpose()?.or_else(|| {
            request.labels.session.as_deref().and_then(|session| ThreadId::new(session).ok())
        }),
        run: label(headers, "x-farthing-run").transpose()?,
        ..Who::new(tenant.clone(), user)
    })
}

fn label<T>(headers: &HeaderMap, name: &str) -> Option<Result<T, InvalidId>>
where
    T: std::str::FromStr<Err = InvalidId>,
{
    // A header may hold any bytes; what is not UTF-8 becomes the replacement character.
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).parse())
}
