//! Units, modes, windows and corrections of budgets.

use super::tests::*;
use super::*;
use crate::budget::{Policy, Rule, ScopeKind};
use crate::id::CauseId;

fn rule(window: Window, limit: Quantity) -> Rule {
    Rule::new(ScopeKind::User, window, limit)
}

fn claim(rule: &Rule) -> Claim {
    rule.claim(&who("ada"), &model(), time(NOON)).unwrap()
}

/// Holds a dollar and so many tokens.
fn hold_tokens(
    state: &mut State,
    number: u32,
    tokens: u64,
    claims: &[Claim],
) -> Result<Decision, Rejection> {
    let hold = Hold { tokens, ..Hold::clone(&hold(usd("1"), claims.to_vec())) };
    let (id, who, hold) = (attempt(number), who("ada"), Arc::new(hold));
    state.apply(Command::Hold { id, who, hold }, time(NOON))
}

fn adjust(
    state: &mut State,
    hold: &Arc<Hold>,
    cause: &str,
    delta: &str,
) -> Result<Entry, Rejection> {
    let adjustment = Adjustment {
        cause: CauseId::new(cause).unwrap(),
        delta: usd(delta),
        reason: "the price was wrong".into(),
        rebilled: None,
    };
    let (id, who, hold) = (attempt(1), who("ada"), Arc::clone(hold));
    state.apply(Command::Adjust { id, who, hold, adjustment }, time(NOON)).map(entry)
}

fn refusal(refused: Result<Decision, Rejection>) -> Refusal {
    match refused {
        Err(Rejection::Refused(refusal)) => *refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn b11_a_token_budget_refuses_the_token_that_is_too_many() {
    let mut state = State::default();
    let daily = [claim(&rule(Window::Day, Quantity::Tokens(1_000)))];
    hold_tokens(&mut state, 1, 600, &daily).unwrap();
    let refused = refusal(hold_tokens(&mut state, 2, 401, &daily));
    assert_eq!(
        refused.to_string(),
        "budget refused the call: it may take 401 tokens, but user `ada` has 400 tokens left of \
         1000 tokens per day (0 tokens spent, 600 tokens held); ask for fewer tokens or wait until \
         2026-11-23T00:00:00Z"
    );
    hold_tokens(&mut state, 2, 400, &daily).unwrap();
    assert_eq!(state.room(&daily).tokens, Some(0));

    // Nobody knows what an expired call used: it is charged with what was held.
    end(&mut state, 1, Ending::Expire).unwrap();
    end(&mut state, 2, settled(usd("0.10"))).unwrap();
    assert_eq!(state.balance(&daily[0].balance).spent.tokens, 600);
    assert_eq!(state.room(&daily).tokens, Some(400));
}

#[test]
fn b11_a_request_budget_counts_what_was_billed_or_may_be() {
    let mut state = State::default();
    let hourly = [claim(&rule(Window::Hour, Quantity::Requests(2)))];
    for number in [1, 2] {
        hold_tokens(&mut state, number, 1, &hourly).unwrap();
    }
    let refused = refusal(hold_tokens(&mut state, 3, 1, &hourly));
    assert_eq!(
        refused.to_string(),
        "budget refused the call: it may count as 1 request, but user `ada` has 0 requests left of \
         2 requests per hour (0 requests spent, 2 requests held); wait until 2026-11-22T13:00:00Z"
    );
    // A call that came to nothing frees its place; a retry is an attempt of its own.
    end(&mut state, 1, Ending::Void("the provider said 429".into())).unwrap();
    hold_tokens(&mut state, 3, 1, &hourly).unwrap();
    end(&mut state, 2, settled(usd("1"))).unwrap();
    end(&mut state, 3, Ending::Expire).unwrap();
    assert_eq!(state.balance(&hourly[0].balance).spent.requests, 2);
    assert!(hold_tokens(&mut state, 4, 1, &hourly).is_err());
}

#[test]
fn b11_budgets_in_all_units_share_a_balance_and_each_can_refuse() {
    let units = [Quantity::Usd(usd("2")), Quantity::Tokens(500), Quantity::Requests(5)];
    let claims = units.map(|limit| claim(&rule(Window::Day, limit)));
    let mut state = State::default();
    hold_tokens(&mut state, 1, 100, &claims).unwrap();
    assert_eq!(state.balances().count(), 1);
    let expected = Amount { usd: usd("1"), tokens: 100, requests: 1 };
    assert_eq!(state.balance(&claims[0].balance).held, expected);
    let room = Room { usd: Some(usd("1")), tokens: Some(400), requests: Some(4) };
    assert_eq!(state.room(&claims), room);
    assert!(room.fits(&Amount { usd: usd("1"), tokens: 400, requests: 4 }));
    assert!(!room.fits(&Amount { usd: usd("1"), tokens: 401, requests: 4 }));

    // Of two without room, the one that has less of what is wanted is named.
    let refused = refusal(hold_tokens(&mut state, 2, 4_000, &claims));
    assert_eq!(refused.tightest.claim.limit, Quantity::Tokens(500));
    hold_tokens(&mut state, 2, 100, &claims).unwrap();
    let refused = refusal(hold_tokens(&mut state, 3, 4_000, &claims));
    assert_eq!(refused.tightest.claim.limit, Quantity::Usd(usd("2")));
}

#[test]
fn b13_a_run_and_a_thread_have_budgets_of_their_own() {
    let mut state = State::default();
    let who = |run: &str| {
        let thread = crate::id::ThreadId::new("talk").ok();
        Arc::new(Who { thread, run: crate::id::RunId::new(run).ok(), ..Who::clone(&who("ada")) })
    };
    let rules = [(ScopeKind::Thread, "3"), (ScopeKind::Run, "2"), (ScopeKind::Agent, "1")]
        .map(|(scope, limit)| Rule::new(scope, Window::Total, Quantity::Usd(usd(limit))));
    let mut call = |number, run: &str| {
        let who = who(run);
        let claims = |rule: &Rule| rule.claim(&who, &model(), time(NOON));
        let hold = hold(usd("1"), rules.iter().filter_map(claims).collect());
        assert_eq!(hold.claims.len(), 2, "no agent is named");
        let id = attempt(number);
        state.apply(Command::Hold { id, who: Arc::clone(&who), hold }, time(NOON))
    };
    call(1, "one").unwrap();
    call(2, "one").unwrap();
    let run = refusal(call(3, "one"));
    assert_eq!(run.tightest.claim.balance.scope, ScopeKind::Run);
    assert_eq!(
        run.to_string(),
        "budget refused the call: it may cost $1.00, but run `one` has $0.00 left of $2.00 in total \
         ($0.00 spent, $2.00 held); ask for fewer tokens or have the limit raised"
    );
    call(3, "two").unwrap();
    assert_eq!(refusal(call(4, "two")).tightest.claim.balance.scope, ScopeKind::Thread);
}

#[test]
fn b7_a_limit_on_a_request_is_on_each_one_alone() {
    let mut state = State::default();
    let each = [claim(&rule(Window::Request, Quantity::Usd(usd("1"))))];
    for number in 1..=3 {
        hold_tokens(&mut state, number, 1, &each).unwrap();
    }
    assert_eq!(state.balances().count(), 0);
    assert_eq!(state.room(&each).usd, Some(usd("1")));
    let refused = held(&mut state, 4, "1.01", &each).unwrap_err();
    assert!(refused.to_string().contains("has $1.00 left of $1.00 per request"), "{refused}");
}

#[test]
fn soft_and_shadow_budgets_warn_and_let_through() {
    let mut state = State::default();
    let one = rule(Window::Day, Quantity::Usd(usd("1")));
    let soft = claim(&Rule { mode: Mode::Soft, ..one.clone() });
    let shadow = claim(&Rule { mode: Mode::Shadow, window: Window::Week, ..one.clone() });
    let hard = claim(&rule(Window::Month, Quantity::Usd(usd("3"))));
    let claims = [soft.clone(), shadow.clone(), hard.clone()];

    assert_eq!(hold_tokens(&mut state, 1, 1, &claims).unwrap().warnings, []);
    let warned = hold_tokens(&mut state, 2, 1, &claims).unwrap().warnings;
    let crossed: Vec<_> = warned.iter().map(|it| (it.claim.mode, it.left().number())).collect();
    assert_eq!(crossed, [(Mode::Soft, 0), (Mode::Shadow, 0)]);
    assert_eq!(warned[0].balance.held.usd, usd("1"), "what there was before");

    hold_tokens(&mut state, 3, 1, &claims).unwrap();
    let refused = refusal(hold_tokens(&mut state, 4, 1, &claims));
    assert_eq!(refused.tightest.claim, hard, "only a hard budget refuses");
    assert_eq!(state.room(&claims).usd, Some(Usd::ZERO));
    assert_eq!(state.room(&[soft, shadow]), Room::default(), "what warns leaves all the room");
}

#[test]
fn b16_a_refusal_says_what_all_budgets_without_room_let_one_try() {
    let mut state = State::default();
    let claims = |policies: &[Policy]| -> Vec<Claim> {
        let rule = |policy: &Policy| Rule {
            policy: *policy,
            ..rule(Window::Day, Quantity::Usd(usd("0.50")))
        };
        policies.iter().map(|policy| claim(&rule(policy))).collect()
    };
    let mut policy =
        |policies: &[Policy]| refusal(hold_tokens(&mut state, 1, 1, &claims(policies))).policy;
    assert_eq!(policy(&[Policy::Clamp]), Policy::Clamp);
    assert_eq!(policy(&[Policy::Clamp, Policy::Downgrade]), Policy::Downgrade);
    assert_eq!(policy(&[Policy::Refuse, Policy::Clamp]), Policy::Refuse);
}

#[test]
fn a_correction_changes_what_the_call_was_charged_and_nothing_else() {
    let mut state = State::default();
    let begun = held(&mut state, 1, "0.40", &[user("1")]).unwrap();
    let hold = begun.what.hold();
    assert_eq!(adjust(&mut state, hold, "reprice", "0.01"), Err(Rejection::NotEnded(attempt(1))));
    end(&mut state, 1, settled(usd("0.30"))).unwrap();

    let less = adjust(&mut state, hold, "reprice", "-0.10").unwrap();
    assert_eq!((less.what.name(), less.what.charged()), ("adjust", usd("-0.10")));
    assert!(less.name().ends_with(".1.adjust.reprice"), "{}", less.name());
    assert_balance(&state, &user("1"), "0", "0.20");
    let more = adjust(&mut state, hold, "invoice", "0.85").unwrap();
    assert!(!more.what.is_overrun());
    assert_balance(&state, &user("1"), "0", "1.05");
    assert_eq!(state.balance(&user("1").balance).spent.requests, 1);
    assert!(held(&mut state, 2, "0.01", &[user("1")]).is_err());
}

#[test]
fn a_correction_of_a_window_that_was_pruned_is_recorded_and_decides_nothing() {
    let mut state = State::default();
    let begun = held(&mut state, 1, "0.40", &[user("1")]).unwrap();
    end(&mut state, 1, settled(usd("0.30"))).unwrap();
    state.prune(time("2026-11-23T00:00:00Z"));
    let entry = adjust(&mut state, begun.what.hold(), "reprice", "-0.10").unwrap();
    assert_eq!(entry.what.charged(), usd("-0.10"));
    assert_eq!(state.balances().count(), 0);
}

#[test]
fn a_correction_is_made_once_for_each_cause_and_never_below_zero() {
    let mut state = State::default();
    let begun = held(&mut state, 1, "0.40", &[user("1")]).unwrap();
    let hold = begun.what.hold();
    end(&mut state, 1, settled(usd("0.30"))).unwrap();
    adjust(&mut state, hold, "reprice", "-0.10").unwrap();
    let before = state.clone();
    let again = Rejection::AlreadyAdjusted(attempt(1), CauseId::new("reprice").unwrap());
    assert_eq!(adjust(&mut state, hold, "reprice", "-0.10"), Err(again));
    let too_much = adjust(&mut state, hold, "invoice", "-0.21");
    assert_eq!(too_much, Err(Rejection::BelowZero(attempt(1))));
    assert_eq!(state, before);
    adjust(&mut state, hold, "invoice", "-0.20").unwrap();
    assert_balance(&state, &user("1"), "0", "0");
}
