#![allow(clippy::unwrap_used, reason = "a test, helpers included")]

use std::collections::BTreeMap;
use std::sync::Arc;

use farthing_core::Usd;
use farthing_core::clock::Clock;
use farthing_core::entry::Who;
use farthing_core::id::{RequestId, TenantId, UserId};
use farthing_core::scope::Scope;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::*;
use crate::{Ledger, Options, SqliteStore};

fn who(tenant: &str, user: &str) -> Arc<Who> {
    Arc::new(Who::new(TenantId::new(tenant).unwrap(), UserId::new(user).unwrap()))
}

/// A call that would have cost a hundred.
fn saving(number: u128, user: &str, paid: i128) -> Saving {
    let usd = Usd::from_pico;
    let pass = Pass { edits: 2, tokens: 40, saved_usd: Some(usd(100 - paid)) };
    Saving {
        request: RequestId::new(Uuid::from_u128(number)),
        who: who("t", user),
        at: Timestamp::UNIX_EPOCH,
        mode: "safe".to_owned(),
        held_out: false,
        conversation: number.to_string(),
        tokens_before: 100,
        tokens_after: 60,
        paid: Some(usd(paid)),
        would_have_paid: Some(usd(100)),
        uncached: Some(usd(100)),
        passes: BTreeMap::from([("table".to_owned(), pass)]),
        receipt: Value::Null,
    }
}

async fn ledger(name: &str, savings: Vec<Saving>) -> Ledger {
    let store = SqliteStore::in_memory(name).unwrap();
    let ledger =
        Ledger::open(store, Clock::new(|| Timestamp::UNIX_EPOCH), Options::default()).unwrap();
    for saving in savings {
        ledger.save(saving).await.unwrap();
    }
    ledger.flush().await.unwrap();
    ledger
}

async fn asked(ledger: &Ledger, scope: Scope, by: Option<SavingsBy>) -> Savings {
    ledger.savings(scope, Timestamp::MIN, Timestamp::MAX, by).await.unwrap()
}

fn all() -> Scope {
    Scope::all_users(TenantId::new("t").unwrap())
}

#[tokio::test]
async fn a_loss_is_shown_as_one_and_unknown_ones_are_in_no_sum() {
    let unknown = Saving { paid: None, ..saving(3, "ann", 0) };
    let ledger = ledger("losses", vec![saving(1, "ann", 130), saving(2, "ben", 90), unknown]).await;
    let savings = asked(&ledger, all(), Some(SavingsBy::User)).await;
    let nets: Vec<_> = savings.data.iter().map(|row| row.net_usd.pico()).collect();
    assert_eq!(nets, [-30, 10]);
    assert_eq!((savings.total.count, savings.total.unknown), (3, 1));
    assert_eq!(savings.total.net_usd.pico(), -20);
    assert_eq!(savings.total.tokens_saved, 120);
}

#[tokio::test]
async fn nobody_sees_anybody_elses_savings() {
    let ledger = ledger("scopes", vec![saving(1, "ann", 50), saving(2, "ben", 50)]).await;
    let mine = Scope::user(TenantId::new("t").unwrap(), UserId::new("ann").unwrap());
    assert_eq!(asked(&ledger, mine, None).await.total.count, 1);
    let theirs = Scope::all_users(TenantId::new("other").unwrap());
    assert_eq!(asked(&ledger, theirs, None).await.total.count, 0);
}

#[tokio::test]
async fn what_was_held_out_is_compared_and_in_no_sum() {
    let held_out = |number, paid| Saving { held_out: true, ..saving(number, "ann", paid) };
    let savings =
        vec![saving(1, "ann", 60), saving(2, "ann", 70), held_out(3, 95), held_out(4, 99)];
    let ledger = ledger("arms", savings).await;
    let found = asked(&ledger, all(), None).await;
    assert_eq!(found.total.count, 2);
    let Comparison { optimized, held_out, saved_per_million, confidence_95 } =
        found.holdout.unwrap();
    assert_eq!((optimized.paid_per_million, held_out.paid_per_million), (650_000, 970_000));
    assert_eq!(saved_per_million, 320_000);
    // Standard errors of 50,000 and 20,000: 1.96 of their root sum of squares to each side.
    let [low, high] = confidence_95;
    assert!(
        (213_000..216_000).contains(&low) && (424_000..427_000).contains(&high),
        "{low} {high}"
    );
}

#[tokio::test]
async fn what_was_decided_is_found_by_the_newest_place() {
    let ledger = ledger("decided", Vec::new()).await;
    for (link, json) in [("a", "1"), ("b", "2"), ("b", "3")] {
        let (link, json) = (link.to_owned(), json.to_owned());
        ledger.decide(Decided { who: who("t", "ann"), link, json }, true).await.unwrap();
    }
    let found = |user: &str, links: &[&str]| {
        let links = links.iter().map(|link| (*link).to_owned()).collect();
        ledger.decided(TenantId::new("t").unwrap(), UserId::new(user).unwrap(), links)
    };
    assert_eq!(found("ann", &["c", "b", "a"]).await.unwrap().as_deref(), Some("3"));
    assert_eq!(found("ann", &["a"]).await.unwrap().as_deref(), Some("1"));
    assert_eq!(found("ben", &["a", "b"]).await.unwrap(), None);
}
