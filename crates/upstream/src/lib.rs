//! Calling providers: one pooled client, timeouts, and errors that say what may have been billed.
//!
//! It sends bytes and hands bytes back as they come; what they mean is the dialect's business.
//! Retries, breakers and fallbacks belong here and come with the next step.
//!
//! | module | holds |
//! |---|---|
//! | [`client`] | [`Upstream`], the pooled client, and the answer's body |
//! | [`deployment`] | one configured address and key |
//! | [`error`] | what can go wrong on the way |
//! | [`headers`] | which headers pass, in either direction |

pub mod client;
pub mod deployment;
pub mod error;
pub mod headers;

pub use client::{Answer, Body, Timeouts, Upstream};
pub use deployment::{Deployment, Secret};
pub use error::{CallError, Stage};
