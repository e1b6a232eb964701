//! Who is let in, for whom, and how far.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::id::{KeyId, ModelId, Pattern, ProviderId, TenantId, UserId};
use crate::scope::Scope;

const PEPPER: Pepper = Pepper::new([7; 32]);

fn secret(byte: u8) -> KeySecret {
    KeySecret::new([byte; 32])
}

fn hash(byte: u8) -> KeyHash {
    secret(byte).hash(&PEPPER)
}

fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(hour * 3_600).unwrap()
}

fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

fn grant(holder: Holder, role: Role) -> Grant {
    Grant {
        tenant: TenantId::new("acme").unwrap(),
        team: None,
        holder,
        role,
        permissions: [Permission::Call, Permission::Read, Permission::Manage].into(),
        plan: None,
        models: AllowList::default(),
        providers: AllowList::default(),
    }
}

fn key(grant: Grant) -> Key {
    Key {
        id: KeyId::new("key_1").unwrap(),
        hash: hash(1),
        former: None,
        grant: Arc::new(grant),
        created_at: at(0),
        expires_at: None,
        revoked_at: None,
    }
}

fn adas() -> Key {
    key(grant(Holder::User(user("ada")), Role::User))
}

fn principal(grant: Grant) -> Principal {
    key(grant).admit(&hash(1), at(1)).unwrap()
}

#[test]
fn a_secret_is_text_that_reads_back_and_is_never_logged() {
    let text = secret(0xab).reveal();
    assert_eq!(text, format!("fk_{}", "ab".repeat(32)));
    let read: KeySecret = format!(" {text}\n").parse().unwrap();
    assert_eq!(read.hash(&PEPPER), hash(0xab));
    assert_eq!(format!("{read:?} {PEPPER:?}"), "KeySecret Pepper");
    for wrong in
        ["", "fk_", "sk-abc", &text[..66], &text.replace("fk_", "fk-"), &text.replace('a', "g")]
    {
        assert_eq!(wrong.parse::<KeySecret>().unwrap_err(), InvalidSecret);
    }
}

#[test]
fn a_hash_depends_on_secret_and_pepper_and_reads_back() {
    assert_ne!(hash(1), hash(2));
    assert_ne!(hash(1), secret(1).hash(&Pepper::new([8; 32])));
    let json = serde_json::to_string(&hash(1)).unwrap();
    assert_eq!(serde_json::from_str::<KeyHash>(&json).unwrap(), hash(1));
    assert!(!json.contains(&secret(1).reveal()[3..]));
}

#[test]
fn only_who_has_the_secret_is_let_in_and_learns_why_not() {
    let key = Key { expires_at: Some(at(10)), ..adas() };
    assert!(key.admit(&hash(1), at(9)).is_ok());
    assert_eq!(key.admit(&hash(1), at(10)), Err(Denied::Expired(key.id.clone(), at(10))));
    let revoked = key.revoked(at(5));
    assert!(revoked.admit(&hash(1), at(4)).is_ok());
    assert_eq!(revoked.admit(&hash(1), at(5)), Err(Denied::Revoked(key.id.clone(), at(5))));
    assert_eq!(revoked.revoked(at(7)).revoked_at, Some(at(5)));
    for key in [key, revoked] {
        assert_eq!(key.admit(&hash(2), at(11)), Err(Denied::Unknown));
    }
}

#[test]
fn a_rotated_key_accepts_both_secrets_for_a_while() {
    let rotated = adas().rotated(hash(2), at(5), SignedDuration::from_hours(2));
    assert_eq!(rotated.id, adas().id, "its budgets go on");
    assert!(rotated.admit(&hash(2), at(5)).is_ok());
    assert!(rotated.admit(&hash(1), at(6)).is_ok());
    assert_eq!(rotated.admit(&hash(1), at(7)), Err(Denied::Replaced(rotated.id.clone(), at(7))));
    assert!(rotated.admit(&hash(2), at(7)).is_ok());

    let again = rotated.rotated(hash(3), at(6), SignedDuration::from_hours(2));
    assert_eq!(again.admit(&hash(1), at(6)), Err(Denied::Unknown));
    let revoked = rotated.revoked(at(6));
    assert!(revoked.admit(&hash(1), at(6)).is_err() && revoked.admit(&hash(2), at(6)).is_err());
}

#[test]
fn x5_a_user_key_acts_for_its_own_user_alone() {
    let ada = principal(grant(Holder::User(user("ada")), Role::User));
    let who = ada.who(None).unwrap();
    assert_eq!((who.tenant.as_str(), who.user.as_str()), ("acme", "ada"));
    assert_eq!(who.key, Some(KeyId::new("key_1").unwrap()));
    assert_eq!(ada.who(Some(user("ada"))), Ok(who));
    assert_eq!(ada.who(Some(user("bob"))), Err(Denied::AnotherUser(user("bob"))));
    assert_eq!(ada.scope(Some(user("bob"))), Err(Denied::AnotherUser(user("bob"))));
    let own = Scope::user(TenantId::new("acme").unwrap(), user("ada"));
    assert_eq!(ada.scope(None), Ok(own));
    assert_eq!(ada.may(Permission::Manage), Err(Denied::AdminsOnly));
}

#[test]
fn a_service_key_names_users_of_its_own_tenant() {
    let service = principal(grant(Holder::Service(user("default")), Role::User));
    let name = |named| service.who(named).unwrap().user;
    assert_eq!((name(None), name(Some(user("bob")))), (user("default"), user("bob")));
    let tenant = TenantId::new("acme").unwrap();
    let bobs = Scope::user(tenant.clone(), user("bob"));
    assert_eq!(service.scope(Some(user("bob"))), Ok(bobs));
    assert_eq!(service.scope(None), Ok(Scope::user(tenant, user("default"))));
}

#[test]
fn an_administrator_sees_the_tenant_and_still_calls_as_one_user() {
    let admin = principal(grant(Holder::User(user("ada")), Role::Admin));
    let tenant = TenantId::new("acme").unwrap();
    assert_eq!(admin.scope(None), Ok(Scope::all_users(tenant.clone())));
    assert_eq!(admin.scope(Some(user("bob"))), Ok(Scope::user(tenant, user("bob"))));
    assert_eq!(admin.who(Some(user("bob"))), Err(Denied::AnotherUser(user("bob"))));
    assert_eq!(admin.may(Permission::Manage), Ok(()));
}

#[test]
fn a_key_does_what_it_was_made_for_with_the_models_on_its_list() {
    let patterns =
        |texts: &[&str]| AllowList::only(texts.iter().map(|text| Pattern::new(text).unwrap()));
    let caller = principal(Grant {
        permissions: [Permission::Call].into(),
        models: patterns(&["claude-*", "gpt-5-mini"]),
        providers: patterns(&["anthropic", "openai"]),
        ..grant(Holder::User(user("ada")), Role::Admin)
    });
    let call = |provider: &str, model: &str| {
        caller.may_call(&ProviderId::new(provider).unwrap(), &ModelId::new(model).unwrap())
    };
    assert_eq!(call("anthropic", "claude-opus-4-1"), Ok(()));
    assert_eq!(call("openai", "gpt-5"), Err(Denied::Model(ModelId::new("gpt-5").unwrap())));
    assert_eq!(call("evil", "claude-1"), Err(Denied::Provider(ProviderId::new("evil").unwrap())));
    assert_eq!(caller.scope(None), Err(Denied::Permission(Permission::Read)));
    assert_eq!(caller.may(Permission::Manage), Err(Denied::Permission(Permission::Manage)));
    assert!(!patterns(&[]).allows("anything"));
}

#[test]
fn keys_and_plans_are_kept_as_json() {
    let key = adas().rotated(hash(2), at(5), SignedDuration::from_hours(2));
    let json = serde_json::to_string(&key).unwrap();
    assert_eq!(serde_json::from_str::<Key>(&json).unwrap(), key);

    let plan = r#"{"limits":[{"scope":"user","window":"day","limit":{"requests":100}}],
        "rates":[{"scope":"user","limit":{"requests":60}}],"optimizer":"lossless",
        "analytics":"basic","retention_days":30,"on_disconnect":"cancel"}"#;
    let plan: Plan = serde_json::from_str(plan).unwrap();
    assert_eq!((plan.limits.len(), plan.rates.len(), plan.retention_days), (1, 1, 30));
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
}
