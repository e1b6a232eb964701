//! What commands and the demo print with.

pub(crate) mod figures;
mod output;

pub(crate) use output::Output;
