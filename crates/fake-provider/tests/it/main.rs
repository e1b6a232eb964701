//! Drives the provider as a client does: over TCP.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod answers;
mod anthropic;
mod caching;
mod faults;
mod http;
mod other;
mod server;
mod streams;
