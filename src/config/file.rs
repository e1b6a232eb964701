//! Reading the settings of one TOML text, each checked by itself, so that every problem has its
//! line.

use serde::Deserialize;
use toml::Value;
use toml::de::{DeTable, DeValue, ValueDeserializer};
use toml::Spanned;

use super::key::Key;
use super::known::Known;
use super::problem::{Origin, Problem};
use super::settings::Setting;

type Entry<'t, 'i> = (&'t Spanned<std::borrow::Cow<'i, str>>, &'t Spanned<DeValue<'i>>);

/// Reads a text. `origin` is that of a line; what is wrong goes to `problems`.
pub(super) fn read(
    text: &str,
    known: &Known,
    origin: impl Fn(usize) -> Origin,
    problems: &mut Vec<Problem>,
) -> Vec<Setting> {
    let at = |position: usize| {
        let before = text.as_bytes().iter().take(position);
        origin(1 + before.filter(|byte| **byte == b'\n').count())
    };
    let mut reader = Reader { known, at: &at, problems, settings: Vec::new() };
    match DeTable::parse(text) {
        Ok(table) => reader.section(&Key::default(), table.get_ref()),
        Err(error) => reader.problems.push(Problem {
            subject: "the text".to_owned(),
            origin: error.span().map(|span| at(span.start)),
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
        for (name, value) in in_order(table) {
            let key = section.join(name.get_ref());
            let origin = (self.at)(name.span().start);
            match (self.known.like(&key), value.get_ref()) {
                (None, _) => self.unknown(&key, origin),
                (Some(Value::Table(_)), DeValue::Table(inner)) => self.section(&key, inner),
                (Some(Value::Table(_)), _) => {
                    let detail = format!(" is a section, not a setting; write [{key}]");
                    self.problem(&key, origin, detail);
                }
                (Some(Value::Array(like)), DeValue::Array(elements))
                    if like.iter().any(Value::is_table) =>
                {
                    for element in elements {
                        self.element(&key, element);
                    }
                    self.setting(key, value, origin, false);
                }
                (Some(_), _) => self.setting(key, value, origin, true),
            }
        }
    }

    /// An element of a list of tables: first what is in it, then as a whole.
    fn element(&mut self, list: &Key, element: &Spanned<DeValue<'_>>) {
        let found = self.problems.len();
        for (name, value) in element.get_ref().as_table().into_iter().flat_map(in_order) {
            let key = list.join(name.get_ref());
            let origin = (self.at)(name.span().start);
            match self.known.like(&key) {
                None => self.unknown(&key, origin),
                Some(_) => {
                    self.checked(&key, value.clone(), &origin);
                }
            }
        }
        if self.problems.len() == found
            && let Ok(whole) = Value::deserialize(ValueDeserializer::from(element.clone()))
            && let Err(reason) = self.known.try_out(list, Value::Array(vec![whole]))
        {
            let origin = (self.at)(element.span().start);
            self.problem(list, origin, format!(": {reason}"));
        }
    }
}
