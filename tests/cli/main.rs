//! The command line: the real binary, with arguments, files and variables as its users give them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    unreachable_pub
)]

mod analyze;
mod catalog;
mod config;
mod count;
mod doctor;
mod help;
mod keys;
mod optimize;
mod price;
mod replay;
mod reprice;
mod run;
mod serve;
mod support;
mod verify;
