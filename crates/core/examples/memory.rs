//! How much memory contexts and sessions take, and how long they last, measured from outside.
//!
//!     cargo run --release -p farthing-core --example memory
//!
//! Contexts: twice the operations should take twice the time and twice the memory. Sessions: memory
//! after a million should be that after the first hundred thousand.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "it prints what it measured")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

use std::fs;
use std::time::Instant;

use farthing_core::Usd;
use farthing_core::context::Context;
use farthing_core::entry::Who;
use farthing_core::id::{ModelId, RequestId, TenantId, ThreadId, UserId};
use farthing_core::pricing::{Cost, CostStatus};
use farthing_core::session::{SessionFactory, SessionLimits};
use farthing_core::tally::Operation;
use farthing_core::usage::{Bucket, Usage};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

fn main() {
    println!(
        "operations   ns/operation   bytes/operation   (all versions of the context are kept)"
    );
    for operations in [1_000, 10_000, 100_000] {
        contexts(operations);
    }
    println!("\nsessions   resident KiB   live   made   expired   displaced   ns/session");
    sessions();
}

fn contexts(operations: usize) {
    let who = Who::new(TenantId::new("acme").unwrap(), UserId::new("ada").unwrap());
    let operation = operation();
    let (began, before) = (Instant::now(), resident());
    let mut versions = Vec::with_capacity(operations + 1);
    versions.push(Context::new(who, RequestId::new(Uuid::nil()), Timestamp::UNIX_EPOCH));
    for number in 0..operations {
        versions.push(versions[number].track_usage(operation.clone()));
    }
    let (took, grown) = (began.elapsed().as_nanos(), resident().saturating_sub(before));
    let each = |sum: u128| sum / operations as u128;
    println!("{operations:>10} {:>14} {:>17}", each(took), each(u128::from(grown)));
}

/// A million sessions: a thousand users, a new thread a second, each with a few operations.
fn sessions() {
    const SESSIONS: i64 = 1_000_000;
    let limits = SessionLimits { all: 20_000, ..SessionLimits::default() };
    let mut factory = SessionFactory::new(limits);
    let tenant = TenantId::new("acme").unwrap();
    let users: Vec<_> = (0..1_000).map(|n| UserId::new(&format!("user-{n}")).unwrap()).collect();
    let operation = operation();
    let (began, mut summaries) = (Instant::now(), 0);
    for number in 1..=SESSIONS {
        let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(number * 13);
        let user = users[usize::try_from(number).unwrap() % users.len()].clone();
        let thread = ThreadId::new(&format!("thread-{number}")).ok();
        let who = Who { thread, ..Who::new(tenant.clone(), user) };
        let opened = factory.open(&who, at).unwrap();
        summaries += opened.ended.len();
        for _ in 0..3 {
            opened.session.track(&operation);
        }
        summaries += factory.sweep(at, 16).len();
        if number % 100_000 == 0 {
            let health = factory.health();
            let counters = health.counters;
            println!(
                "{number:>8} {:>14} {:>6} {:>7} {:>9} {:>11} {:>12}",
                resident() / 1_024,
                health.len,
                counters.made,
                counters.expired,
                counters.displaced,
                began.elapsed().as_nanos() / u128::try_from(number).unwrap(),
            );
        }
    }
    assert_eq!(summaries + factory.health().len, usize::try_from(SESSIONS).unwrap(), "none lost");
}

fn operation() -> Operation {
    let known = Cost::unknown(CostStatus::Priced);
    Operation {
        at: Timestamp::UNIX_EPOCH,
        agent: None,
        model: ModelId::new("gpt-5").unwrap(),
        usage: Usage::NONE.with(Bucket::Input, 900).with(Bucket::Output, 100),
        cost: Cost { usd: Some(Usd::from_pico(7)), ..known },
    }
}

/// Memory of this process that is in RAM, in bytes; zero where the system does not say.
fn resident() -> u64 {
    const PAGE: u64 = 4_096;
    let pages = fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * PAGE
}
