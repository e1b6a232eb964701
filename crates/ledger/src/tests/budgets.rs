//! Admission: who gets in, who does not, and that money waits.

use farthing_core::budget::Rejection;
use farthing_core::money::Overflow;

use super::*;
use crate::HoldError;

#[tokio::test]
async fn b9_several_budgets_have_room_or_none_is_touched() {
    let ledger = open(in_memory());
    let (ada, bob) = (who("acme", "ada"), who("acme", "bob"));
    let kept = ledger.hold(attempt(1, 1), ada.clone(), hold(&ada, "6", "10")).await.unwrap();
    // Bob has spent nothing, but the tenant's budget has only four left.
    let refused = ledger.hold(attempt(2, 1), bob.clone(), hold(&bob, "5", "10")).await;
    let HoldError::Refused(refusal) = refused.unwrap_err() else { panic!("no refusal") };
    assert_eq!(&*refusal.tightest.claim.balance.id, "acme");
    assert_eq!(ledger.room(&claims(&bob, "10")[1..]), Some(usd("10")));
    drop(kept);
}

#[tokio::test]
async fn b15_a_refusal_names_scope_limit_spent_and_reset() {
    let ledger = open(in_memory());
    let _open = try_hold(&ledger, 1, "9").await.unwrap();
    let error = try_hold(&ledger, 2, "2").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "budget refused the call: it may cost 2.00, and tenant `acme` has 1.00 of 10.00 left \
         this day (0.00 spent, 9.00 held)"
    );
    let HoldError::Refused(refusal) = error else { panic!("{error}") };
    assert_eq!(refusal.tightest.claim.resets_at.to_string(), "2026-03-15T00:00:00Z");
}
