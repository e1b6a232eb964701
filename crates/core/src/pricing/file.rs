//! The catalog's files: what is known of a provider's models, with dates and sources.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use thiserror::Error;
use toml::Spanned;

use super::card::Rates;
use super::hours::Hours;
use super::model::{CacheStyle, Caching, Model, Price, Prices};
use super::rate::{Fraction, TieredRate};
use super::served::Served;
use crate::money::Overflow;
use crate::usage::{Bucket, CacheTtl};

/// A catalog file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("catalog {file}: {problem}")]
pub struct CatalogError {
    /// The file.
    pub file: String,
    /// What is wrong, where, and what would be right.
    pub problem: String,
}

/// One file of `catalog/`.
pub(super) struct ProviderFile {
    pub about: About,
    /// Each with the line of its id.
    pub models: Vec<(Model, usize)>,
}

/// What holds for all models of a provider.
#[derive(Clone, Debug, Default)]
pub(super) struct About {
    pub provider: Arc<str>,
    sources: Vec<String>,
    checked: Option<Date>,
    tokenizer: Option<String>,
    cache: CacheFacts,
    /// Whose price a model has that this provider has none for, in this order.
    pub fallback: Vec<String>,
    /// What stands before a model's name, with a dot, and says where it runs.
    pub regions: Vec<String>,
    /// What clients put before a model's name, with a slash; the provider's own name among them.
    pub prefixes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileFacts {
    provider: String,
    #[serde(default)]
    sources: Vec<String>,
    checked: Option<Date>,
    tokenizer: Option<String>,
    #[serde(default)]
    cache: CacheFacts,
    #[serde(default)]
    fallback: Vec<String>,
    #[serde(default)]
    regions: Vec<String>,
    #[serde(default)]
    prefixes: Vec<String>,
    #[serde(rename = "model")]
    models: Vec<ModelFacts>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelFacts {
    id: Spanned<String>,
    #[serde(default)]
    aliases: Vec<String>,
    mode: Option<String>,
    context: Option<u64>,
    max_output: Option<u64>,
    retires: Option<Date>,
    tokenizer: Option<String>,
    #[serde(default)]
    free: bool,
    #[serde(default)]
    cache: CacheFacts,
    source: Option<String>,
    checked: Option<Date>,
    #[serde(rename = "price")]
    prices: Vec<PriceFacts>,
    #[serde(default, rename = "surcharge")]
    surcharges: Vec<Surcharge>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CacheFacts {
    style: Option<Style>,
    min_tokens: Option<u64>,
    breakpoints: Option<u32>,
    look_back: Option<u32>,
    ttls: Option<Vec<Ttl>>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Style {
    Explicit,
    Automatic,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Ttl {
    #[serde(rename = "5m")]
    FiveMinutes,
    #[serde(rename = "1h")]
    OneHour,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceFacts {
    #[serde(default, deserialize_with = "read_moment")]
    from: Option<Timestamp>,
    #[serde(default)]
    when: Served,
    days: Option<String>,
    #[serde(default)]
    utc: Vec<String>,
    /// Dollars by bucket: a million tokens or characters, a thousand searches, an hour.
    #[serde(deserialize_with = "read_rates")]
    rates: Rates,
}

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
    /// Reads one file of a catalog. What it leaves out of what holds for all models is as in `base`.
    pub(super) fn parse(
        file: &str,
        text: &str,
        base: impl FnOnce(&str) -> Option<About>,
    ) -> Result<ProviderFile, CatalogError> {
        let fail = |problem: String| CatalogError { file: file.into(), problem };
        let facts: FileFacts =
            toml::from_str(text).map_err(|error| fail(error.to_string().trim_end().into()))?;
        let base = base(&facts.provider).unwrap_or_default();
        let (about, models) = facts.split(base);
        let read = |facts: ModelFacts| {
            let (id, line) = (facts.id.get_ref().clone(), line_of(text, facts.id.span().start));
            let model = facts.into_model(&about);
            model
                .map(|model| (model, line))
                .map_err(|problem| fail(format!("line {line}: model {id}: {problem}")))
        };
        let models = models.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(ProviderFile { about, models })
    }
}

/// The line of a place in a text, from one.
fn line_of(text: &str, place: usize) -> usize {
    text.bytes().take(place).filter(|byte| *byte == b'\n').count() + 1
}

// === impl FileFacts ===

impl FileFacts {
    fn split(self, base: About) -> (About, Vec<ModelFacts>) {
        let or = |ours: Vec<String>, theirs| if ours.is_empty() { theirs } else { ours };
        let mut prefixes = or(self.prefixes, base.prefixes);
        if !prefixes.contains(&self.provider) {
            prefixes.push(self.provider.clone());
        }
        let about = About {
            provider: self.provider.into(),
            sources: or(self.sources, base.sources),
            checked: self.checked.or(base.checked),
            tokenizer: self.tokenizer.or(base.tokenizer),
            cache: self.cache.or(&base.cache),
            fallback: or(self.fallback, base.fallback),
            regions: or(self.regions, base.regions),
            prefixes,
        };
        (about, self.models)
    }
}

// === impl ModelFacts ===

impl ModelFacts {
    fn into_model(self, about: &About) -> Result<Model, String> {
        let prices = self.all_prices()?;
        let rates = || self.prices.iter().flat_map(|price| &price.rates);
        if self.free != rates().all(|(_, rate)| rate.is_zero()) {
            return Err(match self.free {
                true => "is `free` and has a price that is not 0; remove one".into(),
                false => "costs nothing; say `free = true` if that is meant".into(),
            });
        }
        let cache = self.cache.or(&about.cache);
        Ok(Model {
            provider: Arc::clone(&about.provider),
            id: self.id.into_inner(),
            aliases: self.aliases,
            mode: self.mode,
            context: self.context,
            max_output: self.max_output,
            retires: self.retires,
            tokenizer: self.tokenizer.or_else(|| about.tokenizer.clone()),
            free: self.free,
            caching: cache.into_terms(&prices),
            sources: self.source.map_or_else(|| about.sources.clone(), |source| vec![source]),
            checked: self.checked.or(about.checked),
            prices: Prices::new(prices),
        })
    }

    fn all_prices(&self) -> Result<Vec<Price>, String> {
        let mut seen = BTreeSet::new();
        if !self
            .prices
            .iter()
            .all(|price| seen.insert((price.from, &price.when, &price.days, &price.utc)))
        {
            return Err("has two prices for the same `when` from the same day; remove one".into());
        }
        if !self.prices.iter().any(PriceFacts::is_standard) {
            return Err("has no price without `when`; add the standard one".into());
        }
        let mut prices = Vec::new();
        for price in &self.prices {
            prices.extend(self.cards(price)?);
        }
        for surcharge in &self.surcharges {
            let subject = prices.iter().filter(|price| surcharge.applies_to(price));
            let dearer: Result<Vec<Price>, Overflow> =
                subject.map(|price| surcharge.on(price)).collect();
            prices.extend(dearer.map_err(|Overflow| "has a surcharge out of all proportion")?);
        }
        Ok(prices)
    }

    /// A price, once for each standard price that it builds upon. A variant inherits what it does not
    /// name, so it changes when the standard price does, until a newer price of the same variant
    /// replaces it. What holds for some hours builds upon the other hours' price in the same way.
    fn cards(&self, price: &PriceFacts) -> Result<Vec<Price>, String> {
        let hours = Hours::read(price.days.as_deref(), &price.utc);
        let hours = hours.map_err(|problem| problem.to_string())?;
        let standard = || self.prices.iter().filter(|price| price.is_standard());
        if price.when.is_empty() && !standard().any(|other| other.from == price.from) {
            return Err(
                "has hours without a price for the other hours; add it, from the same day".into()
            );
        }
        let newer = |other: &&PriceFacts| other.when == price.when && other.from > price.from;
        let end = self.prices.iter().filter(newer).map(|other| other.from).min();
        let lasts = |at: &Option<Timestamp>| *at > price.from && end.is_none_or(|end| *at < end);
        let changes = standard().map(|standard| standard.from).filter(lasts);
        let card = |from: Option<Timestamp>| {
            let begun = standard().filter(|standard| standard.from <= from);
            let newest = begun.max_by_key(|standard| standard.from);
            let mut rates = newest.map(|standard| standard.rates.clone()).unwrap_or_default();
            rates.extend(price.rates.clone());
            Price::new(from, price.when.clone(), hours.clone(), rates)
        };
        Ok(std::iter::once(price.from).chain(changes).map(card).collect())
    }
}

impl PriceFacts {
    fn is_standard(&self) -> bool {
        self.when.is_empty() && self.days.is_none() && self.utc.is_empty()
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
        let scaled = price.rates().iter().map(|(bucket, rate)| {
            let rate = if bucket.is_token() { rate.scaled(self.multiply)? } else { rate.clone() };
            Ok((*bucket, rate))
        });
        Ok(Price::new(price.from, when, price.hours.clone(), scaled.collect::<Result<_, _>>()?))
    }
}

// === impl CacheFacts ===

impl CacheFacts {
    fn or(&self, base: &CacheFacts) -> CacheFacts {
        CacheFacts {
            style: self.style.or(base.style),
            min_tokens: self.min_tokens.or(base.min_tokens),
            breakpoints: self.breakpoints.or(base.breakpoints),
            look_back: self.look_back.or(base.look_back),
            ttls: self.ttls.clone().or_else(|| base.ttls.clone()),
        }
    }

    /// The terms of a model with these prices; `None` without a price for what is read from a cache.
    fn into_terms(self, prices: &[Price]) -> Option<Caching> {
        let has = |bucket| prices.iter().any(|price| price.rates().contains_key(&bucket));
        let style = match self.style? {
            Style::Explicit => CacheStyle::Explicit,
            Style::Automatic => CacheStyle::Automatic,
        };
        let writes_charged = has(Bucket::CacheWrite5m) || has(Bucket::CacheWrite1h);
        let offered =
            |ttl: &Ttl| *ttl == Ttl::FiveMinutes || !writes_charged || has(Bucket::CacheWrite1h);
        let ttl = |ttl: Ttl| match ttl {
            Ttl::FiveMinutes => CacheTtl::FiveMinutes,
            Ttl::OneHour => CacheTtl::OneHour,
        };
        has(Bucket::CacheRead).then(|| Caching {
            style,
            min_tokens: self.min_tokens,
            max_breakpoints: self.breakpoints,
            look_back_blocks: self.look_back,
            ttls: self.ttls.unwrap_or_default().into_iter().filter(offered).map(ttl).collect(),
            writes_charged,
        })
    }
}

/// Reads the moment at which a price begins: a day, from its first second in UTC, or a timestamp.
fn read_moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(Some(moment));
    }
    let day: Date = text.parse().map_err(D::Error::custom)?;
    let midnight = day.to_zoned(TimeZone::UTC).map_err(D::Error::custom)?;
    Ok(Some(midnight.timestamp()))
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
        Ok((bucket, rate))
    };
    let texts = BTreeMap::<String, String>::deserialize(deserializer)?;
    texts.into_iter().map(read).collect::<Result<_, String>>().map_err(D::Error::custom)
}
