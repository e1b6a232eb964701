//! A store that is slow or fails, and a ledger that is closed.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::AtomicBool;
use std::sync::{Condvar, Mutex};
use std::task::Poll;

use super::*;
use crate::item::{Committed, Item};
use crate::store::{Loaded, Reader};

/// A store that can be made to stand still, or to fail.
struct Faulty {
    store: SqliteStore,
    faults: Arc<Faults>,
}

#[derive(Default)]
struct Faults {
    fails: AtomicBool,
    stands_still: Mutex<bool>,
    moves_on: Condvar,
    batches: Mutex<Vec<usize>>,
}

impl Faulty {
    fn new() -> (Faulty, Arc<Faults>) {
        let faults = Arc::<Faults>::default();
        (Faulty { store: in_memory(), faults: Arc::clone(&faults) }, faults)
    }
}

impl Store for Faulty {
    fn load(&mut self, at: Timestamp) -> Result<Loaded, StoreError> {
        self.store.load(at)
    }

    fn commit(&mut self, items: &[Item]) -> Result<Committed, StoreError> {
        let waiting = self.faults.stands_still.lock().unwrap();
        drop(self.faults.moves_on.wait_while(waiting, |stands_still| *stands_still).unwrap());
        if self.faults.fails.load(Ordering::SeqCst) {
            return Err(StoreError::NotALedger { place: "broken".into() });
        }
        self.faults.batches.lock().unwrap().push(items.len());
        self.store.commit(items)
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        self.store.reader()
    }
}

impl Faults {
    fn stand_still(&self, stands_still: bool) {
        *self.stands_still.lock().unwrap() = stands_still;
        self.moves_on.notify_all();
    }

    fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }
}

fn options(places: usize) -> Options {
    Options { places, retry_every: Duration::from_millis(1), tries_at_close: 3 }
}

/// Lets a future run as far as it gets; whether it has ended.
async fn ends_now(future: &mut (impl Future + Unpin)) -> bool {
    let mut future = pin!(future);
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await
}

#[tokio::test]
async fn l3_a_full_queue_makes_holds_wait_and_endings_not() {
    let (store, faults) = Faulty::new();
    let ledger = Ledger::open(store, clock(), options(4)).unwrap();
    faults.stand_still(true);
    let first = try_hold(&ledger, 1, "0.10").await.unwrap();
    let second = try_hold(&ledger, 2, "0.10").await.unwrap();
    let mut third = Box::pin(try_hold(&ledger, 3, "0.10"));
    // The writer may have taken one entry out of the queue, but not both places of a hold.
    let mut fourth = Box::pin(try_hold(&ledger, 4, "0.10"));
    assert!(!ends_now(&mut third).await && !ends_now(&mut fourth).await);
    assert_eq!(balance(&ledger).0, usd("0.20"), "what waits holds nothing");

    first.settle(bill());
    drop(fourth);
    faults.stand_still(false);
    let third = third.await.unwrap();
    third.committed().await.unwrap();
    drop(second);
    third.void("not connected");
    ledger.close().await.unwrap();
    assert_eq!(ledger.verify().await.unwrap().entries, 6);
}

#[tokio::test]
async fn what_is_decided_during_one_commit_goes_into_the_next() {
    let (store, faults) = Faulty::new();
    let ledger = Ledger::open(store, clock(), Options::default()).unwrap();
    faults.stand_still(true);
    for request in 0..1_200 {
        try_hold(&ledger, request, "0.002").await.unwrap().settle(bill());
    }
    faults.stand_still(false);
    ledger.flush().await.unwrap();
    let batches = faults.batches.lock().unwrap().clone();
    assert_eq!(batches.iter().sum::<usize>(), 2_400);
    assert!(batches.len() <= 4 && batches.iter().all(|batch| *batch <= 1_000), "{batches:?}");
}

#[tokio::test]
async fn l2_a_failing_store_admits_nobody_and_loses_nothing() {
    let (store, faults) = Faulty::new();
    let ledger = Ledger::open(store, clock(), options(16)).unwrap();
    let running = try_hold(&ledger, 1, "0.10").await.unwrap();
    running.committed().await.unwrap();

    faults.fail(true);
    running.settle(bill());
    while ledger.health().is_ok() {
        tokio::task::yield_now().await;
    }
    let unavailable = ledger.health().unwrap_err();
    assert_eq!(unavailable.since, now());
    assert!(unavailable.error.contains("broken"), "{unavailable}");
    let refused = try_hold(&ledger, 2, "0.10").await.unwrap_err();
    assert_eq!(refused, HoldError::Unavailable(unavailable));
    assert_eq!(balance(&ledger), (Usd::ZERO, usd(COST)));

    faults.fail(false);
    ledger.flush().await.unwrap();
    ledger.health().unwrap();
    try_hold(&ledger, 2, "0.10").await.unwrap().settle(bill());
    ledger.flush().await.unwrap();
    let report = ledger.verify().await.unwrap();
    assert_eq!((report.entries, report.spent, report.differences), (4, usd("0.0029"), vec![]));
}

#[tokio::test]
async fn a_hold_that_waits_for_a_place_is_refused_when_the_store_fails() {
    let (store, faults) = Faulty::new();
    let ledger = Ledger::open(store, clock(), options(2)).unwrap();
    faults.stand_still(true);
    let _running = try_hold(&ledger, 1, "0.10").await.unwrap();
    let mut waiting = Box::pin(try_hold(&ledger, 2, "0.10"));
    assert!(!ends_now(&mut waiting).await);
    faults.fail(true);
    faults.stand_still(false);
    assert!(matches!(waiting.await.unwrap_err(), HoldError::Unavailable(_)));
}

#[tokio::test]
async fn closing_while_the_store_fails_ends_and_says_what_never_became_durable() {
    let (store, faults) = Faulty::new();
    let ledger = Ledger::open(store, clock(), options(16)).unwrap();
    faults.fail(true);
    let held = try_hold(&ledger, 1, "0.10").await.unwrap();
    let error = ledger.close().await.unwrap_err();
    assert!(error.to_string().contains("cannot be written since 2026-03-14"), "{error}");
    assert_eq!(held.committed().await, Err(error));
    assert_eq!(held.settle(bill()).what.name(), "settle", "an ending never fails");
    try_hold(&ledger, 2, "0.10").await.unwrap_err();
}

#[tokio::test]
async fn a_closed_ledger_admits_nobody_and_still_records_endings() {
    let ledger = open(in_memory());
    let running = try_hold(&ledger, 1, "0.10").await.unwrap();
    ledger.close().await.unwrap();
    assert_eq!(try_hold(&ledger, 2, "0.10").await.unwrap_err(), HoldError::Closed);
    running.settle(bill());
    ledger.flush().await.unwrap();
    assert_eq!(ledger.verify().await.unwrap().spent, usd(COST));
}

#[tokio::test]
async fn s9_cancelled_calls_are_charged_and_hold_nothing() {
    let ledger = open(in_memory());
    let call = |request| {
        let ledger = ledger.clone();
        tokio::spawn(async move {
            let held = try_hold(&ledger, request, "0.01").await.unwrap();
            std::future::pending::<()>().await;
            held.settle(bill());
        })
    };
    let calls: Vec<_> = (0..200).map(call).collect();
    while balance(&ledger).0 != usd("2") {
        tokio::task::yield_now().await;
    }
    for call in calls {
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
    }
    assert_eq!(balance(&ledger), (Usd::ZERO, usd("2")));
}
