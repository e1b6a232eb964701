//! M1: every operation gives a new context and leaves the old one as it was.

use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::Usd;
use crate::id::{TenantId, UserId};
use crate::tally::tests::operation;

fn request(number: u128) -> RequestId {
    RequestId::new(Uuid::from_u128(number))
}

fn noon() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn context() -> Context {
    let who = Who::new(TenantId::new("acme").unwrap(), UserId::new("ada").unwrap());
    Context::new(who, request(1), noon())
}

fn optimization() -> Optimization {
    let saved = Some(Usd::from_pico(5));
    Optimization { pass: "dedup".into(), tokens_before: 100, tokens_after: 60, saved }
}

fn recommendation(rule: &str) -> Recommendation {
    Recommendation { rule: rule.into(), text: "cache the prompt".into(), saves: None }
}

fn shown(ctx: &Context) -> String {
    serde_json::to_string(ctx).unwrap()
}

#[test]
fn m1_every_operation_gives_a_new_context_and_leaves_the_old_one_unchanged() {
    let old = context();
    let before = shown(&old);
    let news = [
        old.track_usage(operation("coder", "gpt-5", Some(7))),
        old.record_optimization(optimization()),
        old.add_suggestions([recommendation("a"), recommendation("b")]),
        old.label("ticket", "4711").unwrap(),
        old.child(request(2), None, noon()).unwrap(),
        old.forwarded(noon()),
    ];
    for new in &news {
        assert_ne!(shown(new), before);
    }
    assert_eq!(shown(&old), before);

    let [tracked, optimized, advised, labelled, ..] = &news;
    assert_eq!((tracked.usage().len(), tracked.total().cost), (1, Usd::from_pico(7)));
    assert_eq!((optimized.optimizations().len(), optimized.total().tokens_saved), (1, 40));
    let rules = advised.recommendations().oldest_first().map(|it| &*it.rule);
    assert!(rules.eq(["a", "b"]));
    assert_eq!(labelled.metadata().get("ticket"), Some("4711"));
}

#[test]
fn a_child_knows_its_parent_and_depth_and_begins_anew() {
    let parent = context().label("ticket", "4711").unwrap();
    let parent = parent.track_usage(operation("coder", "gpt-5", Some(7)));
    let child = parent.child(request(2), AgentId::new("tester").ok(), noon()).unwrap();
    assert_eq!((child.request(), child.parent(), child.depth()), (request(2), Some(request(1)), 1));
    assert_eq!(
        (&child.who().user, &child.who().tenant),
        (&parent.who().user, &parent.who().tenant)
    );
    assert_eq!(child.who().agent, AgentId::new("tester").ok());
    assert_eq!(child.metadata(), parent.metadata());
    assert_eq!((child.usage().len(), *child.total()), (0, Tally::default()));
    let same_agent = child.child(request(3), None, noon()).unwrap();
    assert_eq!((same_agent.depth(), &same_agent.who().agent), (2, &child.who().agent));
}

#[test]
fn agents_cannot_call_each_other_without_end() {
    let child = |ctx: Context| ctx.child(request(9), None, noon());
    let deepest = (0..DEPTH_MAX).try_fold(context(), |ctx, _| child(ctx)).unwrap();
    assert_eq!(deepest.depth(), DEPTH_MAX);
    assert_eq!(child(deepest).unwrap_err(), TooDeep(request(9)));
}

#[test]
fn labels_are_validated_and_bounded() {
    let ctx = context();
    let refused = |name: &str, value: &str| ctx.label(name, value).unwrap_err().to_string();
    assert!(refused("undefined", "x").starts_with("label is the placeholder `undefined`"));
    let long = refused("ticket", &"x".repeat(1_025));
    assert_eq!(long, "value of label `ticket` is 1025 bytes long; shorten it to 1024");
    let full = (0..64).try_fold(ctx.clone(), |ctx, n| ctx.label(&format!("l{n}"), "")).unwrap();
    assert!(full.label("l0", "another value").is_ok());
    assert!(matches!(full.label("l64", "").unwrap_err(), InvalidMetadata::TooMany(_)));
}

#[test]
fn a_context_serialises_to_json() {
    let ctx = context().label("ticket", "4711").unwrap();
    let ctx = ctx.track_usage(operation("coder", "gpt-5", Some(7)));
    let ctx = ctx.record_optimization(optimization()).add_suggestions([recommendation("cache")]);
    let expected = json!({
        "who": { "tenant": "acme", "team": null, "user": "ada", "key": null, "agent": null,
            "thread": null, "run": null },
        "request": request(1),
        "parent": null,
        "depth": 0,
        "created_at": "2026-11-22T12:00:00Z",
        "forwarded_at": null,
        "metadata": { "ticket": "4711" },
        "anatomy": null,
        "total": { "operations": 1, "usage": { "input": 90, "output": 10 },
            "cost": "0.000000000007", "unknown_cost": 0, "tokens_saved": 40,
            "saved": "0.000000000005" },
        "usage": [{ "at": "2026-11-22T12:00:00Z", "agent": "coder", "model": "gpt-5",
            "usage": { "input": 90, "output": 10 },
            "cost": { "usd": "0.000000000007", "status": "priced" } }],
        "optimizations": [{ "pass": "dedup", "tokens_before": 100, "tokens_after": 60,
            "saved": "0.000000000005" }],
        "recommendations": [{ "rule": "cache", "text": "cache the prompt", "saves": null }],
    });
    assert_eq!(serde_json::to_value(&ctx).unwrap(), expected);
}

/// Were each version a copy, 10,000 of them would hold fifty million operations.
#[test]
fn ten_thousand_operations_take_linear_memory_though_every_version_is_kept() {
    let mut versions = vec![context()];
    for number in 0..10_000 {
        let next = versions[number].track_usage(operation("coder", "gpt-5", Some(1)));
        versions.push(next);
    }
    let lengths = versions.iter().map(|ctx| ctx.usage().len());
    assert!(lengths.eq(0..=10_000));
    let last = versions.pop().unwrap();
    drop(versions);
    assert_eq!(last.total().cost, Usd::from_pico(10_000));
    assert_eq!(last.usage().newest_first().count(), 10_000);
}
