//! Prices: from facts in a catalog to the cost of a call.
//!
//! [`Catalog`] holds the facts, [`Catalog::resolve`] finds the [`RateCard`] of a model at a moment,
//! [`RateCard::cost`] applies it to a [`Usage`](crate::usage::Usage). A [`Cost`] says how sure it
//! is; an unknown price is never zero.

mod card;
mod catalog;
mod check;
mod cost;
mod embedded;
mod file;
mod found;
mod hours;
mod joint;
mod memory;
mod model;
mod names;
mod provider;
mod rate;
mod served;

pub use card::{CardHash, RateCard, Rates, WorstCase};
pub use catalog::{Catalog, Overrides};
pub use check::{Finding, Severity};
pub use cost::{Cost, CostStatus};
pub use file::CatalogError;
pub use found::{FoundBy, Resolved, Unresolved};
pub use hours::Hours;
pub use model::{CacheStyle, Caching, Model, Price};
pub use rate::{Fraction, InvalidRate, Rate, TieredRate, per};
pub use served::{Dimension, Served};
