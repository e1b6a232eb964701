//! Whatever is done, in whatever order, unit, window and mode: balances are a fold of the entries,
//! what is held is what is open, and no hard limit is passed but by overruns and corrections.

use std::collections::HashMap;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::tests::*;
use super::*;
use crate::budget::{Rule, ScopeKind};
use crate::entry::Bill;
use crate::id::{AgentId, CauseId, RunId};
use crate::usage::{Bucket, Usage};

/// A random move; attempts and amounts are few, so that moves meet.
#[derive(Clone, Debug)]
enum Step {
    Hold { user: &'static str, rules: Vec<usize>, pico: i128, tokens: u64 },
    Settle { pico: i128, tokens: u64 },
    Void,
    Expire,
    Adjust { cause: &'static str, delta: i128 },
}

fn rules() -> Vec<Rule> {
    let limits = [Quantity::Usd(Usd::from_pico(900)), Quantity::Tokens(700), Quantity::Requests(4)];
    let scopes = [ScopeKind::Tenant, ScopeKind::User, ScopeKind::Agent, ScopeKind::Run];
    let modes = [Mode::Hard, Mode::Hard, Mode::Soft, Mode::Shadow];
    let mut rules = Vec::new();
    for (number, window) in Window::ALL.iter().enumerate() {
        for (at, scope) in scopes.iter().enumerate() {
            let limit = limits[(number + at) % limits.len()];
            rules.push(Rule { mode: modes[at], ..Rule::new(*scope, *window, limit) });
        }
    }
    rules
}

fn step() -> impl Strategy<Value = (u32, i64, Step)> {
    let rules = subsequence((0..rules().len()).collect::<Vec<_>>(), 0..6);
    let hold = (select(vec!["ada", "bob"]), rules, -5..300_i128, 0..300_u64)
        .prop_map(|(user, rules, pico, tokens)| Step::Hold { user, rules, pico, tokens });
    let settle =
        (-5..400_i128, 0..400_u64).prop_map(|(pico, tokens)| Step::Settle { pico, tokens });
    let adjust = (select(vec!["reprice", "invoice"]), -200..200_i128)
        .prop_map(|(cause, delta)| Step::Adjust { cause, delta });
    let step = prop_oneof![
        6 => hold,
        4 => settle,
        1 => Just(Step::Void),
        1 => Just(Step::Expire),
        2 => adjust
    ];
    // Within a year, so that windows of all kinds pass.
    (0..8_u32, 0..365 * 24_i64, step)
}

fn bill(pico: i128, tokens: u64) -> Ending {
    let Ending::Settle(bill) = settled(Usd::from_pico(pico)) else { panic!() };
    let usage = Usage::NONE.with(Bucket::Input, tokens);
    Ending::Settle(Arc::new(Bill { usage, ..Bill::clone(&bill) }))
}

/// The command; `None` for a correction of what was never held.
fn command(number: u32, step: Step, at: Timestamp, entries: &[Entry]) -> Option<Command> {
    let id = attempt(number);
    Some(match step {
        Step::Hold { user, rules: chosen, pico, tokens } => {
            let who = Arc::new(Who {
                agent: AgentId::new("coder").ok(),
                run: RunId::new("task").ok(),
                ..Who::clone(&who(user))
            });
            let rules = rules();
            let claims = chosen.iter().filter_map(|n| rules[*n].claim(&who, &model(), at));
            let hold = hold(Usd::from_pico(pico), claims.collect());
            Command::Hold { id, who, hold: Arc::new(Hold { tokens, ..Hold::clone(&hold) }) }
        }
        Step::Settle { pico, tokens } => Command::End(id, bill(pico, tokens)),
        Step::Void => Command::End(id, Ending::Void("nothing was billed".into())),
        Step::Expire => Command::End(id, Ending::Expire),
        Step::Adjust { cause, delta } => {
            let held = entries.iter().find(|entry| entry.id == id)?;
            let adjustment = Adjustment {
                cause: CauseId::new(cause).unwrap(),
                delta: Usd::from_pico(delta),
                reason: "the price was wrong".into(),
                rebilled: None,
            };
            let (who, hold) = (Arc::clone(&held.who), Arc::clone(held.what.hold()));
            Command::Adjust { id, who, hold, adjustment }
        }
    })
}

/// What the entries say of one balance, reckoned apart from the code under test.
#[derive(Default)]
struct Told {
    held: [i128; 3],
    spent: [i128; 3],
    /// By how much a hold was overrun or a charge raised, which no budget can prevent.
    beyond: [i128; 3],
    limits: Vec<Quantity>,
}

/// Dollars, tokens, requests.
fn numbers(amount: Amount) -> [i128; 3] {
    [amount.usd.pico(), i128::from(amount.tokens), i128::from(amount.requests)]
}

fn told(entries: &[Entry]) -> HashMap<BalanceKey, Told> {
    let mut balances = HashMap::<BalanceKey, Told>::new();
    for entry in entries {
        let hold = entry.what.hold();
        let (takes, spends) = (numbers(hold.takes()), numbers(entry.what.spends()));
        let mut keys: Vec<&BalanceKey> = hold.claims.iter().map(|claim| &claim.balance).collect();
        keys.sort();
        keys.dedup();
        for key in keys.into_iter().filter(|key| key.window != Window::Request) {
            let told = balances.entry(key.clone()).or_default();
            let hard = hold.claims.iter().filter(|c| c.balance == *key && c.mode == Mode::Hard);
            told.limits = hard.map(|claim| claim.limit).chain(told.limits.drain(..)).collect();
            let mine = told.held.iter_mut().zip(&mut told.spent).zip(&mut told.beyond);
            for (((held, spent), beyond), (more, taken)) in mine.zip(spends.iter().zip(takes)) {
                *spent += more;
                match &entry.what {
                    Move::Hold(_) => *held += taken,
                    Move::End(..) => {
                        *held -= taken;
                        *beyond += (more - taken).max(0);
                    }
                    // What is taken back may be spent again before more is charged.
                    Move::Adjust(..) => *beyond += more.abs(),
                }
            }
        }
    }
    balances
}

fn check(state: &State, entries: &[Entry]) {
    let told = told(entries);
    assert_eq!(state.balances().count(), told.len());
    for (key, told) in told {
        let balance = state.balance(&key);
        assert_eq!((numbers(balance.held), numbers(balance.spent)), (told.held, told.spent));
        assert!(told.held.iter().chain(&told.spent).all(|number| *number >= 0), "{key:?}");
        for limit in told.limits {
            let used = limit.of(&balance.used()).number();
            let unit = ["usd", "tokens", "requests"].iter().position(|it| *it == limit.unit());
            assert!(used <= limit.number() + told.beyond[unit.unwrap()], "{key:?} {limit}");
        }
        let on_it = |hold: &&Arc<Hold>| hold.claims.iter().any(|claim| claim.balance == key);
        let mut open = [0; 3];
        for hold in state.open().map(|(_, hold)| hold).filter(on_it) {
            numbers(hold.takes()).iter().zip(&mut open).for_each(|(more, sum)| *sum += more);
        }
        assert_eq!(open, told.held, "what is held is what is open");
    }
}

proptest! {
    #[test]
    fn b6_balances_are_a_fold_of_the_entries_and_never_pass_a_hard_limit(
        steps in proptest::collection::vec(step(), 0..60),
    ) {
        let mut state = State::default();
        let mut entries = Vec::<Entry>::new();
        let mut names = std::collections::HashSet::new();
        for (number, hours, step) in steps {
            let at = time("2026-01-01T00:30:00Z") + jiff::SignedDuration::from_hours(hours);
            let Some(command) = command(number, step, at, &entries) else { continue };
            let before = state.clone();
            match state.apply(command.clone(), at) {
                Ok(decision) => {
                    prop_assert!(names.insert(decision.entry.name()), "once");
                    prop_assert!(decision.warnings.iter().all(|it| it.claim.mode != Mode::Hard));
                    entries.push(decision.entry);
                    let after = state.clone();
                    prop_assert!(state.apply(command, at).is_err(), "the same again");
                    prop_assert_eq!(&state, &after);
                }
                Err(_) => prop_assert_eq!(&state, &before),
            }
            check(&state, &entries);
        }

        let mut replayed = State::default();
        for entry in &entries {
            replayed.replay(entry).unwrap();
        }
        prop_assert_eq!(replayed, state);
    }

    /// B9: a hold is in every balance that it claims or in none; B10: limits move between calls.
    #[test]
    fn b9_b10_a_hold_is_everywhere_or_nowhere_whatever_the_limits_are(
        calls in proptest::collection::vec((0..100_i128, 0..300_i128, 0..300_i128), 1..40),
    ) {
        let mut state = State::default();
        for (number, (pico, tenant_limit, user_limit)) in (1..).zip(calls) {
            let limit = |scope, pico| {
                let limit = Quantity::Usd(Usd::from_pico(pico));
                let rule = Rule::new(scope, Window::Day, limit);
                rule.claim(&who("ada"), &model(), time(NOON)).unwrap()
            };
            let claims =
                [limit(ScopeKind::Tenant, tenant_limit), limit(ScopeKind::User, user_limit)];
            let used = state.balance(&claims[0].balance).used().usd.pico();
            let hold = hold(Usd::from_pico(pico), claims.to_vec());
            let command = Command::Hold { id: attempt(number), who: who("ada"), hold };
            let fits = pico <= (tenant_limit.min(user_limit) - used).max(0);
            prop_assert_eq!(state.apply(command, time(NOON)).is_ok(), fits);
            let [tenant, user] = claims.map(|claim| state.balance(&claim.balance));
            prop_assert_eq!(tenant, user);
        }
    }
}
