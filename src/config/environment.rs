//! Settings in the environment: `FARTHING_SERVER__LISTEN` sets `server.listen`.

use serde::Deserialize;
use toml::Value;
use toml::de::ValueDeserializer;

use super::key::{Key, PREFIX};
use super::known::Known;
use super::problem::{Origin, Problem};
use super::settings::{Setting, Settings};

/// Reads variables, given as name and value. `below` has the settings that they lie over; what is
/// wrong goes to `problems`.
pub(super) fn read(
    variables: &[(String, String)],
    known: &Known,
    below: &Settings,
    problems: &mut Vec<Problem>,
) -> Vec<Setting> {
    let mut settings = Vec::new();
    for (name, text) in variables {
        let Some(path) = name.strip_prefix(PREFIX) else { continue };
        if !is_meant_as_setting(path, below) || holds_a_key(name, below) {
            continue;
        }
        match setting(&key_of(path, below), name, text, known) {
            Ok(setting) => settings.push(setting),
            Err(problem) => problems.push(problem),
        }
    }
    settings
}

fn setting(key: &Key, name: &str, text: &str, known: &Known) -> Result<Setting, Problem> {
    let origin = Origin::Variable(name.to_owned());
    let wrong =
        |detail| Err(Problem { subject: format!("`{key}`"), origin: Some(origin.clone()), detail });
    let Some(like) = known.like(key).filter(|_| !known.is_in_list(key)) else {
        return Err(known.unknown_variable(key, name));
    };
    match like {
        Value::Table(_) => wrong(format!(" is a section; set what is in it, as {name}__...")),
        Value::Array(elements) if elements.iter().any(Value::is_table) => {
            wrong(" can be set in a file only".to_owned())
        }
        like => {
            let value = value(text, like);
            match known.try_out(key, value.clone()) {
                Ok(()) => Ok(Setting { key: key.clone(), value, origin }),
                Err(reason) => wrong(format!(": {reason}")),
            }
        }
    }
}

/// The setting that a variable's name, without its beginning, stands for. A provider's name is
/// spelled as it is elsewhere; a new one is in lower case.
fn key_of(path: &str, below: &Settings) -> Key {
    let lower = path.to_ascii_lowercase();
    let segments: Vec<_> = lower.split("__").collect();
    let key = Key::new(&segments);
    let mut members = below.iter().map(|setting| setting.key.first(2));
    let spelled = members.find(|member| member.variable() == key.first(2).variable());
    match spelled.as_ref().and_then(|member| member.path().get(1)) {
        Some(name) => key.with(1, name),
        None => key,
    }
}

/// A text as a value like another: as TOML, unless that gives something else than the wanted text.
fn value(text: &str, like: &Value) -> Value {
    let parsed = ValueDeserializer::parse(text).and_then(Value::deserialize);
    let fits = |value: &Value| !like.is_str() || value.is_str();
    parsed.ok().filter(fits).unwrap_or_else(|| text.into())
}

/// Whether a variable's name, without its beginning, names a section. Others are somebody's own
/// business, as FARTHING_LOG is ours and FARTHING_KEY may be a script's.
fn is_meant_as_setting(path: &str, below: &Settings) -> bool {
    let lower = path.to_ascii_lowercase();
    let names_section = |section: &str| {
        let rest = lower.strip_prefix(section);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    };
    let sections = || below.iter().filter_map(|setting| setting.key.path().first());
    lower.contains("__") || sections().any(|section| names_section(section))
}

/// Whether a provider's key is said to be in a variable.
fn holds_a_key(variable: &str, settings: &Settings) -> bool {
    let mut names = settings.iter().filter(|setting| setting.key.name() == "api_key_env");
    names.any(|setting| setting.value.as_str() == Some(variable))
}
