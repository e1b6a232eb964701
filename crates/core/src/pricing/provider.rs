//! A provider's price list: its models and the names that lead to them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::file::{About, CatalogError, ProviderFile};
use super::found::FoundBy;
use super::model::Model;
use super::names;

/// Beyond this likeness a name is worth suggesting.
const SIMILAR: f64 = 0.8;
const SUGGESTIONS: usize = 3;

/// A provider's models, by every name that the catalog has for them.
#[derive(Clone, Debug, Default)]
pub(super) struct Provider {
    pub about: About,
    models: Vec<Arc<Model>>,
    /// Position in `models` by every name, in lower case.
    names: HashMap<String, (usize, FoundBy)>,
}

/// A model, the rule that led to it, and the region that its name asked for.
pub(super) struct Found<'p> {
    pub model: &'p Arc<Model>,
    pub rule: FoundBy,
    pub region: Option<String>,
}

// === impl Provider ===

impl Provider {
    pub(super) fn models(&self) -> &[Arc<Model>] {
        &self.models
    }

    /// The same price list with a file's models in front: one of the same id is replaced, and a name
    /// that both have leads to the file's.
    pub(super) fn overlaid(
        &self,
        file: &str,
        with: ProviderFile,
    ) -> Result<Provider, CatalogError> {
        let mut list = Provider { about: with.about, ..Provider::default() };
        for (model, line) in with.models {
            list.add(model).map_err(|problem| CatalogError {
                file: file.to_owned(),
                problem: format!("line {line}: {problem}"),
            })?;
        }
        let replaced = |model: &Arc<Model>| {
            let id = model.id.to_lowercase();
            list.models.iter().any(|ours| ours.id.to_lowercase() == id)
        };
        let kept: Vec<_> = self.models.iter().filter(|model| !replaced(model)).cloned().collect();
        for model in kept {
            let position = list.models.len();
            for (name, rule) in names_of(&model) {
                list.names.entry(name).or_insert((position, rule));
            }
            list.models.push(model);
        }
        Ok(list)
    }

    fn add(&mut self, model: Model) -> Result<(), String> {
        let position = self.models.len();
        for (name, rule) in names_of(&model) {
            match self.names.entry(name) {
                Entry::Vacant(free) => free.insert((position, rule)),
                Entry::Occupied(taken) => {
                    let (name, id) = (taken.key(), &model.id);
                    return Err(match self.models.get(taken.get().0) {
                        Some(other) => {
                            format!("`{name}` names both {} and {id}; remove one", other.id)
                        }
                        None => format!("model {id}: has the name `{name}` twice; remove one"),
                    });
                }
            };
        }
        self.models.push(Arc::new(model));
        Ok(())
    }

    /// Finds a model by the name that a client asked for.
    pub(super) fn find(&self, asked: &str) -> Option<Found<'_>> {
        // Most names need no rule; some have of their own what is taken away from others.
        let lower = || asked.trim().to_lowercase();
        if let Some(found) = self.named(asked).or_else(|| self.named(&lower())) {
            return self.found(found, None);
        }
        let name = names::normalised(&self.about.prefixes, asked);
        if let Some(found) = self.by_rules(&name) {
            return self.found(found, None);
        }
        let (region, rest) = names::regional(&self.about.regions, &name)?;
        self.found(self.by_rules(rest)?, Some(region.to_owned()))
    }

    fn by_rules(&self, name: &str) -> Option<(usize, FoundBy)> {
        let snapshot = |(position, _)| (position, FoundBy::Snapshot);
        self.named(name)
            .or_else(|| self.named(names::undated(name)?).map(snapshot))
            .or_else(|| {
                names::with_digits_open(name).find_map(|open| self.named(&open)).map(snapshot)
            })
            .or_else(|| {
                let (position, _) = self.named(names::suffix(name)?)?;
                Some((position, FoundBy::Suffix))
            })
    }

    fn named(&self, name: &str) -> Option<(usize, FoundBy)> {
        self.names.get(name).copied()
    }

    fn found(
        &self,
        (position, rule): (usize, FoundBy),
        region: Option<String>,
    ) -> Option<Found<'_>> {
        self.models.get(position).map(|model| Found { model, rule, region })
    }

    /// The ids of models whose names look like one, best first.
    pub(super) fn similar(&self, asked: &str) -> Vec<String> {
        let name = names::normalised(&self.about.prefixes, asked);
        let score = |known: &str| strsim::jaro_winkler(&name, known);
        let mut near: Vec<(f64, &str)> = self
            .models
            .iter()
            .map(|model| (score(&model.id), model.id.as_str()))
            .filter(|(score, _)| *score > SIMILAR)
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        near.into_iter().take(SUGGESTIONS).map(|(_, id)| id.to_owned()).collect()
    }
}

/// All names of a model in lower case, its own first.
fn names_of(model: &Model) -> impl Iterator<Item = (String, FoundBy)> {
    let own = (model.id.to_lowercase(), FoundBy::Exact);
    let others = model.aliases.iter().map(|alias| (alias.to_lowercase(), FoundBy::Alias));
    std::iter::once(own).chain(others)
}
