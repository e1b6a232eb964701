//! Cuts the bill of a request where that provably saves money.
//!
//! Passes propose byte-range edits of the body, the gate admits those that lower the expected bill,
//! and what no edit touches is sent as it came. Everything is a function of its arguments, time
//! included; what the optimizer remembers only saves it from working anything out twice.
//!
//! | module | holds |
//! |---|---|
//! | [`engine`] | [`Optimizer`]: from a request to the edits that lower its bill |
//! | [`gate`] | the economics: what an edit gains and costs |
//! | [`caching`] | what a provider's cache offers, and at what price |
//! | [`thread`], [`outlook`] | what was before, and the guess at what is to come |
//! | [`breakpoints`], `hints` | L0: where to break a prompt for the cache, for how long, and how to write it |
//! | [`stability`], `tool_order` | L0: what keeps a cache from being found again |
//! | [`keep_warm`] | L0: whether an idle prompt is worth keeping |
//! | `texts`, `regions`, `memo` | L1: which texts may be edited, and what was worked out before |
//! | [`handles`] | L2: what is left out of a text and kept under a handle |
//! | [`codec`] | lossless text codecs, each with its decoder |
//! | [`prose`] | shorter prose, for text that its owner hands over |
//! | [`cache`] | a provider's cache, simulated |
//! | [`mode`], [`edit`], [`receipt`] | how far to go, what is changed, the account of it |

pub mod breakpoints;
pub mod cache;
pub mod caching;
pub mod codec;
pub mod edit;
pub mod engine;
pub mod gate;
pub mod handles;
mod hints;
pub mod keep_warm;
mod memo;
pub mod mode;
pub mod outlook;
pub mod prose;
pub mod receipt;
mod regions;
pub mod stability;
mod texts;
pub mod thread;
mod tool_order;

pub use caching::Caching;
pub use engine::{Optimized, Optimizer, Situation};
pub use hints::Syntax;
pub use mode::Mode;
pub use regions::Observations;
pub use thread::{Habits, Thread};
