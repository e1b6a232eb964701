//! The families of models, read from `catalog/tokens/`.
//!
//! Rules choose a *counter* by the model's name, never a price. A family may be `like` one that
//! stands before it and say only what differs, and say `on` which API it differs from itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use toml::{Table, Value};

use crate::family::{Family, Kind};
use crate::target::{Api, Target};

/// The files that are compiled in. A file may refer to families of those before it.
const FILES: &[&str] = &[
    include_str!("../../../catalog/tokens/openai.toml"),
    include_str!("../../../catalog/tokens/anthropic.toml"),
    include_str!("../../../catalog/tokens/google.toml"),
    include_str!("../../../catalog/tokens/others.toml"),
];

/// The rules of all known families, and those that stand in for an unknown one.
#[derive(Clone, Debug)]
pub struct Rules {
    families: Vec<Group>,
    fallback: Group,
}

/// A family, and what it is on APIs where it differs.
#[derive(Clone, Debug)]
struct Group {
    plain: Family,
    on: BTreeMap<Api, Family>,
}

/// One file of `catalog/tokens/`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "family", default)]
    families: Vec<Table>,
    fallback: Option<Table>,
    #[serde(default)]
    kinds: Vec<Kind>,
}

/// Rules that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// Not TOML, or not of this shape.
    #[error("token rules cannot be read: {0}")]
    Syntax(#[from] toml::de::Error),
    /// A family is not of the shape of one.
    #[error("token rules of the family `{0}` cannot be read: {1}")]
    Family(String, toml::de::Error),
    /// A family is to be like one that does not stand before it.
    #[error(
        "token rules of the family `{0}` are like those of `{1}`: name one that stands before it"
    )]
    Unlike(String, String),
    /// A model name begins two families.
    #[error("token rules name `{0}` in more than one place: keep one")]
    Repeated(String),
    /// Not exactly one of the files says what holds for unknown models.
    #[error("token rules have {0} fallbacks for unknown models: keep one")]
    Fallbacks(usize),
}

// === impl Rules ===

impl Rules {
    /// Reads and checks rules in the format of `catalog/tokens/openai.toml`, given as the texts of
    /// files. One of them has the fallback for models of no known family.
    ///
    /// # Errors
    /// Where a text is not of that format, or they contradict each other.
    pub fn from_toml(files: &[&str]) -> Result<Self, RulesError> {
        let (mut families, mut fallbacks) = (Vec::new(), Vec::new());
        let mut known = BTreeMap::new();
        for text in files {
            let File { families: own, fallback, kinds } = toml::from_str(text)?;
            let kinds: Arc<[Kind]> = kinds.into();
            for table in own {
                families.push(group(table, &mut known, &kinds)?);
            }
            if let Some(table) = fallback {
                fallbacks.push(group(table, &mut known, &kinds)?);
            }
        }
        let mut models: Vec<&String> = families.iter().flat_map(|f| &f.plain.models).collect();
        models.sort();
        if let Some([model, _]) = models.array_windows().find(|[a, b]| a == b) {
            return Err(RulesError::Repeated((*model).clone()));
        }
        match <[Group; 1]>::try_from(fallbacks) {
            Ok([fallback]) => Ok(Self { families, fallback }),
            Err(fallbacks) => Err(RulesError::Fallbacks(fallbacks.len())),
        }
    }

    /// The rules that come with this crate.
    ///
    /// # Errors
    /// None that this crate's tests let through.
    pub fn embedded() -> Result<Self, RulesError> {
        Self::from_toml(FILES)
    }

    /// The family with the longest beginning of the model's name.
    ///
    /// What stands before the last `/` is a router's name of the provider and does not count, nor
    /// do the `ft:` of a fine-tuned model and Bedrock's region and provider (`us.anthropic.`).
    pub(crate) fn family(&self, target: Target) -> Option<&Family> {
        let model = bare(target.model);
        let matches = self.families.iter().filter_map(|group| {
            let begins = group.plain.models.iter().filter(|prefix| begins(model, prefix));
            begins.map(String::len).max().map(|length| (length, group))
        });
        let longest = matches.max_by_key(|(length, _)| *length);
        longest.map(|(_, group)| group.on(target.api))
    }

    /// The rules that are nearest to a model of no known family.
    pub(crate) fn fallback(&self, target: Target) -> &Family {
        self.fallback.on(target.api)
    }
}

// === impl Group ===

impl Group {
    fn on(&self, api: Option<Api>) -> &Family {
        api.and_then(|api| self.on.get(&api)).unwrap_or(&self.plain)
    }
}

/// A family as it is written, with what it is like filled in, and remembered for those after it.
fn group(
    own: Table,
    known: &mut BTreeMap<String, Table>,
    kinds: &Arc<[Kind]>,
) -> Result<Group, RulesError> {
    let text = |key| own.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (name, like) = (text("name"), text("like"));
    let mut whole = match known.get(&like) {
        Some(like) => like.clone(),
        None if like.is_empty() => Table::new(),
        None => return Err(RulesError::Unlike(name, like)),
    };
    overlay(&mut whole, own);
    whole.remove("like");
    whole.remove("name");
    known.insert(name.clone(), whole.clone());
    let apis = whole.remove("on");
    let read = |table: Table| {
        let family: Result<Family, _> = table.try_into();
        let mut family = family.map_err(|error| RulesError::Family(name.clone(), error))?;
        family.provider_kinds = Arc::clone(kinds);
        Ok::<_, RulesError>(family)
    };
    let apis: BTreeMap<Api, Table> = match apis {
        Some(apis) => apis.try_into().map_err(|error| RulesError::Family(name.clone(), error))?,
        None => BTreeMap::new(),
    };
    let mut on = BTreeMap::new();
    for (api, differs) in apis {
        let mut table = whole.clone();
        overlay(&mut table, differs);
        on.insert(api, read(table)?);
    }
    Ok(Group { plain: read(whole)?, on })
}

/// Writes `above` over `below`, table by table.
fn overlay(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            // What tells one variant from another is not added to another's.
            (Some(Value::Table(below)), Value::Table(above)) if key != "by_size" => {
                overlay(below, above);
            }
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

/// A model's name without what routers and clouds put before it. Where there is something, they may
/// have put more into the prompt too.
pub(crate) fn bare(model: &str) -> &str {
    let model = model.rsplit('/').next().unwrap_or(model);
    let model = model.strip_prefix("ft:").unwrap_or(model);
    // A provider's name is letters only, so that versions (`gpt-4.1`) keep their dots.
    let mut rest = model;
    while let Some((provider, name)) = rest.split_once('.')
        && !provider.is_empty()
        && provider.chars().all(|c| c.is_ascii_lowercase())
    {
        rest = name;
    }
    rest
}

/// Whether `prefix` is the first word or words of `model`: `gpt-4` begins `gpt-4-turbo`, not
/// `gpt-4o`.
fn begins(model: &str, prefix: &str) -> bool {
    let rest = model.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(prefix));
    let rest = rest.and_then(|_| model.get(prefix.len()..));
    rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphanumeric()))
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
