//! What the state machine promises: nothing is overspent, nothing is lost, a no changes nothing.

use std::collections::HashMap;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::anatomy::{Anatomy, ByKind, Method};
use crate::budget::{Rule, ScopeKind, Window};
use crate::entry::{Asked, Bill, Origin};
use crate::id::{ModelId, ProviderId, RequestId, TenantId, UserId};
use crate::pricing::{Cost, CostStatus};
use crate::usage::Usage;

const NOON: &str = "2026-11-22T12:00:00Z";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn usd(text: &str) -> Usd {
    text.parse().unwrap()
}

fn attempt(number: u32) -> AttemptId {
    AttemptId { request: RequestId::new(Uuid::nil()), attempt: number }
}

fn who(user: &str) -> Arc<Who> {
    let (tenant, user) = (TenantId::new("acme").unwrap(), UserId::new(user).unwrap());
    Arc::new(Who { tenant, user, agent: None, thread: None, run: None })
}

fn claim(scope: ScopeKind, user: &str, limit: &str, at: &str) -> Claim {
    Rule { scope, window: Window::Day, limit: usd(limit) }.claim(&who(user), time(at))
}

fn user(limit: &str) -> Claim {
    claim(ScopeKind::User, "ada", limit, NOON)
}

fn tenant(limit: &str) -> Claim {
    claim(ScopeKind::Tenant, "ada", limit, NOON)
}

fn hold(amount: Usd, claims: Vec<Claim>) -> Arc<Hold> {
    let asked = Asked {
        provider: ProviderId::new("openai").unwrap(),
        model: ModelId::new("gpt-5").unwrap(),
        streamed: false,
        anatomy: Anatomy { by_kind: ByKind::default(), method: Method::Exact, upper_bound: 0 },
    };
    Arc::new(Hold { amount, deadline: Timestamp::MAX, claims, asked })
}

fn settled(charged: Usd) -> Ending {
    let status = CostStatus::Priced;
    Ending::Settle(Arc::new(Bill {
        model: ModelId::new("gpt-5").unwrap(),
        usage: Usage::NONE,
        origin: Origin::Measured,
        cost: Cost { usd: Some(charged), status, inexact: false, assumed_rate: false },
        charged,
        priced_by: None,
    }))
}

/// Holds `amount` for an attempt of Ada's.
fn held(
    state: &mut State,
    number: u32,
    amount: &str,
    claims: &[Claim],
) -> Result<Entry, Rejection> {
    let hold = hold(usd(amount), claims.to_vec());
    state.apply(Command::Hold { id: attempt(number), who: who("ada"), hold }, time(NOON))
}

fn end(state: &mut State, number: u32, ending: Ending) -> Result<Entry, Rejection> {
    state.apply(Command::End(attempt(number), ending), time(NOON))
}

#[track_caller]
fn assert_balance(state: &State, claim: &Claim, held: &str, spent: &str) {
    let expected = Balance { held: usd(held), spent: usd(spent) };
    assert_eq!(state.balance(&claim.balance), expected);
}

#[test]
fn a_hold_sets_money_aside_until_it_is_settled() {
    let mut state = State::default();
    let entry = held(&mut state, 1, "0.40", &[user("1")]).unwrap();
    assert_eq!((entry.what.name(), entry.what.charged()), ("hold", Usd::ZERO));
    assert_balance(&state, &user("1"), "0.40", "0");
    assert_eq!(state.room(&[user("1")]), Some(usd("0.60")));

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
fn a_refusal_names_scope_room_limit_spent_held_and_reset() {
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
    let balance = Balance { held: usd("0.20"), spent: usd("0.70") };
    let tightest = NoRoom { claim: user("1"), balance };
    assert_eq!(*refusal, Refusal { wanted: usd("0.50"), tightest });
}

#[test]
fn every_claimed_budget_needs_room_and_the_tightest_one_is_named() {
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
    assert_eq!(state.room(&claims), Some(Usd::ZERO));
}

#[test]
fn a_limit_that_changes_holds_from_the_next_call_on() {
    let mut state = State::default();
    held(&mut state, 1, "0.80", &[user("1")]).unwrap();
    assert!(held(&mut state, 2, "0.10", &[user("0.50")]).is_err());
    assert_eq!(state.room(&[user("0.50")]), Some(Usd::ZERO));
    held(&mut state, 2, "0.90", &[user("2")]).unwrap();
    held(&mut state, 3, "100", &[]).unwrap();
    assert_balance(&state, &user("1"), "1.70", "0");
    assert_eq!(state.room(&[]), None);
}

#[test]
fn an_overrun_is_recorded_in_full_and_blocks_what_comes_after() {
    let mut state = State::default();
    held(&mut state, 1, "0.40", &[user("1")]).unwrap();
    let entry = end(&mut state, 1, settled(usd("1.50"))).unwrap();
    assert!(entry.what.is_overrun());
    assert_balance(&state, &user("1"), "0", "1.50");
    assert_eq!(state.room(&[user("1")]), Some(Usd::ZERO));
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

    assert_eq!(state.apply(command(negative, &claims), time(NOON)), overflow);
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
fn a_call_that_spans_midnight_is_charged_to_the_day_on_which_it_began() {
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

/// A random move; attempts and amounts are few, so that moves meet.
#[derive(Clone, Debug)]
enum Step {
    Hold { user: usize, day: usize, amount: i128, claims: Vec<ScopeKind> },
    Settle(i128),
    Void,
    Expire,
}

fn step() -> impl Strategy<Value = (u32, Step)> {
    let claims = proptest::sample::subsequence(vec![ScopeKind::Tenant, ScopeKind::User], 0..=2);
    let hold = (0..2_usize, 0..2_usize, -5..300_i128, claims)
        .prop_map(|(user, day, amount, claims)| Step::Hold { user, day, amount, claims });
    let settle = (-5..400_i128).prop_map(Step::Settle);
    (0..6_u32, prop_oneof![5 => hold, 3 => settle, 1 => Just(Step::Void), 1 => Just(Step::Expire)])
}

fn command(number: u32, step: Step) -> Command {
    let id = attempt(number);
    match step {
        Step::Hold { user, day, amount, claims } => {
            let (user, day) = (["ada", "bob"][user], [NOON, "2026-11-23T12:00:00Z"][day]);
            let limit = |scope| match scope {
                ScopeKind::Tenant => "0.000000001",
                ScopeKind::User => "0.0000000006",
            };
            let claims =
                claims.into_iter().map(|scope| claim(scope, user, limit(scope), day)).collect();
            Command::Hold { id, who: who(user), hold: hold(Usd::from_pico(amount), claims) }
        }
        Step::Settle(charged) => Command::End(id, settled(Usd::from_pico(charged))),
        Step::Void => Command::End(id, Ending::Void("nothing was billed".into())),
        Step::Expire => Command::End(id, Ending::Expire),
    }
}

/// The balances as the entries tell them, with the sum of what holds were overrun by, and the limit.
fn folded(entries: &[Entry]) -> HashMap<BalanceKey, (i128, i128, i128, i128)> {
    let mut balances = HashMap::new();
    for entry in entries {
        let hold = entry.what.hold();
        for claim in &hold.claims {
            let (held, spent, overrun, limit) =
                balances.entry(claim.balance.clone()).or_insert((0, 0, 0, 0));
            *limit = claim.limit.pico();
            *spent += entry.what.charged().pico();
            *held += match entry.what {
                Move::Hold(_) => hold.amount.pico(),
                Move::End(..) => -hold.amount.pico(),
            };
            if entry.what.is_overrun() {
                *overrun += entry.what.charged().pico() - hold.amount.pico();
            }
        }
    }
    balances
}

proptest! {
    #[test]
    fn balances_are_a_fold_of_the_entries_and_never_pass_the_limit(
        steps in proptest::collection::vec(step(), 0..60),
    ) {
        let mut state = State::default();
        let mut entries = Vec::new();
        for (number, step) in steps {
            let before = state.clone();
            match state.apply(command(number, step), time(NOON)) {
                Ok(entry) => entries.push(entry),
                Err(_) => prop_assert_eq!(&state, &before),
            }
            for (key, (held, spent, overrun, limit)) in folded(&entries) {
                let balance = state.balance(&key);
                prop_assert_eq!((balance.held.pico(), balance.spent.pico()), (held, spent));
                prop_assert!(held >= 0 && spent >= 0);
                prop_assert!(held + spent <= limit + overrun);

                let on_it = |hold: &&Arc<Hold>| hold.claims.iter().any(|c| c.balance == key);
                let open = state.open().map(|(_, hold)| hold).filter(on_it);
                prop_assert_eq!(open.map(|hold| hold.amount.pico()).sum::<i128>(), held);
            }
            for entry in &entries {
                prop_assert!(state.room(&entry.what.hold().claims).is_none_or(|r| r >= Usd::ZERO));
            }
        }

        let mut replayed = State::default();
        for entry in &entries {
            replayed.replay(entry).unwrap();
        }
        prop_assert_eq!(replayed, state);
    }
}
