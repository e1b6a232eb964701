//! Whether the tables say what the entries say.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use farthing_core::Usd;
use farthing_core::budget::{Balance, BalanceKey, State};
use farthing_core::entry::{AttemptId, Bill, Ending, Entry, Hold, Move, Who};
use farthing_core::pricing::{Cost, CostStatus, RateCard};
use serde::Serialize;

use crate::batch::{RollupKey, Tally};
use crate::record::{CardRef, Cards, Record, Recorded};
use crate::store::{Reader, Row, StoreError};

/// Differences that are reported one by one; of more, the number.
const DIFFERENCES_MAX: usize = 1_000;

/// What a ledger's entries add up to, and where its tables say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many entries there are.
    pub entries: u64,
    /// How many attempts were held.
    pub attempts: u64,
    /// How many of them have not ended.
    pub open: u64,
    /// What was charged in all.
    pub spent: Usd,
    /// How far costs were derived again.
    pub costs: Costs,
    /// What is not as it should be; empty where all is well. At most 1,000.
    pub differences: Vec<Difference>,
    /// How many more differences there are.
    pub omitted: u64,
}

/// How many of the costs were derived again from raw usage and rate cards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Costs {
    /// From rate cards.
    pub derived: u64,
    /// Of these, those of which the provider had said itself what it charged.
    pub reported: u64,
    /// The provider's own word alone: nobody else knows a price.
    pub reported_only: u64,
    /// Costs that nobody knows.
    pub unknown: u64,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which entry, balance or row.
    pub place: String,
    /// What follows from the entries.
    pub expected: String,
    /// What was found.
    pub found: String,
}

/// Folds all entries again, in their order, by the same function that decided them, and compares:
/// balances, open holds and roll-ups with what was kept, each attempt's ending with its hold, and
/// each cost with what its rate card makes of its usage.
///
/// It reads as of one moment and blocks nobody who writes. Memory grows with balances, roll-ups and
/// open holds, not with entries.
///
/// # Errors
/// [`StoreError`] where a row cannot be read at all, which it names, or adds up to more than money
/// can.
pub fn verify(reader: &mut dyn Reader) -> Result<Report, StoreError> {
    let mut audit = Audit::default();
    reader.scan(&mut |row| audit.take(row))?;
    Ok(audit.finish())
}

#[derive(Default)]
struct Audit {
    report: Report,
    cards: HashMap<String, RateCard>,
    /// The fold of the entries so far.
    state: State,
    open: BTreeMap<AttemptId, (Arc<Who>, Arc<Hold>)>,
    rollups: BTreeMap<RollupKey, Tally>,
    found: Tables,
}

/// The tables as they were kept.
#[derive(Default)]
struct Tables {
    balances: BTreeMap<BalanceKey, Balance>,
    open: BTreeMap<AttemptId, ()>,
    rollups: BTreeMap<RollupKey, Tally>,
}

// === impl Report ===

impl Report {
    /// Whether the tables say what the entries say.
    pub fn is_clean(&self) -> bool {
        self.differences.is_empty()
    }

    fn compare<T: PartialEq + fmt::Display>(
        &mut self,
        place: impl FnOnce() -> String,
        expected: T,
        found: T,
    ) {
        if expected != found {
            self.differs(place(), expected.to_string(), found.to_string());
        }
    }

    fn differs(&mut self, place: String, expected: impl Into<String>, found: impl Into<String>) {
        if self.differences.len() < DIFFERENCES_MAX {
            let (expected, found) = (expected.into(), found.into());
            self.differences.push(Difference { place, expected, found });
        } else {
            self.omitted = self.omitted.saturating_add(1);
        }
    }

    /// Compares row by row what was expected and found of one table.
    fn compare_tables<K: Ord, V: PartialEq>(
        &mut self,
        expected: &BTreeMap<K, V>,
        found: &BTreeMap<K, V>,
        place: impl Fn(&K) -> String,
        show: impl Fn(&V) -> String,
    ) {
        let show = |row: Option<&V>| row.map_or_else(|| "no row".to_owned(), &show);
        for (key, row) in expected {
            if found.get(key) != Some(row) {
                self.differs(place(key), show(Some(row)), show(found.get(key)));
            }
        }
        for (key, row) in found.iter().filter(|(key, _)| !expected.contains_key(key)) {
            self.differs(place(key), show(None), show(Some(row)));
        }
    }
}

// === impl Costs ===

impl Costs {
    fn count(&mut self, bill: &Bill, is_priced: bool) {
        let reported = bill.cost.status == CostStatus::ProviderReported;
        let add = |count: &mut u64, when| *count = count.saturating_add(u64::from(when));
        add(&mut self.derived, is_priced);
        add(&mut self.reported, is_priced && reported);
        add(&mut self.reported_only, !is_priced && reported);
        add(&mut self.unknown, bill.cost.usd.is_none());
    }
}

// === impl Audit ===

impl Audit {
    fn take(&mut self, row: Row) -> Result<(), StoreError> {
        match row {
            Row::RateCard { hash, json } => self.card(hash, &json),
            Row::Entry(record) => self.entry(record)?,
            Row::Balance(key, balance) => {
                self.found.balances.insert(key, balance);
            }
            Row::Open(id) => {
                self.found.open.insert(id, ());
            }
            Row::Rollup(key, tally) => {
                self.found.rollups.insert(key, tally);
            }
        }
        Ok(())
    }

    fn card(&mut self, hash: String, json: &str) {
        match RateCard::from_json(json) {
            Some(card) if card.hash().to_string() == hash => {
                self.cards.insert(hash, card);
            }
            card => {
                let found = card.map_or("none".to_owned(), |card| card.hash().to_string());
                self.report.differs("rate card".to_owned(), hash, found);
            }
        }
    }

    fn entry(&mut self, record: Record) -> Result<(), StoreError> {
        self.report.entries = self.report.entries.saturating_add(1);
        let Record { id, at, who, held, charged, overrun, what } = record;
        let what = match what {
            Recorded::Hold(hold) => self.hold(id, &who, hold),
            Recorded::End(ending, cards) => match self.end(id, &who, &ending, &cards) {
                Some(hold) => Move::End(hold, ending),
                None => return Ok(()),
            },
            Recorded::Adjust(hold, adjustment, cards) => {
                if let Some(rebilled) = &adjustment.rebilled {
                    self.cost(id, &rebilled.bill, &cards);
                    self.report.costs.unknown = self.report.costs.unknown.saturating_sub(1);
                }
                Move::Adjust(hold, adjustment)
            }
        };
        let place = |column: &str| format!("{column} of entry {id}.{}", what.name());
        self.report.compare(|| place("held"), what.hold().amount, held);
        self.report.compare(|| place("charged"), what.charged(), charged);
        self.report.compare(|| place("overrun"), what.is_overrun(), overrun);
        self.report.spent = self.report.spent.plus(what.charged())?;
        let entry = Entry { id, at, who, what };
        self.state.replay(&entry)?;
        if let Some((key, tally)) = Tally::of(&entry) {
            let sum = self.rollups.entry(key).or_default();
            *sum = sum.plus(&tally)?;
        }
        Ok(())
    }

    fn hold(&mut self, id: AttemptId, who: &Arc<Who>, hold: Arc<Hold>) -> Move {
        self.report.attempts = self.report.attempts.saturating_add(1);
        if self.open.insert(id, (Arc::clone(who), Arc::clone(&hold))).is_some() {
            self.report.differs(format!("attempt {id}"), "one hold", "another while it was open");
        }
        Move::Hold(hold)
    }

    /// Gives the hold that is ended; `None` where there is none.
    fn end(
        &mut self,
        id: AttemptId,
        who: &Who,
        ending: &Ending,
        cards: &Cards,
    ) -> Option<Arc<Hold>> {
        let Some((owner, hold)) = self.open.remove(&id) else {
            self.report.differs(
                format!("attempt {id}"),
                "one hold, and then one ending",
                "an ending without an open hold",
            );
            return None;
        };
        if *owner != *who {
            let (expected, found) = (format!("{owner:?}"), format!("{who:?}"));
            self.report.differs(format!("account of the ending of attempt {id}"), expected, found);
        }
        if let Ending::Settle(bill) = ending {
            self.cost(id, bill, cards);
        }
        Some(hold)
    }

    /// A cost that was reckoned from rate cards can be reckoned from them again.
    fn cost(&mut self, id: AttemptId, bill: &Bill, cards: &Cards) {
        let own = (bill.own_usage(), cards.own.as_ref());
        let others = bill.others.iter().zip(&cards.others);
        let others = others.map(|(part, card)| (part.usage, card.as_ref()));
        let mut derived: Option<Cost> = None;
        let mut is_priced = false;
        for (usage, card) in std::iter::once(own).chain(others) {
            let Ok(card) = self.card_of(id, card) else { return };
            is_priced |= card.is_some();
            let cost = Cost::of(card, &usage);
            derived = Some(derived.map_or(cost, |sum| sum.and(cost)));
        }
        let derived = derived.filter(|_| is_priced).unwrap_or(Cost::UNPRICED);
        let (expected, found) = match bill.cost.status {
            CostStatus::Priced => (derived, bill.cost),
            CostStatus::Partial => (derived.partial(), bill.cost),
            CostStatus::Estimated => (derived.estimated(), bill.cost),
            // What was charged is the provider's word; what it would be by our list is ours.
            CostStatus::ProviderReported => {
                (Cost { usd: derived.usd, ..bill.cost }, Cost { usd: bill.listed, ..bill.cost })
            }
            CostStatus::Unpriced | CostStatus::Included | CostStatus::InvalidUsage => {
                (bill.cost, bill.cost)
            }
        };
        self.report.costs.count(bill, is_priced);
        if expected != found {
            let place = format!("cost of attempt {id}");
            self.report.differs(place, show_cost(expected), show_cost(found));
        }
    }

    /// The card of this name; `Err` where there is none, which is reported.
    fn card_of(&mut self, id: AttemptId, name: Option<&CardRef>) -> Result<Option<&RateCard>, ()> {
        let Some(CardRef { hash, .. }) = name else { return Ok(None) };
        if !self.cards.contains_key(hash) {
            self.report.differs(format!("rate card of attempt {id}"), hash.as_str(), "none");
            return Err(());
        }
        Ok(self.cards.get(hash))
    }

    fn finish(self) -> Report {
        let balances =
            self.state.balances().map(|(key, balance)| (key.clone(), *balance)).collect();
        let open: BTreeMap<_, _> = self.open.keys().map(|id| (*id, ())).collect();
        let Audit { mut report, found, rollups, .. } = self;
        report.open = u64::try_from(open.len()).unwrap_or(u64::MAX);
        report.compare_tables(&balances, &found.balances, balance_place, |balance| {
            format!("{:?} held, {:?} spent", balance.held, balance.spent)
        });
        let open_place = |id: &AttemptId| format!("open hold {id}");
        report.compare_tables(&open, &found.open, open_place, |()| "a row".to_owned());
        report.compare_tables(&rollups, &found.rollups, rollup_place, |tally| format!("{tally:?}"));
        report
    }
}

fn balance_place(key: &BalanceKey) -> String {
    let BalanceKey { tenant, scope, id, window, start, .. } = key;
    format!("balance of {} `{id}` of `{tenant}`, {} from {start}", scope.name(), window.name())
}

fn rollup_place(key: &RollupKey) -> String {
    let RollupKey { tenant, hour, user, agent, provider, model } = key;
    let agent = agent.as_ref().map_or("none", |agent| agent.as_str());
    format!(
        "roll-up of `{tenant}`, hour {hour}, user `{user}`, agent `{agent}`, `{provider}` `{model}`"
    )
}

fn show_cost(cost: Cost) -> String {
    let amount = cost.usd.map_or("unknown".to_owned(), |usd| usd.to_string());
    let inexact = if cost.inexact { ", inexact" } else { "" };
    let assumed_rate = if cost.assumed_rate { ", by an assumed rate" } else { "" };
    format!("{amount} ({}{inexact}{assumed_rate})", cost.status.name())
}
