//! The outbox of live events, and documents: what every storage engine must do.

use farthing_core::entry::Who;
use farthing_core::event::{Data, Event, EventType, Total};
use farthing_core::id::RunId;

use super::conformance::Place;
use super::*;
use crate::error::Unavailable;
use crate::item::DocumentId;

fn event(who: &Who, number: usize) -> Event {
    Event {
        kind: EventType::AgentThinking,
        id: format!("event-{number}"),
        ts: now(),
        user_id: who.user.clone(),
        thread_id: ThreadId::new("t").unwrap(),
        run_id: RunId::new("r").unwrap(),
        parent_run_id: None,
        agent: None,
        request_id: None,
        data: Data::default(),
        usage: None,
        cost: None,
        budget: None,
        run_total: Total::default(),
    }
}

fn names(events: &[crate::item::Posted]) -> Vec<(u64, String)> {
    events.iter().map(|posted| (posted.seq, posted.event.id.clone())).collect()
}

pub(super) async fn events_have_gapless_places_and_outlive_the_process(place: impl Place) {
    let ledger = open(place.open());
    let (ada, bob) = (who("acme", "ada"), who("acme", "bob"));
    let mut live = ledger.outbox().listen(&ada.tenant, &ada.user);
    let hold = hold(&ada, "0.10", "10");
    let started = vec![event(&ada, 1)];
    let mut held = ledger.hold(attempt(1, 1), ada.clone(), hold, started).await.unwrap();
    ledger.post(bob.tenant.clone(), vec![event(&bob, 7)]).await.unwrap();
    held.tell(vec![event(&ada, 2), event(&ada, 3)]);
    held.settle(bill());
    ledger.flush().await.unwrap();

    let seen: Vec<_> = (0..3).map(|_| live.try_recv().unwrap()).collect();
    let expected: Vec<_> = (1..4).map(|number| (number, format!("event-{number}"))).collect();
    assert_eq!(names(&seen), expected);
    assert!(live.try_recv().is_err(), "nobody hears another's events");
    let kept = |ledger: Ledger, after| {
        let (tenant, user) = (ada.tenant.clone(), ada.user.clone());
        async move { ledger.events(tenant, user, after, 10).await.unwrap() }
    };
    assert_eq!(kept(ledger.clone(), 0).await, seen);
    ledger.close().await.unwrap();
    drop(ledger);

    let ledger = open(place.open());
    assert_eq!(names(&kept(ledger.clone(), 1).await), expected[1..]);
    let range = ledger.event_range(ada.tenant.clone(), ada.user.clone()).await.unwrap();
    assert_eq!(range, (1, 3));
    ledger.post(ada.tenant.clone(), vec![event(&ada, 4)]).await.unwrap();
    ledger.flush().await.unwrap();
    assert_eq!(names(&kept(ledger, 3).await), [(4, "event-4".to_owned())]);
}

pub(super) async fn the_oldest_events_of_a_user_make_room(place: impl Place) {
    let ledger = open(place.open());
    let ada = who("acme", "ada");
    for batch in 0..11 {
        let events = (0..1_000).map(|number| event(&ada, batch * 1_000 + number)).collect();
        ledger.post(ada.tenant.clone(), events).await.unwrap();
    }
    ledger.flush().await.unwrap();
    let range = ledger.event_range(ada.tenant.clone(), ada.user.clone()).await.unwrap();
    assert_eq!(range, (1_001, 11_000));
}

pub(super) async fn documents_are_changed_durably_and_every_change_is_written_down(
    place: impl Place,
) {
    let ledger = open(place.open());
    let id = |name: &str| DocumentId {
        tenant: TenantId::new("acme").unwrap(),
        kind: "key".to_owned(),
        id: name.to_owned(),
    };
    let set = |ledger: Ledger, name: &str, json: Option<&str>| {
        let (id, json) = (id(name), json.map(str::to_owned));
        async move {
            let change = ledger.change(id, "root".to_owned(), |_| Ok::<_, Unavailable>(json));
            change.await.unwrap()
        }
    };
    assert_eq!(set(ledger.clone(), "a", Some("1")).await.before, None);
    assert_eq!(set(ledger.clone(), "a", Some("2")).await.before.as_deref(), Some("1"));
    set(ledger.clone(), "b", Some("3")).await;
    set(ledger.clone(), "b", None).await;
    ledger.close().await.unwrap();
    drop(ledger);

    let ledger = open(place.open());
    let kept = ledger.documents_at_open("key");
    assert_eq!(kept.len(), 1);
    assert_eq!((&kept[0].id, kept[0].json.as_str()), (&id("a"), "2"));
    let log = ledger.audit(everyone_of("acme"), None, 10).await.unwrap();
    let shown: Vec<_> = log
        .iter()
        .map(|row| (row.change.document.id.as_str(), row.change.after.as_deref()))
        .collect();
    assert_eq!(shown, [("b", None), ("b", Some("3")), ("a", Some("2")), ("a", Some("1"))]);
    let older = ledger.audit(everyone_of("acme"), Some(log[1].seq), 10).await.unwrap();
    assert_eq!(older, log[2..]);
    assert!(ledger.audit(only("acme", "ada"), None, 10).await.unwrap().is_empty());
    assert!(ledger.audit(everyone_of("other"), None, 10).await.unwrap().is_empty());
}
