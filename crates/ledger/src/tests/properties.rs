//! Whatever is done, in whatever order: entries fold to balances, what is held is what is open,
//! nothing is overspent but by overruns, and a ledger that is opened again says the same.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Hold { request: u128, user: &'static str, cents: u32 },
    Settle { request: u128, pico: i128 },
    Void { request: u128 },
    Drop { request: u128 },
    Flush,
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let request = || 0_u128..12;
    let step = prop_oneof![
        6 => (request(), prop_oneof![Just("ada"), Just("bob")], 0_u32..400)
            .prop_map(|(request, user, cents)| Step::Hold { request, user, cents }),
        4 => (request(), 0_i128..5_000_000_000_000)
            .prop_map(|(request, pico)| Step::Settle { request, pico }),
        1 => request().prop_map(|request| Step::Void { request }),
        1 => request().prop_map(|request| Step::Drop { request }),
        1 => Just(Step::Flush),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..40)
}

const LIMIT: &str = "10";

/// A ledger under test, and what must be true of it.
struct Model {
    name: String,
    ledger: Ledger,
    open: BTreeMap<u128, Held>,
    attempts: BTreeMap<u128, u32>,
    spent: Usd,
    overrun: Usd,
}

impl Model {
    async fn take(&mut self, step: Step) {
        match step {
            Step::Hold { request, user, cents } => self.hold(request, user, cents).await,
            Step::Settle { request, pico } => {
                if let Some(held) = self.open.remove(&request) {
                    let amount = held.entry().what.hold().amount;
                    let charged = Usd::from_pico(pico);
                    held.settle(Arc::new(Bill { charged, ..Bill::clone(&bill()) }));
                    self.spent = self.spent.plus(charged).unwrap();
                    let over = charged.minus(amount).unwrap().max(Usd::ZERO);
                    self.overrun = self.overrun.plus(over).unwrap();
                }
            }
            Step::Void { request } => {
                self.open.remove(&request).map(|held| held.void("refused"));
            }
            Step::Drop { request } => {
                let dropped = self.open.remove(&request);
                self.charge_in_full(dropped);
            }
            Step::Flush => self.ledger.flush().await.unwrap(),
            Step::Reopen => self.reopen().await,
        }
    }

    async fn hold(&mut self, request: u128, user: &str, cents: u32) {
        if self.open.contains_key(&request) {
            return;
        }
        let number = self.attempts.entry(request).or_default();
        *number += 1;
        let who = who("acme", user);
        let hold = hold(&who, &format!("{}.{:02}", cents / 100, cents % 100), LIMIT);
        match self.ledger.hold(attempt(request, *number), who, hold, Vec::new()).await {
            Ok(held) => drop(self.open.insert(request, held)),
            Err(HoldError::Refused(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }

    async fn reopen(&mut self) {
        let open = std::mem::take(&mut self.open);
        self.charge_in_full(open.into_values());
        self.ledger.close().await.unwrap();
        self.ledger = super::open(SqliteStore::in_memory(&self.name).unwrap());
    }

    fn charge_in_full(&mut self, dropped: impl IntoIterator<Item = Held>) {
        for held in dropped {
            self.spent = self.spent.plus(held.entry().what.hold().amount).unwrap();
        }
    }

    fn check(&self) {
        let tenant = self.ledger.balance(&claims(&who("acme", "ada"), LIMIT)[0].balance);
        let open = self.open.values().map(|held| held.entry().what.hold().amount);
        assert_eq!(tenant.held.usd, Usd::sum(open).unwrap());
        assert_eq!(tenant.spent.usd, self.spent);
        let used = tenant.held.usd.plus(tenant.spent.usd).unwrap();
        assert!(used.minus(self.overrun).unwrap() <= usd(LIMIT), "{tenant:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_happens_the_tables_say_what_the_entries_say(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let name = fresh_name();
            let ledger = open(SqliteStore::in_memory(&name).unwrap());
            let (open, attempts) = (BTreeMap::new(), BTreeMap::new());
            let mut model =
                Model { name, ledger, open, attempts, spent: Usd::ZERO, overrun: Usd::ZERO };
            for step in steps {
                model.take(step).await;
                model.check();
            }
            model.ledger.flush().await.unwrap();
            let report = model.ledger.verify().await.unwrap();
            assert_eq!(report.differences, vec![]);
            assert_eq!((report.spent, report.open), (model.spent, model.open.len() as u64));
        });
    }
}
