//! What all dialects' reports of usage have in common.

use farthing_core::usage::Usage;

use crate::answer::Reported;
use crate::json::{Json, Kind};

/// No call comes near; what is beyond is a provider's mistake.
const MAX_TOKENS: u64 = 1_000_000_000_000;

/// Reads a `usage` member with a dialect's own rules.
pub(crate) fn reported(
    usage: Option<Json>,
    read: impl FnOnce(Json) -> Result<Reported, String>,
) -> Reported {
    let Some(usage) = usage.filter(|usage| !usage.is_null()) else { return Reported::Absent };
    if usage.kind() != Kind::Object {
        return Reported::Invalid(format!("usage is {usage}, not an object"));
    }
    if usage.members().next().is_none() {
        return Reported::Absent;
    }
    read(usage).unwrap_or_else(Reported::Invalid)
}

/// The report of a count that agrees with itself.
pub(crate) fn agreed(usage: Usage) -> Reported {
    if usage.prompt() == 0 { Reported::NoPrompt(usage) } else { Reported::Valid(usage) }
}

pub(crate) fn required(usage: Json, name: &str) -> Result<u64, String> {
    count(Some(usage), name)?.ok_or_else(|| format!("{name} is missing"))
}

pub(crate) fn count(of: Option<Json>, name: &str) -> Result<Option<u64>, String> {
    let value = of.and_then(|of| of.pick([name])[0]).filter(|value| !value.is_null());
    let Some(value) = value else { return Ok(None) };
    let tokens = value.as_count().filter(|tokens| *tokens <= MAX_TOKENS);
    tokens.map(Some).ok_or_else(|| format!("{name} is {value}, which is no count of tokens"))
}
