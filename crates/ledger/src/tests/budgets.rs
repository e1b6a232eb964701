//! Admission: who gets in, who does not, and that an ending is never refused.

use farthing_core::entry::Part;
use farthing_core::pricing::{Cost, CostStatus};

use super::*;
use crate::verify;

#[tokio::test]
async fn b9_several_budgets_have_room_or_none_is_touched() {
    let ledger = open(in_memory());
    let (ada, bob) = (who("acme", "ada"), who("acme", "bob"));
    let _open =
        ledger.hold(attempt(1, 1), ada.clone(), hold(&ada, "6", "10"), Vec::new()).await.unwrap();
    // Bob himself has spent nothing, but the tenant's budget has only four left.
    let refused = ledger.hold(attempt(2, 1), bob.clone(), hold(&bob, "5", "10"), Vec::new()).await;
    let HoldError::Refused(refusal) = refused.unwrap_err() else { panic!("no refusal") };
    assert_eq!(&*refusal.tightest.claim.balance.id, "acme");
    assert_eq!(ledger.room(&claims(&bob, "10")[1..]), Some(usd("10")));
}

#[tokio::test]
async fn b15_a_refusal_names_scope_limit_spent_and_reset() {
    let ledger = open(in_memory());
    let _open = try_hold(&ledger, 1, "9").await.unwrap();
    let refused = try_hold(&ledger, 2, "2").await.unwrap_err();
    let HoldError::Refused(refusal) = refused else { panic!("{refused}") };
    let tightest = refusal.tightest;
    assert_eq!((refusal.wanted.usd, tightest.claim.limit), (usd("2"), Quantity::Usd(usd("10"))));
    assert_eq!((tightest.balance.held.usd, tightest.balance.spent.usd), (usd("9"), Usd::ZERO));
    assert_eq!(tightest.claim.resets_at(), "2026-03-15T00:00:00Z".parse().ok());
}

#[tokio::test]
async fn a_call_that_costs_more_than_was_held_is_recorded_in_full() {
    let ledger = open(in_memory());
    let ended = try_hold(&ledger, 1, "0.001").await.unwrap().settle(bill());
    assert!(ended.what.is_overrun());
    assert_eq!(balance(&ledger), (Usd::ZERO, usd(COST)));
}

#[tokio::test]
async fn an_unknown_cost_stays_unknown_and_still_counts_against_budgets() {
    let ledger = open(in_memory());
    let cost = Cost::unknown(CostStatus::Unpriced);
    let unpriced = Bill { cost, charged: usd("0.05"), priced_by: None, ..Bill::clone(&bill()) };
    try_hold(&ledger, 1, "0.10").await.unwrap().settle(Arc::new(unpriced));
    ledger.flush().await.unwrap();
    let request =
        ledger.request(everyone_of("acme"), attempt(1, 1).request).await.unwrap().unwrap();
    let json = serde_json::to_value(&request).unwrap();
    assert_eq!(json["attempts"][0]["cost"]["usd"], serde_json::Value::Null);
    assert_eq!(json["attempts"][0]["cost"]["status"], "unpriced");
    assert_eq!(
        (json["cost"]["unknown"].as_u64(), json["charged"].as_str()),
        (Some(1), Some("0.05"))
    );
    assert_eq!(balance(&ledger), (Usd::ZERO, usd("0.05")));
    assert_eq!(ledger.verify().await.unwrap().differences, []);
}

#[tokio::test]
async fn a_cost_is_shown_as_a_decimal_text_and_in_pico_dollars() {
    let ledger = open(in_memory());
    try_hold(&ledger, 1, "0.10").await.unwrap().settle(bill());
    ledger.flush().await.unwrap();
    let request = ledger.request(everyone_of("acme"), attempt(1, 1).request).await.unwrap();
    let json = serde_json::to_value(request.unwrap()).unwrap();
    for cost in [&json["cost"], &json["attempts"][0]["cost"]] {
        assert_eq!(
            (cost["usd"].as_str(), cost["pico_usd"].as_u64()),
            (Some(COST), Some(1_450_000_000))
        );
    }
    assert_eq!(json["attempts"][0]["cost"]["status"], "priced");
    assert_eq!(json["attempts"][0]["held"], "0.10");
}

#[tokio::test]
async fn absurd_amounts_are_refused_and_absurd_bills_charge_the_hold() {
    let ledger = open(in_memory());
    for amount in ["-0.01", "1000000000.01"] {
        let error = try_hold(&ledger, 1, amount).await.unwrap_err();
        assert!(matches!(error, HoldError::Overflow(_)), "{error}");
    }
    for (request, charged) in [(1, "-0.01"), (2, "1000000000.01")] {
        let absurd = Bill { charged: usd(charged), ..Bill::clone(&bill()) };
        let ended = try_hold(&ledger, request, "0.10").await.unwrap().settle(Arc::new(absurd));
        assert_eq!((ended.what.name(), ended.what.charged()), ("expire", usd("0.10")));
    }
    ledger.flush().await.unwrap();
    assert_eq!(balance(&ledger), (Usd::ZERO, usd("0.20")));
}

#[tokio::test]
async fn an_attempt_is_held_once() {
    let ledger = open(in_memory());
    let held = try_hold(&ledger, 1, "0.10").await.unwrap();
    let again = try_hold(&ledger, 1, "0.10").await.unwrap_err();
    assert_eq!(again, HoldError::AlreadyHeld(attempt(1, 1)));
    assert_eq!(balance(&ledger), (usd("0.10"), Usd::ZERO));
    assert_eq!(held.entry().what.hold().amount, usd("0.10"));
}

#[tokio::test]
async fn balances_of_past_windows_are_forgotten_once_they_hold_nothing() {
    let hours = Arc::new(AtomicU64::new(0));
    let time = Arc::clone(&hours);
    let clock = Clock::new(move || {
        now() + SignedDuration::from_hours(time.load(Ordering::SeqCst).cast_signed())
    });
    let ledger = Ledger::open(in_memory(), clock, Options::default()).unwrap();
    let running = try_hold(&ledger, 1, "0.10").await.unwrap();
    try_hold(&ledger, 2, "0.10").await.unwrap().settle(bill());
    ledger.flush().await.unwrap();
    assert_eq!(balance(&ledger), (usd("0.10"), usd(COST)));

    hours.store(24, Ordering::SeqCst);
    try_hold(&ledger, 3, "0.10").await.unwrap().void("refused");
    ledger.flush().await.unwrap();
    assert_eq!(balance(&ledger), (usd("0.10"), usd(COST)), "the old window still holds something");

    running.settle(bill());
    hours.store(26, Ordering::SeqCst);
    try_hold(&ledger, 4, "0.10").await.unwrap().void("refused");
    ledger.flush().await.unwrap();
    assert_eq!(balance(&ledger), (Usd::ZERO, Usd::ZERO));
    let report = ledger.verify().await.unwrap();
    assert_eq!((report.spent, report.differences), (usd("0.0029"), vec![]));
}

#[tokio::test]
async fn the_providers_own_charge_stands_beside_ours_and_every_models_card_is_kept() {
    let store = in_memory();
    let mut reader = store.reader().unwrap();
    let ledger = open(store);
    let own = bill();
    let part = Part {
        model: "gpt-5-advisor".to_owned(),
        usage: usage(),
        priced_by: own.priced_by.clone(),
    };
    let reported = |listed: &str| {
        Arc::new(Bill {
            usage: usage().plus(&usage()),
            cost: Cost::reported(usd("0.003")),
            charged: usd("0.003"),
            listed: Some(usd(listed)),
            others: vec![part.clone()],
            ..Bill::clone(&own)
        })
    };
    try_hold(&ledger, 1, "0.10").await.unwrap().settle(reported("0.0029"));
    ledger.flush().await.unwrap();
    let detail = ledger.request(everyone_of("acme"), attempt(1, 1).request).await.unwrap();
    let cost = serde_json::to_value(detail.unwrap()).unwrap()["attempts"][0]["cost"].clone();
    assert_eq!((&cost["status"], &cost["usd"]), (&"provider_reported".into(), &"0.003".into()));
    assert_eq!((&cost["list_usd"], &cost["difference_usd"]), (&"0.0029".into(), &"0.0001".into()));
    let report = verify(&mut *reader).unwrap();
    assert_eq!((report.differences, report.costs.derived, report.costs.reported), (vec![], 1, 1));
    // Twice the sample's cost is 0.0029: anything else is told.
    try_hold(&ledger, 2, "0.10").await.unwrap().settle(reported("0.00145"));
    ledger.flush().await.unwrap();
    assert_eq!(verify(&mut *reader).unwrap().differences.len(), 1);
}
