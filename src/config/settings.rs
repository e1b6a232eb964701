//! Layers: each setting has the value of the highest layer that names it.

use std::path::PathBuf;

use toml::{Table, Value};

use super::key::Key;
use super::known::Known;
use super::problem::{Origin, Problem, Problems};
use super::{Config, Provider, environment, file};

/// A setting, its value, and where that comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Setting {
    pub(crate) key: Key,
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

/// What lies over the default, lowest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layers {
    /// The operator's file.
    pub(crate) file: Option<PathBuf>,
    /// The environment: names and values.
    pub(crate) variables: Vec<(String, String)>,
    /// What flags say.
    pub(crate) flags: Vec<Setting>,
}

/// All settings, in the order of the default.
#[derive(Clone, Debug)]
pub(crate) struct Settings(Vec<Setting>);

// === impl Setting ===

impl Setting {
    /// What a flag says.
    pub(crate) fn of_flag(flag: &'static str, path: &[&str], value: &str) -> Setting {
        Setting { key: Key::new(path), value: value.into(), origin: Origin::Flag(flag) }
    }
}

// === impl Settings ===

impl Settings {
    /// Puts the layers on the default.
    ///
    /// # Errors
    /// All that is wrong with any of them.
    pub(crate) fn read(layers: &Layers) -> Result<Settings, Problems> {
        let known = Known::embedded().map_err(|problem| Problems(vec![problem]))?;
        let mut problems = Vec::new();
        let mut settings = Settings(Vec::new());
        settings.put(file::read(Known::TEXT, &known, &|_| Origin::Default, &mut problems));
        if let Some(path) = &layers.file {
            settings.put(file::open(path, &known, &mut problems));
        }
        let variables = environment::read(&layers.variables, &known, &settings, &mut problems);
        settings.put(variables);
        settings.put(layers.flags.clone());
        if problems.is_empty() { Ok(settings) } else { Err(Problems(problems)) }
    }

    /// The settings as the program uses them.
    ///
    /// # Errors
    /// What is missing, each setting by itself being right.
    pub(crate) fn config(&self) -> Result<Config, Problems> {
        let mut table = Table::new();
        for Setting { key, value, .. } in &self.0 {
            insert(&mut table, key.path(), value.clone());
        }
        let problem = |subject: String, origin, error: &toml::de::Error| Problem {
            subject,
            origin,
            detail: format!(": {}", error.message()),
        };
        let providers = table.get("provider").and_then(Value::as_table).into_iter().flatten();
        let incomplete = providers.filter_map(|(name, provider)| {
            let error = provider.clone().try_into::<Provider>().err()?;
            let section = Key::new(&["provider", name]);
            let first = self.0.iter().find(|setting| setting.key.section() == section);
            let origin = first.map(|setting| setting.origin.clone());
            Some(problem(format!("[{section}]"), origin, &error))
        });
        let incomplete: Vec<_> = incomplete.collect();
        if !incomplete.is_empty() {
            return Err(Problems(incomplete));
        }
        let config = Value::Table(table).try_into::<Config>();
        config.map_err(|error| Problems(vec![problem("the settings".to_owned(), None, &error)]))
    }

    /// Each setting once, those of a section together.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.0.iter()
    }

    /// Puts a layer on top.
    fn put(&mut self, layer: Vec<Setting>) {
        for setting in layer {
            if let Some(old) = self.0.iter_mut().find(|old| old.key == setting.key) {
                *old = setting;
                continue;
            }
            let near = |length| {
                let beginning = setting.key.first(length);
                self.0.iter().rposition(|other| other.key.first(length) == beginning)
            };
            let section = setting.key.path().len() - 1;
            let last = near(section).or_else(|| near(1));
            self.0.insert(last.map_or(self.0.len(), |last| last + 1), setting);
        }
    }
}

fn insert(table: &mut Table, path: &[String], value: Value) {
    match path {
        [] => {}
        [name] => drop(table.insert(name.clone(), value)),
        [section, rest @ ..] => {
            let inner = table.entry(section).or_insert_with(|| Table::new().into());
            if let Value::Table(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}
