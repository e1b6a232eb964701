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
//! | [`target`] | [`Target`]: a model, and the API that it is asked through |
//! | [`rules`] | [`Rules`]: what a family of models adds to the texts |
//! | [`calibration`] | [`Calibration`]: what settled calls teach about estimates |
//! | [`residuals`] | [`Residuals`]: how far counts are from what is reported |
//! | [`replies`] | [`Replies`]: how long replies are, before there is one |
//! | `family`, `tally` | the shape of rules; adding up by them |
//! | `render`, `definition`, `schema` | tool definitions as the text or JSON that models are shown |
//! | `media`, `document` | images by their size; files by their type, text and pages |
//! | `memo`, `window` | what was counted before; the newest of what was observed |
//!
//! Not here: prices, dialects (crate `farthing-wire` makes the prompt), and usage as providers
//! report it.

pub mod calibration;
pub mod counter;
mod definition;
mod document;
mod family;
mod media;
mod memo;
mod render;
pub mod replies;
pub mod residuals;
pub mod rules;
mod schema;
mod tally;
pub mod target;
mod window;

pub use calibration::{Calibration, Correction};
pub use counter::Counter;
pub use replies::Replies;
pub use residuals::Residuals;
pub use rules::{Rules, RulesError};
pub use target::{Api, Target};
