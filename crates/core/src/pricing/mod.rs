//! Prices: from facts in a catalog to the cost of a call.
//!
//! [`Catalog`] holds the facts, [`Catalog::resolve`] finds the [`RateCard`] of a model at a moment,
//! [`RateCard::cost`] applies it to a [`Usage`](crate::usage::Usage). A [`Cost`] says how sure it
//! is; an unknown price is never zero.

mod card;
mod catalog;
mod cost;
mod embedded;
mod facts;
mod rate;

pub use card::{CardHash, RateCard, WorstCase};
pub use catalog::{Catalog, Resolved, Rule, Unresolved};
pub use cost::{Cost, CostStatus};
pub use facts::{CatalogError, Dimension, Model, Served};
pub use rate::{Fraction, InvalidRate, Rate, TieredRate};
