//! On whose account a call is.
//!
//! Tenant and user come from the key; a service key, and whoever calls while there are no keys, may
//! name the user that it acts for. Thread, run and agent are labels in any case.

use axum::http::HeaderMap;
use farthing_core::entry::Who;
use farthing_core::id::{InvalidId, ThreadId, UserId};
use farthing_core::identity::Principal;
use farthing_engine::access::NoAccess;
use farthing_wire::Request;

use crate::rejection::Reason;

/// Reads on whose account a call is: from our headers, else from the labels in its body.
///
/// # Errors
/// [`Reason`] where one of our headers cannot be a name, or names a user for whom the key does not act.
/// A label in the body that cannot be one is passed over: it was meant for the provider, not for us.
pub fn who(caller: &Principal, headers: &HeaderMap, request: &Request) -> Result<Who, Reason> {
    let labels = [&request.labels.safety_identifier, &request.labels.user];
    let in_body = || labels.into_iter().flatten().find_map(|user| UserId::new(user).ok());
    let who = match label(headers, "x-farthing-user").transpose()? {
        Some(user) => caller.who(Some(user)),
        // A label is no claim: a key that acts for one user does so whatever the body says.
        None => caller.who(in_body()).or_else(|_| caller.who(None)),
    };
    Ok(Who {
        agent: label(headers, "x-farthing-agent").transpose()?,
        thread: label(headers, "x-farthing-thread").transpose()?.or_else(|| {
            request.labels.session.as_deref().and_then(|session| ThreadId::new(session).ok())
        }),
        run: label(headers, "x-farthing-run").transpose()?,
        ..who.map_err(NoAccess::from)?
    })
}

fn label<T>(headers: &HeaderMap, name: &str) -> Option<Result<T, InvalidId>>
where
    T: std::str::FromStr<Err = InvalidId>,
{
    // A header may hold any bytes; what is not UTF-8 becomes the replacement character.
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).parse())
}
