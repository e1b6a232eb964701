//! The real binary over loopback, with the fake provider behind it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

mod answers;
mod anthropic;
mod bad_input;
mod budgets;
mod control;
mod crash;
mod events;
mod faults;
mod own_api;
mod repeats;
mod retries;
mod streams;
mod support;
