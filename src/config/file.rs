//! Reading the settings of a TOML text, each checked by itself, so that a problem has its line.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use toml::de::{DeString, DeTable, DeValue, ValueDeserializer};
use toml::{Spanned, Value};

use super::key::Key;
use super::known::Known;
use super::problem::{Origin, Problem};
use super::settings::Setting;

/// Reads the text in a file.
pub(super) fn open(path: &Path, known: &Known, problems: &mut Vec<Problem>) -> Vec<Setting> {
    let shown: Arc<str> = path.display().to_string().into();
    match fs::read_to_string(path) {
        Ok(text) => {
            let origin = |line| Origin::File(Arc::clone(&shown), line);
            read(&text, known, &origin, problems)
        }
        Err(error) => {
            problems.push(Problem {
                subject: format!("configuration {shown}"),
                origin: None,
                detail: format!(" cannot be read: {error}"),
            });
            Vec::new()
        }
    }
}

/// Reads a text. `origin` makes one of the number of a line; what is wrong goes to `problems`.
pub(super) fn read(
    text: &str,
    known: &Known,
    origin: &dyn Fn(usize) -> Origin,
    problems: &mut Vec<Problem>,
) -> Vec<Setting> {
    let at = |position: usize| {
        let before = text.bytes().take(position);
        origin(1 + before.filter(|byte| *byte == b'\n').count())
    };
    let mut reader = Reader { known, at: &at, problems, settings: Vec::new() };
    match DeTable::parse(text) {
        Ok(table) => reader.section(&Key::default(), table.get_ref()),
        Err(error) => reader.problems.push(Problem {
            subject: "the text".to_owned(),
            origin: Some(at(error.span().map_or(0, |span| span.start))),
            detail: format!(" is not TOML: {}", error.message()),
        }),
    }
    reader.settings
}

struct Reader<'r> {
    known: &'r Known,
    /// The origin of what stands at a position of the text.
    at: &'r dyn Fn(usize) -> Origin,
    problems: &'r mut Vec<Problem>,
    settings: Vec<Setting>,
}

// === impl Reader ===

impl Reader<'_> {
    fn section(&mut self, section: &Key, table: &DeTable<'_>) {
        for (name, found) in in_order(table) {
            let key = section.join(name.get_ref());
            let origin = (self.at)(name.span().start);
            match (self.known.like(&key), found.get_ref()) {
                // In an empty section nothing would be missed that has to be there.
                (Some(Value::Table(_)), DeValue::Table(inner))
                    if inner.is_empty() && !self.known.has(&key) =>
                {
                    self.tried(&key, found, &origin, |section| section);
                }
                (Some(Value::Table(_)), DeValue::Table(inner)) => self.section(&key, inner),
                (Some(Value::Table(_)), _) => {
                    let detail = format!(" is a section, not a setting; write [{key}]");
                    self.wrong(&key, origin, detail);
                }
                (Some(_), _) => {
                    if let Some(value) = self.setting(&key, found, &origin) {
                        self.settings.push(Setting { key, value, origin });
                    }
                }
                (None, _) => self.problems.push(self.known.unknown_key(&key, origin)),
            }
        }
    }

    /// The value of a setting, where it will do.
    fn setting(
        &mut self,
        key: &Key,
        found: &Spanned<DeValue<'_>>,
        origin: &Origin,
    ) -> Option<Value> {
        let before = self.problems.len();
        for element in found.get_ref().as_array().into_iter().flatten() {
            self.element(key, element);
        }
        if self.problems.len() > before {
            return None;
        }
        self.tried(key, found, origin, |value| value)
    }

    /// What is in an element of a list, where it is a table.
    fn element(&mut self, list: &Key, element: &Spanned<DeValue<'_>>) {
        let Some(table) = element.get_ref().as_table() else { return };
        let before = self.problems.len();
        for (name, found) in in_order(table) {
            let key = list.join(name.get_ref());
            let origin = (self.at)(name.span().start);
            match self.known.like(&key) {
                Some(_) => drop(self.setting(&key, found, &origin)),
                None => self.problems.push(self.known.unknown_key(&key, origin)),
            }
        }
        if self.problems.len() == before {
            let origin = (self.at)(element.span().start);
            self.tried(list, element, &origin, |element| Value::Array(vec![element]));
        }
    }

    /// A value, where the default would do with it.
    fn tried(
        &mut self,
        key: &Key,
        found: &Spanned<DeValue<'_>>,
        origin: &Origin,
        as_setting: impl Fn(Value) -> Value,
    ) -> Option<Value> {
        let read = Value::deserialize(ValueDeserializer::from(found.clone()));
        let tried = read.map_err(|error| error.message().to_owned()).and_then(|value| {
            let value = as_setting(value);
            self.known.try_out(key, value.clone()).map(|()| value)
        });
        tried.map_err(|reason| self.wrong(key, origin.clone(), format!(": {reason}"))).ok()
    }

    fn wrong(&mut self, key: &Key, origin: Origin, detail: String) {
        self.problems.push(Problem { subject: format!("`{key}`"), origin: Some(origin), detail });
    }
}

/// What a table has, in the order in which it stands in the text.
fn in_order<'t, 'i>(
    table: &'t DeTable<'i>,
) -> Vec<(&'t Spanned<DeString<'i>>, &'t Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    entries
}
