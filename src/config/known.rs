//! Which settings there are: what the embedded default has, and nothing besides.

use toml::{Table, Value};

use super::Config;
use super::key::Key;
use super::problem::{Origin, Problem};

/// The section whose members the operator names, and what stands for any of their names.
const NAMED: &str = "provider";
const ANY: &str = "NAME";

/// What an element of a list may have, of which the default shows only a part or none.
const OF_LISTS: &str = r#"
budgets = { scope = "user", of = "*", window = "day", usd = "1", tokens = 1, requests = 1, mode = "hard", policy = "refuse", time_zone = "UTC" }
rates = { scope = "user", of = "*", requests = 1, tokens = 1, concurrent = 1, per_seconds = 60 }
"#;

/// The section of names by provider, both as the operator wants them.
const OVERRIDES: [&str; 2] = ["catalog", "override"];

/// The settings that there are.
#[derive(Debug)]
pub(super) struct Known {
    defaults: Table,
    /// The defaults, with one provider that has all that any of them has.
    shape: Value,
}

// === impl Known ===

impl Known {
    /// The default, with a comment for each.
    pub(super) const TEXT: &str = include_str!("../../config/default.toml");

    /// Reads the embedded default.
    ///
    /// # Errors
    /// None where the project's own tests pass.
    pub(super) fn embedded() -> Result<Known, Problem> {
        let defaults: Table = Known::TEXT.parse().map_err(|error: toml::de::Error| Problem {
            subject: "the default configuration".to_owned(),
            origin: None,
            detail: format!(" is not TOML: {}", error.message()),
        })?;
        let providers = defaults.get(NAMED).and_then(Value::as_table).cloned().unwrap_or_default();
        let settings = providers.into_iter().filter_map(|(_, provider)| match provider {
            Value::Table(settings) => Some(settings),
            _ => None,
        });
        let any =
            Table::from_iter([(ANY.to_owned(), settings.flatten().collect::<Table>().into())]);
        let mut shape = defaults.clone();
        shape.insert(NAMED.to_owned(), any.into());
        let members: Table = OF_LISTS.parse().unwrap_or_default();
        for (section, list) in [("budgets", "limit"), ("rates", "limit")] {
            let like = members.get(section).cloned().unwrap_or_else(|| Table::new().into());
            if let Some(Value::Table(section)) = shape.get_mut(section) {
                section.insert(list.to_owned(), Value::Array(vec![like]));
            }
        }
        let table = |inner: Value| Value::Table(Table::from_iter([(ANY.to_owned(), inner)]));
        let [section, overrides] = OVERRIDES;
        if let Some(Value::Table(section)) = shape.get_mut(section) {
            section.insert(overrides.to_owned(), table(table(String::new().into())));
        }
        Ok(Known { defaults, shape: shape.into() })
    }

    /// What stands at a key in the default, or in its like: for a setting of a provider that the
    /// default does not have, or of an element of a list.
    pub(super) fn like(&self, key: &Key) -> Option<&Value> {
        let mut path = key.path().iter().enumerate();
        path.try_fold(&self.shape, |found, (depth, segment)| {
            let any = (depth == 1 && is_named(key)) || (depth > 1 && is_override(key));
            section(found)?.get(if any { ANY } else { segment })
        })
    }

    /// Whether the default itself has something at a key.
    pub(super) fn has(&self, key: &Key) -> bool {
        let mut path = key.path().iter();
        let first = path.next().and_then(|first| self.defaults.get(first));
        path.try_fold(first, |found, segment| Some(found?.get(segment))).flatten().is_some()
    }

    /// Whether a key is of an element of a list.
    pub(super) fn is_in_list(&self, key: &Key) -> bool {
        (1..key.path().len())
            .any(|length| self.like(&key.first(length)).is_some_and(Value::is_array))
    }

    /// What to say of a key that does not exist.
    pub(super) fn unknown_key(&self, key: &Key, origin: Origin) -> Problem {
        let nearest = self.nearest(key, |_| true).map(|key| key.to_string());
        Problem {
            subject: format!("unknown key `{key}`"),
            origin: Some(origin),
            detail: suggestion(nearest),
        }
    }

    /// What to say of a variable that sets nothing.
    pub(super) fn unknown_variable(&self, key: &Key, name: &str) -> Problem {
        let can_be_set = |known: &Key| {
            !self.is_in_list(known) && self.like(known).is_some_and(|like| section(like).is_none())
        };
        let nearest = self.nearest(key, can_be_set).map(|key| key.variable());
        Problem {
            subject: format!("unknown variable `{name}`"),
            origin: None,
            detail: suggestion(nearest),
        }
    }

    /// The known key that an unknown one was most likely meant to be.
    fn nearest(&self, key: &Key, allowed: impl Fn(&Key) -> bool) -> Option<Key> {
        let mut known = Vec::new();
        collect(&self.shape, &Key::default(), &mut known);
        let own_name = key.path().get(1).filter(|_| is_named(key));
        let known = known.into_iter().filter(allowed).map(|known| match own_name {
            Some(name) if is_named(&known) => known.with(1, name),
            _ => known,
        });
        let ranked = known.map(|known| (distance(key, &known), known));
        let near = ranked.filter(|((names, _), _)| *names <= 1 + key.name().len() / 3);
        near.min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
    }

    /// Whether the default would do with this one value in it.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn try_out(&self, key: &Key, value: Value) -> Result<(), String> {
        let mut whole = Value::Table(self.defaults.clone());
        let mut place = &mut whole;
        for (depth, segment) in key.path().iter().enumerate() {
            if let Value::Array(elements) = place {
                elements.truncate(1);
                let Some(first) = elements.first_mut() else { return Ok(()) };
                place = first;
            }
            let Value::Table(table) = place else { return Ok(()) };
            let like = || self.like(&key.first(depth + 1)).cloned();
            place = table.entry(segment).or_insert_with(|| like().unwrap_or(Value::Boolean(false)));
        }
        *place = value;
        whole.try_into::<Config>().map(drop).map_err(|error| error.message().to_owned())
    }
}

fn suggestion(nearest: Option<String>) -> String {
    match nearest {
        Some(nearest) => format!("; did you mean `{nearest}`?"),
        None => "; `farthing config show` lists all settings".to_owned(),
    }
}

/// What a table, or each element of a list of tables, may have.
fn section(value: &Value) -> Option<&Table> {
    match value {
        Value::Table(table) => Some(table),
        Value::Array(elements) => elements.first()?.as_table(),
        _ => None,
    }
}

/// Whether a key is that of a provider, or in one.
fn is_named(key: &Key) -> bool {
    matches!(key.path(), [first, _, ..] if first == NAMED)
}

/// Whether a key is of a name that the operator gave a meaning.
fn is_override(key: &Key) -> bool {
    key.path().iter().zip(OVERRIDES).filter(|(one, other)| one == other).count() == OVERRIDES.len()
}

fn collect(value: &Value, at: &Key, keys: &mut Vec<Key>) {
    for (name, value) in section(value).into_iter().flatten() {
        let key = at.join(name);
        collect(value, &key, keys);
        keys.push(key);
    }
}

/// How far two keys are apart: their names by themselves, then all of them.
fn distance(key: &Key, known: &Key) -> (usize, usize) {
    let (name, other) = (key.name(), known.name());
    let part = !name.is_empty() && (name.contains(other) || other.contains(name));
    let names = if part { usize::from(name != other) } else { edits(name, other) };
    let all = edits(&key.to_string(), &known.to_string());
    (names.min(all), all)
}

/// How many characters must be put in, taken out or replaced to make one text of the other.
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, c) in one.chars().enumerate() {
        let mut diagonal = above;
        let mut left = above + 1;
        for (cell, d) in row.iter_mut().skip(1).zip(&other) {
            let replaced = diagonal + usize::from(c != *d);
            diagonal = *cell;
            left = replaced.min(*cell + 1).min(left + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = above + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_as_few_as_possible() {
        let pairs = [("", ""), ("", "abc"), ("listn", "listen"), ("kitten", "sitting")];
        assert_eq!(pairs.map(|(one, other)| edits(one, other)), [0, 3, 1, 3]);
        assert_eq!(edits("größe", "grösse"), 2);
    }

    #[test]
    fn the_nearest_key_is_of_the_same_section_if_it_can_be() {
        let known = Known::embedded().unwrap();
        let nearest =
            |path: &[&str]| known.nearest(&Key::new(path), |_| true).map(|key| key.to_string());
        let is = |key: &str| Some(key.to_owned());
        assert_eq!(nearest(&["server", "listn"]), is("server.listen"));
        assert_eq!(nearest(&["sever"]), is("server"));
        assert_eq!(nearest(&["listen"]), is("server.listen"));
        assert_eq!(nearest(&["server_listen"]), is("server.listen"));
        assert_eq!(nearest(&["provider", "mine", "api_key"]), is("provider.mine.api_key_env"));
        assert_eq!(nearest(&["budgets", "limit", "scoep"]), is("budgets.limit.scope"));
        assert_eq!(nearest(&["server", "colour"]), None);
    }
}
