//! The catalog's files: what is known of a provider's models, with dates and sources.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use thiserror::Error;

use super::card::{CardFacts, RateCard};
use super::rate::{Fraction, TieredRate};
use crate::money::Overflow;
use crate::usage::Bucket;

/// A catalog file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("catalog {file}: {problem}")]
pub struct CatalogError {
    /// The file.
    pub file: String,
    /// What is wrong, where, and what would be right.
    pub problem: String,
}

/// What, in how a request was served, selects another price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// Speed for money: flex, priority.
    ServiceTier,
    /// Answered at leisure: batch.
    Processing,
    /// The model's own pace, for money: fast.
    Speed,
    /// Where inference ran, where that was the client's choice: us.
    Geo,
}

/// How a request was served (or, before the answer, asked to be).
pub type Served = BTreeMap<Dimension, String>;

/// A model's facts other than its prices.
#[derive(Clone, Debug)]
pub struct Model {
    /// The catalog's name.
    pub id: String,
    /// The longest prompt and answer together, in tokens.
    pub context: Option<u64>,
    /// The longest answer, in tokens.
    pub max_output: Option<u64>,
    /// The last day on which the provider answers.
    pub retires: Option<Date>,
    pub(super) prices: Vec<Price>,
}

/// One rate card and when it holds.
#[derive(Clone, Debug)]
pub(super) struct Price {
    pub from: Timestamp,
    pub when: Served,
    pub card: Arc<RateCard>,
}

/// One file of `catalog/`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProviderFile {
    pub provider: String,
    #[serde(rename = "sources")]
    _sources: Vec<String>,
    #[serde(rename = "checked")]
    _checked: Date,
    #[serde(rename = "model")]
    models: Vec<ModelFacts>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelFacts {
    id: String,
    #[serde(default)]
    aliases: Vec<String>,
    context: Option<u64>,
    max_output: Option<u64>,
    #[serde(rename = "mode")]
    _mode: Option<String>,
    retires: Option<Date>,
    #[serde(rename = "checked")]
    _checked: Option<Date>,
    #[serde(rename = "price")]
    prices: Vec<PriceFacts>,
    #[serde(default, rename = "surcharge")]
    surcharges: Vec<Surcharge>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceFacts {
    #[serde(default = "always", deserialize_with = "read_day")]
    from: Timestamp,
    #[serde(default)]
    when: Served,
    /// Dollars by bucket: a million tokens or characters, a thousand searches, an hour.
    #[serde(deserialize_with = "read_rates")]
    rates: Rates,
}

type Rates = BTreeMap<String, TieredRate>;

/// What a way of being served costs on top of every price.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Surcharge {
    when: Served,
    /// What the rates of tokens are multiplied by; those of searches and the like stay.
    #[serde(deserialize_with = "read_factor")]
    multiply: Fraction,
}

// === impl ProviderFile ===

impl ProviderFile {
    /// Reads one file of a catalog.
    pub(super) fn parse(file: &str, text: &str) -> Result<ProviderFile, CatalogError> {
        toml::from_str(text).map_err(|error| CatalogError {
            file: file.into(),
            problem: error.to_string().trim_end().into(),
        })
    }

    /// The models, each with all the names that it goes by (its own first).
    pub(super) fn into_models(self, file: &str) -> Result<Vec<(Model, Vec<String>)>, CatalogError> {
        let Self { provider, models, .. } = self;
        let read = |facts: ModelFacts| {
            let id = facts.id.clone();
            facts.into_model(&provider).map_err(|problem| CatalogError {
                file: file.into(),
                problem: format!("model {id}: {problem}"),
            })
        };
        models.into_iter().map(read).collect()
    }
}

// === impl ModelFacts ===

impl ModelFacts {
    fn into_model(self, provider: &str) -> Result<(Model, Vec<String>), String> {
        if !self.prices.iter().any(PriceFacts::is_standard) {
            return Err("has no price without `when`; add the standard one".into());
        }
        let mut seen = BTreeSet::new();
        if !self.prices.iter().all(|price| seen.insert((price.from, &price.when))) {
            return Err("has two prices for the same `when` from the same day; remove one".into());
        }
        let cards = self.prices.iter().flat_map(|price| self.cards(provider, price));
        let mut prices: Vec<Price> = cards.collect();
        for surcharge in &self.surcharges {
            let subject = prices.iter().filter(|price| surcharge.applies_to(price));
            let dearer: Result<Vec<Price>, Overflow> =
                subject.map(|price| surcharge.on(price)).collect();
            prices.extend(dearer.map_err(|Overflow| "has a surcharge out of all proportion")?);
        }
        let names = std::iter::once(self.id.clone()).chain(self.aliases).collect();
        let Self { id, context, max_output, retires, .. } = self;
        Ok((Model { id, context, max_output, retires, prices }, names))
    }

    /// A price's cards. A variant inherits what it does not name, so it has another card each time
    /// the standard price changes, until a newer price of the same variant replaces it.
    fn cards(&self, provider: &str, price: &PriceFacts) -> Vec<Price> {
        let newer = |other: &&PriceFacts| other.when == price.when && other.from > price.from;
        let end = self.prices.iter().filter(newer).map(|other| other.from).min();
        let lasts = |at: &Timestamp| *at > price.from && end.is_none_or(|end| *at < end);
        let standard = || self.prices.iter().filter(|price| price.is_standard());
        let changes = standard().map(|standard| standard.from).filter(lasts);
        let card = |from: Timestamp| {
            let begun = standard().filter(|standard| standard.from <= from);
            let newest = begun.max_by_key(|standard| standard.from);
            let mut rates = newest.map(|standard| standard.rates.clone()).unwrap_or_default();
            rates.extend(price.rates.clone());
            let facts = CardFacts { provider: provider.into(), model: self.id.clone(), rates };
            Price { from, when: price.when.clone(), card: Arc::new(RateCard::new(facts)) }
        };
        std::iter::once(price.from).chain(changes).map(card).collect()
    }
}

impl Surcharge {
    /// Whether the price leaves open what the surcharge is for.
    fn applies_to(&self, price: &Price) -> bool {
        !self.when.keys().any(|what| price.when.contains_key(what))
    }

    /// The price of being served so on top of `price`'s own way.
    fn on(&self, price: &Price) -> Result<Price, Overflow> {
        let mut when = price.when.clone();
        when.extend(self.when.clone());
        let card = Arc::new(price.card.scaled(self.multiply)?);
        Ok(Price { from: price.from, when, card })
    }
}

impl PriceFacts {
    fn is_standard(&self) -> bool {
        self.when.is_empty()
    }
}

/// Without a first day, a price always held.
const fn always() -> Timestamp {
    Timestamp::MIN
}

/// Reads the first day of a price as the moment at which it begins.
fn read_day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let midnight = Date::deserialize(deserializer)?.to_zoned(TimeZone::UTC);
    midnight.map(|midnight| midnight.timestamp()).map_err(D::Error::custom)
}

/// Reads the factor of a surcharge.
fn read_factor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Fraction, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| {
        D::Error::custom(format!("`{text}` is not a factor; write a fraction as in \"11/10\""))
    })
}

/// Reads rates while the parser still knows the line, for the sake of its message.
fn read_rates<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Rates, D::Error> {
    let read = |(name, text): (String, String)| {
        let bucket = Bucket::from_name(&name).ok_or_else(|| {
            let known: Vec<_> = Bucket::ALL.iter().map(|bucket| bucket.name()).collect();
            format!("`{name}` is not a bucket; the buckets are {}", known.join(", "))
        })?;
        let rate = TieredRate::parse(&text, bucket).map_err(|error| format!("{name}: {error}"))?;
        Ok((name, rate))
    };
    let texts = BTreeMap::<String, String>::deserialize(deserializer)?;
    texts.into_iter().map(read).collect::<Result<_, String>>().map_err(D::Error::custom)
}

// === impl Model ===

impl Model {
    /// The card that holds at `at` for a request served so: the variant that matches most closely,
    /// and of its prices the newest that has begun.
    pub(super) fn card_at(&self, at: Timestamp, served: &Served) -> Option<Arc<RateCard>> {
        let holds = |price: &&Price| {
            price.from <= at && price.when.iter().all(|(what, how)| served.get(what) == Some(how))
        };
        let best = self.prices.iter().filter(holds).max_by_key(|p| (p.when.len(), p.from));
        best.map(|price| Arc::clone(&price.card))
    }
}
