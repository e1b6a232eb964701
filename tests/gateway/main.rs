//! The real binary over loopback, with the fake provider behind it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

mod answers;
mod anthropic;
mod bad_input;
#[path = "../clients/bill.rs"]
mod bill;
mod budgets;
mod control;
mod crash;
mod dialects;
mod events;
mod faults;
mod gemini;
mod own_api;
mod repeats;
mod retries;
mod savings;
mod streams;
mod support;
