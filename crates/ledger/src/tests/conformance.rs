//! What every storage engine must do, seen through the ledger. A new engine is one line here.

use std::sync::Arc;

use farthing_core::Usd;
use farthing_core::budget::{Command, State};
use farthing_core::entry::{Adjustment, Ending, Entry, Move};
use farthing_core::id::CauseId;
use jiff::SignedDuration;
use tempfile::TempDir;

use super::events::*;
use super::*;
use crate::answer::Status;
use crate::item::Item;
use crate::record::{CardRef, Cards, Recorded};
use crate::store::Row;
use crate::{GroupBy, Page, verify};

/// Where a ledger is kept, so that it can be opened again.
pub(super) trait Place {
    type Store: Store + 'static;

    fn make() -> Self;
    fn open(&self) -> Self::Store;
}

macro_rules! conformance {
    ($engine:ident, $place:ty, $($test:ident)*) => {
        mod $engine {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(<$place as super::Place>::make()).await;
            })*
        }
    };
    ($engine:ident, $place:ty) => {
        conformance! { $engine, $place,
            b1_parallel_holds_never_exceed_the_room
            b4_a_dropped_hold_is_charged_in_full
            b5_nothing_is_held_when_idle
            b12_every_attempt_of_a_request_is_charged_once
            l1_holds_that_were_left_open_are_charged_when_opened_again
            l4_entries_recorded_twice_count_once
            a_correction_is_recorded_once_and_read_back
            x5_nobody_sees_another_scope
            what_is_recorded_is_read_back_unchanged
            requests_are_listed_newest_first_page_by_page
            usage_is_told_apart_by_any_group
            readers_and_the_writer_do_not_disturb_each_other
            events_have_gapless_places_and_outlive_the_process
            the_oldest_events_of_a_user_make_room
            documents_are_changed_durably_and_every_change_is_written_down
        }
    };
}

conformance!(sqlite_file, super::SqliteFile);
conformance!(sqlite_memory, super::SqliteMemory);

struct SqliteFile(TempDir);

impl Place for SqliteFile {
    type Store = SqliteStore;

    fn make() -> SqliteFile {
        SqliteFile(TempDir::new().unwrap())
    }

    fn open(&self) -> SqliteStore {
        once_free(|| SqliteStore::open(self.0.path().join("ledger.db")))
    }
}

/// Its first store keeps the memory.
struct SqliteMemory(String, #[expect(dead_code, reason = "it only has to live")] SqliteStore);

impl Place for SqliteMemory {
    type Store = SqliteStore;

    fn make() -> SqliteMemory {
        let name = fresh_name();
        let first = SqliteStore::in_memory(&name).unwrap();
        SqliteMemory(name, first)
    }

    fn open(&self) -> SqliteStore {
        SqliteStore::in_memory(&self.0).unwrap()
    }
}

fn item(entry: Entry) -> Item {
    Item::Entry(entry, Vec::new())
}

async fn b1_parallel_holds_never_exceed_the_room(place: impl Place) {
    let ledger = open(place.open());
    let call = |request| {
        let ledger = ledger.clone();
        tokio::spawn(async move { try_hold(&ledger, request, "0.199").await })
    };
    let calls: Vec<_> = (0..200).map(call).collect();
    let mut admitted = Vec::new();
    for call in calls {
        match call.await.unwrap() {
            Ok(held) => admitted.push(held),
            Err(HoldError::Refused(refusal)) => assert_eq!(refusal.wanted.usd, usd("0.199")),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(admitted.len(), 50, "10 / 0.199");
    assert_eq!(balance(&ledger), (usd("9.95"), Usd::ZERO));
    for held in &admitted {
        held.committed().await.unwrap();
    }
    let report = ledger.verify().await.unwrap();
    assert_eq!((report.entries, report.open, report.differences), (50, 50, vec![]));
}

async fn b4_a_dropped_hold_is_charged_in_full(place: impl Place) {
    let ledger = open(place.open());
    drop(try_hold(&ledger, 1, "0.30").await.unwrap());
    assert_eq!(balance(&ledger), (Usd::ZERO, usd("0.30")));
    ledger.flush().await.unwrap();
    let request =
        ledger.request(everyone_of("acme"), attempt(1, 1).request).await.unwrap().unwrap();
    let [only] = &request.attempts[..] else { panic!("{request:?}") };
    assert_eq!((only.status, only.origin), (Status::Expired, Some(Origin::Estimated)));
    assert_eq!((request.charged, request.cost.unknown), (usd("0.30"), 1));
}

async fn b5_nothing_is_held_when_idle(place: impl Place) {
    let ledger = open(place.open());
    let settled = try_hold(&ledger, 1, "0.10").await.unwrap().settle(bill());
    let voided = try_hold(&ledger, 2, "0.20").await.unwrap().void("429 by the provider");
    drop(try_hold(&ledger, 3, "0.30").await.unwrap());
    assert_eq!(settled.what.charged(), usd(COST));
    assert_eq!(voided.what.charged(), Usd::ZERO);
    assert_eq!(balance(&ledger), (Usd::ZERO, usd("0.30145")));
    ledger.close().await.unwrap();
    let report = ledger.verify().await.unwrap();
    assert_eq!((report.spent, report.open, report.differences), (usd("0.30145"), 0, vec![]));
}

async fn b12_every_attempt_of_a_request_is_charged_once(place: impl Place) {
    let ledger = open(place.open());
    let who = who("acme", "ada");
    let try_once =
        |number| ledger.hold(attempt(1, number), who.clone(), hold(&who, "0.10", "10"), Vec::new());
    try_once(1).await.unwrap().void("connection refused");
    try_once(2).await.unwrap().settle(bill());
    try_once(3).await.unwrap().settle(bill());
    ledger.flush().await.unwrap();
    let request =
        ledger.request(everyone_of("acme"), attempt(1, 1).request).await.unwrap().unwrap();
    let statuses: Vec<_> = request.attempts.iter().map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [Status::Voided, Status::Settled, Status::Settled]);
    assert_eq!(request.cost.usd, Some(usd("0.0029")));
    assert_eq!(balance(&ledger), (Usd::ZERO, usd("0.0029")));
}

async fn l1_holds_that_were_left_open_are_charged_when_opened_again(place: impl Place) {
    let who = who("acme", "ada");
    let mut state = State::default();
    let mut hold = |request, amount| {
        let (id, who, hold) = (attempt(request, 1), who.clone(), hold(&who, amount, "10"));
        state.apply(Command::Hold { id, who, hold }, now()).unwrap().entry
    };
    let entries = [hold(1, "0.10"), hold(2, "0.20")];
    place.open().commit(&entries.map(item)).unwrap();

    let ledger = open(place.open());
    assert_eq!(balance(&ledger), (Usd::ZERO, usd("0.30")));
    let report = ledger.verify().await.unwrap();
    assert_eq!((report.entries, report.open, report.differences), (4, 0, vec![]));
    let epoch = ledger.epoch().to_owned();
    drop(ledger);

    let ledger = open(place.open());
    assert_eq!(balance(&ledger), (Usd::ZERO, usd("0.30")), "once");
    assert_eq!(ledger.epoch(), epoch);
}

async fn l4_entries_recorded_twice_count_once(place: impl Place) {
    let (mut store, mut state) = (place.open(), State::default());
    let (id, who) = (attempt(1, 1), who("acme", "ada"));
    let command = Command::Hold { id, hold: hold(&who, "0.10", "10"), who };
    let held = state.apply(command, now()).unwrap().entry;
    let settled = state.apply(Command::End(id, Ending::Settle(bill())), now()).unwrap().entry;
    let other_ending =
        Entry { what: Move::End(held.what.hold().clone(), Ending::Expire), ..held.clone() };

    let [held, settled, other_ending] = [held, settled, other_ending].map(item);
    assert_eq!(store.commit(std::slice::from_ref(&held)).unwrap().new, 1);
    assert_eq!(store.commit(&[held.clone(), settled.clone()]).unwrap().new, 1);
    assert_eq!(store.commit(&[held, settled, other_ending]).unwrap().new, 0);

    let report = verify(&mut *store.reader().unwrap()).unwrap();
    assert_eq!((report.entries, report.spent, report.differences), (2, usd(COST), vec![]));
    assert_eq!(store.load(now()).unwrap().state, state);
}

async fn a_correction_is_recorded_once_and_read_back(place: impl Place) {
    let (mut store, mut state) = (place.open(), State::default());
    let (id, who) = (attempt(1, 1), who("acme", "ada"));
    let hold = hold(&who, "0.10", "10");
    let adjustment = |cause, delta| Adjustment {
        cause: CauseId::new(cause).unwrap(),
        delta: usd(delta),
        reason: "the price was wrong".to_owned(),
        rebilled: None,
    };
    let adjust = |cause, delta| Command::Adjust {
        id,
        who: who.clone(),
        hold: hold.clone(),
        adjustment: adjustment(cause, delta),
    };
    let commands = [
        Command::Hold { id, hold: hold.clone(), who: who.clone() },
        Command::End(id, Ending::Settle(bill())),
        adjust("reprice", "-0.0004"),
        adjust("invoice", "0.0001"),
    ];
    let items = commands.map(|command| item(state.apply(command, now()).unwrap().entry));
    assert_eq!(store.commit(&items).unwrap().new, 4);
    assert_eq!(store.commit(&items).unwrap().new, 0);
    assert_eq!(store.load(now()).unwrap().state, state);

    let mut reader = store.reader().unwrap();
    let report = verify(&mut *reader).unwrap();
    assert_eq!((report.entries, report.spent, report.differences), (4, usd("0.00115"), vec![]));
    let records = reader.request(&everyone_of("acme"), id.request).unwrap();
    let corrected = Recorded::Adjust(hold, adjustment("reprice", "-0.0004"), Cards::default());
    assert_eq!((records.len(), &records[2].what), (4, &corrected));
    let ledger = open(store);
    let request = ledger.request(everyone_of("acme"), id.request).await.unwrap().unwrap();
    assert_eq!(request.charged, usd("0.00115"));
}

async fn x5_nobody_sees_another_scope(place: impl Place) {
    let ledger = open(place.open());
    let callers = [("acme", "ada"), ("acme", "bob"), ("evil", "ada")];
    for (number, (tenant, user)) in (1..).zip(callers) {
        let who = who(tenant, user);
        let hold = hold(&who, "0.10", "10");
        ledger.hold(attempt(number, 1), who, hold, Vec::new()).await.unwrap().settle(bill());
    }
    ledger.flush().await.unwrap();
    for (scope, visible) in [
        (only("acme", "ada"), vec![1]),
        (only("acme", "bob"), vec![2]),
        (only("evil", "ada"), vec![3]),
        (only("evil", "bob"), vec![]),
        (everyone_of("acme"), vec![2, 1]),
    ] {
        let visible: Vec<_> = visible.into_iter().map(|n| attempt(n, 1).request).collect();
        let listed = ledger.requests(scope.clone(), Page::new(9, None).unwrap()).await.unwrap();
        let listed: Vec<_> = listed.requests.iter().map(|row| row.request).collect();
        assert_eq!(listed, visible);
        for id in (1..=4).map(|number| attempt(number, 1).request) {
            let found = ledger.request(scope.clone(), id).await.unwrap();
            assert_eq!(found.is_some(), visible.contains(&id));
            // A stranger's request does not tell where in time it lies, either.
            let page = Page::new(9, Some(id)).unwrap();
            let after = ledger.requests(scope.clone(), page).await.unwrap();
            assert!(visible.contains(&id) || after.requests.is_empty());
        }
        let usage = ledger.usage(scope, Timestamp::MIN, Timestamp::MAX, None).await.unwrap();
        let requests: u64 = usage.iter().map(|row| row.requests).sum();
        assert_eq!(requests, visible.len() as u64);
    }
}

async fn what_is_recorded_is_read_back_unchanged(place: impl Place) {
    let ledger = open(place.open());
    let who = who("acme", "ada");
    let (hold, bill) = (hold(&who, "0.00000000001", "10"), bill());
    let held = ledger.hold(attempt(1, 1), who.clone(), hold.clone(), Vec::new()).await.unwrap();
    held.settle(bill.clone());
    ledger.flush().await.unwrap();
    drop(ledger);
    let mut records = Vec::new();
    let mut reader = place.open().reader().unwrap();
    reader
        .scan(&mut |row| {
            records.extend(match row {
                Row::Entry(record) => Some(record),
                _ => None,
            });
            Ok(())
        })
        .unwrap();
    let [held, settled] = &records[..] else { panic!("{records:?}") };
    assert_eq!((held.id, held.at, &held.who), (attempt(1, 1), now(), &who));
    assert_eq!(held.what, Recorded::Hold(hold));
    let priced = bill.priced_by.clone().unwrap();
    let card = CardRef { hash: priced.card.hash().to_string(), rule: priced.rule };
    let cards = Cards { own: Some(card), others: Vec::new() };
    let bill = Arc::new(Bill { priced_by: None, ..Bill::clone(&bill) });
    assert_eq!(settled.what, Recorded::End(Ending::Settle(bill), cards));
    assert!(settled.overrun, "it cost more than was held");
}

async fn requests_are_listed_newest_first_page_by_page(place: impl Place) {
    let ledger = open(place.open());
    // The first one's second attempt comes last, and does not move it.
    for (request, number) in [(5, 1), (3, 1), (4, 1), (5, 2)] {
        let who = who("acme", "ada");
        let hold = hold(&who, "0.10", "10");
        ledger.hold(attempt(request, number), who, hold, Vec::new()).await.unwrap().settle(bill());
    }
    ledger.flush().await.unwrap();
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = Page::new(1, after).unwrap();
        let page = ledger.requests(only("acme", "ada"), page).await.unwrap();
        listed.extend(page.requests.iter().map(|row| (row.request, row.attempts)));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let expected = [(4, 1), (3, 1), (5, 2)];
    assert_eq!(listed, expected.map(|(request, attempts)| (attempt(request, 1).request, attempts)));
    assert!(Page::new(0, None).is_err() && Page::new(1_001, None).is_err());
}

async fn usage_is_told_apart_by_any_group(place: impl Place) {
    let ledger = open(place.open());
    for (request, user) in [(1, "ada"), (2, "ada"), (3, "bob")] {
        let who = who("acme", user);
        let hold = hold(&who, "0.10", "10");
        let held = ledger.hold(attempt(request, 1), who, hold, Vec::new()).await.unwrap();
        if user == "ada" { drop(held.settle(bill())) } else { drop(held) }
    }
    ledger.flush().await.unwrap();
    let usage = async |group_by| {
        let scope = everyone_of("acme");
        ledger.usage(scope, Timestamp::MIN, Timestamp::MAX, group_by).await.unwrap()
    };
    let by_user = usage(Some(GroupBy::User)).await;
    let [ada, bob] = &by_user[..] else { panic!("{by_user:?}") };
    let tokens = (ada.input, ada.cache_read, ada.cache_write, ada.output, ada.reasoning);
    assert_eq!(tokens, (400, 200, 0, 200, 100));
    assert_eq!(
        (ada.group.as_deref(), ada.cost.usd, ada.charged),
        (Some("ada"), Some(usd("0.0029")), usd("0.0029"))
    );
    assert_eq!((bob.requests, bob.estimated, bob.cost.unknown), (1, 1, 1));
    assert_eq!((bob.cost.usd, bob.charged), (None, usd("0.10")));
    for (group_by, name) in [
        (GroupBy::Model, "gpt-5"),
        (GroupBy::Agent, "coder"),
        (GroupBy::Provider, "openai"),
        (GroupBy::Day, "2026-03-14"),
    ] {
        let groups = usage(Some(group_by)).await;
        assert_eq!(groups.len(), 1);
        assert_eq!((groups[0].group.as_deref(), groups[0].requests), (Some(name), 3));
    }
    let hour = "2026-03-14T15:00:00Z".parse::<Timestamp>().unwrap();
    let next = hour + SignedDuration::from_hours(1);
    for (since, until, rows) in
        [(hour, next, 1), (next, Timestamp::MAX, 0), (Timestamp::MIN, hour, 0)]
    {
        let usage = ledger.usage(only("acme", "bob"), since, until, None).await.unwrap();
        assert_eq!(usage.len(), rows);
    }
}

async fn readers_and_the_writer_do_not_disturb_each_other(place: impl Place) {
    let ledger = open(place.open());
    let writing = async {
        for request in 0..300 {
            try_hold(&ledger, request, "0.002").await.unwrap().settle(bill());
            ledger.flush().await.unwrap();
        }
    };
    let reading = async {
        for _ in 0..50 {
            let page = Page::new(1_000, None).unwrap();
            ledger.requests(everyone_of("acme"), page).await.unwrap();
            assert_eq!(ledger.verify().await.unwrap().differences, []);
        }
    };
    tokio::join!(writing, reading);
    ledger.health().unwrap();
}
