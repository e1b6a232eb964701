//! Live events, derived from plain traffic: no client has to say anything that it does not say anyway.
//!
//! | module | holds |
//! |---|---|
//! | `threads` | which conversation a request goes on with |
//! | `runs` | what a run has done so far, and the events that follow from a call |
//! | [`subscription`] | one listener's events: what was missed, then what comes |
//! | [`ag_ui`] | the same events as the AG-UI protocol names them |

pub mod ag_ui;
mod recent;
mod runs;
pub mod subscription;
mod threads;

pub(crate) use recent::Recent;
pub use runs::Turn;
pub(crate) use runs::{Ended, Outcome, Runs};
pub(crate) use threads::{Link, Threads};
