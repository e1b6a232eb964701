//! A session is one caller's, ends by itself, and says what it came to.

use super::*;
use crate::Usd;
use crate::scope::Scope;
use crate::tally::tests::operation;
use jiff::SignedDuration;

fn noon() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn hours(hours: i64) -> Timestamp {
    noon() + SignedDuration::from_hours(hours)
}

fn who(tenant: &str, user: &str, thread: &str) -> Who {
    let (tenant, user) = (TenantId::new(tenant).unwrap(), UserId::new(user).unwrap());
    Who { thread: ThreadId::new(thread).ok(), ..Who::new(tenant, user) }
}

fn factory() -> SessionFactory {
    SessionFactory::new(SessionLimits::default())
}

fn id(factory: &mut SessionFactory, who: &Who, at: Timestamp) -> SessionId {
    factory.open(who, at).unwrap().session.id()
}

#[test]
fn creating_a_session_again_gives_the_same_one() {
    let mut factory = factory();
    let ada = who("acme", "ada", "talk");
    let opened = factory.open(&ada, noon()).unwrap();
    assert!(opened.is_new);
    opened.session.track(&operation("coder", "gpt-5", Some(7)));
    let again = factory.open(&ada, hours(1)).unwrap();
    assert_eq!((again.is_new, again.session.total().operations), (false, 1));
    assert_eq!(again.session.started_at(), noon());

    let first = id(&mut factory, &ada, hours(1));
    let run = Who { run: RunId::new("task").ok(), ..ada.clone() };
    let others = [
        who("acme", "ada", ""),
        who("acme", "ada", "other"),
        who("acme", "bob", "talk"),
        who("evil", "ada", "talk"),
        run,
    ];
    for other in others {
        assert_ne!(id(&mut factory, &other, hours(1)), first);
    }
}

#[test]
fn a_summary_tells_duration_operations_cost_tokens_averages_and_groups() {
    let mut factory = factory();
    let ada = who("acme", "ada", "talk");
    let session = factory.open(&ada, noon()).unwrap().session;
    session.track(&operation("coder", "gpt-5", Some(30)));
    session.track(&operation("tester", "gpt-5", Some(11)));
    session.track(&operation("", "local", None));
    session.record_optimization(&Optimization {
        pass: "dedup".into(),
        tokens_before: 90,
        tokens_after: 50,
        saved: Some(Usd::from_pico(5)),
    });
    let id = session.id();
    let scope = Scope::user(ada.tenant.clone(), ada.user.clone());
    let summary = factory.finalize(&scope, id, hours(2)).unwrap();
    assert_eq!(
        (summary.ended, summary.duration),
        (Some(Ended::Finalized), SignedDuration::from_hours(2))
    );
    assert_eq!((summary.total.operations, summary.tokens), (3, 300));
    assert_eq!((summary.total.cost, summary.total.unknown_cost), (Usd::from_pico(41), 1));
    assert_eq!((summary.total.tokens_saved, summary.total.saved), (40, Usd::from_pico(5)));
    assert_eq!((summary.mean_tokens, summary.mean_cost), (Some(100), Some(Usd::from_pico(20))));
    let rows = |groups: &[Group]| -> Vec<_> {
        let row =
            |group: &Group| (group.name.as_deref().map(str::to_owned), group.tally.operations);
        groups.iter().map(row).collect()
    };
    let name = |name: &str| Some(name.to_owned());
    let by_agent = [(name("coder"), 1), (name("tester"), 1), (None, 1)];
    assert_eq!(rows(&summary.by_agent), by_agent);
    assert_eq!(rows(&summary.by_model), [(name("gpt-5"), 2), (name("local"), 1)]);
    assert_eq!(serde_json::to_value(&summary).unwrap()["duration_ms"], 7_200_000);

    assert_eq!(factory.finalize(&scope, id, hours(2)), None, "once");
    assert_ne!(self::id(&mut factory, &ada, hours(2)), id, "what follows is another session");
}

#[test]
fn a_session_ends_by_itself_after_a_day_and_that_is_told() {
    let mut factory = factory();
    let ada = who("acme", "ada", "talk");
    let first = id(&mut factory, &ada, noon());
    assert_eq!(id(&mut factory, &ada, hours(23)), first);
    assert_eq!(factory.sweep(hours(23), 9), []);
    let ended = factory.sweep(hours(24), 9);
    assert_eq!((ended[0].id, ended[0].ended), (first, Some(Ended::Expired)));

    // Where nobody sweeps, the next call ends it.
    let second = id(&mut factory, &ada, hours(24));
    let opened = factory.open(&ada, hours(48)).unwrap();
    assert_eq!((opened.ended[0].id, opened.ended[0].ended), (second, Some(Ended::Expired)));
}

#[test]
fn an_eleventh_session_of_a_user_ends_the_one_that_was_idle_longest() {
    let mut factory = factory();
    let talk = |number: i64| who("acme", "ada", &format!("talk-{number}"));
    let ids: Vec<_> = (0..10).map(|n| id(&mut factory, &talk(n), hours(n))).collect();
    id(&mut factory, &who("acme", "bob", "talk"), hours(0));
    id(&mut factory, &talk(0), hours(10));
    let opened = factory.open(&talk(10), hours(11)).unwrap();
    assert_eq!(opened.ended.len(), 1);
    assert_eq!((opened.ended[0].id, opened.ended[0].ended), (ids[1], Some(Ended::Displaced)));
    assert_eq!(factory.health().len, 11);
}

#[test]
fn x5_a_session_of_another_is_as_one_that_does_not_exist() {
    let mut factory = factory();
    let ada = id(&mut factory, &who("acme", "ada", "talk"), noon());
    id(&mut factory, &who("acme", "bob", "talk"), noon());
    let user =
        |tenant, user| Scope::user(TenantId::new(tenant).unwrap(), UserId::new(user).unwrap());
    for stranger in [user("acme", "bob"), user("evil", "ada")] {
        assert_eq!(factory.get(&stranger, ada, noon()), None);
        assert_eq!(factory.finalize(&stranger, ada, noon()), None);
        assert!(factory.list(&stranger, noon()).iter().all(|session| session.id != ada));
    }
    assert_eq!(factory.list(&Scope::all_users(TenantId::new("acme").unwrap()), noon()).len(), 2);
    assert!(factory.get(&user("acme", "ada"), ada, noon()).is_some());
}

#[test]
fn a_factory_that_closes_begins_nothing_new_and_goes_on_with_what_it_has() {
    let mut factory = factory();
    let ada = who("acme", "ada", "talk");
    id(&mut factory, &ada, noon());
    factory.close();
    assert!(factory.open(&ada, noon()).is_some());
    assert!(factory.open(&who("acme", "bob", "talk"), noon()).is_none());
}

#[test]
fn names_beyond_the_bound_are_counted_together() {
    let mut session = Session::new(&who("acme", "ada", ""), noon());
    for number in 0..100 {
        session.track(&operation(&format!("agent-{number}"), "gpt-5", Some(1)));
    }
    let summary = Summary::of(&session, None, noon());
    assert_eq!(summary.by_agent.len(), 65);
    assert_eq!(summary.by_agent[64].name, None);
    let operations: u64 = summary.by_agent.iter().map(|group| group.tally.operations).sum();
    assert_eq!(operations, 100);
}

#[test]
fn session_ids_round_trip() {
    let mut factory = factory();
    let id = id(&mut factory, &who("acme", "ada", "talk"), noon());
    assert_eq!(id.to_string().parse(), Ok(id));
    for wrong in [
        "",
        "ses_7",
        "req_00000000000000000000000000000007",
        "ses_+0000000000000000000000000000007",
    ] {
        assert!(wrong.parse::<SessionId>().is_err(), "{wrong}");
    }
}
