//! Whose balance a rule finds, and whose not.

use jiff::tz::TimeZoneDatabase;

use super::*;
use crate::Usd;
use crate::id::{AgentId, KeyId, RunId, TeamId, ThreadId};

fn someone(tenant: &str, user: &str) -> Who {
    Who {
        team: Some(TeamId::new("research").unwrap()),
        key: Some(KeyId::new("key_1").unwrap()),
        agent: Some(AgentId::new("coder").unwrap()),
        thread: Some(ThreadId::new("talk").unwrap()),
        run: Some(RunId::new("task").unwrap()),
        ..Who::new(TenantId::new(tenant).unwrap(), UserId::new(user).unwrap())
    }
}

fn model() -> ModelId {
    ModelId::new("claude-opus-4-1").unwrap()
}

fn noon() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn rule(scope: ScopeKind, of: &str) -> Rule {
    let limit = Quantity::Usd(Usd::from_pico(7));
    Rule { of: Pattern::new(of).unwrap(), ..Rule::new(scope, Window::Day, limit) }
}

/// The name of the balance that a rule finds for Ada of Acme.
fn found(scope: ScopeKind, of: &str) -> Option<String> {
    let claim = rule(scope, of).claim(&someone("acme", "ada"), &model(), noon());
    claim.map(|claim| claim.balance.id.to_string())
}

#[test]
fn b13_every_scope_of_a_call_can_be_limited() {
    let names = ScopeKind::ALL.iter().map(|scope| found(*scope, "*").unwrap());
    let expected = ["acme", "research", "ada", "key_1", "coder", "talk", "task", "claude-opus-4-1"];
    assert!(names.eq(expected));
}

#[test]
fn b13_a_call_without_a_label_has_no_budget_of_that_kind() {
    let who = Who::new(TenantId::new("acme").unwrap(), UserId::new("ada").unwrap());
    let claims = |scope: &ScopeKind| rule(*scope, "*").claim(&who, &model(), noon()).is_some();
    let limited: Vec<_> = ScopeKind::ALL.iter().copied().filter(claims).collect();
    assert_eq!(limited, [ScopeKind::Tenant, ScopeKind::User, ScopeKind::Model]);
}

#[test]
fn a_rule_for_each_gives_each_a_balance_and_a_pattern_gives_one_to_all_it_names() {
    assert_eq!(found(ScopeKind::User, "ada").as_deref(), Some("ada"));
    assert_eq!(found(ScopeKind::User, "bob"), None);
    assert_eq!(found(ScopeKind::Model, "*").as_deref(), Some("claude-opus-4-1"));
    assert_eq!(found(ScopeKind::Model, "claude-*").as_deref(), Some("claude-*"));
    assert_eq!(found(ScopeKind::Model, "gpt-*"), None);

    // A dated name is no way around the budget of its family.
    let dated = ModelId::new("claude-opus-4-1-20250805").unwrap();
    let family = rule(ScopeKind::Model, "claude-opus-4-1*");
    let of = |model: &ModelId| family.claim(&someone("acme", "ada"), model, noon()).unwrap();
    assert_eq!(of(&dated).balance, of(&model()).balance);
}

#[test]
fn a_balance_is_of_one_tenant_one_scope_and_one_window() {
    let claim = |scope, tenant: &str, user: &str, at| {
        rule(scope, "*").claim(&someone(tenant, user), &model(), at).unwrap().balance
    };
    let ada = claim(ScopeKind::User, "acme", "ada", noon());
    let tomorrow: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
    let others = [
        claim(ScopeKind::User, "acme", "bob", noon()),
        claim(ScopeKind::User, "emca", "ada", noon()),
        claim(ScopeKind::Tenant, "acme", "ada", noon()),
        claim(ScopeKind::User, "acme", "ada", tomorrow),
    ];
    assert!(others.iter().all(|other| *other != ada));
    // A tenant may be called as one of its users is.
    let [tenant, user] =
        [ScopeKind::Tenant, ScopeKind::User].map(|kind| claim(kind, "ada", "ada", noon()));
    assert_ne!(tenant, user);
}

#[test]
fn x5_two_users_may_use_the_same_thread_and_run() {
    for scope in [ScopeKind::Thread, ScopeKind::Run] {
        let of = |user| rule(scope, "*").claim(&someone("acme", user), &model(), noon()).unwrap();
        assert_ne!(of("ada").balance, of("bob").balance);
    }
    let of = |user| {
        let agent = rule(ScopeKind::Agent, "*");
        agent.claim(&someone("acme", user), &model(), noon()).unwrap()
    };
    assert_eq!(of("ada").balance, of("bob").balance);
}

#[test]
fn a_rule_can_hold_for_one_tenant_alone() {
    let only = Rule { tenant: TenantId::new("acme").ok(), ..rule(ScopeKind::User, "*") };
    assert!(only.claim(&someone("acme", "ada"), &model(), noon()).is_some());
    assert_eq!(only.claim(&someone("emca", "ada"), &model(), noon()), None);
}

#[test]
fn b7_days_of_two_zones_that_begin_together_and_end_apart_are_two() {
    // Clocks are set forward in Berlin that day, not in Lagos.
    let night: Timestamp = "2026-03-29T00:30:00Z".parse().unwrap();
    let of = |zone| {
        let zone = TimeZoneDatabase::bundled().get(zone).unwrap();
        let rule = Rule { zone, ..rule(ScopeKind::User, "*") };
        rule.claim(&someone("acme", "ada"), &model(), night).unwrap().balance
    };
    let (berlin, lagos) = (of("Europe/Berlin"), of("Africa/Lagos"));
    assert_eq!(berlin.start, lagos.start);
    assert_ne!(berlin, lagos);
}

#[test]
fn b7_only_what_begins_anew_resets() {
    let resets = |window| {
        let rule = Rule { window, ..rule(ScopeKind::User, "*") };
        rule.claim(&someone("acme", "ada"), &model(), noon()).unwrap().resets_at()
    };
    assert_eq!(resets(Window::Request), None);
    assert_eq!(resets(Window::Hour), "2026-11-22T13:00:00Z".parse().ok());
    assert_eq!(resets(Window::Month), "2026-12-01T00:00:00Z".parse().ok());
    assert_eq!(resets(Window::Total), None);
}

#[test]
fn a_rule_is_written_as_a_table_with_defaults() {
    let short = r#"{"scope":"user","window":"day","limit":{"usd":"0.000000000007"}}"#;
    assert_eq!(serde_json::from_str::<Rule>(short).unwrap(), rule(ScopeKind::User, "*"));

    let long = r#"{"tenant":"acme","scope":"model","of":"claude-*","window":"week",
        "limit":{"tokens":1000},"mode":"soft","policy":"clamp","zone":"Europe/Berlin"}"#;
    let read: Rule = serde_json::from_str(long).unwrap();
    assert_eq!((read.limit, read.mode), (Quantity::Tokens(1_000), Mode::Soft));
    assert_eq!(read.zone.iana_name(), Some("Europe/Berlin"));
    let written = serde_json::to_string(&read).unwrap();
    assert_eq!(serde_json::from_str::<Rule>(&written).unwrap(), read);

    for wrong in [r#","mode":"firm"}"#, r#","zone":"Europe/Atlantis"}"#, r#","limits":1}"#] {
        let text = short.replacen('}', "", 1).replace('}', "") + "}" + wrong;
        assert!(serde_json::from_str::<Rule>(&text).is_err(), "{text}");
    }
}
