//! Values are their owner's, bounded in number and time, and none goes without being handed back.

use std::collections::BTreeMap as Model;

use proptest::prelude::*;

use super::*;

const NONE_EXPIRES: SignedDuration = SignedDuration::from_hours(100_000);

fn owner(tenant: &str, user: &str) -> Owner {
    Owner { tenant: TenantId::new(tenant).unwrap(), user: UserId::new(user).unwrap() }
}

fn ada() -> Owner {
    owner("acme", "ada")
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn limits(capacity: usize, per_owner: usize) -> Limits {
    Limits { capacity, per_owner, idle: NONE_EXPIRES, age: NONE_EXPIRES }
}

type Numbers = Registry<&'static str, u32>;

/// The value of a name, made as 0; with what had to go for it.
fn obtain(
    registry: &mut Numbers,
    owner: &Owner,
    name: &'static str,
    seconds: i64,
) -> (u32, Vec<&'static str>) {
    let made = registry.obtain(owner, &name, at(seconds), || Ok::<_, ()>(0)).unwrap();
    *made.value += 1;
    (*made.value, made.removed.iter().map(|gone| gone.name).collect())
}

#[test]
fn a_value_is_made_once_and_found_afterwards() {
    let mut registry = Numbers::new(limits(9, 9));
    assert_eq!(obtain(&mut registry, &ada(), "a", 0), (1, vec![]));
    assert_eq!(obtain(&mut registry, &ada(), "a", 1), (2, vec![]));
    assert_eq!(registry.get(&ada(), &"a", at(2)), Some(&mut 2));
    assert_eq!(registry.get(&ada(), &"b", at(2)), None);
    let Counters { made, found, .. } = registry.health().counters;
    assert_eq!((made, found), (1, 2));
}

#[test]
fn x1_the_same_name_of_another_owner_is_another_value() {
    let mut registry = Numbers::new(limits(9, 9));
    for other in [ada(), owner("acme", "bob"), owner("evil", "ada")] {
        assert_eq!(obtain(&mut registry, &other, "a", 0).0, 1);
    }
    assert_eq!(registry.of_owner(&ada(), at(0)).count(), 1);
    let acme: Vec<_> = registry.of_tenant(&ada().tenant, at(0)).map(|(owner, ..)| owner).collect();
    assert!(acme.len() == 2 && acme.iter().all(|owner| owner.tenant.as_str() == "acme"));
    assert!(registry.remove(&owner("evil", "bob"), &"a").is_none());
}

#[test]
fn a_value_lives_as_long_as_it_is_used_but_not_beyond_its_age() {
    let idle = SignedDuration::from_secs(10);
    let mut registry =
        Numbers::new(Limits { idle, age: SignedDuration::from_secs(25), ..limits(9, 9) });
    obtain(&mut registry, &ada(), "a", 0);
    assert!(registry.get(&ada(), &"a", at(9)).is_some());
    assert!(registry.get(&ada(), &"a", at(18)).is_some());
    assert!(registry.sweep(at(24), 9).is_empty());
    assert!(registry.get(&ada(), &"a", at(24)).is_some());
    assert!(registry.get(&ada(), &"a", at(25)).is_none(), "gone, though nobody has swept");
    assert_eq!(registry.of_owner(&ada(), at(25)).count(), 0);
    let expired = registry.sweep(at(25), 9);
    assert_eq!((expired[0].name, expired[0].value, expired[0].why), ("a", 1, Why::Expired));
    let health = registry.health();
    assert_eq!((health.len, health.owners, health.counters.expired), (0, 0, 1));
}

#[test]
fn an_expired_value_is_handed_back_when_its_name_is_asked_for_again() {
    let mut registry = Numbers::new(Limits { age: SignedDuration::from_secs(10), ..limits(9, 9) });
    obtain(&mut registry, &ada(), "a", 0);
    assert_eq!(obtain(&mut registry, &ada(), "a", 10), (1, vec!["a"]));
    assert_eq!(registry.health().len, 1);
}

#[test]
fn one_too_many_takes_the_place_of_the_owners_least_used() {
    let mut registry =
        Numbers::new(Limits { idle: SignedDuration::from_secs(100), ..limits(9, 2) });
    obtain(&mut registry, &owner("acme", "bob"), "old", 0);
    obtain(&mut registry, &ada(), "a", 1);
    obtain(&mut registry, &ada(), "b", 2);
    obtain(&mut registry, &ada(), "a", 3);
    assert_eq!(obtain(&mut registry, &ada(), "c", 4), (1, vec!["b"]));
    assert_eq!(registry.health().counters.displaced, 1);
    assert!(registry.get(&owner("acme", "bob"), &"old", at(4)).is_some());
}

#[test]
fn a_full_registry_gives_up_what_would_expire_first() {
    let mut registry =
        Numbers::new(Limits { idle: SignedDuration::from_secs(100), ..limits(2, 2) });
    for (user, seconds) in [("ada", 0), ("bob", 1), ("ada", 2)] {
        obtain(&mut registry, &owner("acme", user), "a", seconds);
    }
    let cas = owner("acme", "cas");
    let made = registry.obtain(&cas, &"a", at(3), || Ok::<_, ()>(0)).unwrap();
    assert_eq!(made.removed[0].owner, owner("acme", "bob"));
    assert_eq!(registry.health().len, 2);
}

#[test]
fn a_frozen_registry_makes_nothing_and_keeps_what_it_has() {
    let mut registry = Numbers::new(limits(9, 9));
    obtain(&mut registry, &ada(), "a", 0);
    registry.freeze();
    assert_eq!(obtain(&mut registry, &ada(), "a", 1).0, 2);
    let refused = registry.obtain(&ada(), &"b", at(1), || Ok::<_, ()>(0)).unwrap_err();
    assert_eq!(refused, NoValue::Frozen);
    let health = registry.health();
    assert!(health.frozen && health.counters.refused == 1);
}

#[test]
fn what_cannot_be_made_displaces_nothing() {
    let mut registry = Numbers::new(limits(1, 1));
    obtain(&mut registry, &ada(), "a", 0);
    let refused = registry.obtain(&ada(), &"b", at(1), || Err("no connection")).unwrap_err();
    assert_eq!(refused, NoValue::NotMade("no connection"));
    assert!(registry.get(&ada(), &"a", at(1)).is_some());
}

proptest! {
    /// Compared with a map that has all values and no bounds: whatever is made is there, or was
    /// handed back once, and the bounds hold.
    #[test]
    fn nothing_is_lost_and_nothing_is_kept_beyond_the_bounds(
        steps in proptest::collection::vec((0..4_usize, 0..6_usize, 0..4_i64, 0..6_u8), 0..120),
    ) {
        const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
        let (idle, age) = (SignedDuration::from_secs(12), SignedDuration::from_secs(30));
        let mut registry = Numbers::new(Limits { capacity: 7, per_owner: 3, idle, age });
        let mut there = Model::new();
        let mut now = 0;
        for (number, (user, name, later, what)) in (0..).zip(steps) {
            now += later;
            let owner = owner("acme", ["ada", "bob", "cas", "dee"][user]);
            let gone = match what {
                0 => registry.sweep(at(now), 2),
                1 => registry.remove(&owner, &NAMES[name]).into_iter().collect(),
                _ => {
                    let made = registry.obtain(&owner, &NAMES[name], at(now), || Ok::<_, ()>(number));
                    let Obtained { value, is_new, removed } = made.unwrap();
                    prop_assert_eq!(is_new, *value == number);
                    for gone in removed {
                        let place = (gone.owner, gone.name);
                        prop_assert_eq!(there.remove(&place), Some(gone.value));
                    }
                    if is_new {
                        prop_assert_eq!(there.insert((owner, NAMES[name]), number), None);
                    }
                    Vec::new()
                }
            };
            for gone in gone {
                prop_assert_eq!(there.remove(&(gone.owner, gone.name)), Some(gone.value));
            }
            let health = registry.health();
            prop_assert_eq!(health.len, there.len());
            prop_assert!(health.len <= 7);
            for slots in registry.slots.values() {
                prop_assert!(!slots.is_empty() && slots.len() <= 3);
                for slot in slots.values() {
                    prop_assert!(registry.queue.contains_key(&slot.expiry));
                }
            }
        }
    }
}
