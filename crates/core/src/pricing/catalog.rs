//! From the name of a model to its rate card.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::card::WorstCase;
use super::embedded;
use super::file::{CatalogError, ProviderFile};
use super::found::{FoundBy, Resolved, Unresolved};
use super::model::Model;
use super::provider::{Found, Provider};
use super::served::Served;
use crate::money::{Overflow, Usd};

/// All rate cards, with dates.
///
/// Price lists that are compiled in are read when their provider is first asked for.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    providers: BTreeMap<String, Arc<Shelf>>,
    overrides: Overrides,
}

/// Which model the operator says a name is, by provider and name.
pub type Overrides = HashMap<String, HashMap<String, String>>;

/// The place of one price list.
#[derive(Debug)]
struct Shelf {
    embedded: (&'static str, &'static str),
    list: OnceLock<Result<Provider, CatalogError>>,
}

// === impl Catalog ===

impl Catalog {
    /// The catalog that is compiled in.
    ///
    /// # Errors
    /// None today: its files are read when they are needed, and the project's own tests read them all.
    pub fn embedded() -> Result<Arc<Catalog>, CatalogError> {
        static EMBEDDED: OnceLock<Arc<Catalog>> = OnceLock::new();
        let catalog = EMBEDDED.get_or_init(|| {
            let shelf = |(provider, file, text): &(&'static str, &'static str, &'static str)| {
                let shelf = Shelf { embedded: (*file, *text), list: OnceLock::new() };
                ((*provider).to_owned(), Arc::new(shelf))
            };
            let providers = embedded::FILES.iter().map(shelf).collect();
            Arc::new(Catalog { providers, overrides: Overrides::new() })
        });
        Ok(Arc::clone(catalog))
    }

    /// Reads catalog files, given as name and text.
    ///
    /// # Errors
    /// [`CatalogError`] with the file and the line.
    pub fn parse(files: &[(&str, &str)]) -> Result<Catalog, CatalogError> {
        Catalog::default().overlaid(files)
    }

    /// The same catalog with a layer of files on top: a model of theirs replaces the one of the same
    /// id. Within the layer, no two models may have the same name.
    ///
    /// # Errors
    /// [`CatalogError`] with the file and the line.
    pub fn overlaid(&self, files: &[(&str, &str)]) -> Result<Catalog, CatalogError> {
        let mut catalog = self.clone();
        let mut layer: BTreeMap<Arc<str>, ProviderFile<'_>> = BTreeMap::new();
        for (name, text) in files {
            let about = |provider: &str| self.list(provider).map(|list| list.about.clone());
            let file = ProviderFile::parse(name, text, about)?;
            match layer.get_mut(&file.about.provider) {
                Some(earlier) => earlier.models.extend(file.models),
                None => drop(layer.insert(Arc::clone(&file.about.provider), file)),
            }
        }
        for (provider, file) in layer {
            let none = Provider::default();
            let list = self.list(&provider).unwrap_or(&none).overlaid(file)?;
            catalog.providers.insert(provider.to_string(), Arc::new(Shelf::of(list)));
        }
        Ok(catalog)
    }

    /// The same catalog with the operator's word on which model a deployment or alias is.
    #[must_use]
    pub fn with_overrides(&self, overrides: Overrides) -> Catalog {
        let lower = |names: HashMap<String, String>| {
            names.into_iter().map(|(name, model)| (name.to_lowercase(), model)).collect()
        };
        let overrides =
            overrides.into_iter().map(|(provider, names)| (provider, lower(names))).collect();
        Catalog { providers: self.providers.clone(), overrides }
    }

    /// The names of all providers that have a price list, in alphabetical order.
    pub fn providers(&self) -> impl Iterator<Item = &str> {
        self.providers.keys().map(String::as_str)
    }

    /// The models of a provider; none where it has no price list.
    pub fn models(&self, provider: &str) -> &[Arc<Model>] {
        self.list(provider).map_or(&[], Provider::models)
    }

    /// Finds the rate card of a provider's model at a moment.
    ///
    /// Names match exactly (but for case, the path or region before them and the owner of a
    /// fine-tuned model), or as a dated snapshot of a name that does. Nothing is guessed from a part
    /// of a name.
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
        let known = self.list(provider);
        let found = match self.overridden(provider, model) {
            Some(meant) => {
                self.find(provider, meant).map(|found| Found { rule: FoundBy::Override, ..found })
            }
            None => self.find(provider, model),
        };
        found.and_then(|found| found.at(at, served)).ok_or_else(|| Unresolved {
            suggestions: known.map(|known| known.similar(model)).unwrap_or_default(),
        })
    }

    /// The most that a call could cost with any of the provider's models, however it is served: what
    /// a hard budget holds for a model without a price. `None` for a provider without prices.
    ///
    /// # Errors
    /// [`Overflow`] where an amount leaves 128 bits.
    pub fn dearest(
        &self,
        provider: &str,
        at: Timestamp,
        most: &WorstCase,
    ) -> Result<Option<Usd>, Overflow> {
        let mut dearest = None;
        for model in self.models(provider) {
            for price in model.possible_at(at) {
                dearest = dearest.max(price.card(model).worst_case(most)?);
            }
        }
        Ok(dearest)
    }

    fn find(&self, provider: &str, model: &str) -> Option<Found<'_>> {
        let known = self.list(provider)?;
        known.find(model).or_else(|| {
            let makers = known.about.fallback.iter().filter_map(|maker| self.list(maker));
            let found = makers.filter_map(|maker| maker.find(model)).next()?;
            Some(Found { rule: FoundBy::Fallback, ..found })
        })
    }

    fn overridden(&self, provider: &str, model: &str) -> Option<&str> {
        let names = self.overrides.get(provider)?;
        names.get(&model.trim().to_lowercase()).map(String::as_str)
    }

    fn list(&self, provider: &str) -> Option<&Provider> {
        self.providers.get(provider)?.list().ok()
    }

    /// Reads all price lists that are not read yet.
    ///
    /// # Errors
    /// [`CatalogError`] of the first that cannot be used.
    pub fn load(&self) -> Result<(), CatalogError> {
        self.providers.values().try_for_each(|shelf| shelf.list().map(drop).map_err(Clone::clone))
    }
}

impl Found<'_> {
    fn at(self, at: Timestamp, served: &Served) -> Option<Resolved> {
        // Another provider's discounts and surcharges are not those of the one that was called.
        let none = Served::new();
        let served = if self.rule == FoundBy::Fallback { &none } else { served };
        let price = self.model.price_in(self.region.as_deref(), at, served);
        let card = Arc::clone(price?.card(self.model));
        Some(Resolved { model: Arc::clone(self.model), card, rule: self.rule })
    }
}

// === impl Shelf ===

impl Shelf {
    fn of(list: Provider) -> Shelf {
        Shelf { embedded: ("", ""), list: OnceLock::from(Ok(list)) }
    }

    fn list(&self) -> Result<&Provider, &CatalogError> {
        let (file, text) = self.embedded;
        let read = || Provider::default().overlaid(ProviderFile::parse(file, text, |_| None)?);
        self.list.get_or_init(read).as_ref()
    }
}

#[cfg(test)]
#[path = "catalog_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "rules_tests.rs"]
mod rules_tests;
