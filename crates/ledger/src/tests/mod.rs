//! The ledger's tests, and what they share.

mod budgets;
mod conformance;
mod events;
mod faults;
mod properties;
mod sqlite;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use farthing_core::Usd;
use farthing_core::anatomy::{Anatomy, ByKind, Method};
use farthing_core::budget::{Claim, Quantity, Rule, ScopeKind, Window};
use farthing_core::clock::Clock;
use farthing_core::entry::{Asked, AttemptId, Bill, Hold, Origin, PricedBy, Who};
use farthing_core::id::{
    AgentId, KeyId, ModelId, ProviderId, RequestId, TeamId, TenantId, ThreadId, UserId,
};
use farthing_core::pricing::{self, Dimension, RateCard, Served};
use farthing_core::scope::Scope;
use farthing_core::usage::{Bucket, Usage};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::store::sqlite::SqliteStore;
use crate::store::{Store, StoreError};
use crate::{Held, HoldError, Ledger, Options};

/// When the tests take place; no test reads another clock.
const NOW: &str = "2026-03-14T15:09:26.535898Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn clock() -> Clock {
    Clock::new(now)
}

fn usd(text: &str) -> Usd {
    text.parse().unwrap()
}

fn attempt(request: u128, attempt: u32) -> AttemptId {
    AttemptId { request: RequestId::new(Uuid::from_u128(request)), attempt }
}

fn who(tenant: &str, user: &str) -> Arc<Who> {
    Arc::new(Who {
        team: Some(TeamId::new("research").unwrap()),
        key: Some(KeyId::new("key_1").unwrap()),
        agent: Some(AgentId::new("coder").unwrap()),
        thread: Some(ThreadId::new("thread-1").unwrap()),
        ..Who::new(TenantId::new(tenant).unwrap(), UserId::new(user).unwrap())
    })
}

fn everyone_of(tenant: &str) -> Scope {
    Scope::all_users(TenantId::new(tenant).unwrap())
}

fn only(tenant: &str, user: &str) -> Scope {
    Scope::user(TenantId::new(tenant).unwrap(), UserId::new(user).unwrap())
}

/// The tenant's and the user's budget of the day, each with this limit.
fn claims(who: &Who, limit: &str) -> Vec<Claim> {
    let model = ModelId::new("gpt-5").unwrap();
    let rule = |scope| Rule::new(scope, Window::Day, Quantity::Usd(usd(limit)));
    let claim = |scope| rule(scope).claim(who, &model, now()).unwrap();
    [ScopeKind::Tenant, ScopeKind::User].map(claim).to_vec()
}

fn hold(who: &Who, amount: &str, limit: &str) -> Arc<Hold> {
    Arc::new(Hold {
        amount: usd(amount),
        tokens: 500,
        deadline: now() + SignedDuration::from_mins(10),
        claims: claims(who, limit),
        asked: Asked {
            provider: ProviderId::new("openai").unwrap(),
            model: ModelId::new("gpt-5").unwrap(),
            streamed: true,
            anatomy: Anatomy {
                by_kind: ByKind { system: 10, user: 90, ..ByKind::default() },
                method: Method::Exact,
                upper_bound: 100,
            },
        },
    })
}

/// 400 tokens, a quarter of them from the cache, an eighth of them thought: 0.00145 dollars.
fn usage() -> Usage {
    let prompt = Usage::NONE.with(Bucket::Input, 200).with(Bucket::CacheRead, 100);
    prompt.with(Bucket::Output, 50).with(Bucket::OutputReasoning, 50)
}

const COST: &str = "0.00145";

fn bill() -> Arc<Bill> {
    let rates = r#"{"input":"2000000","cache_read":"500000","output":"10000000"}"#;
    let card = format!(r#"{{"provider":"openai","model":"gpt-5","rates":{rates}}}"#);
    let card = Arc::new(RateCard::from_json(&card).unwrap());
    let cost = card.cost(&usage()).unwrap();
    Arc::new(Bill {
        model: ModelId::new("gpt-5-2026-01-01").unwrap(),
        usage: usage(),
        origin: Origin::Measured,
        served: Served::from([(Dimension::Geo, "us".to_owned())]),
        cost,
        listed: None,
        charged: cost.usd.unwrap(),
        priced_by: Some(PricedBy { card, rule: pricing::FoundBy::Snapshot }),
        others: Vec::new(),
    })
}

fn open(store: impl Store + 'static) -> Ledger {
    Ledger::open(store, clock(), Options::default()).unwrap()
}

/// Names a memory that no other test uses.
fn fresh_name() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    format!("test-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

fn in_memory() -> SqliteStore {
    SqliteStore::in_memory(&fresh_name()).unwrap()
}

/// Holds `amount` for attempt 1 of a request by the only user of the tenant `acme`.
async fn try_hold(ledger: &Ledger, request: u128, amount: &str) -> Result<Held, HoldError> {
    let who = who("acme", "ada");
    let hold = hold(&who, amount, "10");
    ledger.hold(attempt(request, 1), who, hold, Vec::new()).await
}

/// What is held and spent of that tenant's budget.
fn balance(ledger: &Ledger) -> (Usd, Usd) {
    let claims = claims(&who("acme", "ada"), "10");
    let balance = ledger.balance(&claims[0].balance);
    assert_eq!(ledger.balance(&claims[1].balance), balance, "its only user has the same");
    (balance.held.usd, balance.spent.usd)
}

/// Opens what another writer is about to close.
fn once_free<T>(open: impl Fn() -> Result<T, StoreError>) -> T {
    for _ in 0..5_000 {
        match open() {
            Err(StoreError::InUse { .. }) => std::thread::park_timeout(Duration::from_millis(1)),
            opened => return opened.unwrap(),
        }
    }
    panic!("the other writer does not close");
}
