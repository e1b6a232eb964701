//! Counts the tokens of a request, by kind.
//!
//! A request is more than its texts: each message, name and tool is framed by tokens of the
//! provider's own. Which, is data (`catalog/tokens/*.toml`), one set of rules per family of models;
//! the code only adds up.
//!
//! Counting is a pure function of the prompt, linear in its size and of bounded depth. What it
//! says is exact only where the vocabulary is known and the rules are published or borne out by
//! recorded requests; all else is called estimated and comes with a bound.
//!
//! | module | holds |
//! |---|---|
//! | [`counter`] | [`Counter`]: prompt to anatomy |
//! | [`rules`] | [`Rules`]: what a family of models adds to the texts |
//! | `render`, `definition` | tool definitions as the text or JSON that models are shown |
//!
//! Not here: prices, dialects (crate `farthing-wire` makes the prompt), and usage as providers
//! report it.

pub mod counter;
mod definition;
mod render;
pub mod rules;

pub use counter::Counter;
pub use rules::{Rules, RulesError};
