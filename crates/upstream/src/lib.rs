//! Calling providers: one pooled client, timeouts, and errors that say what may have been billed.
//!
//! It sends bytes and hands bytes back as they come; what they mean is the dialect's business.
//! Whether to try again is the engine's decision, because every attempt is a hold of its own.
//!
//! | module | holds |
//! |---|---|
//! | [`breaker`] | leaving a provider alone that has failed again and again |
//! | [`client`] | [`Upstream`], the pooled client, and the answer's body |
//! | [`deployment`] | one configured address and key |
//! | [`error`] | what can go wrong on the way |
//! | [`headers`] | which headers pass, in either direction |

pub mod breaker;
pub mod client;
pub mod deployment;
pub mod error;
pub mod headers;

pub use breaker::{Breaker, BreakerLimits, Permit, State as BreakerState};
pub use client::{Answer, Body, Timeouts, Upstream};
pub use deployment::{Deployment, KeylessFallback, Route, Secret};
pub use error::{CallError, Stage};
