//! From the name of a model to its rate card.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::card::{RateCard, WorstCase};
use super::embedded;
use super::facts::{CatalogError, Model, ProviderFile, Served};
use crate::money::{Overflow, Usd};

/// All rate cards, with dates.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    providers: HashMap<String, Provider>,
}

#[derive(Clone, Debug, Default)]
struct Provider {
    models: Vec<Arc<Model>>,
    /// Position in `models` by every name, in lower case, and whether the name is the model's own.
    names: HashMap<String, (usize, Rule)>,
}

/// Why a name led to a model. The entry records it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The catalog's own name.
    Exact,
    /// Another name that the catalog lists for it.
    Alias,
    /// A dated snapshot (`-2026-08-21`, `-20260821`, `@20260821`) of a name that the catalog has.
    Snapshot,
}

/// A model that was found.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The model's facts.
    pub model: Arc<Model>,
    /// Its rates in this situation.
    pub card: Arc<RateCard>,
    /// Which rule found it.
    pub rule: Rule,
}

/// A model without a known price: it is `unpriced`, never free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unresolved {
    /// Names of the same provider that look similar, best first: to suggest, never to price by.
    pub suggestions: Vec<String>,
}

// === impl Catalog ===

impl Catalog {
    /// The catalog that is compiled in.
    ///
    /// # Errors
    /// None where the project's own tests pass: they load every embedded file.
    pub fn embedded() -> Result<Arc<Catalog>, CatalogError> {
        static EMBEDDED: LazyLock<Result<Arc<Catalog>, CatalogError>> =
            LazyLock::new(|| Catalog::parse(embedded::FILES).map(Arc::new));
        EMBEDDED.clone()
    }

    /// Reads catalog files, given as name and text.
    ///
    /// # Errors
    /// [`CatalogError`] with the file and, where the parser knows it, the line.
    pub fn parse(files: &[(&str, &str)]) -> Result<Catalog, CatalogError> {
        let mut catalog = Catalog::default();
        for (name, text) in files {
            let file = ProviderFile::parse(name, text)?;
            let provider = catalog.providers.entry(file.provider.clone()).or_default();
            for (model, names) in file.into_models(name)? {
                provider
                    .add(model, names)
                    .map_err(|problem| CatalogError { file: (*name).to_owned(), problem })?;
            }
        }
        Ok(catalog)
    }

    /// Finds the rate card of a provider's model at a moment.
    ///
    /// Names match exactly (but for case, the provider's own prefix and the owner of a fine-tuned
    /// model), or as a dated snapshot of a name that does. Nothing is guessed from a part of a name.
    ///
    /// # Errors
    /// [`Unresolved`] where no rule finds a price.
    pub fn resolve(
        &self,
        provider: &str,
        model: &str,
        at: Timestamp,
        served: &Served,
    ) -> Result<Resolved, Unresolved> {
        let Some(known) = self.providers.get(provider) else {
            return Err(Unresolved { suggestions: Vec::new() });
        };
        let name = normalised(provider, model);
        let found = known.find(&name).and_then(|(model, rule)| {
            let card = model.card_at(at, served)?;
            Some(Resolved { model: Arc::clone(model), card, rule })
        });
        found.ok_or_else(|| Unresolved { suggestions: known.similar(&name) })
    }

    /// The most that a call could cost with any of the provider's models: what a hard budget holds
    /// for a model without a price. `None` for a provider without prices.
    ///
    /// # Errors
    /// [`Overflow`] where an amount leaves 128 bits.
    pub fn dearest(
        &self,
        provider: &str,
        at: Timestamp,
        most: &WorstCase,
    ) -> Result<Option<Usd>, Overflow> {
        let models = self.providers.get(provider).map(|known| known.models.as_slice());
        let mut dearest = None;
        for model in models.unwrap_or_default() {
            if let Some(card) = model.card_at(at, &Served::new()) {
                dearest = dearest.max(card.worst_case(most)?);
            }
        }
        Ok(dearest)
    }
}

// === impl Provider ===

impl Provider {
    fn add(&mut self, model: Model, names: Vec<String>) -> Result<(), String> {
        let position = self.models.len();
        for (i, name) in names.into_iter().enumerate() {
            let rule = if i == 0 { Rule::Exact } else { Rule::Alias };
            match self.names.entry(name.to_lowercase()) {
                Entry::Vacant(free) => free.insert((position, rule)),
                Entry::Occupied(taken) => {
                    let id = &model.id;
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

    fn find(&self, name: &str) -> Option<(&Arc<Model>, Rule)> {
        let (position, rule) = self.names.get(name).copied().or_else(|| {
            let (position, _) = self.names.get(undated(name)?)?;
            Some((*position, Rule::Snapshot))
        })?;
        self.models.get(position).map(|model| (model, rule))
    }

    fn similar(&self, name: &str) -> Vec<String> {
        let score = |known: &str| strsim::jaro_winkler(name, known);
        let mut near: Vec<(f64, &str)> = self
            .models
            .iter()
            .map(|model| (score(&model.id), model.id.as_str()))
            .filter(|(score, _)| *score > 0.8)
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        near.into_iter().take(3).map(|(_, id)| id.to_owned()).collect()
    }
}

/// Lower case, without the path that some clients and addresses put before a model's name
/// (`models/`, `publishers/google/models/`), and without the owner of a fine-tuned model: `ft:base:org::id`, on Azure `base.ft-id`, has the price of `ft:base` and
/// never that of `base`.
fn normalised(provider: &str, model: &str) -> String {
    let name = model.trim().to_lowercase();
    let name = match name.rsplit_once("models/") {
        Some((path, model)) if path.is_empty() || path.ends_with('/') => model,
        _ => &name,
    };
    let own = name.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/'));
    let name = own.unwrap_or(name);
    let tuned = name.strip_prefix("ft:").and_then(|tuned| tuned.split_once(':'));
    match tuned.or_else(|| name.split_once(".ft-")) {
        Some((base, _)) => format!("ft:{base}"),
        None => name.to_owned(),
    }
}

/// The name without a date (`-2026-08-21`, `-20260821` or `@20260821`) at its end, where it has one.
fn undated(name: &str) -> Option<&str> {
    ["-2026-08-21", "-20260821"].into_iter().find_map(|like| {
        let (base, date) = name.split_at_checked(name.len().checked_sub(like.len())?)?;
        let date = date.strip_prefix(['-', '@'])?;
        let digits = date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        (digits && date.parse::<Date>().is_ok()).then_some(base)
    })
}

#[cfg(test)]
#[path = "catalog_tests.rs"]
mod tests;
