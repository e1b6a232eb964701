//! What the state machine promises: nothing is overspent, nothing is lost, a no changes nothing.

use uuid::Uuid;

use super::*;
use crate::anatomy::{Anatomy, ByKind, Method};
use crate::budget::{Policy, Quantity, Rule, ScopeKind, Window};
use crate::entry::{Asked, Bill, Origin};
use crate::id::{ModelId, ProviderId, RequestId, TenantId, UserId};
use crate::pricing::{Cost, CostStatus, Served};
use crate::usage::Usage;

pub(super) const NOON: &str = "2026-11-22T12:00:00Z";

pub(super) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn usd(text: &str) -> Usd {
    text.parse().unwrap()
}

pub(super) fn attempt(number: u32) -> AttemptId {
    AttemptId { request: RequestId::new(Uuid::nil()), attempt: number }
}

pub(super) fn model() -> ModelId {
    ModelId::new("gpt-5").unwrap()
}

pub(super) fn who(user: &str) -> Arc<Who> {
    Arc::new(Who::new(TenantId::new("acme").unwrap(), UserId::new(user).unwrap()))
}

fn claim(scope: ScopeKind, user: &str, limit: &str, at: &str) -> Claim {
    let rule = Rule::new(scope, Window::Day, Quantity::Usd(usd(limit)));
    rule.claim(&who(user), &model(), time(at)).unwrap()
}

pub(super) fn user(limit: &str) -> Claim {
    claim(ScopeKind::User, "ada", limit, NOON)
}

fn tenant(limit: &str) -> Claim {
    claim(ScopeKind::Tenant, "ada", limit, NOON)
}

pub(super) fn hold(amount: Usd, claims: Vec<Claim>) -> Arc<Hold> {
    let asked = Asked {
        provider: ProviderId::new("openai").unwrap(),
        model: model(),
        streamed: false,
        anatomy: Anatomy { by_kind: ByKind::default(), method: Method::Exact, upper_bound: 0 },
    };
    Arc::new(Hold { amount, tokens: 0, deadline: Timestamp::MAX, claims, asked })
}

pub(super) fn settled(charged: Usd) -> Ending {
    let status = CostStatus::Priced;
    Ending::Settle(Arc::new(Bill {
        model: model(),
        usage: Usage::NONE,
        origin: Origin::Measured,
        served: Served::new(),
        cost: Cost { usd: Some(charged), status, inexact: false, assumed_rate: false },
        listed: None,
        charged,
        priced_by: None,
        others: Vec::new(),
    }))
}

/// Holds `amount` for an attempt of Ada's.
pub(super) fn held(
    state: &mut State,
    number: u32,
    amount: &str,
    claims: &[Claim],
) -> Result<Entry, Rejection> {
    let hold = hold(usd(amount), claims.to_vec());
    state.apply(Command::Hold { id: attempt(number), who: who("ada"), hold }, time(NOON)).map(entry)
}

pub(super) fn entry(decision: Decision) -> Entry {
    assert_eq!(decision.warnings, []);
    decision.entry
}

pub(super) fn end(state: &mut State, number: u32, ending: Ending) -> Result<Entry, Rejection> {
    state.apply(Command::End(attempt(number), ending), time(NOON)).map(entry)
}

#[track_caller]
pub(super) fn assert_balance(state: &State, claim: &Claim, held: &str, spent: &str) {
    let Balance { held: is_held, spent: is_spent } = state.balance(&claim.balance);
    assert_eq!((is_held.usd, is_spent.usd), (usd(held), usd(spent)));
}

#[test]
fn a_hold_sets_money_aside_until_it_is_settled() {
    let mut state = State::default();
    let entry = held(&mut state, 1, "0.40", &[user("1")]).unwrap();
    assert_eq!((entry.what.name(), entry.what.charged()), ("hold", Usd::ZERO));
    assert_balance(&state, &user("1"), "0.40", "0");
    assert_eq!(state.room(&[user("1")]).usd, Some(usd("0.60")));

    let entry = end(&mut state, 1, settled(usd("0.15"))).unwrap();
    assert_eq!((entry.what.name(), entry.what.charged()), ("settle", usd("0.15")));
    assert!(!entry.what.is_overrun());
    assert_balance(&state, &user("1"), "0", "0.15");
    assert_eq!(state.open().count(), 0);
}

#[test]
fn a_void_gives_everything_back() {
    let mut state = State::default();
    held(&mut state, 1, "0.40", &[user("1")]).unwrap();
    let entry = end(&mut state, 1, Ending::Void("provider said 429".into())).unwrap();
    assert_eq!((entry.what.name(), entry.what.charged()), ("void", Usd::ZERO));
    assert_balance(&state, &user("1"), "0", "0");
}

#[test]
fn an_expired_hold_is_charged_in_full() {
    let mut state = State::default();
    held(&mut state, 1, "0.40", &[user("1")]).unwrap();
    let entry = end(&mut state, 1, Ending::Expire).unwrap();
    assert_eq!((entry.what.name(), entry.what.charged()), ("expire", usd("0.40")));
    assert_balance(&state, &user("1"), "0", "0.40");
}

#[test]
fn the_entry_of_an_ending_names_the_account_and_the_hold_that_it_ends() {
    let mut state = State::default();
    let begun = held(&mut state, 1, "0.40", &[user("1")]).unwrap();
    let ended = end(&mut state, 1, Ending::Expire).unwrap();
    assert_eq!((&ended.who, ended.what.hold()), (&begun.who, begun.what.hold()));
}

#[test]
fn a_limit_can_be_used_up_to_the_last_pico_dollar_and_no_further() {
    let mut state = State::default();
    held(&mut state, 1, "1", &[user("1")]).unwrap();
    assert!(held(&mut state, 2, "0.000000000001", &[user("1")]).is_err());
    held(&mut state, 3, "0", &[user("1")]).unwrap();
}

#[test]
fn b15_a_refusal_names_scope_room_limit_spent_held_and_reset() {
    let mut state = State::default();
    held(&mut state, 1, "0.70", &[user("1")]).unwrap();
    end(&mut state, 1, settled(usd("0.70"))).unwrap();
    held(&mut state, 2, "0.20", &[user("1")]).unwrap();

    let refused = held(&mut state, 3, "0.50", &[user("1")]).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "budget refused the call: it may cost $0.50, but user `ada` has $0.10 left of $1.00 per day \
         ($0.70 spent, $0.20 held); ask for fewer tokens or wait until 2026-11-23T00:00:00Z"
    );
    let Rejection::Refused(refusal) = refused else { panic!("{refused}") };
    let held = Amount::of_call(usd("0.20"), 0);
    let spent = Amount::of_call(usd("0.70"), 0);
    let tightest = NoRoom { claim: user("1"), balance: Balance { held, spent } };
    let (wanted, policy) = (Amount::of_call(usd("0.50"), 0), Policy::Refuse);
    assert_eq!(*refusal, Refusal { wanted, tightest, policy });
}

#[test]
fn b9_every_claimed_budget_needs_room_and_the_tightest_one_is_named() {
    let mut state = State::default();
    let claims = [tenant("1"), user("0.30")];
    let Err(Rejection::Refused(refusal)) = held(&mut state, 1, "2", &claims) else { panic!() };
    assert_eq!(refusal.tightest.claim, user("0.30"));
    assert_balance(&state, &tenant("1"), "0", "0");

    let Err(Rejection::Refused(refusal)) = held(&mut state, 1, "0.50", &claims) else { panic!() };
    assert_eq!(refusal.tightest.claim, user("0.30"));
    assert_eq!(state, State::default());

    held(&mut state, 1, "0.30", &claims).unwrap();
    assert_balance(&state, &tenant("1"), "0.30", "0");
    assert_eq!(state.room(&claims).usd, Some(Usd::ZERO));
}

#[test]
fn b10_a_limit_that_changes_holds_from_the_next_call_on() {
    let mut state = State::default();
    held(&mut state, 1, "0.80", &[user("1")]).unwrap();
    assert!(held(&mut state, 2, "0.10", &[user("0.50")]).is_err());
    assert_eq!(state.room(&[user("0.50")]).usd, Some(Usd::ZERO));
    held(&mut state, 2, "0.90", &[user("2")]).unwrap();
    held(&mut state, 3, "100", &[]).unwrap();
    assert_balance(&state, &user("1"), "1.70", "0");
    assert_eq!(state.room(&[]), Room::default());
}

#[test]
fn an_overrun_is_recorded_in_full_and_blocks_what_comes_after() {
    let mut state = State::default();
    held(&mut state, 1, "0.40", &[user("1")]).unwrap();
    let entry = end(&mut state, 1, settled(usd("1.50"))).unwrap();
    assert!(entry.what.is_overrun());
    assert_balance(&state, &user("1"), "0", "1.50");
    assert_eq!(state.room(&[user("1")]).usd, Some(Usd::ZERO));
    let refused = held(&mut state, 2, "0.01", &[user("1")]).unwrap_err();
    assert!(refused.to_string().contains("$0.00 left of $1.00"), "{refused}");
}

#[test]
fn an_attempt_is_held_once_and_ends_once() {
    let mut state = State::default();
    held(&mut state, 1, "0.40", &[user("1")]).unwrap();
    let before = state.clone();
    assert_eq!(held(&mut state, 1, "0.10", &[]), Err(Rejection::AlreadyHeld(attempt(1))));
    assert_eq!(state, before);

    end(&mut state, 1, settled(usd("0.10"))).unwrap();
    let before = state.clone();
    assert_eq!(held(&mut state, 1, "0.10", &[]), Err(Rejection::AlreadyEnded(attempt(1))));
    for ending in [settled(usd("0.10")), Ending::Void("late".into()), Ending::Expire] {
        assert_eq!(end(&mut state, 1, ending), Err(Rejection::NotHeld(attempt(1))));
    }
    assert_eq!(end(&mut state, 2, Ending::Expire), Err(Rejection::NotHeld(attempt(2))));
    assert_eq!(state, before);
}

#[test]
fn absurd_amounts_are_rejected_and_change_nothing() {
    let mut state = State::default();
    let (negative, most) = (Usd::from_pico(-1), Usd::from_pico(i128::MAX));
    let claims = vec![user("1"), tenant("1")];
    let command = |amount: Usd, claims: &[Claim]| {
        let hold = hold(amount, claims.to_vec());
        Command::Hold { id: attempt(9), who: who("ada"), hold }
    };
    let overflow = Err(Rejection::Overflow(Overflow));

    assert_eq!(state.apply(command(negative, &claims), time(NOON)).map(entry), overflow);
    held(&mut state, 1, "0.10", &claims).unwrap();
    held(&mut state, 2, "0.10", &claims).unwrap();
    let before = state.clone();
    assert_eq!(end(&mut state, 1, settled(negative)), overflow);
    assert_eq!(state, before);

    end(&mut state, 1, settled(most)).unwrap();
    let before = state.clone();
    assert_eq!(end(&mut state, 2, settled(most)), overflow);
    assert_eq!(state, before);
}

#[test]
fn b7_a_call_that_spans_midnight_is_charged_to_the_day_on_which_it_began() {
    let mut state = State::default();
    let (today, tomorrow) = (user("1"), claim(ScopeKind::User, "ada", "1", "2026-11-23T00:00:00Z"));
    held(&mut state, 1, "1", std::slice::from_ref(&today)).unwrap();
    held(&mut state, 2, "0.30", std::slice::from_ref(&tomorrow)).unwrap();
    let midnight = time("2026-11-23T00:00:01Z");
    state.apply(Command::End(attempt(1), settled(usd("0.90"))), midnight).unwrap();
    assert_balance(&state, &today, "0", "0.90");
    assert_balance(&state, &tomorrow, "0.30", "0");
}

#[test]
fn pruning_forgets_what_has_ended_and_keeps_what_is_held_or_current() {
    let mut state = State::default();
    let tomorrow = claim(ScopeKind::User, "ada", "1", "2026-11-23T00:00:00Z");
    held(&mut state, 1, "0.10", &[tenant("1")]).unwrap();
    for (number, claim) in [(2, user("1")), (3, tomorrow.clone())] {
        held(&mut state, number, "0.10", &[claim]).unwrap();
        end(&mut state, number, Ending::Expire).unwrap();
    }
    state.prune(time("2026-11-22T23:59:59Z"));
    assert_eq!(state.balances().count(), 3);
    state.prune(time("2026-11-23T00:00:00Z"));
    assert_balance(&state, &user("1"), "0", "0");
    assert_balance(&state, &tenant("1"), "0.10", "0");
    assert_balance(&state, &tomorrow, "0", "0.10");
}
