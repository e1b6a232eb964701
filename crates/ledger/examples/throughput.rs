//! How many calls a second the ledger takes in: each is a hold, its commit, and a settlement.
//!
//! `cargo run --release -p farthing-ledger --example throughput -- [in flight] [seconds] [folder]`

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement: it reads the clock and prints"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use farthing_core::anatomy::{Anatomy, ByKind, Method};
use farthing_core::budget::{Quantity, Rule, ScopeKind, Window};
use farthing_core::clock::Clock;
use farthing_core::entry::{Asked, AttemptId, Bill, Hold, Origin, PricedBy, Who};
use farthing_core::id::{ModelId, ProviderId, RequestId, TenantId, UserId};
use farthing_core::pricing::{self, RateCard};
use farthing_core::usage::{Bucket, Usage};
use farthing_ledger::{Ledger, Options, SqliteStore};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let in_flight: u64 = arguments.next().map_or(64, |text| text.parse().expect("a number"));
    let seconds = arguments.next().map_or(3, |text| text.parse().expect("seconds"));
    let folder = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let file = folder.join(format!("throughput-{}.db", Uuid::now_v7().simple()));
    let store = SqliteStore::open(&file).expect("a new ledger");
    let clock = Clock::new(Timestamp::now);
    let ledger = Ledger::open(store, clock, Options::default()).expect("a new ledger");

    let began = Instant::now();
    let longest = Arc::new(AtomicU64::new(0));
    let waited = Arc::new(AtomicU64::new(0));
    let call = |caller| {
        let (ledger, longest, waited) = (ledger.clone(), longest.clone(), waited.clone());
        tokio::spawn(async move {
            let mut calls = 0_u64;
            while began.elapsed() < Duration::from_secs(seconds) {
                let micros = one_call(&ledger, caller).await;
                longest.fetch_max(micros, Ordering::Relaxed);
                waited.fetch_add(micros, Ordering::Relaxed);
                calls += 1;
            }
            calls
        })
    };
    let callers: Vec<_> = (0..in_flight).map(call).collect();
    let mut calls = 0;
    for caller in callers {
        calls += caller.await.expect("a caller");
    }
    ledger.close().await.expect("a commit");
    let millis = began.elapsed().as_millis();
    let report = ledger.verify().await.expect("a readable ledger");
    println!(
        "{in_flight} in flight: {} calls a second (a hold and a settlement each), hold durable after \
         {} us on average, {} us at most; verified {} entries, {} differences",
        u128::from(calls) * 1_000 / millis,
        waited.load(Ordering::Relaxed) / calls,
        longest.load(Ordering::Relaxed),
        report.entries,
        report.differences.len(),
    );
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
    }
}

/// Gives after how many microseconds the hold was durable.
async fn one_call(ledger: &Ledger, caller: u64) -> u64 {
    let user = UserId::new(&format!("user-{}", caller % 50)).unwrap();
    let who = Arc::new(Who::new(TenantId::new("acme").unwrap(), user));
    let model = ModelId::new("gpt-5").unwrap();
    let now = Timestamp::now();
    let limit = Quantity::Usd("1000000".parse().unwrap());
    let claim = |scope| Rule::new(scope, Window::Day, limit).claim(&who, &model, now).unwrap();
    let hold = Arc::new(Hold {
        amount: "0.10".parse().unwrap(),
        deadline: now + SignedDuration::from_mins(10),
        tokens: 1_300,
        claims: [ScopeKind::Tenant, ScopeKind::User].map(claim).into(),
        asked: Asked {
            provider: ProviderId::new("openai").unwrap(),
            model: model.clone(),
            streamed: true,
            anatomy: Anatomy {
                by_kind: ByKind { user: 300, ..ByKind::default() },
                method: Method::Exact,
                upper_bound: 300,
            },
        },
    });
    let id = AttemptId { request: RequestId::new(Uuid::now_v7()), attempt: 1 };
    let began = Instant::now();
    let held = ledger.hold(id, who, hold, Vec::new()).await.expect("room");
    held.committed().await.expect("a commit");
    let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    held.settle(bill());
    micros
}

fn bill() -> Arc<Bill> {
    let card = r#"{"provider":"openai","model":"gpt-5","rates":{"input":"7","output":"9"}}"#;
    let card = Arc::new(RateCard::from_json(card).unwrap());
    let usage = Usage::NONE.with(Bucket::Input, 300).with(Bucket::Output, 100);
    let cost = card.cost(&usage).unwrap();
    Arc::new(Bill {
        model: ModelId::new("gpt-5-2026-01-01").unwrap(),
        usage,
        origin: Origin::Measured,
        served: pricing::Served::new(),
        cost,
        listed: None,
        charged: cost.usd.unwrap(),
        priced_by: Some(PricedBy { card, rule: pricing::FoundBy::Exact }),
        others: Vec::new(),
    })
}
