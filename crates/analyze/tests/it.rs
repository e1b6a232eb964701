//! Logs of every program, as files, to reports.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]

#[path = "it/bad_input.rs"]
mod bad_input;
#[path = "it/claude_code.rs"]
mod claude_code;
#[path = "it/formats.rs"]
mod formats;
#[path = "it/support.rs"]
mod support;
#[path = "it/waste.rs"]
mod waste;
