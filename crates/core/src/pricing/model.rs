//! What the catalog knows of one model.

use std::cmp::Reverse;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use jiff::civil::Date;

use super::card::{RateCard, Rates};
use super::hours::Hours;
use super::served::{Dimension, REGIONAL, Served};
use crate::usage::CacheTtl;

/// A model's facts.
#[derive(Clone, Debug)]
pub struct Model {
    /// Whose it is, as the catalog names it.
    pub provider: Arc<str>,
    /// The catalog's name.
    pub id: String,
    /// Other names that lead to it; `#` stands for a digit.
    pub aliases: Vec<String>,
    /// What it is for: chat, embedding, image_generation.
    pub mode: Option<String>,
    /// The longest prompt and answer together, in tokens.
    pub context: Option<u64>,
    /// The longest answer, in tokens.
    pub max_output: Option<u64>,
    /// The last day on which the provider answers.
    pub retires: Option<Date>,
    /// The vocabulary by which it counts.
    pub tokenizer: Option<String>,
    /// Whether a price of zero is meant.
    pub free: bool,
    /// Prompt caching, where the model has it and its terms are known.
    pub caching: Option<Caching>,
    /// Where the facts are from.
    pub sources: Vec<String>,
    /// The day on which they were last compared with their source.
    pub checked: Option<Date>,
    pub(super) prices: Prices,
}

/// A model's prices, the most specific first and of those the newest.
#[derive(Clone, Debug)]
pub(super) struct Prices(Vec<Price>);

/// One rate card and when it holds.
#[derive(Clone, Debug)]
pub struct Price {
    /// The moment at which it begins; without one it always held.
    pub from: Option<Timestamp>,
    /// How a request has to be served.
    pub when: Served,
    /// The hours at which it holds; without any, always.
    pub hours: Option<Hours>,
    card: OnceLock<Arc<RateCard>>,
    rates: Rates,
}

/// The terms of a model's prompt cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caching {
    /// Who decides what is cached.
    pub style: CacheStyle,
    /// The shortest prompt prefix that is cached, in tokens.
    pub min_tokens: Option<u64>,
    /// The most marks that a request may have.
    pub max_breakpoints: Option<u32>,
    /// How many content blocks before a mark are looked through for an earlier one.
    pub look_back_blocks: Option<u32>,
    /// How long what is written may live, shortest first.
    pub ttls: Vec<CacheTtl>,
    /// Whether a write has a price of its own; else it costs what plain input does.
    pub writes_charged: bool,
}

/// Who decides what of a prompt is cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheStyle {
    /// The client, by marks.
    Explicit,
    /// The provider, for any prefix that it has seen before.
    Automatic,
}

// === impl Model ===

impl Model {
    /// Every price that the model ever had, the most specific first and of those the newest.
    pub fn prices(&self) -> &[Price] {
        &self.prices.0
    }

    /// The price that holds at a moment for a request served so: the variant that fits most closely
    /// (of two that fit equally, that of the earlier [`Dimension`]), of its prices the newest that
    /// has begun, and of those that for the hour.
    pub fn price_at(&self, at: Timestamp, served: &Served) -> Option<&Price> {
        self.prices.0.iter().find(|price| price.holds_at(at) && price.fits(served))
    }

    /// The prices that a call at a moment may get, however it is served.
    pub fn possible_at(&self, at: Timestamp) -> impl Iterator<Item = &Price> {
        let begun = move |price: &&Price| price.from.is_none_or(|from| from <= at);
        let replaced = move |price: &&Price| {
            let newer = |other: &&Price| other.when == price.when && other.from > price.from;
            self.prices.0.iter().filter(begun).any(|other| newer(&other))
        };
        self.prices.0.iter().filter(begun).filter(move |price| !replaced(price))
    }
}

// === impl Prices ===

impl Prices {
    pub(super) fn new(mut prices: Vec<Price>) -> Prices {
        prices.sort_by_key(|price| Reverse(price.rank()));
        Prices(prices)
    }
}

// === impl Price ===

impl Price {
    pub(super) fn new(
        from: Option<Timestamp>,
        when: Served,
        hours: Option<Hours>,
        rates: Rates,
    ) -> Price {
        Price { from, when, hours, rates, card: OnceLock::new() }
    }

    /// The rates as a card, made when it is first asked for.
    pub(super) fn card(&self, model: &Model) -> &Arc<RateCard> {
        self.card.get_or_init(|| Arc::new(RateCard::new(&model.provider, &model.id, &self.rates)))
    }

    pub(super) const fn rates(&self) -> &Rates {
        &self.rates
    }

    fn holds_at(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at)
            && self.hours.as_ref().is_none_or(|hours| hours.contain(at))
    }

    fn fits(&self, served: &Served) -> bool {
        self.when
            .iter()
            .all(|(what, wanted)| served.get(what).is_some_and(|how| what.fits(wanted, how)))
    }

    /// How closely it describes a request: how many dimensions, which, whether a place by its name;
    /// then its beginning, and whether it has hours.
    fn rank(&self) -> impl Ord + use<> {
        let dimensions: Vec<_> = self.when.keys().map(|what| Reverse(*what)).collect();
        let named = self.when.get(&Dimension::Geo).is_some_and(|place| place != REGIONAL);
        (self.when.len(), dimensions, named, self.from, self.hours.is_some())
    }
}

// === impl CacheStyle ===

impl CacheStyle {
    /// The style's name in catalogs and answers.
    pub const fn name(self) -> &'static str {
        match self {
            CacheStyle::Explicit => "explicit",
            CacheStyle::Automatic => "automatic",
        }
    }
}
