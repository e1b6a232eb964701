//! The story of one call, without HTTP, and what belongs to it.
//!
//! The gateway turns HTTP into values and the outcome back into an answer; between them stands
//! [`flow`], which reads as the list of its steps. An agent written in Rust calls it directly.
//!
//! | module | holds |
//! |---|---|
//! | [`flow`] | count, optimize, price, hold, call, meter, settle, emit |
//! | [`access`] | who may call: keys |
//! | [`alerts`] | thresholds, each told once |
//! | [`attempts`] | whether to try again, whom, and when |
//! | [`budgets`] | the limits on spending, which may change while it runs |
//! | [`terms`] | a shorter answer or a cheaper model, where there is no room for more |
//! | [`call`] | what the steps hand to one another |
//! | [`engine`] | [`Engine`], the parts that the steps use |
//! | `outgoing` | the request as it goes to a provider |
//! | [`rates`] | how fast callers may be |
//! | [`sessions`] | what each conversation and run has come to |
//! | [`savings`] | the optimizer, live |
//! | [`tariff`] | the one place that turns consumption into money |
//! | [`reprice`] | calls without a price get the one that is known by now |
//! | [`meter`] | reading an answer while it passes |
//! | [`client`] | the way back to whoever asked |
//! | [`live`] | live events, derived from plain traffic |
//! | [`metrics`] | what is counted for operators |
//! | `residuals` | what bills teach about our own counts |
//! | [`failure`] | what can go wrong, and what to do |

pub mod access;
pub mod alerts;
pub mod attempts;
pub mod budgets;
pub mod call;
pub mod client;
pub mod engine;
pub mod failure;
pub mod flow;
pub mod live;
pub mod meter;
pub mod metrics;
mod outgoing;
pub mod rates;
pub mod reprice;
mod residuals;
pub mod savings;
pub mod sessions;
pub mod tariff;
pub mod terms;

pub use call::{Ask, Purpose};
pub use client::{Answering, Chunks, Client, Head, Receipt};
pub use engine::{Engine, Parts};
pub use failure::Failure;
pub use farthing_upstream::{BreakerState, Deployment, Route, Stage};
pub use savings::Mode;
